// A file that is pinned on a device: it holds k - 1 fragments there, never k, and nothing gets less safe by
// it.

import { expect } from 'vitest';
import { fragmentsOn, wholeFragments } from './checks.ts';
import { joinPool } from './device.ts';
import { heldCount } from './disk-looks.ts';
import {
  copyCount,
  countsOn,
  expectReadable,
  N,
  placeFile,
  shortenGrace,
  until,
  untilOnce,
  watchDisks,
} from './moved-file.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const K = 4;

/** Eight devices with one fragment each, the first of which pins the file. */
async function pinned(simulation: Simulation) {
  const devices = await simulation.pool(N);
  await shortenGrace(simulation, first(devices));
  // All have told what room they have.
  await simulation.world.pass(5_000);
  const file = await placeFile(simulation, devices);
  // Who was linked late is given its part afterwards.
  await until(simulation, 'each has one', () => countsOn(devices, file.fileId).every((count) => count === 1));
  watchDisks(simulation, file.fileId, () => simulation.devices);
  const pinner = first(devices, 1);
  await simulation.world.settled('pin', pinner.pool.pin(file.fileId));
  await until(simulation, 'it holds k - 1', () => heldCount(pinner, file.fileId) === K - 1);
  return { devices, file, pinner };
}

scenario(
  'keeps k - 1 fragments while all others keep theirs, over restarts too',
  [1_450, 1_451],
  async (simulation) => {
    const { world } = simulation;
    const { devices, file, pinner } = await pinned(simulation);
    const statusOf = () => pinner.pool.status().files.find(({ fileId }) => fileId === file.fileId);
    expect(statusOf()?.pinned).toBe(true);
    pinner.kill();
    await pinner.reopen();
    await world.pass(15 * 60_000);
    expect(countsOn(devices, file.fileId)).toEqual([K - 1, ...Array.from({ length: N - 1 }, () => 1)]);
    expect(statusOf()?.pinned).toBe(true);
    // With any one device that holds another fragment it opens the file.
    const others = devices.filter((device) => device !== pinner);
    const [helper] = others.filter(
      (device) =>
        ![...wholeFragments(device, file.fileId)].some((each) =>
          wholeFragments(pinner, file.fileId).has(each),
        ),
    );
    for (const device of others) if (device !== helper) device.kill();
    await expectReadable(simulation, file, pinner);
  },
);

scenario(
  'gives the copies up once it is unpinned, and not before another proved them',
  [1_452],
  async (simulation) => {
    const { devices, file, pinner } = await pinned(simulation);
    expect(pinner.pool.status().files[0]?.pinned).toBe(true);
    await simulation.world.settled('unpin', pinner.pool.unpin(file.fileId));
    expect(pinner.pool.status().files[0]?.pinned).toBeUndefined();
    await untilOnce(simulation, devices, file.fileId);
    expect(countsOn(devices, file.fileId)).toEqual(Array.from({ length: N }, () => 1));
  },
);

scenario(
  'two devices that pin a file both keep it, and newcomers still get their part',
  [1_453],
  async (simulation) => {
    const { world } = simulation;
    const devices = await simulation.pool(4);
    await shortenGrace(simulation, first(devices));
    const file = await placeFile(simulation, devices);
    watchDisks(simulation, file.fileId, () => simulation.devices);
    const pinners = [first(devices, 1), first(devices, 2)];
    for (const device of pinners) await world.settled('pin', device.pool.pin(file.fileId));
    const arePinned = (): boolean => pinners.every((device) => heldCount(device, file.fileId) === K - 1);
    await until(simulation, 'both hold k - 1', arePinned);
    const newcomer = simulation.device('newcomer');
    await joinPool(world, newcomer, first(devices));
    await world.pass(15 * 60_000);
    expect(arePinned()).toBe(true);
    expect(copyCount([...devices, newcomer], file.fileId)).toBeGreaterThan(N);
    await expectReadable(simulation, file, newcomer);
  },
);

scenario('gives way where a missing fragment fits nowhere else', [1_454, 1_455], async (simulation) => {
  const { world } = simulation;
  const devices = await simulation.pool(4);
  await shortenGrace(simulation, first(devices));
  const file = await placeFile(simulation, devices);
  const [lost, ...pinners] = devices;
  for (const device of pinners) await world.settled('pin', device.pool.pin(file.fileId));
  const areFull = (): boolean => pinners.every((device) => heldCount(device, file.fileId) === K - 1);
  await until(simulation, 'they hold k - 1', areFull);
  // Three devices have room for nine of eight fragments: only without copies do all of them fit.
  lost?.kill();
  expect(fragmentsOn(pinners, file.fileId).size).toBeLessThan(N);
  const asked = first(pinners);
  const isGone = (): boolean => asked.pool.status().devices.some(({ state }) => state === 'gone');
  await until(simulation, 'the lost one is gone', isGone);
  await until(simulation, 'all is there again', () => {
    void asked.pool.repair();
    return fragmentsOn(pinners, file.fileId).size === N;
  });
  await expectReadable(simulation, file, asked);
  await world.pass(10 * 60_000);
  expect(fragmentsOn(pinners, file.fileId).size).toBe(N);
  expect(areFull()).toBe(true);
});

scenario('the device that stored a pinned file lets go down to k - 1', [1_456], async (simulation) => {
  const { world } = simulation;
  const storer = first(await simulation.pool(1));
  const bytes = world.random.bytes(50_000);
  const { fileId } = await world.settled('store', storer.put(bytes, { name: 'film', durability: 'fast' }));
  await world.settled('pin', storer.pool.pin(fileId));
  const others = Array.from({ length: 8 }, (_, at) => simulation.device(`other ${at}`));
  for (const device of others) await joinPool(world, device, storer);
  await until(simulation, 'placed', () => storer.store.contents().outbox.length === 0);
  expect(heldCount(storer, fileId)).toBe(K - 1);
  await world.pass(15 * 60_000);
  expect(heldCount(storer, fileId)).toBe(K - 1);
  expect(fragmentsOn(others, fileId).size).toBeGreaterThanOrEqual(N - 1);
});

scenario('pins nothing that has no room, nor what is not there', [1_457], async (simulation) => {
  const { world } = simulation;
  const devices = await simulation.pool(4);
  const file = await placeFile(simulation, devices);
  const pinner = first(devices, 1);
  await expect(pinner.pool.pin('nothing')).rejects.toMatchObject({ code: 'unknown-file' });
  await world.settled('remove', first(devices).pool.remove(file.fileId));
  await world.pass(5_000);
  await expect(pinner.pool.pin(file.fileId)).rejects.toMatchObject({ code: 'removed-file' });
});
