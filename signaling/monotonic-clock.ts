// Time that is never set, from any origin: all that the relay needs.

import type { Clock } from '../src/core/ports.ts';

export const monotonicClock: Clock = {
  nowMs: () => performance.now(),

  after(delayMs, callback) {
    // Node cuts off fractions: the timer would fire too early.
    const timer = setTimeout(callback, Math.ceil(delayMs));
    return () => clearTimeout(timer);
  },
};
