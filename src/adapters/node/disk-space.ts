// How much a Node device may store: what is free on the disk of its folder, on top of what it uses.

import { readdirSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';

export interface DiskSpace {
  readonly usedBytes: number;
  readonly quotaBytes: number;
}

/** `holeBytes` of the folder hold nothing and are used before a file grows. */
export async function diskSpace(path: string, holeBytes: number): Promise<DiskSpace> {
  const { bsize, bavail } = await statfs(path);
  const usedBytes = Math.max(0, bytesIn(path) - holeBytes);
  return { usedBytes, quotaBytes: usedBytes + bsize * bavail };
}

/** As many files as there are packs of 16 MiB, and a few more. */
function bytesIn(path: string): number {
  return readdirSync(path, { withFileTypes: true }).reduce((sum, entry) => {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) return sum + bytesIn(inside);
    return sum + (statSync(inside, { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}
