// When a device announces itself to everyone: soon after something happened, and routinely in case an
// announce was lost, ever less often while nothing changes.

import type { MonotonicMs } from '../model/time.ts';
import { ANNOUNCE_EVERY_MS, ANNOUNCE_GAP_MS, MAX_ANNOUNCE_EVERY_MS } from './link-timing.ts';

/** So many routine announces come before they become rarer: a relay may lose several in a row. */
const FREQUENT_COUNT = 4;

export class Announcing {
  readonly #jitter: () => number;
  #dueMs: MonotonicMs = Infinity;
  #lastMs: MonotonicMs = -Infinity;
  /** Routine announces since the last change. */
  #routineCount = 0;
  /** Whether something happened after which the others should hear of this device. */
  #isPrompted = false;

  /** `jitter`: 0 to 1, another each time. */
  constructor(jitter: () => number) {
    this.#jitter = jitter;
  }

  get dueMs(): MonotonicMs {
    return this.#dueMs;
  }

  /** The others should hear of this device: from `atMs` on, but not again at once. */
  prompt(atMs: MonotonicMs): void {
    this.#dueMs = Math.min(this.#dueMs, Math.max(atMs, this.#lastMs + ANNOUNCE_GAP_MS));
    this.#isPrompted = true;
  }

  /** A link or an attempt ended. */
  linkEnded(): void {
    this.#routineCount = 0;
  }

  /** It is announced now. Returns whether that is routine. */
  announced(nowMs: MonotonicMs): boolean {
    const isRoutine = !this.#isPrompted;
    this.#routineCount = isRoutine ? this.#routineCount + 1 : 0;
    const wholeMs = ANNOUNCE_EVERY_MS * 2 ** Math.max(0, this.#routineCount - FREQUENT_COUNT);
    this.#isPrompted = false;
    this.#lastMs = nowMs;
    this.#dueMs = nowMs + Math.min(wholeMs, MAX_ANNOUNCE_EVERY_MS) * (1 - this.#jitter() / 2);
    return isRoutine;
  }
}
