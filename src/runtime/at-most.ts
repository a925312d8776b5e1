// Bounded waiting for work that may hang: during shutdown, or because a person need not answer.

import { PalmError } from '../core/model/errors.ts';
import type { Clock } from '../core/ports.ts';

/** Resolves when `work` does, or after `ms`. Until then it rejects if `work` does. */
export function atMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopTimer = clock.after(ms, resolve);
    work.then(() => resolve(), reject).finally(stopTimer);
  });
}

/** Settles as `work` does. @throws PalmError 'cancelled' once `signal` is aborted. */
export function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new PalmError({ code: 'cancelled', reason: 'transfer' }));
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
  });
}
