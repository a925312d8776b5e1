// A device in this process, until it is told to end.

import { runDevice, type RunningDevice } from '../device/run-device.ts';
import { deviceLog } from '../operations/device-log.ts';
import { print } from '../output.ts';
import { words } from '../words.ts';

export async function up(folder: string, signal: AbortSignal): Promise<void> {
  const device = await runDevice(folder, undefined, deviceLog());
  print(words.running(folder));
  await ended(device, signal);
}

/** Waits until the device is told to end, and ends it. */
export async function ended(device: RunningDevice, signal: AbortSignal): Promise<void> {
  await Promise.race([
    device.stopped,
    new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
    }),
  ]);
  await device.close();
}
