// Reads a little from the disk, through the fragment worker, before this device vouches for itself: an index
// of a fragment that it holds, each time that of another.
//
// Invariant: at most one read is under way, and none within FRESH_MS of the last that worked. While the disk
// or the worker hangs, nothing is said: the others find that out.

import { isPalmError } from '../../core/model/errors.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import type { Clock, FragmentStore, StoredFragment } from '../../core/ports.ts';

/** What was read within this, ms, need not be read again. */
const FRESH_MS = 20_000;

export interface StoreTrialOptions {
  readonly clock: Clock;
  readonly fragments: Pick<FragmentStore, 'getIndex' | 'owners'>;
  /** The fragments of this device. */
  readonly held: () => Iterable<StoredFragment>;
  /** The index is missing or damaged; or the fragment was dropped meanwhile. */
  readonly indexLost: (stored: StoredFragment) => Promise<void>;
  /** Whether the storage is gone, and the others were told that nothing is held. */
  readonly isGone: () => boolean;
}

export class StoreTrial {
  readonly #options: StoreTrialOptions;
  #stored: Iterator<StoredFragment> | undefined;
  #readAtMs: MonotonicMs = -Infinity;
  #reading: Promise<void> | undefined;

  constructor(options: StoreTrialOptions) {
    this.#options = options;
  }

  /** Tells `tried` once the disk gave an answer or failed. Rejects when it failed. */
  async run(tried: (works: boolean) => void): Promise<void> {
    let works = false;
    try {
      await this.passed();
      works = true;
    } finally {
      tried(works);
    }
  }

  /** Resolves once the disk gave an answer. Rejects when it fails: then nothing may be vouched for. */
  async passed(): Promise<void> {
    const { clock, isGone } = this.#options;
    if (isGone() || clock.monotonicMs() - this.#readAtMs < FRESH_MS) return;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    await this.#reading;
    this.#readAtMs = clock.monotonicMs();
  }

  async #read(): Promise<void> {
    const { fragments, indexLost } = this.#options;
    const stored = this.#next();
    if (stored === undefined) {
      await fragments.owners();
      return;
    }
    try {
      if ((await fragments.getIndex(stored.fragmentId)) !== undefined) return;
    } catch (error) {
      if (!isPalmError(error, 'corrupt')) throw error;
    }
    // An answer of the disk, too.
    await indexLost(stored);
  }

  #next(): StoredFragment | undefined {
    const next = this.#stored?.next();
    if (next !== undefined && next.done !== true) return next.value;
    this.#stored = this.#options.held()[Symbol.iterator]();
    const first = this.#stored.next();
    return first.done === true ? undefined : first.value;
  }
}
