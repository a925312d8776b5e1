// Bugs: errors that nobody expected. They are said as bugs, with what somebody who mends them needs to know,
// and never taken for a failure of a disk, a device or the network.

import { isPalmError } from './errors.ts';

/** Whether `error` is a bug of Palm, thrown here or in one of its workers. */
export function isBug(error: unknown): boolean {
  if (!isPalmError(error)) return true;
  return error.failure.code === 'worker-failed' && error.failure.reason === 'threw';
}

/**
 * Whether `error`, which a call of the platform threw, says that the call itself was wrong: a function that
 * this engine lacks, an argument that it does not take. Disks and files fail with other errors.
 */
export function isWrongCall(error: unknown): boolean {
  return error instanceof TypeError || error instanceof ReferenceError;
}

/** Whether a function or object that the code uses is not there. Engines word it in their own ways. */
export function isMissingFunction(error: unknown): boolean {
  if (error instanceof ReferenceError) return true;
  return (
    error instanceof TypeError &&
    /is not a (?:function|constructor)|is (?:undefined|null)|of (?:undefined|null)|not an object/u.test(
      error.message,
    )
  );
}

/** For example `TypeError: AbortSignal.any is not a function`. */
export function bugDetail(error: unknown): string {
  if (isPalmError(error) && error.failure.code === 'worker-failed' && error.failure.reason === 'threw')
    return error.failure.detail;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
