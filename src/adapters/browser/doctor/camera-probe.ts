// Whether there is a camera, and whether this page may use it. It is opened only when the person asked for
// that, for a moment; nothing that it sees is looked at.

import type { CameraSeen } from '../../../core/doctor/facts.ts';

export async function tryCamera(signal: AbortSignal, mayOpen: boolean): Promise<CameraSeen> {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const count = devices.filter(({ kind }) => kind === 'videoinput').length;
  const opened = mayOpen ? await open(signal) : undefined;
  return { count, permission: await permission(), ...(opened === undefined ? {} : { opened }) };
}

async function permission(): Promise<CameraSeen['permission']> {
  try {
    return (await navigator.permissions.query({ name: 'camera' })).state;
  } catch {
    return 'unknown'; // older engines do not tell
  }
}

async function open(signal: AbortSignal): Promise<NonNullable<CameraSeen['opened']>> {
  try {
    const opening = navigator.mediaDevices.getUserMedia({ video: true });
    // The person may answer after the doctor has gone.
    signal.addEventListener('abort', () => void opening.then(stop, () => undefined));
    stop(await opening);
    return 'opened';
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
    return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'none' : 'busy';
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
