// Moves between devices: devices that join take fragments off those that hold several, a device whose space
// runs out hands over, and wherever a move is interrupted, each fragment is still on a disk.

import { expect } from 'vitest';
import { fragmentsOn, wholeFragments } from './checks.ts';
import { joinPool, type SimDevice } from './device.ts';
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

/** Three devices with 3, 3 and 2 fragments. */
async function crowded(simulation: Simulation, options: Parameters<typeof placeFile>[2] = {}) {
  const devices = await simulation.pool(3);
  await shortenGrace(simulation, first(devices));
  const file = await placeFile(simulation, devices, options);
  expect(countsOn(devices, file.fileId)).toEqual([3, 3, 2]);
  watchDisks(simulation, file.fileId, () => simulation.devices);
  return { devices, file };
}

async function join(simulation: Simulation, count: number, by: SimDevice): Promise<SimDevice[]> {
  const joined = Array.from({ length: count }, (_, at) => simulation.device(`newcomer ${at}`));
  for (const device of joined) await joinPool(simulation.world, device, by);
  return joined;
}

scenario(
  'ten devices that join at once take fragments off those that hold several',
  [1101],
  async (simulation) => {
    const { devices, file } = await crowded(simulation);
    const joined = await join(simulation, 10, first(devices));
    const all = [...devices, ...joined];
    await until(simulation, 'no device has two', () => first(countsOn(all, file.fileId)) === 1);
    await untilOnce(simulation, all, file.fileId);
    // And then it is quiet: nothing moves in circles.
    const homes = (): string =>
      all.map((device) => [...wholeFragments(device, file.fileId)].join()).join(' ');
    const settled = homes();
    await simulation.world.pass(2 * 60_000);
    expect(homes()).toBe(settled);
    await expectReadable(simulation, file, first(joined));
  },
);

scenario('a private file moves to devices that cannot open it', [1111], async (simulation) => {
  const { devices, file } = await crowded(simulation, { private: true });
  const joined = await join(simulation, 5, first(devices));
  const all = [...devices, ...joined];
  await until(simulation, 'it is spread evenly', () => first(countsOn(all, file.fileId)) === 1);
  await untilOnce(simulation, all, file.fileId);
  const taker = joined.find((device) => heldCount(device, file.fileId) > 0) ?? first(joined);
  await expect(simulation.world.settled('read', taker.read(file.fileId))).rejects.toThrow();
  const { link = '' } = file;
  const read = await simulation.world.settled('read', taker.read(file.fileId, { link }));
  expect(Buffer.compare(read, file.bytes)).toBe(0);
});

/** Waits until the newcomer has a copy that its giver still has: a move is in its middle. */
async function inTheMiddle(
  simulation: Simulation,
  fileId: string,
  taker: SimDevice,
): Promise<{ readonly giver: SimDevice }> {
  const giverOf = (): SimDevice | undefined => {
    const [fragment] = wholeFragments(taker, fileId);
    return simulation.devices.find(
      (device) => device !== taker && fragment !== undefined && wholeFragments(device, fileId).has(fragment),
    );
  };
  await until(simulation, 'a copy was made', () => giverOf() !== undefined);
  return { giver: giverOf() ?? taker };
}

scenario(
  'a giver or a taker that is killed in the middle of a move loses nothing',
  [1121, 1122],
  async (simulation) => {
    const { world } = simulation;
    const { devices, file } = await crowded(simulation);
    const [taker] = await join(simulation, 1, first(devices));
    if (taker === undefined) throw new Error('expected a newcomer');
    const { giver } = await inTheMiddle(simulation, file.fileId, taker);
    const killed = world.seed % 2 === 0 ? giver : taker;
    killed.kill();
    await world.pass(20_000);
    await killed.reopen();
    const all = [...devices, taker];
    await untilOnce(simulation, all, file.fileId);
    expect(countsOn(all, file.fileId)).toEqual([2, 2, 2, 2]);
    for (const device of all) await expectReadable(simulation, file, device);
  },
);

scenario('a cut in the middle of a move loses nothing, on either side', [1131, 1132], async (simulation) => {
  const { world, network } = simulation;
  const { devices, file } = await crowded(simulation);
  const [taker] = await join(simulation, 1, first(devices));
  if (taker === undefined) throw new Error('expected a newcomer');
  const { giver } = await inTheMiddle(simulation, file.fileId, taker);
  const alone = world.seed % 2 === 0 ? giver : taker;
  network.partition((device) => (device === alone.id ? 1 : 0));
  // Longer than the grace: what it has is rebuilt.
  await world.pass(5 * 60_000);
  network.heal();
  const all = [...devices, taker];
  await untilOnce(simulation, all, file.fileId);
  for (const device of all) await expectReadable(simulation, file, device);
});

scenario('a file that is removed in the middle of a move leaves nothing', [1141], async (simulation) => {
  const { world } = simulation;
  const devices = await simulation.pool(3);
  await shortenGrace(simulation, first(devices));
  const file = await placeFile(simulation, devices);
  const [taker] = await join(simulation, 1, first(devices));
  if (taker === undefined) throw new Error('expected a newcomer');
  await inTheMiddle(simulation, file.fileId, taker);
  await world.settled('remove', first(devices).pool.remove(file.fileId));
  await until(simulation, 'it is gone', () => copyCount([...devices, taker], file.fileId) === 0);
  await world.pass(2 * 60_000);
  expect(copyCount([...devices, taker], file.fileId)).toBe(0);
});

scenario('a device whose space runs out hands over, and nothing moves back', [1151], async (simulation) => {
  const { world } = simulation;
  const devices = await simulation.pool(10);
  await shortenGrace(simulation, first(devices));
  const files = [];
  for (let at = 0; at < 6; at++)
    files.push(await placeFile(simulation, devices, { name: `film ${at}`, byteCount: 80_000 }));
  const fullest = devices.toSorted((a, b) => b.store.usedBytes() - a.store.usedBytes())[0] ?? first(devices);
  const heldBefore = fullest.store.usedBytes();
  // Its space, of which a pool may use four fifths, is used up to the last percent.
  fullest.setQuota(Math.ceil(heldBefore / 0.8 / 0.99));
  await until(
    simulation,
    'a tenth of its space is free',
    () => fullest.store.usedBytes() < 0.92 * heldBefore,
  );
  await world.pass(2 * 60_000);
  expect(fullest.store.usedBytes()).toBeLessThan(0.95 * heldBefore);
  expect(fullest.store.usedBytes()).toBeGreaterThan(0.5 * heldBefore);
  for (const { fileId } of files) {
    expect(fragmentsOn(devices, fileId).size).toBe(N);
    expect(copyCount(devices, fileId)).toBe(N);
  }
});
