// State kept for each remote address: made at first use, forgotten once a new one would say the same,
// bounded.

import type { AddressKey } from './remote-address.ts';

export interface AddressEntry {
  /** Something of this address is open now: the entry must stay. */
  isUsed(): boolean;
  /** A new entry would say the same. */
  isSpent(nowMs: number): boolean;
}

export class PerAddress<Entry extends AddressEntry> {
  readonly #bound: number;
  readonly #create: (nowMs: number) => Entry;
  readonly #entries = new Map<AddressKey, Entry>();

  /**
   * `bound`: unused entries beyond it are dropped, spent or not. Used entries are bounded by what is open.
   */
  constructor(bound: number, create: (nowMs: number) => Entry) {
    this.#bound = bound;
    this.#create = create;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(address: AddressKey, nowMs: number): Entry {
    const known = this.#entries.get(address);
    if (known !== undefined) return known;
    if (this.#entries.size >= this.#bound) this.#drop((entry) => !entry.isUsed());
    const entry = this.#create(nowMs);
    this.#entries.set(address, entry);
    return entry;
  }

  /** Drops entries that a new one would equal. */
  sweep(nowMs: number): void {
    this.#drop((entry) => !entry.isUsed() && entry.isSpent(nowMs));
  }

  #drop(isGone: (entry: Entry) => boolean): void {
    for (const [address, entry] of this.#entries) {
      if (isGone(entry)) this.#entries.delete(address);
    }
  }
}
