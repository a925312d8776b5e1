// What a pool sends that is left alone, in bytes of messages, and how soon it notices what was missed.

import { expect, test } from 'vitest';
import { scaled } from '../scale.ts';
import { IdlePool } from './idle-pool.ts';

const MINUTE_MS = 60_000;
/** The most that a device may send while nothing changes, bytes a second. */
const MAX_BYTES_PER_S = 250;

function idleCost(count: number): { bytesPerS: number; messagesPerS: number; kinds: string[] } {
  const pool = new IdlePool(count);
  // Each device compares itself with each other once, one a second; then it slows down.
  pool.pass(count * 1_000 + 3 * MINUTE_MS);
  const passedMs = 5 * MINUTE_MS;
  const sent = pool.sentWithin(passedMs);
  const perS = (of: 'count' | 'bytes'): number =>
    [...sent.values()].reduce((sum, each) => sum + each[of], 0) / count / (passedMs / 1_000);
  return { bytesPerS: perS('bytes'), messagesPerS: perS('count'), kinds: [...sent.keys()].toSorted() };
}

const MANY = scaled(100, 2);

test(`a pool that is left alone sends questions and answers only, as few for ${MANY} devices as for 10`, () => {
  const few = idleCost(10);
  const many = idleCost(MANY);
  process.stdout.write(
    `a device sends ${few.bytesPerS.toFixed(1)} B/s of 10, ${many.bytesPerS.toFixed(1)} of ${MANY}\n`,
  );
  for (const cost of [few, many]) {
    expect(cost.bytesPerS).toBeLessThan(MAX_BYTES_PER_S);
    expect(cost.kinds).toEqual(['vouch', 'vouch-wanted']);
  }
  expect(many.bytesPerS / few.bytesPerS).toBeGreaterThan(0.9);
  expect(many.bytesPerS / few.bytesPerS).toBeLessThan(1.1);
});
