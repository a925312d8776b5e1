// A clock that nobody sets, with an arbitrary origin: all that the relay needs.

import type { Clock } from '../src/core/ports.ts';

export const monotonicClock: Clock = {
  nowMs: () => performance.now(),

  after(delayMs, callback) {
    // Node drops fractions, so the timer would fire too early.
    const timer = setTimeout(callback, Math.ceil(delayMs));
    return () => clearTimeout(timer);
  },
};
