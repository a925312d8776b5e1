// What makes room must not fail for want of room.

import { expect, test } from 'vitest';
import { PalmError } from '../../../src/core/model/errors.ts';
import { withReserve } from '../../../src/runtime/reserved-space.ts';

const FULL = new PalmError({ code: 'storage-full', reason: 'device' });
const REFUSED = new PalmError({ code: 'refused', reason: 'not-here' });

test.each([
  ['on a full disk it is done again with the reserve', FULL, true, 'done'],
  ['without a reserve it fails', FULL, false, FULL],
  ['for another reason it fails, and the reserve stays', REFUSED, true, REFUSED],
])('%s', async (_, failure, hasReserve, outcome) => {
  let spentCount = 0;
  let tryCount = 0;
  const spendReserve = async (): Promise<boolean> => {
    spentCount += 1;
    return hasReserve;
  };
  let restoredCount = 0;
  const restoreReserve = async (): Promise<void> => {
    restoredCount += 1;
    throw REFUSED;
  };
  const removing = withReserve({ spendReserve, restoreReserve }, async () => {
    tryCount += 1;
    if (tryCount === 1) throw failure;
    return 'done';
  });
  expect(await removing.catch((error: unknown) => error)).toBe(outcome);
  expect(spentCount).toBe(failure === FULL ? 1 : 0);
  expect(restoredCount).toBe(outcome === 'done' ? 1 : 0);
});
