// Waiting with an end: for what may hang, on the way out.

import type { Clock } from '../core/ports.ts';

/** Resolves when `work` has, or after `ms`; rejects as `work` does until then. */
export function atMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopTimer = clock.after(ms, resolve);
    work.then(() => resolve(), reject).finally(stopTimer);
  });
}
