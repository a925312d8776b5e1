// A file whose fragments move between devices, judged by the disks.

import { expect } from 'vitest';
import { fragmentCap } from '../../src/core/model/limits.ts';
import { fragmentsOn } from './checks.ts';
import type { SimDevice } from './device.ts';
import { alwaysSeen, heldCount, untilSeen } from './disk-looks.ts';
import { first, type Simulation } from './scenario.ts';

const K = 4;
export const N = 8;
/** Short, so that a story takes minutes. */
const GRACE_MS = 60_000;
/** Time in which everything comes to rest: grace, trust and several rounds of moves. */
const REST_MS = 10 * 60_000;
const LOOK_MS = 250;

export interface MovedFile {
  readonly fileId: string;
  readonly bytes: Uint8Array;
  readonly link: string | undefined;
}

/** Sets a short grace, by which devices are trusted as soon. */
export async function shortenGrace({ world }: Simulation, by: SimDevice): Promise<void> {
  const graceMs = { alwaysOn: GRACE_MS, laptop: GRACE_MS, phone: GRACE_MS };
  await world.settled('policy', by.pool.setPolicy({ graceMs }));
}

/** Stores a file on `devices` and waits until it is placed. */
export async function placeFile(
  simulation: Simulation,
  devices: readonly SimDevice[],
  options: { readonly private?: boolean; readonly byteCount?: number; readonly name?: string } = {},
): Promise<MovedFile> {
  const { world } = simulation;
  const { byteCount = 200_000, name = 'film', ...access } = options;
  const storer = first(devices);
  const bytes = world.random.bytes(byteCount);
  const { fileId, link } = await world.settled('store', storer.put(bytes, { name, k: K, n: N, ...access }));
  await until(simulation, 'placed', () => storer.store.contents().outbox.length === 0);
  return { fileId, bytes, link };
}

/**
 * From now on no disk has more of the file than one device may hold, and each fragment is on a disk of
 * `devices`, running or not.
 */
export function watchDisks({ world }: Simulation, fileId: string, devices: () => readonly SimDevice[]): void {
  alwaysSeen(world, LOOK_MS, () => {
    for (const device of devices())
      expect(heldCount(device, fileId), `${device.name}: fragments`).toBeLessThanOrEqual(fragmentCap(K));
    expect(fragmentsOn(devices(), fileId).size, `seed ${world.seed}: fragments anywhere`).toBe(N);
  });
}

/** How many fragments each of `devices` has, the most first. */
export function countsOn(devices: readonly SimDevice[], fileId: string): number[] {
  return devices.map((device) => heldCount(device, fileId)).toSorted((a, b) => b - a);
}

export function copyCount(devices: readonly SimDevice[], fileId: string): number {
  return countsOn(devices, fileId).reduce((sum, count) => sum + count, 0);
}

/** Until a look at the disks finds `reached`. */
export function until(
  { world }: Simulation,
  what: string,
  reached: () => boolean,
  withinMs = REST_MS,
): Promise<void> {
  return untilSeen(world, what, reached, { withinMs, everyMs: LOOK_MS });
}

/** Until `devices` have each fragment once. */
export async function untilOnce(
  simulation: Simulation,
  devices: readonly SimDevice[],
  fileId: string,
): Promise<void> {
  await until(
    simulation,
    'each fragment lies on one device',
    () => fragmentsOn(devices, fileId).size === N && copyCount(devices, fileId) === N,
  );
}

export async function expectReadable(
  { world }: Simulation,
  { fileId, bytes }: MovedFile,
  by: SimDevice,
): Promise<void> {
  const read = await world.settled(`${by.name} reads`, by.read(fileId));
  expect(Buffer.compare(read, bytes), `seed ${world.seed}`).toBe(0);
}

/** Kills `count` of `alive`, those that hold most. Returns the others, and those that were killed. */
export function lose(
  fileId: string,
  alive: readonly SimDevice[],
  count: number,
): [readonly SimDevice[], readonly SimDevice[]] {
  const mostFirst = alive.toSorted((a, b) => heldCount(b, fileId) - heldCount(a, fileId));
  const lost = mostFirst.slice(0, count);
  for (const device of lost) device.kill();
  return [alive.filter((device) => !lost.includes(device)), lost];
}
