// Bounded waiting for work that may hang: during shutdown, or because a person need not answer.

import type { Clock } from './ports.ts';

/** Resolves when `work` does, or after `ms`. Until then it rejects if `work` does. */
export function atMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopTimer = clock.after(ms, resolve);
    work.then(() => resolve(), reject).finally(stopTimer);
  });
}
