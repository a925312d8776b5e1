// How a worker answers a call. Errors lose their class and failure when they are cloned, so nothing is thrown
// across the boundary: every answer is an Outcome.

import { bugDetail } from '../../../core/model/bug.ts';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import type { Failure } from '../../../core/model/failures.ts';

export type Outcome<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Never rejects. Anything but a PalmError is a fault of the worker: 'worker-failed'. */
export async function outcomeOf<Value>(work: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { kind: 'done', value: await work() };
  } catch (error) {
    if (isPalmError(error)) return { kind: 'failed', failure: error.failure };
    const detail = bugDetail(error);
    return { kind: 'failed', failure: { code: 'worker-failed', reason: 'threw', detail } };
  }
}

/** The other side of the boundary. @throws PalmError for what failed. */
export function valueOf<Value>(outcome: Outcome<Value>): Value {
  if (outcome.kind === 'failed') throw new PalmError(outcome.failure);
  return outcome.value;
}
