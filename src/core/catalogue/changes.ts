// What one call changes in the catalogue, gathered while its entries are applied.

import type { DeviceId, FileId } from '../model/ids.ts';
import type { CheckedEntry } from './check.ts';
import type { PackedEntry } from './packed-entry.ts';

export interface AddResult {
  /** Entries that are kept and were not here before. */
  readonly added: readonly CheckedEntry[];
  /** Entries that were here and were evicted for others of their log. */
  readonly evicted: readonly PackedEntry[];
  /** Contents that were lost with the evicted entries: not even a removal could be undone for them. */
  readonly lost: readonly FileId[];
  /** Contents that entries of this call concern and that have no name now. */
  readonly nameless: readonly FileId[];
  /** Contents that have a name now and had none before. */
  readonly named: readonly FileId[];
  /** Devices of whose logs an earlier part is missing here: ask for those logs from the start. */
  readonly orphaned: readonly DeviceId[];
  /** How often a log was seen to split. */
  readonly forks: ReadonlyMap<DeviceId, number>;
  /** How many entries of a log are not kept because it is full, new and evicted ones together. */
  readonly beyond: ReadonlyMap<DeviceId, number>;
}

export class Changes {
  readonly orphaned = new Set<DeviceId>();
  readonly evicted: PackedEntry[] = [];
  readonly files = new Set<FileId>();
  /** Contents that entries concern, and whether they were named before. */
  readonly contents = new Map<FileId, boolean>();
  readonly forks = new Map<DeviceId, number>();
  readonly beyond = new Map<DeviceId, number>();
}
