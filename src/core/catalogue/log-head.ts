// How far a device's log reaches, and positions in it, as devices tell each other.

import type { DeviceId, EntryId } from '../model/ids.ts';
import type { HybridTime } from './clock.ts';
import type { LogMark } from './device-log.ts';

/** How far one device's log reaches here: `digest` tells branches apart, `marks` tell where they part. */
export interface LogHead {
  readonly device: DeviceId;
  readonly seq: number;
  readonly digest: string;
  readonly marks: readonly LogMark[];
}

/**
 * A position in the order in which the catalogue is sent: logs by device id, and within a log its entries by
 * number, then by entry id. Without `entry` it lies before all entries above `seq`.
 */
export interface LogCursor {
  readonly device: DeviceId;
  readonly seq: number;
  readonly entry: EntryId | undefined;
}

/** What the next entry of a log must say of its position. */
export interface EntryPosition {
  readonly seq: number;
  readonly prev: EntryId | undefined;
  readonly at: HybridTime;
}
