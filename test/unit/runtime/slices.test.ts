import { expect, it } from 'vitest';
import { ManualClock } from '../../fixtures/manual-clock.ts';
import { Slices } from '../../../src/runtime/slices.ts';

it('pauses only when a slice has taken its time, and begins another then', async () => {
  const clock = new ManualClock();
  let pauseCount = 0;
  const slices = new Slices({
    clock,
    pauses: {
      pause: async () => {
        pauseCount += 1;
        clock.sleep(1_000);
      },
    },
  });
  const counts: number[] = [];
  for (const pieceMs of [10, 10, 10, 10, 10, 10, 10, 10, 200, 0]) {
    clock.sleep(pieceMs);
    await slices.next();
    counts.push(pauseCount);
  }
  expect(counts).toEqual([0, 0, 0, 1, 1, 1, 1, 2, 3, 3]);
});
