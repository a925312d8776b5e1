// The platform's clocks and timers, as core's Clock.

import type { Clock } from '../../core/ports.ts';

/** The longest delay that timers accept (2^31 - 1 ms, some 25 days); a longer one would fire immediately. */
const MAX_DELAY_MS = 0x7fff_ffff;

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),

  wallMs: () => Date.now(),

  after(delayMs, callback) {
    // Engines drop fractions, so the timer would fire too early.
    const timer = setTimeout(callback, Math.min(Math.max(Math.ceil(delayMs), 0), MAX_DELAY_MS));
    return () => {
      clearTimeout(timer);
    };
  },
};
