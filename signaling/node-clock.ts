// Node's clocks and timers.

import type { Clock } from '../src/core/ports.ts';

export const nodeClock: Clock = {
  monotonicMs: () => performance.now(),

  wallMs: () => Date.now(),

  after(delayMs, callback) {
    // Node drops fractions, so the timer would fire too early.
    const timer = setTimeout(callback, Math.ceil(delayMs));
    return () => clearTimeout(timer);
  },
};
