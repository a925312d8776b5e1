// When devices that answer count as kept apart: from one end of a pool, with a transport that says how its
// attempts went.

import { expect, test } from 'vitest';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import type { LinkTrial } from '../../../../src/core/transport-port.ts';
import { lookAtLinks, poolSeen } from '../../../../src/runtime/doctor/pool-links.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';

const [ANNA, BEN] = [deviceAt(0).deviceId, deviceAt(1).deviceId];
const NEVER = new AbortController().signal;

function trial(device: DeviceId, failedCount: number, failedForMs = 1_000, isTrying = false): LinkTrial {
  return { device, isTrying, failedCount, failedForMs };
}

/** `later`: what the trials are from the given time on. */
function pool(trials: readonly LinkTrial[], linked: readonly DeviceId[] = []) {
  const clock = new ManualClock();
  const state = { trials, linked, wakes: 0 };
  const transport = { trials: () => state.trials, wake: () => void (state.wakes += 1) };
  return {
    state,
    clock,
    looking: {
      clock,
      transport,
      linked: () => state.linked,
      knownCount: 2,
      isRelayed: (device: DeviceId) => device === BEN,
    },
  };
}

async function passed(clock: ManualClock, ms: number): Promise<void> {
  for (let atMs = 0; atMs < ms; atMs += 250) {
    clock.advance(250);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

test('a device is kept apart after two attempts that it answered, not after one', async () => {
  const { looking } = pool([trial(ANNA, 2), trial(BEN, 1)], [deviceAt(3).deviceId]);
  expect(await lookAtLinks(looking, NEVER)).toMatchObject({
    linkedCount: 1,
    blockedCount: 1,
    tryingCount: 1,
  });
});

test('what failed long ago says nothing of now', async () => {
  const { looking } = pool([trial(ANNA, 5, 6 * 60_000)], [BEN]);
  expect(await lookAtLinks(looking, NEVER)).toMatchObject({ blockedCount: 0 });
});

test('a device that is linked is not kept apart', async () => {
  const { looking } = pool([trial(ANNA, 2)], [ANNA]);
  expect(await lookAtLinks(looking, NEVER)).toMatchObject({ linkedCount: 1, blockedCount: 0 });
});

test('where nobody is linked all are tried again, and an attempt is awaited', async () => {
  const { looking, state, clock } = pool([trial(ANNA, 1)]);
  let seen: unknown;
  void lookAtLinks(looking, NEVER).then((found) => (seen = found));
  expect(state.wakes).toBe(1);
  state.trials = [trial(ANNA, 1, 2_000, true)];
  await passed(clock, 9_750);
  expect(seen).toBeUndefined();
  state.trials = [trial(ANNA, 2, 0)];
  await passed(clock, 250);
  expect(seen).toMatchObject({ linkedCount: 0, blockedCount: 1 });
});

test('an attempt that links is not awaited any longer', async () => {
  const { looking, state, clock } = pool([trial(ANNA, 1)]);
  let seen: unknown;
  void lookAtLinks(looking, NEVER).then((found) => (seen = found));
  state.linked = [ANNA];
  await passed(clock, 250);
  expect(seen).toMatchObject({ linkedCount: 1, blockedCount: 0 });
});

test('nobody answers: the doctor does not wait as for an attempt', async () => {
  const { looking, clock } = pool([]);
  let seen: unknown;
  void lookAtLinks(looking, NEVER).then((found) => (seen = found));
  await passed(clock, 2_750);
  expect(seen).toMatchObject({ linkedCount: 0, blockedCount: 0, tryingCount: 0 });
});

test('an attempt without end is not awaited for ever', async () => {
  const { looking, clock } = pool([trial(ANNA, 0, Infinity, true)]);
  let seen: unknown;
  void lookAtLinks(looking, NEVER).then((found) => (seen = found));
  await passed(clock, 13_250);
  expect(seen).toMatchObject({ tryingCount: 1, blockedCount: 0 });
});

test('links that go through the relay are told apart', async () => {
  const { looking } = pool([], [ANNA, BEN]);
  expect(await lookAtLinks(looking, NEVER)).toMatchObject({ linkedCount: 2, relayedCount: 1 });
});

test('links that work are left alone: waking could end a slow one', async () => {
  const { looking, state } = pool([], [ANNA]);
  await lookAtLinks(looking, NEVER);
  expect(state.wakes).toBe(0);
});

test('in no pool there is nothing to look at', async () => {
  expect(await poolSeen(undefined, new ManualClock(), NEVER)).toBeUndefined();
});
