// `palm pin` and `palm unpin`: whether this device keeps as much of a file as one device may.

import { print, printJson } from '../output.ts';
import { words } from '../words.ts';
import { type Context, fileNamed, pathOf } from './context.ts';

export async function pin(context: Context, names: readonly string[], isPinned: boolean): Promise<void> {
  const device = await context.device();
  const status = await device.status();
  const files = names.map((name) => fileNamed(status, name));
  for (const file of files) {
    await device.pin(file.fileId, isPinned);
    const held = file.holders.find(({ deviceId }) => deviceId === status.device.id)?.fragments.length ?? 0;
    const wanted = Math.max(1, file.k - 1);
    if (context.isJson) printJson({ fileId: file.fileId, pinned: isPinned, held, wanted });
    else print(isPinned ? words.pinned(pathOf(file), held, wanted) : words.unpinned(pathOf(file)));
  }
}
