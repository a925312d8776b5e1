// What the entries of a log may do, as the catalogue asks it. In a pool without a charter, everything.

import type { DeviceId } from '../model/ids.ts';
import type { DeviceLog } from './device-log.ts';
import type { PackedEntry } from './packed-entry.ts';

/** How much of what an entry says counts. 'own': it takes away only names that its device gave. */
export type Counting = 'all' | 'own' | 'none';

export interface EntryRights {
  /** Whether the device has a place in the pool now. */
  isIn(device: DeviceId): boolean;
  /** Whether it was shut out. */
  isOut(device: DeviceId): boolean;
  /** Whether its log is kept: it is in, or was. */
  isKnown(device: DeviceId): boolean;
  /** Whether acts name points in its log: what comes may change what earlier entries do. */
  hasPoints(device: DeviceId): boolean;
  countingOf(entry: PackedEntry, log: DeviceLog): Counting;
}

export const ALL_RIGHTS: EntryRights = {
  isIn: () => true,
  isOut: () => false,
  isKnown: () => true,
  hasPoints: () => false,
  countingOf: () => 'all',
};
