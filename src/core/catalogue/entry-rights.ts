// What the entries of a log may do, as the catalogue asks it. In a pool without a charter, everything.

import type { DeviceId, EntryId } from '../model/ids.ts';
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
  /**
   * The entries of its log that acts name as points. What comes may change what entries before them do, and
   * these are kept before all others.
   */
  pointsOf(device: DeviceId): ReadonlySet<EntryId>;
  countingOf(entry: PackedEntry, log: DeviceLog): Counting;
}

const NO_POINTS: ReadonlySet<EntryId> = new Set();

export const ALL_RIGHTS: EntryRights = {
  isIn: () => true,
  isOut: () => false,
  isKnown: () => true,
  pointsOf: () => NO_POINTS,
  countingOf: () => 'all',
};
