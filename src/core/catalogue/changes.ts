// What one call changes in the catalogue, gathered while its entries are applied.

import type { DeviceId, FileId } from '../model/ids.ts';
import type { PackedEntry } from './packed-entry.ts';

export class Changes {
  readonly orphaned = new Set<DeviceId>();
  readonly evicted: PackedEntry[] = [];
  readonly files = new Set<FileId>();
  /** Contents that entries concern, and whether they were named before. */
  readonly contents = new Map<FileId, boolean>();
  readonly forks = new Map<DeviceId, number>();
  readonly beyond = new Map<DeviceId, number>();
}
