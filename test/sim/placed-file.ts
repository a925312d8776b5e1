// A file on several devices, and one that reads it and holds nothing of it.

import { expect } from 'vitest';
import { wholeFragments } from './checks.ts';
import { joinPool, type SimDevice } from './device.ts';
import { first, type Simulation } from './scenario.ts';

/** Two fragments of four are enough: segments of half a MiB keep files of many segments small. */
export const [K, N] = [2, 4];
export const SEGMENT_BYTES = K * 262_144 - 16;

export interface PlacedFile {
  readonly bytes: Uint8Array;
  readonly fileId: string;
  /** Each holds one fragment. */
  readonly holders: readonly SimDevice[];
  readonly reader: SimDevice;
}

/** A file of 2-of-4 on four devices, and a fifth that knows it and holds nothing. */
export async function placedFile(simulation: Simulation, byteCount: number): Promise<PlacedFile> {
  const { world } = simulation;
  const holders = await simulation.pool(N);
  const storer = first(holders);
  const bytes = world.random.bytes(byteCount);
  const { fileId } = await world.settled('store', storer.put(bytes, { name: 'read me', k: K, n: N }));
  await world.until('placed', () => storer.fileStatus(fileId)?.inOutbox === false);
  const reader = simulation.device('reader');
  await joinPool(world, reader, storer);
  await world.until('known', () => reader.fileStatus(fileId)?.reach === N);
  for (const device of holders) expect(wholeFragments(device, fileId).size).toBe(1);
  // Nothing but reads asks for bytes from now on.
  for (const device of [...holders, reader]) device.spare('battery-low');
  return { bytes, fileId, holders, reader };
}

export function shuffled<Item>({ world }: Simulation, items: readonly Item[]): Item[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(world.random.below(rest.length), 1));
}
