// Copies that are damaged on the disk of the device that places their file: it rebuilds them, so that it can
// judge the proofs of others again, and let go of the file.

import { expect } from 'vitest';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { fragmentsOn, wholeFragments } from './checks.ts';
import type { SimDevice } from './device.ts';
import { untilSeen } from './disk-looks.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const [K, N] = [2, 3];
const FILE_BYTES = 100_000;

interface Placing {
  readonly storer: SimDevice;
  /** Took one fragment, and proved it. */
  readonly home: SimDevice;
  /** Closed. Until it takes the last fragment, the storer cannot let go. */
  readonly missing: SimDevice;
  readonly bytes: Uint8Array;
  readonly fileId: string;
}

async function placing({ pool, world }: Simulation): Promise<Placing> {
  const devices = await pool(N);
  const [storer, home, missing] = [first(devices), first(devices, 1), first(devices, 2)];
  missing.kill();
  const bytes = world.random.bytes(FILE_BYTES);
  const storing = storer.put(bytes, { name: 'film', k: K, n: N, durability: 'fast' });
  const { fileId } = await world.settled('store', storing);
  await world.until('one fragment has a home', () => storer.fileStatus(fileId)?.holders.length === 2);
  expect(storer.store.contents().outbox).toHaveLength(1);
  return { storer, home, missing, bytes, fileId };
}

/** A block of the fragment rots on the device's disk. */
function damage(device: SimDevice, fileId: string, fragment: number): void {
  const held = device.store
    .contents()
    .fragments.find((each) => each.fragment.fileId === fileId && each.fragment.fragment === fragment);
  if (held === undefined) throw new Error(`no fragment ${fragment}`);
  device.store.corruptBlock(first(decodeFragmentIndex(held.index).blocks));
}

async function expectPlaced({ world }: Simulation, { storer, home, missing, bytes, fileId }: Placing) {
  const devices = [storer, home, missing];
  await untilSeen(world, 'placed', () => storer.store.contents().outbox.length === 0, {
    withinMs: 5 * 60_000,
    everyMs: 250,
  });
  expect(fragmentsOn(devices, fileId).size).toBe(N);
  for (const device of devices) expect(wholeFragments(device, fileId).size).toBe(1);
  const read = await world.settled('read', missing.read(fileId));
  expect(Buffer.compare(read, bytes)).toBe(0);
}

scenario('a storer rebuilds its damaged copy of what another device took', [961], async (simulation) => {
  const placed = await placing(simulation);
  const { storer, home, missing, fileId } = placed;
  damage(storer, fileId, first([...wholeFragments(home, fileId)]));
  await missing.reopen();
  await expectPlaced(simulation, placed);
});

scenario(
  'a storer with fewer than k sound copies rebuilds the others from what it placed, also after a restart',
  [971],
  async (simulation) => {
    const placed = await placing(simulation);
    const { storer, home, missing, fileId } = placed;
    const taken = first([...wholeFragments(home, fileId)]);
    const [spare = -1] = [...wholeFragments(storer, fileId)].filter((fragment) => fragment !== taken);
    home.kill();
    damage(storer, fileId, taken);
    damage(storer, fileId, spare);
    const reading = storer.read(fileId).then(
      () => 'read',
      () => 'not enough',
    );
    expect(await simulation.world.settled('it finds the damage', reading)).toBe('not enough');
    storer.kill();
    for (const device of [storer, home, missing]) await device.reopen();
    await expectPlaced(simulation, placed);
  },
);
