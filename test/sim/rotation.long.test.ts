// Keys that change by their age, over an hour of a pool of two admins whose clocks differ by hours.

import { expect } from 'vitest';
import { followCharter } from './chartered.ts';
import type { SimDevice } from './device.ts';
import { first, linkedScenario } from './scenario.ts';

const WEEK_MS = 7 * 24 * 3_600_000;

function epochOf({ pool }: SimDevice): number | undefined {
  return pool.status().pool?.epoch;
}

linkedScenario(
  'keys that are older than the policy says are changed by one of two admins, and everybody follows',
  [3_121],
  async ({ world, network, pool }) => {
    const devices = await pool(2);
    const [founder, anna] = [first(devices), first(devices, 1)];
    await followCharter(world, devices);
    await world.settled('an admin', founder.pool.grant(anna.id, 'admin'));
    await world.until('told', () => anna.pool.status().role === 'admin');
    await world.settled('set', founder.pool.setPolicy({ rotateEveryMs: WEEK_MS }));
    // They sleep for a week: keys age all the same.
    await world.pass(60_000);
    for (const device of devices) device.kill();
    await world.pass(WEEK_MS - 3_600_000);
    for (const device of devices) await device.reopen();
    expect(devices.map(epochOf)).toEqual([0, 0]);
    await world.until('new keys', () => devices.every((device) => epochOf(device) === 1), 3_900_000);
    await world.pass(600_000);
    expect(devices.map(epochOf)).toEqual([1, 1]);
    expect(network.bugs).toEqual([]);
  },
);
