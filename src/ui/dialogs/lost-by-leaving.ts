// What the pool loses when this device leaves it. Pure.

import type { FileStatus } from '../../runtime/api.ts';

/**
 * Files that all the other devices together, none of them away, could not open without `selfId`'s fragments.
 */
export function lostByLeaving(files: readonly FileStatus[], selfId: string): readonly FileStatus[] {
  return files.filter((file) => {
    const elsewhere = new Set<number>();
    for (const holder of file.holders) {
      if (holder.deviceId !== selfId) for (const fragment of holder.fragments) elsewhere.add(fragment);
    }
    return elsewhere.size < file.k;
  });
}
