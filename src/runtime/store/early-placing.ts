// The early placing of one file: while it is being sealed, each block is foretold to the device that its
// fragment will be placed on, so that the link works while the codec does. It also sets the pace: sealing
// waits for takers that keep up, so that blocks are still in memory, or at least in the disk's cache, when
// they are requested. It never waits for a taker that does not keep up.

import { blockKey, type BlockHash, type DeviceId, type JobId } from '../../core/model/ids.ts';
import type { PeerInput } from '../../core/peer/peer-events.ts';
import type { StoredFile } from '../../core/peer/planned-homes.ts';
import type { Clock } from '../../core/ports.ts';
import type { PeerDriver } from '../peer/peer-driver.ts';

type Driver = Pick<PeerDriver, 'peer' | 'input' | 'watchServed'>;
type Early = NonNullable<(PeerInput & { kind: 'outbox' })['early']>;

/**
 * Bytes foretold to devices that keep up, and not fetched yet, beyond which sealing waits. Together with the
 * blocks that nobody fetches, this is about what memory keeps of the latest blocks, 16 MiB.
 */
const MAX_AHEAD_BYTES = 8 * 2 ** 20;
/** A device that fetched nothing for this long is not waited for, ms. */
const STALLED_MS = 2_000;
/**
 * Blocks are fetched roughly in the order in which they were foretold. If this many later ones were fetched
 * first, more than are ever on their way together, a block is not waited for: the taker had no room, or had
 * it already.
 */
const MAX_OVERTAKEN = 32;

interface Taker {
  /** Fragments that will be placed there. */
  readonly fragments: readonly number[];
  /** Blocks foretold to it and not fetched, numbered in the order of telling. */
  readonly unserved: Map<string, number>;
  toldCount: number;
  /**
   * When it last fetched something, or was foretold a block after it had nothing to fetch for a while, ms.
   */
  progressMs: number;
}

export class EarlyPlacing {
  readonly #job: JobId;
  readonly #file: StoredFile;
  readonly #driver: Driver;
  readonly #clock: Clock;
  readonly #takers = new Map<DeviceId, Taker>();
  readonly #homes = new Map<number, DeviceId>();
  readonly #wakers = new Set<() => void>();
  readonly #stopWatching: () => void;

  constructor(
    job: JobId,
    file: StoredFile,
    { driver, clock }: { readonly driver: Driver; readonly clock: Clock },
  ) {
    this.#job = job;
    this.#file = file;
    this.#driver = driver;
    this.#clock = clock;
    this.#stopWatching = driver.watchServed((device, hash) => this.#served(device, hash));
  }

  /** A segment's blocks, by fragment, are in this device's store. */
  sealed(hashes: readonly BlockHash[]): void {
    if (this.#takers.size === 0) this.#plan();
    const nowMs = this.#clock.monotonicMs();
    for (const [device, taker] of this.#takers) {
      if (!this.#driver.peer.isReachable(device)) continue;
      const blocks = taker.fragments.flatMap((fragment) => hashes[fragment] ?? []);
      // It gets as long to begin as any other.
      if (taker.unserved.size === 0) taker.progressMs = nowMs;
      for (const hash of blocks) taker.unserved.set(blockKey(hash), taker.toldCount++);
      this.#driver.input({ kind: 'foretell', job: this.#job, to: device, blocks });
    }
  }

  /** Resolves when another segment can be sealed. @throws the signal's reason. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#aheadBytes() > MAX_AHEAD_BYTES) await this.#progress(signal);
  }

  /** What the outbox needs to know of it; undefined when no device was told anything. */
  published(): Early | undefined {
    this.#stopWatching();
    return this.#takers.size === 0 ? undefined : { job: this.#job, homes: this.#homes };
  }

  /** The file will never be placed. */
  over(): void {
    this.#stopWatching();
    this.#driver.input({ kind: 'soon-over', job: this.#job });
  }

  #plan(): void {
    const { homes, early } = this.#driver.peer.anchoring.planHomes(this.#file);
    for (const device of early) {
      const fragments = [...homes].flatMap(([fragment, home]) => (home === device ? [fragment] : []));
      for (const fragment of fragments) this.#homes.set(fragment, device);
      this.#takers.set(device, { fragments, unserved: new Map(), toldCount: 0, progressMs: 0 });
    }
  }

  #served(device: DeviceId, hash: BlockHash): void {
    const taker = this.#takers.get(device);
    const told = taker?.unserved.get(blockKey(hash));
    if (taker === undefined || told === undefined) return;
    taker.unserved.delete(blockKey(hash));
    for (const [key, number] of taker.unserved) {
      if (number > told - MAX_OVERTAKEN) break;
      taker.unserved.delete(key);
    }
    taker.progressMs = this.#clock.monotonicMs();
    for (const wake of this.#wakers) wake();
  }

  #aheadBytes(): number {
    const sinceMs = this.#clock.monotonicMs() - STALLED_MS;
    const keepingUp = [...this.#takers.values()].filter(({ progressMs }) => progressMs > sinceMs);
    return keepingUp.reduce((sum, { unserved }) => sum + unserved.size, 0) * this.#file.blockBytes;
  }

  /** Resolves when a block was served, or after a while without one. */
  #progress(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        stopTimer();
        this.#wakers.delete(wake);
        signal.removeEventListener('abort', abort);
      };
      const wake = (): void => (finish(), resolve());
      const abort = (): void => (finish(), reject(signal.reason));
      const stopTimer = this.#clock.after(STALLED_MS, wake);
      this.#wakers.add(wake);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
  }
}
