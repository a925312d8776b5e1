// Pools that change their keys, over real transports and a simulated relay: whoever stays follows, asleep or
// awake, and whoever was shut out reads nothing that is stored afterwards.

import { expect } from 'vitest';
import { followCharter } from './chartered.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { first, linkedScenario } from './scenario.ts';

/** Longer than links and rooms take. */
const MENDED_MS = 180_000;

function epochOf({ pool }: SimDevice): number | undefined {
  return pool.status().pool?.epoch;
}

function namesOn({ pool }: SimDevice): string[] {
  return pool
    .status()
    .files.map(({ name }) => name)
    .toSorted();
}

linkedScenario(
  'a lost device is shut out while another sleeps: it reads nothing that is stored since, and the sleeper follows',
  [3_101],
  async ({ world, network, pool }) => {
    const devices = await pool(4);
    const [founder, lost, sleeper, other] = [0, 1, 2, 3].map((index) => first(devices, index)) as [
      SimDevice,
      SimDevice,
      SimDevice,
      SimDevice,
    ];
    await followCharter(world, devices);
    const bytes = world.random.bytes(60_000);
    const before = await world.settled('store', founder.put(bytes, { name: 'before', k: 2, n: 4 }));
    await world.until('told', () => devices.every((device) => namesOn(device).join() === 'before'));
    sleeper.kill();
    lost.kill();
    await world.until('both are gone', () => reachableCount(founder) === 2, MENDED_MS);

    await world.settled('shut out', founder.pool.shutOut(lost.id));
    expect(epochOf(founder)).toBe(1);
    const since = await world.settled('store', founder.put(bytes.slice(1), { name: 'since', k: 2, n: 4 }));
    await world.until('the other follows', () => epochOf(other) === 1);
    await world.until('told', () => namesOn(other).join() === 'before,since', MENDED_MS);

    // With the disk that it had. It finds nobody in a room that it knows but those who tell it so.
    await lost.reopen();
    await world.until('it is told', () => lost.notices.some(({ kind }) => kind === 'shut-out'), MENDED_MS);
    await world.pass(20_000);
    expect([namesOn(lost), epochOf(lost)]).toEqual([['before'], 0]);

    await sleeper.reopen();
    await world.until('the sleeper follows', () => epochOf(sleeper) === 1, MENDED_MS);
    await world.until('and is told', () => namesOn(sleeper).join() === 'before,since', MENDED_MS);
    for (const device of [founder, sleeper, other]) {
      expect(await world.settled('read', device.read(before.fileId), MENDED_MS)).toEqual(bytes);
      expect(await world.settled('read', device.read(since.fileId), MENDED_MS)).toEqual(bytes.slice(1));
    }
    // Again with new pages: what lies on the disks opens under the keys of both epochs.
    for (const device of [founder, sleeper, other]) device.kill();
    for (const device of [founder, sleeper, other]) await device.reopen();
    await world.until(
      'all see each other',
      () => [founder, sleeper, other].every((device) => reachableCount(device) === 3),
      MENDED_MS,
    );
    expect([founder, sleeper, other].map(epochOf)).toEqual([1, 1, 1]);
    expect(namesOn(lost)).toEqual(['before']);
    expect(network.bugs).toEqual([]);
  },
);

linkedScenario(
  'keys that two admins change apart are one set again once they meet',
  [3_111],
  async ({ world, network, pool }) => {
    const devices = await pool(4);
    const [founder, anna] = [first(devices), first(devices, 1)];
    await followCharter(world, devices);
    await world.settled('an admin', founder.pool.grant(anna.id, 'admin'));
    await world.until('told', () => anna.pool.status().role === 'admin');
    await world.pass(1_000); // and written
    // Two and two.
    const [one, two] = [devices.filter((_, at) => at % 2 === 0), devices.filter((_, at) => at % 2 === 1)];
    for (const device of two) device.kill();
    await world.settled('new keys', founder.pool.rotate());
    await world.until('they follow', () => one.every((device) => epochOf(device) === 1), MENDED_MS);
    await world.settled('store', founder.put(world.random.bytes(900), { name: 'of one', k: 2, n: 4 }));
    for (const device of one) device.kill();
    for (const device of two) await device.reopen();
    await world.settled('new keys', anna.pool.rotate());
    await world.until('they follow', () => two.every((device) => epochOf(device) === 1), MENDED_MS);
    await world.settled('store', anna.put(world.random.bytes(800), { name: 'of two', k: 2, n: 4 }));

    for (const device of one) await device.reopen();
    await world.until(
      'all see each other',
      () => devices.every((device) => reachableCount(device) === devices.length),
      MENDED_MS,
    );
    await world.until(
      'all know all',
      () => devices.every((device) => namesOn(device).join() === 'of one,of two'),
      MENDED_MS,
    );
    // Both follow epoch 0; the next one follows both.
    await world.settled('new keys', anna.pool.rotate());
    await world.until('all follow', () => devices.every((device) => epochOf(device) === 2), MENDED_MS);
    expect(network.bugs).toEqual([]);
  },
);
