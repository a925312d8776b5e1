// Who of a pool is away, and who is gone: over days, with devices that sleep, restart together, cannot reach
// each other, or have wrong clocks.

import { expect } from 'vitest';
import type { DeviceStatus } from '../../src/runtime/api.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { first, scenario } from './scenario.ts';
import type { World } from './world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const YEAR_MS = 365 * 24 * HOUR_MS;
/** Short, because the events of a linked pool add up. Clocks are set meanwhile, by up to half a day. */
const GRACE_MS = { alwaysOn: 3 * MINUTE_MS, laptop: 7 * MINUTE_MS, phone: 11 * MINUTE_MS };
/** A verdict may be this much later than the grace: the wait after a clock was set, and a round of asking. */
const LATE_MS = 4 * MINUTE_MS;

scenario(
  'a device that is lost is gone for all once the grace of its class is over, and not before',
  [6101],
  async ({ world, pool }) => {
    const devices = await pool(6);
    const observers = devices.slice(0, 3);
    const lost = devices.slice(3);
    await setGrace(world, first(devices), GRACE_MS);
    for (const [index, kind] of (['alwaysOn', 'laptop', 'phone'] as const).entries()) {
      const device = first(lost, index);
      device.kill();
      device.deviceClass = kind;
      await device.reopen();
    }
    await world.until('all are linked', () => devices.every((device) => reachableCount(device) === 6));
    await world.until('the classes are known', () =>
      observers.every((by) => lost.every((of) => seen(by, of).class === of.deviceClass)),
    );
    for (const device of lost) device.kill();
    for (const device of [...lost].toSorted((a, b) => GRACE_MS[a.deviceClass] - GRACE_MS[b.deviceClass])) {
      const startMs = world.nowMs;
      const isGone = (by: SimDevice): boolean => seen(by, device).state === 'gone';
      expect(observers.filter(isGone)).toEqual([]);
      await world.until('it is gone', () => observers.every(isGone), HOUR_MS);
      // Each grace is over four minutes after the one before.
      expect(world.nowMs - startMs).toBeGreaterThan(MINUTE_MS);
    }
    await first(lost).reopen();
    await world.until('it is back for all', () =>
      observers.every((by) => seen(by, first(lost)).state === 'reachable'),
    );
    expect(observers.map((by) => seen(by, first(lost, 1)).state)).toEqual(['gone', 'gone', 'gone']);
  },
);

scenario(
  'two devices that cannot link are not gone for each other while a third can reach both',
  [6111],
  async ({ world, network, pool }) => {
    const devices = await pool(3);
    const [a, b, between] = [first(devices), first(devices, 1), first(devices, 2)];
    await setGrace(world, a, GRACE_MS);
    network.cut(a.id, b.id);
    await world.pass(MINUTE_MS);
    for (let minute = 0; minute < 20; minute++) {
      await world.pass(MINUTE_MS);
      expect([seen(a, b).state, seen(b, a).state]).toEqual(['away', 'away']);
    }
    // What the third remembers of one that is lost keeps nobody alive.
    b.kill();
    await world.until('it is gone', () => seen(a, b).state === 'gone', GRACE_MS.laptop + LATE_MS);
    await world.pass(2 * MINUTE_MS);
    expect([seen(a, b).state, seen(between, b).state]).toEqual(['gone', 'gone']);
  },
);

scenario(
  'a pool that was closed for days calls nobody gone when it opens, one device after another',
  [6121, 6122],
  async ({ world, pool }) => {
    const devices = await pool(4);
    await world.pass(MINUTE_MS);
    for (const device of devices) device.kill();
    await world.pass(5 * 24 * HOUR_MS);
    for (const device of devices) {
      await device.reopen();
      await world.pass(world.random.below(15 * MINUTE_MS));
      expect(everyState(devices)).not.toContain('gone');
    }
    await world.until('all are linked', () => devices.every((device) => reachableCount(device) === 4));
  },
);

scenario(
  'a device that slept over the grace of the others accuses nobody when it wakes',
  [6131],
  async ({ world, pool }) => {
    const devices = await pool(4);
    const sleeper = first(devices);
    await setGrace(world, sleeper, GRACE_MS);
    await world.pass(MINUTE_MS);
    sleeper.sleep(15 * MINUTE_MS);
    await world.pass(14 * MINUTE_MS);
    expect(seen(first(devices, 1), sleeper).state).toBe('gone');
    const states = new Set<string>();
    world.always(() => {
      if (sleeper.isRunning) for (const state of everyState([sleeper])) states.add(state);
    });
    await world.until('all are linked again', () => reachableCount(sleeper) === 4, 10 * MINUTE_MS);
    await world.until('for the others, too', () =>
      devices.every((by) => seen(by, sleeper).state === 'reachable'),
    );
    expect([...states].toSorted()).toEqual(['away', 'reachable']);
  },
);

for (const years of [-30, 30]) {
  scenario(
    `one clock that is ${years} years off, over restarts, makes nobody gone and keeps nobody alive`,
    [6141],
    async ({ world, network, pool }) => {
      const devices = await pool(4);
      const wrong = first(devices);
      await setGrace(world, first(devices, 1), GRACE_MS);
      network.cut(wrong.id, first(devices, 1).id);
      await world.pass(MINUTE_MS);
      for (let round = 0; round < 3; round++) {
        wrong.setClock(years * YEAR_MS);
        await world.pass(3 * MINUTE_MS);
        wrong.kill();
        wrong.setClock(-years * YEAR_MS);
        await world.pass(MINUTE_MS);
        await wrong.reopen();
        await world.pass(3 * MINUTE_MS);
        expect(everyState(devices)).not.toContain('gone');
      }
      const lost = first(devices, 3);
      lost.kill();
      await world.pass(GRACE_MS.laptop + LATE_MS);
      const others = devices.slice(0, 3);
      await world.until('it is gone', () => others.every((by) => seen(by, lost).state === 'gone'), LATE_MS);
    },
  );
}

async function setGrace(world: World, device: SimDevice, graceMs: typeof GRACE_MS): Promise<void> {
  await world.settled('the policy is set', device.pool.setPolicy({ graceMs }));
}

function seen(by: SimDevice, of: SimDevice): DeviceStatus {
  const found = by.pool.status().devices.find(({ id }) => id === of.id);
  if (found === undefined) throw new Error(`${by.name} does not know ${of.name}`);
  return found;
}

function everyState(devices: readonly SimDevice[]): string[] {
  return devices
    .filter(({ isRunning }) => isRunning)
    .flatMap(({ pool }) => pool.status().devices.map(({ state }) => state));
}
