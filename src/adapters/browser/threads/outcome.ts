// How a worker answers a call. Errors do not keep their class or code when they are cloned, so nothing is thrown across the
// boundary: every answer is an Outcome.

import { isPalmError, PalmError, type PalmErrorCode } from '../../../core/model/errors.ts';

export type Outcome<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly code: PalmErrorCode; readonly message: string };

/** Never rejects. What is no PalmError is a fault of the worker: 'worker-failed'. */
export async function outcomeOf<Value>(work: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { kind: 'done', value: await work() };
  } catch (error) {
    if (isPalmError(error)) return { kind: 'failed', code: error.code, message: error.message };
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { kind: 'failed', code: 'worker-failed', message };
  }
}

/** The other side of the boundary. @throws PalmError for what failed. */
export function valueOf<Value>(outcome: Outcome<Value>): Value {
  if (outcome.kind === 'failed') throw new PalmError(outcome.code, outcome.message);
  return outcome.value;
}
