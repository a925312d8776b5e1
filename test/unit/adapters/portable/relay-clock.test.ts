// How far a relay's clock is off, by a header of whole seconds.

import { expect, test } from 'vitest';
import { relayClock } from '../../../../src/adapters/portable/doctor/relay-clock.ts';

const NOON_MS = Date.parse('2026-11-30T12:00:00Z');
const header = (atMs: number): string => new Date(atMs).toUTCString();

test.each([0, 1, 499, 999])('equal clocks are told within the measurement, %i ms into a second', (intoMs) => {
  const atMs = NOON_MS + intoMs;
  const seen = relayClock(header(atMs), atMs - 40, atMs + 60) ?? fail();
  expect(Math.abs(seen.aheadMs)).toBeLessThanOrEqual(seen.uncertainMs);
  expect(seen.uncertainMs).toBe(550);
});

test.each([3_600_000, -86_400_000])('a relay that is %i ms ahead is told so', (aheadMs) => {
  const seen = relayClock(header(NOON_MS + aheadMs), NOON_MS, NOON_MS + 20) ?? fail();
  expect(Math.abs(seen.aheadMs - aheadMs)).toBeLessThanOrEqual(seen.uncertainMs);
});

test.each([null, undefined, '', 'yesterday'])('%s is no date', (text) => {
  expect(relayClock(text, NOON_MS, NOON_MS)).toBeUndefined();
});

function fail(): never {
  throw new Error('none');
}
