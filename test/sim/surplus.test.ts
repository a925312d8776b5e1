// Second copies: of devices that return after what they held was rebuilt, and of parts of a pool that meet
// again. Each fragment stays once, whatever happens meanwhile; judged by the disks.

import { expect } from 'vitest';
import {
  copyCount,
  countsOn,
  expectReadable,
  lose,
  N,
  placeFile,
  shortenGrace,
  until,
  untilOnce,
  watchDisks,
} from './moved-file.ts';
import { fragmentsOn } from './checks.ts';
import { heldCount } from './disk-looks.ts';
import { first, scenario } from './scenario.ts';

scenario(
  'devices return after what they held was rebuilt: each fragment stays once',
  [1001],
  async (simulation) => {
    const devices = await simulation.pool(N);
    await shortenGrace(simulation, first(devices));
    const file = await placeFile(simulation, devices);
    const { fileId } = file;
    watchDisks(simulation, fileId, () => devices);
    const [six, lost] = lose(fileId, devices, 2);
    await until(simulation, 'all fragments are back', () => fragmentsOn(six, fileId).size === N);
    for (const device of lost) await device.reopen();
    expect(copyCount(devices, fileId)).toBeGreaterThanOrEqual(N + 2);
    await untilOnce(simulation, devices, fileId);
    // The fuller ones dropped theirs.
    expect(countsOn(devices, fileId)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    for (const device of devices) await expectReadable(simulation, file, device);
  },
);

scenario(
  'two halves of a pool rebuilt everything: when they meet, each fragment stays once',
  [1011],
  async (simulation) => {
    const { network, world } = simulation;
    const devices = await simulation.pool(N);
    await shortenGrace(simulation, first(devices));
    const file = await placeFile(simulation, devices);
    const { fileId } = file;
    watchDisks(simulation, fileId, () => devices);
    const halves = [devices.slice(0, 4), devices.slice(4)];
    const firstHalf = new Set(devices.slice(0, 4).map(({ id }) => id));
    network.partition((device) => (firstHalf.has(device) ? 0 : 1));
    for (const half of halves)
      await until(simulation, 'a half is full', () => fragmentsOn(half, fileId).size === N);
    network.heal();
    await untilOnce(simulation, devices, fileId);
    expect(first(countsOn(devices, fileId))).toBeLessThanOrEqual(2);
    await world.pass(60_000);
    for (const device of devices) await expectReadable(simulation, file, device);
  },
);

// Five devices and four fragments: the fifth has by now what the returning one brings back, and either may
// drop its copy. Others take a device for full a little earlier than it hands anything over.
scenario('a device that returns with little space drops its copy', [1021], async (simulation) => {
  const { world } = simulation;
  const devices = await simulation.pool(5);
  await shortenGrace(simulation, first(devices));
  const storing = first(devices).put(world.random.bytes(50_000), { name: 'film', k: 2, n: 4 });
  const { fileId } = await world.settled('store', storing);
  await until(simulation, 'placed', () => first(countsOn(devices, fileId)) === 1);
  const [others, lost] = lose(fileId, devices, 1);
  const returning = first(lost);
  await until(simulation, 'all fragments are back', () => fragmentsOn(others, fileId).size === 4);
  // A pool may use four fifths of it.
  returning.setQuota(Math.ceil(returning.store.usedBytes() / 0.8 / 0.93));
  await returning.reopen();
  expect(copyCount(devices, fileId)).toBe(5);
  await until(simulation, 'one copy is gone', () => copyCount(devices, fileId) === 4);
  expect(fragmentsOn(devices, fileId).size).toBe(4);
  expect(heldCount(returning, fileId)).toBe(0);
});
