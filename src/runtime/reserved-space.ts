// Work that ends with more room on the disk must not fail for want of room: on a full disk it is done again
// once the reserve was given up for it.

import { isPalmError } from '../core/model/errors.ts';
import type { Quota } from './runtime-ports.ts';

/** @throws what `work` throws, when there is no reserve or it does not suffice. */
export async function withReserve<Answer>(
  { spendReserve, restoreReserve }: Pick<Quota, 'spendReserve' | 'restoreReserve'>,
  work: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (!mayBeFull(error) || !(await spendReserve())) throw error;
    try {
      return await work();
    } finally {
      // If it cannot be made now, the next start tries again, and reports it.
      await restoreReserve().catch(() => undefined);
    }
  }
}

function mayBeFull(error: unknown): boolean {
  if (!isPalmError(error)) return false;
  const { failure } = error;
  if (failure.code === 'storage-full') return true;
  return failure.code === 'storage-failed' && failure.reason === 'database' && failure.mayBeFull;
}
