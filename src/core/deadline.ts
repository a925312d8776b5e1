// One deadline that moves with nearly every event. The timer is set again only when the deadline comes
// nearer: setting timers thousands of times a second costs more than a few timers that fire for nothing.

import type { MonotonicMs } from './model/time.ts';
import type { Clock } from './ports.ts';

export class Deadline {
  readonly #clock: Clock;
  readonly #reached: () => void;
  #atMs = Infinity;
  /** When the timer fires; Infinity when none is set. */
  #firesAtMs = Infinity;
  #stopTimer: () => void = () => undefined;

  /** `reached` is called once the deadline has come. After that, no deadline is set. */
  constructor(clock: Clock, reached: () => void) {
    this.#clock = clock;
    this.#reached = reached;
  }

  /** Infinity removes the deadline. */
  move(atMs: number): void {
    this.#atMs = atMs;
    if (atMs < this.#firesAtMs) this.#arm(this.#clock.monotonicMs());
  }

  stop(): void {
    this.#stopTimer();
    this.#atMs = Infinity;
    this.#firesAtMs = Infinity;
  }

  #arm(nowMs: MonotonicMs): void {
    this.#stopTimer();
    this.#firesAtMs = this.#atMs;
    this.#stopTimer = this.#clock.after(Math.max(0, this.#atMs - nowMs), () => this.#fire());
  }

  #fire(): void {
    // Timers of some engines fire up to 1 ms early by this clock.
    const nowMs = Math.max(this.#firesAtMs, this.#clock.monotonicMs());
    this.#firesAtMs = Infinity;
    if (this.#atMs === Infinity) return;
    if (this.#atMs > nowMs) {
      this.#arm(nowMs);
      return;
    }
    this.#atMs = Infinity;
    this.#reached();
  }
}
