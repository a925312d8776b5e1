// Rot is found by the device that has it, without anybody reading the file, and is made up for. Judged by the
// disks.

import { expect } from 'vitest';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { fragmentsOn, wholeFragments } from './checks.ts';
import type { SimDevice } from './device.ts';
import { expectReadable, N, placeFile, until } from './moved-file.ts';
import { first, scenario } from './scenario.ts';

/** Its copy rots: block `at` of it is damaged, or is gone. */
function damage(device: SimDevice, fileId: string, isGone: boolean, at = 0): void {
  const held = device.store.contents().fragments.find(({ fragment }) => fragment.fileId === fileId);
  if (held === undefined) throw new Error(`${device.name} holds nothing`);
  const hash = first(decodeFragmentIndex(held.index).blocks, at);
  if (isGone) device.store.deleteBlock(hash);
  else device.store.corruptBlock(hash);
}

scenario(
  'copies that rotted are found and made up for while nobody reads the file',
  [1510, 1511],
  async (simulation) => {
    const { world } = simulation;
    const devices = await simulation.pool(N);
    const file = await placeFile(simulation, devices, { private: world.seed % 2 === 1 });
    const { fileId } = file;
    // All remember what the others hold.
    await world.pass(60_000);
    for (const device of devices) device.kill();
    const holders = devices.filter((device) => wholeFragments(device, fileId).size > 0);
    for (const [at, device] of holders.slice(0, 3).entries()) damage(device, fileId, at === 1);
    const sound = fragmentsOn(devices, fileId).size;
    expect(sound).toBeLessThan(N);
    for (const device of devices) await device.reopen();
    // An evening of four minutes.
    await until(simulation, 'all is sound again', () => fragmentsOn(devices, fileId).size === N, 240_000);
    if (file.link === undefined) for (const device of devices) await expectReadable(simulation, file, device);
  },
);

scenario(
  'a file whose copies were all found damaged is repaired by pages that never saw it claimed',
  [1512, 1513],
  async (simulation) => {
    const { world, network } = simulation;
    const devices = await simulation.pool(N);
    const file = await placeFile(simulation, devices, { byteCount: 1_200_000 });
    const { fileId } = file;
    await world.pass(60_000);
    for (const device of devices) device.kill();
    // Half of them in the first block, half in the second: of each segment, k copies are sound.
    for (const [at, device] of devices.entries()) damage(device, fileId, false, at % 2);
    expect(fragmentsOn(devices, fileId).size).toBe(0);
    network.partition((id) => devices.findIndex((device) => device.id === id));
    for (const device of devices) await device.reopen();
    const isUnheld = (device: SimDevice): boolean =>
      device.fileStatus(fileId)?.holders.every(({ deviceId }) => deviceId !== device.id) === true;
    await until(simulation, 'each has found its damage', () => devices.every(isUnheld), 240_000);
    for (const device of devices) device.kill();
    network.heal();
    for (const device of devices) await device.reopen();
    await until(simulation, 'all is sound again', () => fragmentsOn(devices, fileId).size === N, 240_000);
    for (const device of devices) await expectReadable(simulation, file, device);
  },
);
