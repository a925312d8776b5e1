// Where a device listens for its command line.

import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Longer ones do not fit into the address of a socket (unix(7): 108 bytes, fewer on other systems). */
const MAX_PATH_BYTES = 100;

/** A socket in the device's folder; a named pipe on Windows. */
export function socketPath(folder: string, platform: NodeJS.Platform = process.platform): string {
  const name = createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 32);
  if (platform === 'win32') return `\\\\.\\pipe\\palm-${name}`;
  const path = join(folder, 'palm.sock');
  return Buffer.byteLength(path) <= MAX_PATH_BYTES ? path : join(tmpdir(), `palm-${name}.sock`);
}
