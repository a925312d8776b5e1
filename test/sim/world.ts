// Virtual time for whole pools in one process. Everything that happens is an event with a time; between two
// events all promises settle. Runs with equal seeds are equal, event for event: a failure prints its seed and
// can be replayed.

import { randomFrom, type SeededRandom } from './seeded-random.ts';

interface Event {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Where virtual time begins, ms since the Unix epoch: a plausible wall clock. */
const START_MS = Date.UTC(2026, 0, 1);

export class World {
  readonly seed: number;
  readonly random: SeededRandom;
  #nowMs = START_MS;
  #events: Event[] = [];
  #nextOrder = 0;
  /** Work that real threads do (WebCrypto): time stands still until it is back. */
  #outsideCount = 0;
  #turnstile: Promise<unknown> = Promise.resolve();
  #checks: (() => void)[] = [];

  constructor(seed: number) {
    this.seed = seed;
    this.random = randomFrom(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Runs `run` once, `delayMs` from now. Returns a function that cancels it. */
  after(delayMs: number, run: () => void): () => void {
    const event: Event = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#nextOrder++,
      run,
      cancelled: false,
    };
    let at = this.#events.length;
    while (at > 0 && isLater(this.#events[at - 1], event)) at -= 1;
    this.#events.splice(at, 0, event);
    return () => {
      event.cancelled = true;
    };
  }

  /**
   * Calls `check` after each event from now on: what must hold at every moment. An error in it ends the run.
   */
  always(check: () => void): void {
    this.#checks.push(check);
  }

  /** Work on other threads, one piece at a time in the order of the calls, so that its order never varies. */
  outside<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#outsideCount += 1;
    const done = this.#turnstile.then(work).finally(() => {
      this.#outsideCount -= 1;
    });
    this.#turnstile = done.catch(() => undefined); // the caller has `done`
    return done;
  }

  /** Runs events until `reached` holds. @throws when it does not within `withinMs` of virtual time. */
  async until(what: string, reached: () => boolean, withinMs = 120_000): Promise<void> {
    const endMs = this.#nowMs + withinMs;
    await this.#settle();
    while (!reached()) {
      if (!(await this.#step(endMs))) {
        throw new Error(`seed ${this.seed}: after ${withinMs} ms of virtual time still not: ${what}`);
      }
    }
  }

  /** Runs the events of the next `durationMs`. */
  async pass(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await this.#settle();
    while (await this.#step(endMs)) continue;
    this.#nowMs = endMs;
  }

  /** Lets virtual time run until `promise` settles. */
  async settled<Result>(what: string, promise: Promise<Result>, withinMs = 120_000): Promise<Result> {
    let done = false;
    const watched = promise.finally(() => {
      done = true;
    });
    watched.catch(() => undefined); // returned below
    await this.until(what, () => done, withinMs);
    return watched;
  }

  async #step(endMs: number): Promise<boolean> {
    const next = this.#events[0];
    if (next === undefined || next.atMs > endMs) return false;
    this.#events.shift();
    if (next.cancelled) return true;
    this.#nowMs = next.atMs;
    next.run();
    await this.#settle();
    for (const check of this.#checks) check();
    return true;
  }

  /** All promises settle before a macrotask: one is enough, unless other threads must be waited for. */
  async #settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#outsideCount === 0) return;
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.#outsideCount > 0);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function isLater(event: Event | undefined, than: Event): boolean {
  return (
    event !== undefined && (event.atMs > than.atMs || (event.atMs === than.atMs && event.order > than.order))
  );
}
