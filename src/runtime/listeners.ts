// Whoever wants to hear of changes, at a pace that a screen can follow.

import type { Clock } from '../core/ports.ts';

/**
 * After a quiet period listeners hear of a change immediately, and then at most this often, ms. A fast
 * transfer changes something thousands of times a second, and showing it takes processor time from the bytes.
 */
const NOTIFY_EVERY_MS = 200;

export class Listeners {
  readonly #clock: Clock;
  readonly #before: () => void;
  readonly #listeners = new Set<() => void>();
  #notifying = false;
  #notifiedAtMs = -Infinity;

  /** `before` is called each time before the listeners are. */
  constructor(clock: Clock, before: () => void) {
    this.#clock = clock;
    this.#before = before;
  }

  /** Returns the unsubscribe function. */
  add(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    if (this.#notifying) return;
    this.#notifying = true;
    const waitMs = Math.max(0, this.#notifiedAtMs + NOTIFY_EVERY_MS - this.#clock.monotonicMs());
    this.#clock.after(Math.min(waitMs, NOTIFY_EVERY_MS), () => {
      this.#notifying = false;
      this.#notifiedAtMs = this.#clock.monotonicMs();
      this.#before();
      for (const listener of this.#listeners) listener();
    });
  }
}
