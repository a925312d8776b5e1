// Waiting that its caller can end.

import { PalmError } from '../core/model/errors.ts';

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
