// What the pool loses when this device leaves it. Pure.

import { marginOf, reachOf } from '../../core/placement/health.ts';
import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';

export interface LeavingStakes {
  /** Files that all the other devices together, none of them away, could not open. */
  readonly lost: readonly FileStatus[];
  /** Files that they could open, but the loss of one more device could end that. */
  readonly exposedCount: number;
}

/** What devices hold that are gone does not count: they are not expected back. */
export function leavingStakes(files: readonly FileStatus[], devices: readonly DeviceStatus[]): LeavingStakes {
  const isOut = new Set(devices.filter(({ self, state }) => self || state === 'gone').map(({ id }) => id));
  const lost: FileStatus[] = [];
  let exposedCount = 0;
  for (const file of files) {
    const there = file.holders.filter(({ deviceId }) => !isOut.has(deviceId));
    const others = new Map(there.map(({ deviceId, fragments }) => [deviceId, new Set(fragments)]));
    if (reachOf(others) < file.k) lost.push(file);
    else if (marginOf(others, file.k) < 1) exposedCount += 1;
  }
  return { lost, exposedCount };
}
