// Scans an invite's QR code with the camera. The camera is released as soon as the dialog closes.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Dialog } from '../parts/dialog.tsx';
import { inviteIn } from '../route.ts';
import { openCamera, scanFrames } from './camera.ts';

const NOT_AN_INVITE =
  'This QR code is not an invite to a pool. On the other device, choose “Invite a device”.';

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
    <Dialog title="Scan an invite" onClose={onClose}>
      <p>Point the camera at the QR code that the other device shows.</p>
      <video
        ref={video}
        class="camera"
        muted
        playsInline
        hidden={trouble.value.ended}
        aria-label="Camera picture"
      />
      {trouble.value.text === '' ? null : (
        <p class="message error" role="alert">
          {trouble.value.text}
        </p>
      )}
      <button type="button" class="button wide" onClick={onClose}>
        Cancel
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

/** Never rejects: whatever is in the way is told through `events.trouble`. */
async function scan(video: HTMLVideoElement, signal: AbortSignal, events: ScanEvents): Promise<void> {
  try {
    await openCamera(video, signal);
    for await (const text of scanFrames(video, signal)) {
      const invite = inviteIn(text);
      if (invite !== undefined) {
        events.found(invite);
        return;
      }
      events.trouble({ text: NOT_AN_INVITE, ended: false });
    }
  } catch (error) {
    if (!signal.aborted) events.trouble({ text: cameraTrouble(error), ended: true });
  }
}

function cameraTrouble(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  const instead = 'Scan the code with the device’s own camera app instead, or paste the invite link.';
  if (name === 'NotAllowedError') return `Palm was not allowed to use the camera. ${instead}`;
  if (name === 'NotFoundError') return `No camera was found here. ${instead}`;
  if (name === 'NotReadableError') return `The camera is in use by another app. ${instead}`;
  return `The camera did not start (${error instanceof Error ? error.message : String(error)}). ${instead}`;
}
