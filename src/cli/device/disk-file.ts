// A file of this machine as the runtime reads files: a part at a time, and not at all once it changed.

import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';

/** @throws the system's error, such as ENOENT; an Error with the code EISDIR for a folder. */
export async function openDiskFile(path: string, name: string): Promise<File> {
  const stats = await stat(path);
  if (stats.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
  const bytes = await openAsBlob(path);
  return new File([bytes], name, { lastModified: Math.floor(stats.mtimeMs) });
}
