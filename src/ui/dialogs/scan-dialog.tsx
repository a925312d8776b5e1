// Scans an invite's QR code with the camera. The camera is released as soon as the dialog closes.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { inviteIn } from '../route.ts';
import { openCamera, scanFrames } from './camera.ts';
import { words } from '../text/words.ts';

interface ScanDialogProps {
  readonly onClose: () => void;
  readonly onInvite: (invite: string) => void;
}

export function ScanDialog({ onClose, onInvite }: ScanDialogProps) {
  const video = useRef<HTMLVideoElement>(null);
  const trouble = useSignal<ScanTrouble>({ text: '', ended: false });
  const onInviteNow = useRef(onInvite);
  onInviteNow.current = onInvite;
  useEffect(() => {
    const stop = new AbortController();
    const element = video.current;
    if (element !== null) {
      void scan(element, stop.signal, {
        found: (invite) => onInviteNow.current(invite),
        trouble: (now) => (trouble.value = now),
      });
    }
    return () => stop.abort();
  }, [trouble]);
  return (
    <Dialog title={words.scan.title} onClose={onClose}>
      <p>{words.scan.lead}</p>
      <video
        ref={video}
        class="camera"
        muted
        playsInline
        hidden={trouble.value.ended}
        aria-label={words.scan.picture}
      />
      <Trouble text={trouble.value.text} />
      <button type="button" class="button wide" onClick={onClose}>
        {words.common.cancel}
      </button>
    </Dialog>
  );
}

interface ScanEvents {
  readonly found: (invite: string) => void;
  readonly trouble: (trouble: ScanTrouble) => void;
}

interface ScanTrouble {
  /** '' for none. */
  readonly text: string;
  /** There is no picture, and none will come. */
  readonly ended: boolean;
}

/** Never rejects: every obstacle is reported through `events.trouble`. */
async function scan(video: HTMLVideoElement, signal: AbortSignal, events: ScanEvents): Promise<void> {
  try {
    await openCamera(video, signal);
    for await (const text of scanFrames(video, signal)) {
      const invite = inviteIn(text);
      if (invite !== undefined) {
        events.found(invite);
        return;
      }
      events.trouble({ text: words.camera.notAnInvite, ended: false });
    }
  } catch (error) {
    if (!signal.aborted) events.trouble({ text: cameraTrouble(error), ended: true });
  }
}

function cameraTrouble(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError') return words.camera.notAllowed;
  if (name === 'NotFoundError') return words.camera.notFound;
  if (name === 'NotReadableError') return words.camera.inUse;
  return words.camera.notStarted(error instanceof Error ? error.message : String(error));
}
