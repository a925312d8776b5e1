// Kept entries of which not all counts, because of what their devices may do.

import type { DeviceLog } from './device-log.ts';
import type { Counting, EntryRights } from './entry-rights.ts';
import type { PackedEntry } from './packed-entry.ts';

export class LimitedEntries {
  readonly #rights: EntryRights;
  /** The others count whole: nearly all of them. */
  readonly #limited = new Map<PackedEntry, Exclude<Counting, 'all'>>();

  constructor(rights: EntryRights) {
    this.#rights = rights;
  }

  /** As it was last noted. */
  countingOf(entry: PackedEntry): Counting {
    return this.#limited.get(entry) ?? 'all';
  }

  note(entry: PackedEntry, log: DeviceLog): Counting {
    const counting = this.#rights.countingOf(entry, log);
    if (counting === 'all') this.#limited.delete(entry);
    else this.#limited.set(entry, counting);
    return counting;
  }

  /** The entry is no longer kept. */
  forget(entry: PackedEntry): Counting {
    const counting = this.countingOf(entry);
    this.#limited.delete(entry);
    return counting;
  }

  /** The log as far as it counts at all. */
  countedOf(log: DeviceLog): Pick<DeviceLog, 'last'> {
    return { last: (is) => log.last((entry) => this.countingOf(entry) !== 'none' && is(entry)) };
  }
}
