// Leaving nicely: first the others get everything that this device holds (core/peer/handing-over.ts). Nothing
// is published until all of it is confirmed. If others take no more, or the caller changes its mind, the
// device stays, and what was handed over stays with the others.

import { PalmError } from '../core/model/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { FileStatus, LeavingStatus } from './api.ts';
import type { PeerDriver } from './peer/peer-driver.ts';

/** Nothing is under way for this long, ms: a device that declined in passing has been asked again by then. */
const STUCK_MS = 8_000;
/** Fragments are under way, but nothing of them arrives for this long, ms: longer than an offer stands. */
const PATIENCE_MS = 60_000;
/** Counting what is left takes a look at every file. */
const LOOK_EVERY_MS = 250;

export class HandingOver {
  readonly #clock: Clock;
  readonly #changed: () => void;
  #running: Run | undefined;

  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /**
   * Resolves when this device holds nothing any more. A call while one is under way joins it.
   * @throws PalmError 'refused' when others do not take all of it; 'cancelled' by the signal, or `stop`.
   */
  async run(driver: PeerDriver, signal: AbortSignal | undefined): Promise<void> {
    const stayed = (): void => this.stop();
    signal?.addEventListener('abort', stayed, { once: true });
    try {
      if (signal?.aborted === true) throw cancelled();
      this.#running ??= this.#begin(driver);
      await this.#running.done;
    } finally {
      signal?.removeEventListener('abort', stayed);
    }
  }

  /** This device does not wait for the rest. */
  stop(): void {
    this.#running?.end(cancelled());
  }

  status(files: readonly FileStatus[], self: string): { readonly leaving: LeavingStatus } | undefined {
    if (this.#running === undefined) return undefined;
    const { leftCount, totalCount, driver } = this.#running;
    const gone = driver.peer.catalogue.members().filter((device) => driver.peer.isGone(device));
    const isGone: ReadonlySet<string> = new Set(gone);
    const wouldLose = files.filter(({ holders, k }) => {
      const others = holders.filter(({ deviceId }) => deviceId !== self && !isGone.has(deviceId));
      return new Set(others.flatMap(({ fragments }) => fragments)).size < k;
    });
    return {
      leaving: {
        doneFragments: totalCount - leftCount,
        totalFragments: totalCount,
        wouldLose: wouldLose.map(({ fileId, name }) => ({ fileId, name })),
      },
    };
  }

  #begin(driver: PeerDriver): Run {
    const run = new Run(driver, this.#clock, this.#changed);
    const over = (): void => {
      this.#running = undefined;
      this.#changed();
    };
    run.done.then(over, over);
    return run;
  }
}

/** One time that this device hands over, until it holds nothing or stays. */
class Run {
  /** Rejects with the reason why the device stays. */
  readonly done: Promise<void>;
  readonly driver: PeerDriver;
  leftCount: number;
  totalCount: number;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #stopWatching: () => void;
  #isOver = false;
  #stopTimer: () => void = () => undefined;
  #settle: (error?: PalmError) => void = () => undefined;
  #movedAtMs: number;
  #busyAtMs: number;

  constructor(driver: PeerDriver, clock: Clock, changed: () => void) {
    this.driver = driver;
    this.#clock = clock;
    this.#changed = changed;
    this.#movedAtMs = clock.monotonicMs();
    this.#busyAtMs = this.#movedAtMs;
    this.done = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    driver.input({ kind: 'leaving', isLeaving: true });
    this.leftCount = driver.peer.handingOver().leftCount;
    this.totalCount = this.leftCount;
    this.#stopWatching = driver.watchServed(() => (this.#movedAtMs = clock.monotonicMs()));
    this.#lookAgain();
  }

  /** Undefined: nothing is left to hand over. */
  end(error?: PalmError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTimer();
    this.#stopWatching();
    if (error !== undefined) this.driver.input({ kind: 'leaving', isLeaving: false });
    this.#settle(error);
  }

  #lookAgain(): void {
    this.#stopTimer = this.#clock.after(LOOK_EVERY_MS, () => {
      this.#lookAgain();
      this.#look();
    });
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    const { leftCount, isMoving } = this.driver.peer.handingOver();
    if (leftCount < this.leftCount) this.#movedAtMs = nowMs;
    if (isMoving || leftCount < this.leftCount) this.#busyAtMs = nowMs;
    if (leftCount !== this.leftCount) this.#changed();
    this.leftCount = leftCount;
    this.totalCount = Math.max(this.totalCount, leftCount);
    if (leftCount === 0) this.end();
    else if (nowMs - this.#busyAtMs >= STUCK_MS || nowMs - this.#movedAtMs >= PATIENCE_MS)
      this.end(new PalmError({ code: 'refused', reason: 'no-room-elsewhere', fragmentCount: leftCount }));
  }
}

function cancelled(): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'stays' });
}
