// One device's log as this device knows it. Honest logs are chains. A chain can fork: a device whose disk lost its last
// records writes their numbers again, and a hostile one may do so on purpose. Both branches are kept, each chained
// from the start, so that any two devices that exchange what they have end up with the same entries.

import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf, utf8 } from '../model/bytes.ts';
import type { EntryId } from '../model/ids.ts';
import type { CheckedEntry } from './check.ts';

export class DeviceLog {
  readonly #byId = new Map<EntryId, CheckedEntry>();
  readonly #bySeq: CheckedEntry[][] = [];
  /** Entries that no other entry follows. */
  readonly #tips = new Set<EntryId>();
  #digest: string | undefined;

  has(entryId: EntryId): boolean {
    return this.#byId.has(entryId);
  }

  get entryCount(): number {
    return this.#byId.size;
  }

  /** The highest sequence number; 0 when empty. */
  get seq(): number {
    return this.#bySeq.length;
  }

  /** Whether `checked` was added; 'orphan' when the entry before it is not here. */
  add(checked: CheckedEntry): 'added' | 'known' | 'orphan' {
    const { entryId, prev, seq } = checked.entry;
    if (this.#byId.has(entryId)) return 'known';
    if (prev !== undefined && this.#byId.get(prev)?.entry.seq !== seq - 1) return 'orphan';
    this.#byId.set(entryId, checked);
    const row = this.#bySeq[seq - 1];
    if (row === undefined) this.#bySeq.push([checked]);
    else row.push(checked);
    if (prev !== undefined) this.#tips.delete(prev);
    this.#tips.add(entryId);
    this.#digest = undefined;
    return 'added';
  }

  /** The entry that the device's next one follows: of the longest branch, the smallest id. */
  get head(): CheckedEntry | undefined {
    return this.#bySeq.at(-1)?.toSorted(byEntryId)[0];
  }

  /** Equal for equal sets of entries: a hash over the tips, 16 hex digits. */
  get digest(): string {
    this.#digest ??= hexOf(sha256(utf8([...this.#tips].toSorted().join(' '))).subarray(0, 8));
    return this.#digest;
  }

  /** Entries numbered above `seq`, by number and then by entry id; with `entry`, those of `seq` beyond it as well. */
  *after(seq: number, entry?: EntryId): Generator<CheckedEntry> {
    for (const row of this.#bySeq.slice(entry === undefined ? seq : Math.max(0, seq - 1))) {
      for (const checked of row.toSorted(byEntryId)) {
        const isBefore = entry !== undefined && checked.entry.seq === seq && checked.entry.entryId <= entry;
        if (!isBefore) yield checked;
      }
    }
  }
}

function byEntryId(a: CheckedEntry, b: CheckedEntry): number {
  return a.entry.entryId < b.entry.entryId ? -1 : 1;
}
