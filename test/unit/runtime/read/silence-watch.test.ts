// Which devices count as silent: those that owe something and of which nothing is heard, as far as this page
// could hear.

import { expect, it } from 'vitest';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import { SilenceWatch } from '../../../../src/runtime/read/silence-watch.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const MOST_MS = 5_000;
const HOLDER = deviceAt(1).deviceId;

function watched() {
  const clock = new ManualClock();
  const heard = new Map<DeviceId, number>();
  const told: DeviceId[][] = [];
  const watch = new SilenceWatch({
    clock,
    transport: { silentForMs: (device) => clock.monotonicMs() - (heard.get(device) ?? 0) },
    changed: (silent) => told.push([...silent]),
  });
  return { clock, told, watch, hear: () => heard.set(HOLDER, clock.monotonicMs()) };
}

it('a device of which nothing is heard is silent within five seconds, until it is heard again', () => {
  const { clock, told, watch, hear } = watched();
  clock.advance(60_000);
  watch.asked(HOLDER);
  clock.advance(3_000);
  expect(told).toEqual([]);
  clock.advance(MOST_MS - 3_000);
  expect(told).toEqual([[HOLDER]]);
  hear();
  clock.advance(1_000);
  expect(told).toEqual([[HOLDER], []]);
  clock.advance(MOST_MS);
  expect(told).toHaveLength(3);
});

it('a slow device, which is heard of every few seconds, is not silent', () => {
  const { clock, told, watch, hear } = watched();
  watch.asked(HOLDER);
  for (let frame = 0; frame < 20; frame++) {
    clock.advance(2_900);
    hear();
  }
  expect(told).toEqual([]);
});

it('a device that owes nothing is not silent', () => {
  const { clock, told, watch } = watched();
  const answered = watch.asked(HOLDER);
  clock.advance(1_000);
  answered();
  clock.advance(60_000);
  watch.asked(HOLDER)();
  clock.advance(60_000);
  expect(told).toEqual([]);
});

it('a page that slept has heard nobody: silence counts from when it woke', () => {
  const { clock, told, watch } = watched();
  watch.asked(HOLDER);
  clock.advance(1_000);
  clock.sleep(3_600_000);
  clock.advance(3_000);
  expect(told).toEqual([]);
  clock.advance(MOST_MS - 3_000);
  expect(told).toEqual([[HOLDER]]);
});

it('a read that ended hears no more', () => {
  const { clock, told, watch } = watched();
  watch.asked(HOLDER);
  watch.stop();
  clock.advance(60_000);
  expect(told).toEqual([]);
});
