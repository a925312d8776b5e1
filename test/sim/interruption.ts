// Stores that a killed tab interrupts, for the simulations of what happens to them.

import { expect } from 'vitest';
import type { StoreOptions, UnfinishedStatus } from '../../src/runtime/api.ts';
import type { SimDevice } from './device.ts';
import { first } from './scenario.ts';
import type { World } from './world.ts';

export const NAME = 'film.mp4';
export const OPTIONS: StoreOptions = {
  name: NAME,
  path: 'Films',
  mime: 'video/mp4',
  k: 2,
  n: 3,
  durability: 'fast',
};
/** Seven full segments at k = 2, and one that is not. */
export const SIZE = 7 * (2 * 262_144 - 16) + 1_000;

/** Stores `bytes`, and kills the tab in the middle of sealing. */
export async function interrupt(
  world: World,
  storer: SimDevice,
  bytes: Uint8Array<ArrayBuffer>,
  options: Partial<StoreOptions> = {},
): Promise<UnfinishedStatus> {
  void storer.put(bytes, { ...OPTIONS, ...options });
  await world.until('it keeps what is sealed', () =>
    storer.pool.status().transfers.some(({ doneBytes }) => doneBytes > 0),
  );
  await world.pass(4);
  storer.kill();
  await storer.reopen();
  const interrupted = unfinishedOf(storer);
  expect(interrupted.sealedBytes).toBeGreaterThan(0);
  return interrupted;
}

export function unfinishedOf(device: SimDevice): UnfinishedStatus {
  return first(device.pool.status().unfinished);
}

export function hasFiles(device: SimDevice): boolean {
  return device.pool.status().files.length > 0;
}

export async function expectReads(world: World, reader: SimDevice, bytes: Uint8Array): Promise<void> {
  await world.until('known', () => hasFiles(reader));
  const read = await world.settled('read', reader.read(first(reader.pool.status().files).fileId));
  expect(Buffer.compare(read, bytes)).toBe(0);
}

export function failureOf(world: World, work: Promise<unknown>): Promise<unknown> {
  const failing = work.then(
    () => 'it did not fail',
    (error: unknown) => error,
  );
  return world.settled('it fails', failing);
}

export function three(devices: readonly SimDevice[]): [SimDevice, SimDevice, SimDevice] {
  return [first(devices), first(devices, 1), first(devices, 2)];
}
