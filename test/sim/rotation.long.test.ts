// Keys that change by their age, over an hour of a pool of two admins whose clocks differ by hours.

import { expect } from 'vitest';
import { followCharter } from './chartered.ts';
import type { SimDevice } from './device.ts';
import { first, linkedScenario } from './scenario.ts';

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
    await world.settled('set', founder.pool.setPolicy({ rotateEveryMs: 3_600_000 }));
    await world.until('new keys', () => devices.every((device) => epochOf(device) === 1), 3_900_000);
    await world.pass(600_000);
    expect(devices.map(epochOf)).toEqual([1, 1]);
    expect(network.bugs).toEqual([]);
  },
);
