// Devices whose browser deletes what is not used: what they hold can be read, and counts for nothing that
// lasts. Repair makes up for one that stays away, and for nothing else.

import { expect } from 'vitest';
import type { FileStatus } from '../../src/runtime/api.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { heldCount, untilSeen } from './disk-looks.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const HOUR_MS = 60 * 60_000;
/** Short, because the events of a linked pool add up. */
const GRACE_MS = 5 * 60_000;
/** What a device knows of the others is on its disk within this, ms. */
const SAVED_WITHIN_MS = 5_000;
const K = 2;
const DEVICES = 4;

async function reopenEvictable(device: SimDevice): Promise<void> {
  device.kill();
  device.isEvictable = true;
  await device.reopen();
}

/** A placed file on four devices, a fragment on each of `n`; the last `count` devices are evictable. */
async function placed(
  { world, pool }: Simulation,
  count: number,
  n = DEVICES,
): Promise<{ devices: readonly SimDevice[]; fileId: string }> {
  const devices = await pool(DEVICES);
  for (const device of devices.slice(DEVICES - count)) await reopenEvictable(device);
  await world.until('all are linked', () => devices.every((each) => reachableCount(each) === DEVICES));
  const graceMs = { alwaysOn: GRACE_MS, laptop: GRACE_MS, phone: GRACE_MS };
  await world.settled('policy', first(devices).pool.setPolicy({ graceMs }));
  const stored = first(devices).put(world.random.bytes(300_000), { name: 'film', k: K, n });
  const { fileId } = await world.settled('store', stored);
  await world.until(
    'each has its share',
    () => devices.every((each) => heldCount(each, fileId) <= 1 && seesShares(each, fileId, n)),
    HOUR_MS,
  );
  return { devices, fileId };
}

function evictablesOf(by: SimDevice): string[] {
  return by.pool.status().devices.flatMap(({ name, evictable }) => (evictable === true ? [name] : []));
}

/** Whether the device knows of `count` holders with one fragment each. */
function seesShares(by: SimDevice, fileId: string, count: number): boolean {
  const { holders = [] } = seen(by, fileId) ?? {};
  return holders.length === count && holders.every(({ fragments }) => fragments.length === 1);
}

function seen(by: SimDevice, fileId: string): FileStatus | undefined {
  return by.pool.status().files.find((file) => file.fileId === fileId);
}

scenario('what one of four holds is reachable, and not durable', [9001], async (simulation) => {
  const { devices, fileId } = await placed(simulation, 1);
  for (const device of devices) {
    expect(seen(device, fileId)).toMatchObject({
      reach: 4,
      margin: 2,
      durable: 3,
      durableMargin: 1,
      safe: true,
    });
    expect(evictablesOf(device)).toEqual([first(devices, 3).name]);
  }
});

scenario('one that stays away is made up for like any other', [9011], async (simulation) => {
  const { world } = simulation;
  const { devices, fileId } = await placed(simulation, 0, 3);
  const evictable = devices.findLast((device) => heldCount(device, fileId) === 1);
  if (evictable === undefined) throw new Error('nobody holds anything');
  await reopenEvictable(evictable);
  const others = devices.filter((device) => device !== evictable);
  await world.until('it is known', () => others.every((each) => evictablesOf(each).length === 1));
  const savedMs = world.nowMs + SAVED_WITHIN_MS;
  await world.until('what is known of it is on the disks', () => world.nowMs >= savedMs);
  evictable.kill();
  // The others must remember it over their own restarts.
  for (const device of others) {
    device.kill();
    await device.reopen();
  }
  await world.until('the others are linked', () => others.every((each) => reachableCount(each) === 3));
  expect(others.map(evictablesOf)).toEqual(others.map(() => [evictable.name]));
  await world.until(
    'its fragment is back',
    () => others.every((each) => seen(each, fileId)?.durable === 3),
    HOUR_MS,
  );
  expect(others.map((each) => seen(each, fileId)?.durableMargin)).toEqual([1, 1, 1]);
});

scenario(
  'a pool of nothing else says that nothing lasts, opens everything, and repairs nothing',
  [9021],
  async (simulation) => {
    const { world } = simulation;
    const { devices, fileId } = await placed(simulation, DEVICES);
    const before = devices.map((each) => each.store.contents().fragments.length);
    const endMs = world.nowMs + HOUR_MS / 2;
    await untilSeen(
      world,
      'half an hour has passed',
      () => {
        expect(devices.flatMap((each) => each.pool.status().repairs)).toEqual([]);
        return world.nowMs >= endMs;
      },
      { withinMs: HOUR_MS, everyMs: 10_000 },
    );
    for (const device of devices) {
      expect(seen(device, fileId)).toMatchObject({
        reach: 4,
        margin: 2,
        durable: 0,
        durableMargin: -1,
        safe: false,
      });
    }
    expect(devices.map((each) => each.store.contents().fragments.length)).toEqual(before);
  },
);
