// The speed of a transfer, as time passes without news.

import { expect, it } from 'vitest';
import { Transfers } from '../../../src/runtime/transfers.ts';
import { ManualClock } from '../../fixtures/manual-clock.ts';

const MB = 1_000_000;

function begun() {
  const clock = new ManualClock();
  const shown: number[] = [];
  const transfers: Transfers = new Transfers(clock, () => {
    shown.push(transfers.list()[0]?.bytesPerSecond ?? -1);
  });
  const transfer = transfers.begin({ kind: 'read', name: 'film', phase: 'reading', totalBytes: 100 * MB });
  const speed = (): number => transfers.list()[0]?.bytesPerSecond ?? -1;
  return { clock, shown, transfers, transfer, speed };
}

it('a steady transfer has its speed', () => {
  const { clock, transfer, speed } = begun();
  for (let seconds = 0; seconds <= 20; seconds++) {
    transfer.reached(seconds * 2 * MB);
    clock.advance(1_000);
  }
  expect(speed()).toBeGreaterThanOrEqual(1.5 * MB);
  expect(speed()).toBeLessThanOrEqual(2 * MB);
});

it('a transfer that stalls is told as slower each second, then as stalled, and then nothing is told', () => {
  const { clock, shown, transfer, speed } = begun();
  for (let seconds = 0; seconds <= 4; seconds++) {
    transfer.reached(seconds * 2 * MB);
    clock.advance(1_000);
  }
  shown.length = 0;
  clock.advance(60_000);
  expect(speed()).toBe(0);
  expect(shown.length).toBeGreaterThanOrEqual(3);
  expect(shown.length).toBeLessThan(8);
  expect(shown).toEqual(shown.toSorted((a, b) => b - a));
  expect(shown.at(-1)).toBe(0);
  const timerCount = clock.timerCount;
  clock.advance(60_000);
  expect(clock.timerCount).toBe(timerCount);
});

it('one that goes on after a pause has the speed of the present', () => {
  const { clock, transfer, speed } = begun();
  transfer.reached(0);
  clock.advance(1_000);
  transfer.reached(10 * MB);
  clock.advance(60_000);
  transfer.reached(11 * MB);
  clock.advance(1_000);
  transfer.reached(12 * MB);
  expect(speed()).toBeGreaterThan(0.3 * MB);
  expect(speed()).toBeLessThanOrEqual(1 * MB);
});
