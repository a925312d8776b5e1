// Calls to one worker's service. Each settles exactly once: by its answer, or by the worker's death.

import type { Remote } from 'comlink';
import type { PalmError } from '../../../core/model/errors.ts';
import { valueOf, type Outcome } from './outcome.ts';

export interface CalledWorker<Service> {
  readonly service: Remote<Service>;
  /** Rejects the calls that have not been answered, after the worker died. */
  readonly pending: Set<(error: PalmError) => void>;
}

/** @throws PalmError for a failure there, or the reason that `pending` was rejected with. */
export function callWorker<Service, Value>(
  { service, pending }: CalledWorker<Service>,
  send: (service: Remote<Service>) => Promise<Outcome<Value>>,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    pending.add(reject);
    send(service)
      .then(valueOf)
      .then(resolve, reject)
      .finally(() => pending.delete(reject));
  });
}
