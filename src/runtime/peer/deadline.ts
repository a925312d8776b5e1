// One deadline that moves with nearly every event: a timer is set anew only when the deadline comes nearer, for setting
// timers some thousand times a second costs more than a few that fire for nothing.

import type { Clock } from '../../core/ports.ts';

export class Deadline {
  readonly #clock: Clock;
  readonly #reached: () => void;
  #atMs = Infinity;
  /** When the timer fires; Infinity when none is set. */
  #firesAtMs = Infinity;
  #stopTimer: () => void = () => undefined;

  /** `reached` is called once the deadline has come, which is none from then on. */
  constructor(clock: Clock, reached: () => void) {
    this.#clock = clock;
    this.#reached = reached;
  }

  /** Infinity: there is none. */
  move(atMs: number): void {
    this.#atMs = atMs;
    if (atMs < this.#firesAtMs) this.#arm();
  }

  stop(): void {
    this.#stopTimer();
    this.#atMs = Infinity;
    this.#firesAtMs = Infinity;
  }

  #arm(): void {
    this.#stopTimer();
    this.#firesAtMs = this.#atMs;
    const delayMs = Math.max(0, this.#atMs - this.#clock.nowMs());
    this.#stopTimer = this.#clock.after(delayMs, () => this.#fire());
  }

  #fire(): void {
    this.#firesAtMs = Infinity;
    if (this.#atMs === Infinity) return;
    if (this.#atMs > this.#clock.nowMs()) {
      this.#arm();
      return;
    }
    this.#atMs = Infinity;
    this.#reached();
  }
}
