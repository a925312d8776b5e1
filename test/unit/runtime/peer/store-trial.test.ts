// Before a device vouches for itself, it reads from its disk; seldom, and it says nothing while that hangs.

import { expect, it } from 'vitest';
import { PalmError } from '../../../../src/core/model/errors.ts';
import { fragmentIdOf } from '../../../../src/core/model/ids.ts';
import type { StoredFragment } from '../../../../src/core/ports.ts';
import { StoreTrial } from '../../../../src/runtime/peer/store-trial.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { fileIdAt } from '../../../fixtures/pool-fixture.ts';

function trialOf(getIndex: () => Promise<Uint8Array<ArrayBuffer> | undefined>, heldCount = 2) {
  const clock = new ManualClock();
  const reads: string[] = [];
  const lost: number[] = [];
  const held: StoredFragment[] = Array.from({ length: heldCount }, (_, fragment) => ({
    fragmentId: fragmentIdOf(seededBytes(9, fragment)),
    fileId: fileIdAt(1),
    fragment,
    blockBytes: 10,
  }));
  const trial = new StoreTrial({
    clock,
    fragments: {
      owners: async () => [],
      getIndex: (id) => {
        reads.push(id);
        return getIndex();
      },
    },
    held: () => held,
    indexLost: async ({ fragment }) => void lost.push(fragment),
    isGone: () => false,
  });
  const outcome = async (): Promise<boolean | undefined> => {
    let works: boolean | undefined;
    await trial.run((did) => (works = did)).catch(() => undefined);
    return works;
  };
  return { clock, trial, reads, lost, outcome };
}

it('reads one index at most every 20 s, each time another', async () => {
  const { clock, reads, outcome } = trialOf(async () => seededBytes(9, 1));
  expect([await outcome(), await outcome()]).toEqual([true, true]);
  expect(reads).toHaveLength(1);
  clock.sleep(20_000);
  expect(await outcome()).toBe(true);
  expect(new Set(reads).size).toBe(2);
});

it('says nothing while the disk hangs, and asks it once', async () => {
  const { trial, reads } = trialOf(() => new Promise<never>(() => undefined));
  const told: boolean[] = [];
  for (let round = 0; round < 3; round++) void trial.run((works) => told.push(works));
  await new Promise((resolve) => setImmediate(resolve));
  expect([told, reads.length]).toEqual([[], 1]);
});

it('takes damage for an answer, and has it noted', async () => {
  const corrupt = new PalmError({ code: 'corrupt', reason: 'index-of-another-id' });
  const damaged = trialOf(() => Promise.reject(corrupt));
  expect([await damaged.outcome(), damaged.lost]).toEqual([true, [0]]);
  const missing = trialOf(async () => undefined);
  expect([await missing.outcome(), missing.lost]).toEqual([true, [0]]);
});

it('does not work while the disk fails, and tries again at once', async () => {
  let fails = true;
  const { outcome } = trialOf(async () => {
    if (fails) throw new Error('the disk fails');
    return seededBytes(9, 1);
  });
  expect(await outcome()).toBe(false);
  fails = false;
  expect(await outcome()).toBe(true);
});

it('vouches without fragments once the worker answers', async () => {
  const { outcome, reads } = trialOf(async () => undefined, 0);
  expect([await outcome(), reads]).toEqual([true, []]);
});
