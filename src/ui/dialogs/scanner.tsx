// A camera's picture that is searched for QR codes, with its light and the choice of another camera. The
// camera is released as soon as the picture leaves the page.

import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Trouble } from '../parts/trouble.tsx';
import { words } from '../text/words.ts';
import { openCamera, scanFrames, type Camera } from './camera.ts';

interface ScannerProps {
  /** A code was read. Returns what is wrong with it, in words; '' ends scanning: it is the wanted one. */
  readonly onText: (text: string) => Promise<string> | string;
}

export function Scanner({ onText }: ScannerProps) {
  const video = useRef<HTMLVideoElement>(null);
  const trouble = useSignal<ScanTrouble>({ text: '', ended: false });
  const chosen = useSignal<string | undefined>(undefined);
  const camera = useSignal<Camera | undefined>(undefined);
  const onTextNow = useRef(onText);
  onTextNow.current = onText;
  const id = chosen.value;
  useEffect(() => {
    const stop = new AbortController();
    const element = video.current;
    if (element !== null) {
      void scan(element, id, stop.signal, {
        opened: (opened) => (camera.value = opened),
        read: (text) => onTextNow.current(text),
        trouble: (now) => (trouble.value = now),
      });
    }
    return () => {
      camera.value = undefined;
      stop.abort();
    };
  }, [trouble, camera, id]);
  return (
    <>
      <video
        ref={video}
        class="camera"
        muted
        playsInline
        hidden={trouble.value.ended}
        aria-label={words.scan.picture}
      />
      {camera.value === undefined ? null : (
        <CameraControls camera={camera.value} onChoose={(wanted) => (chosen.value = wanted)} />
      )}
      <Trouble text={trouble.value.text} />
    </>
  );
}

interface CameraControlsProps {
  readonly camera: Camera;
  readonly onChoose: (id: string) => void;
}

/** Nothing for the one camera of a laptop, which has no light. */
function CameraControls({ camera, onChoose }: CameraControlsProps) {
  const id = useId();
  const isLit = useSignal(false);
  const cameras = useSignal<Awaited<ReturnType<Camera['cameras']>>>([]);
  useEffect(() => {
    camera.cameras().then(
      (all) => (cameras.value = all),
      // The choice is a convenience.
      () => undefined,
    );
  }, [camera, cameras]);
  const light = async (): Promise<void> => {
    const isOn = !isLit.value;
    await camera.setTorch(isOn);
    isLit.value = isOn;
  };
  return (
    <div class="camera-controls">
      {camera.hasTorch ? (
        <button
          type="button"
          class="button"
          aria-pressed={isLit.value}
          onClick={() => void light().catch(() => undefined)}
        >
          {words.scan.light}
        </button>
      ) : null}
      {cameras.value.length > 1 ? (
        <div class="field">
          <label for={id}>{words.scan.camera}</label>
          <select id={id} value={camera.id} onChange={(event) => onChoose(event.currentTarget.value)}>
            {cameras.value.map((each, index) => (
              <option key={each.id} value={each.id}>
                {each.name === '' ? words.scan.cameraOf(index + 1) : each.name}
              </option>
            ))}
          </select>
        </div>
      ) : null}
    </div>
  );
}

interface ScanEvents {
  readonly opened: (camera: Camera) => void;
  readonly read: (text: string) => Promise<string> | string;
  readonly trouble: (trouble: ScanTrouble) => void;
}

interface ScanTrouble {
  /** '' for none. */
  readonly text: string;
  /** There is no picture, and none will come. */
  readonly ended: boolean;
}

/** Never rejects: every obstacle is reported through `events.trouble`. */
async function scan(
  video: HTMLVideoElement,
  id: string | undefined,
  signal: AbortSignal,
  events: ScanEvents,
): Promise<void> {
  let refused: string | undefined;
  try {
    events.opened(await openCamera(video, signal, id));
    for await (const text of scanFrames(video, signal)) {
      // The same wrong code stays in the picture for a while.
      if (text === refused) continue;
      const wrong = await events.read(text);
      if (wrong === '' || signal.aborted) return;
      refused = text;
      events.trouble({ text: wrong, ended: false });
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
