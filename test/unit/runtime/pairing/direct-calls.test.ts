// Calls at a kept address, where the disk fails. What else calls do is in test/sim/direct.test.ts.

import { expect, it } from 'vitest';
import { PalmError } from '../../../../src/core/model/errors.ts';
import { DirectCalls, type CallingDevice } from '../../../../src/runtime/pairing/direct-calls.ts';

it('looks for the kept address again after the disk failed', async () => {
  let readCount = 0;
  const failures: unknown[] = [];
  const timers: (() => void)[] = [];
  const works: Promise<unknown>[] = [];
  const secrets = {
    get: async () => {
      readCount += 1;
      if (readCount === 1) throw new PalmError({ code: 'storage-failed', reason: 'gone' });
      return undefined;
    },
  };
  const clock = {
    after: (_ms: number, work: () => void) => {
      timers.push(work);
      return () => undefined;
    },
  };
  // Nothing else of it is asked.
  const device = {
    clock,
    opened: async () => ({ secrets }),
    isAlone: () => true,
    isLinked: () => false,
    background: (work: Promise<unknown>) => works.push(work.catch((error: unknown) => failures.push(error))),
  } as unknown as CallingDevice;
  const calls = new DirectCalls(device);
  for (const _ of [1, 2, 3]) {
    calls.look();
    for (const work of timers.splice(0)) work();
    await Promise.all(works.splice(0));
  }
  expect(failures).toMatchObject([{ code: 'storage-failed' }]);
  expect(readCount).toBe(2);
});
