// The keys of all epochs of a pool that this device knows. Entries name the pool as in epoch 0, whichever
// epoch they were written in; what is new is sealed with the keys of the current epoch, and what is opened
// may be of any. Invariants: there are always keys, epoch 0's among them; a known epoch stays known.

import type { PoolId } from './ids.ts';
import type { PoolKeys } from './pool-keys.ts';

export class KeyRing {
  readonly #first: PoolKeys;
  #newestFirst: readonly PoolKeys[];
  #current: PoolKeys;
  /** Whether no epoch that counts is known whose keys are not here. */
  isComplete = true;

  /** @param first those of epoch 0. */
  constructor(first: PoolKeys) {
    this.#first = first;
    this.#newestFirst = [first];
    this.#current = first;
  }

  /** What entries name the pool by, and what seals are bound to, in every epoch. */
  get poolId(): PoolId {
    return this.#first.poolId;
  }

  /** Devices of one pool began with the same. */
  get firstEpoch(): number {
    return this.#first.epoch;
  }

  /** What is sealed now is sealed with these. */
  get current(): PoolKeys {
    return this.#current;
  }

  get newestFirst(): readonly PoolKeys[] {
    return this.#newestFirst;
  }

  /** What opens the catalogue's sealed records. Those that arrive are mostly of the newest epochs. */
  get catalogueKeys(): readonly Uint8Array[] {
    return this.#newestFirst.map(({ catalogueKey }) => catalogueKey);
  }

  /** Keys of an epoch that became known. Two epochs side by side may have one number. */
  add(keys: PoolKeys): void {
    if (this.#newestFirst.some(({ poolId }) => poolId === keys.poolId)) return;
    this.#newestFirst = [...this.#newestFirst, keys].toSorted((a, b) => b.epoch - a.epoch);
  }

  /** Seals with these from now on. */
  use(keys: PoolKeys): void {
    this.add(keys);
    this.#current = keys;
  }
}
