// How a device stands, in words; and moments and durations as people say them.

import { expect, test } from 'vitest';
import type { DeviceStatus } from '../../../src/runtime/api.ts';
import { deviceStateText } from '../../../src/ui/text/device-state.ts';
import { formatDuration, formatShortDuration, formatSince } from '../../../src/ui/text/en/units.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A Wednesday, local time, as people read it. */
const NOW_MS = new Date(2026, 2, 18, 15, 30).getTime();

function textOf(state: DeviceStatus['state'], sinceMs: number, self = false): string {
  const device = { id: 'a', name: 'Phone', class: 'phone', graceMs: 0, heldBytes: 0 } as const;
  return deviceStateText({ ...device, state, sinceMs, self }, NOW_MS);
}

test.each<[string, DeviceStatus['state'], number]>([
  ['Reachable', 'reachable', NOW_MS - DAY_MS],
  ['Away since 14:05', 'away', NOW_MS - 85 * MINUTE_MS],
  ['Away since Tuesday 15:30', 'away', NOW_MS - DAY_MS],
  ['Away since 18 February', 'away', NOW_MS - 28 * DAY_MS],
  ['Away since 18 December 2025', 'away', NOW_MS - 90 * DAY_MS],
  ['Not answering for 20 s', 'suspect', NOW_MS - 20_000],
  ['Not answering for 1 s', 'suspect', NOW_MS + 5_000],
  ['Gone for 3 days', 'gone', NOW_MS - 3 * DAY_MS],
  ['Gone for 1 day', 'gone', NOW_MS - DAY_MS],
])('a device is said to be: %s', (text, state, sinceMs) => {
  expect(textOf(state, sinceMs)).toBe(text);
});

test('this device is called so, whatever its state', () => {
  expect(textOf('gone', 0, true)).toBe('This device');
});

test.each<[number, string, string]>([
  [0, 'a second', '1 s'],
  [20_000, '20 seconds', '20 s'],
  [MINUTE_MS, 'a minute', '1 min'],
  [90 * MINUTE_MS, '90 minutes', '90 min'],
  [120 * MINUTE_MS, 'two hours', '2 h'],
  [DAY_MS, 'a day', '1 day'],
  [1.25 * DAY_MS, '30 hours', '30 h'],
  [3.2 * DAY_MS, 'three days', '3 days'],
  [366 * DAY_MS, '366 days', '366 days'],
])('%d ms are %s, in short %s', (ms, long, short) => {
  expect([formatDuration(ms), formatShortDuration(ms)]).toEqual([long, short]);
});

test('a moment of tomorrow, by a clock that was set back, has its date', () => {
  expect(formatSince(NOW_MS + DAY_MS, NOW_MS)).toBe('19 March');
});
