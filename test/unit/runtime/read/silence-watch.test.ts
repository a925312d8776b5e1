// Which devices count as silent: those that owe something and give nothing, as far as this page could hear.

import { expect, it } from 'vitest';
import { PalmError } from '../../../../src/core/model/errors.ts';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import { SilenceWatch } from '../../../../src/runtime/read/silence-watch.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const MOST_MS = 5_000;
const HOLDER = deviceAt(1).deviceId;
const OTHER = deviceAt(2).deviceId;

function watched() {
  const clock = new ManualClock();
  const gaveAtMs = new Map<DeviceId, number>();
  const queues = new Map<DeviceId, () => boolean>();
  const told: DeviceId[][] = [];
  const watch = new SilenceWatch({
    clock,
    transport: {
      givesNothingForMs: (device) => clock.monotonicMs() - (gaveAtMs.get(device) ?? -Infinity),
      followQueue: (device) => queues.get(device) ?? (() => false),
    },
    changed: (silent) => told.push([...silent]),
  });
  /** Asks the device; the result answers, or fails the request. */
  const ask = (device: DeviceId) => {
    let settle: { answer: () => void; fail: (error: PalmError) => void } | undefined;
    const request = new Promise<void>((resolve, reject) => (settle = { answer: resolve, fail: reject }));
    const ended = watch.watch(device, () => request).catch(() => undefined);
    return {
      answer: async () => {
        settle?.answer();
        await ended;
      },
      fail: async (error: PalmError) => {
        settle?.fail(error);
        await ended;
      },
    };
  };
  const give = (device: DeviceId) => gaveAtMs.set(device, clock.monotonicMs());
  return { clock, told, watch, ask, give, queues };
}

it('a device that gives nothing is silent within five seconds, until it gives something', () => {
  const { clock, told, ask, give } = watched();
  clock.advance(60_000);
  ask(HOLDER);
  clock.advance(3_500);
  expect(told).toEqual([]);
  clock.advance(MOST_MS - 3_500);
  expect(told).toEqual([[HOLDER]]);
  give(HOLDER);
  clock.advance(1_000);
  expect(told).toEqual([[HOLDER], []]);
  clock.advance(MOST_MS);
  expect(told).toHaveLength(3);
});

it('a slow device, of which a frame comes every few seconds, is not silent', () => {
  const { clock, told, ask, give } = watched();
  ask(HOLDER);
  for (let frame = 0; frame < 20; frame++) {
    clock.advance(3_500);
    give(HOLDER);
  }
  expect(told).toEqual([]);
});

it('a device that answers what it was asked before is not silent, nor is one that refuses', async () => {
  const { clock, told, ask } = watched();
  const asked = Array.from({ length: 12 }, () => ask(HOLDER));
  for (const [index, each] of asked.entries()) {
    clock.advance(2_000);
    if (index % 2 === 0) await each.answer();
    else await each.fail(new PalmError({ code: 'deadline', reason: 'busy' }));
  }
  expect(told).toEqual([]);
});

it('a request that was given up is no answer', async () => {
  const { clock, told, ask } = watched();
  ask(HOLDER);
  const second = ask(HOLDER);
  clock.advance(3_000);
  await second.fail(new PalmError({ code: 'deadline', reason: 'no-answer' }));
  clock.advance(MOST_MS - 3_000);
  expect(told).toEqual([[HOLDER]]);
});

it('a device that owes nothing is not silent', async () => {
  const { clock, told, ask } = watched();
  const asked = ask(HOLDER);
  clock.advance(1_000);
  await asked.answer();
  clock.advance(60_000);
  await ask(HOLDER).answer();
  clock.advance(60_000);
  expect(told).toEqual([]);
});

it('of two devices that are asked one after the other, the second has less time', async () => {
  const { clock, told, ask } = watched();
  const first = ask(HOLDER);
  clock.advance(1_500);
  ask(OTHER);
  await first.fail(new PalmError({ code: 'cancelled', reason: 'not-wanted' }));
  clock.advance(2_000);
  expect(told).toEqual([]);
  clock.advance(MOST_MS - 3_500);
  expect(told).toEqual([[OTHER]]);
});

it('a silent device stays so for a while when its request is given up', async () => {
  const { clock, told, ask } = watched();
  const asked = ask(HOLDER);
  clock.advance(MOST_MS);
  await asked.fail(new PalmError({ code: 'cancelled', reason: 'not-wanted' }));
  clock.advance(5_000);
  expect(told).toEqual([[HOLDER]]);
  clock.advance(10_000);
  expect(told).toEqual([[HOLDER], []]);
});

it('a request that waits behind other bytes is owed only once it has left', () => {
  const { clock, told, ask, queues } = watched();
  let leavesUntilMs = 12_000;
  queues.set(HOLDER, () => clock.monotonicMs() < leavesUntilMs);
  ask(HOLDER);
  clock.advance(15_000);
  expect(told).toEqual([]);
  leavesUntilMs = 0;
  clock.advance(2_000);
  expect(told).toEqual([[HOLDER]]);
});

it('a page that slept has heard nobody: silence counts from when it woke', () => {
  const { clock, told, ask } = watched();
  ask(HOLDER);
  clock.advance(1_000);
  clock.sleep(3_600_000);
  clock.advance(3_500);
  expect(told).toEqual([]);
  clock.advance(MOST_MS - 3_500);
  expect(told).toEqual([[HOLDER]]);
});

it('a read that ended hears no more', () => {
  const { clock, told, watch, ask } = watched();
  ask(HOLDER);
  watch.stop();
  clock.advance(60_000);
  expect(told).toEqual([]);
});
