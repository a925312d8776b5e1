// A pool of honest devices and one hostile member, and what its tests expect of the honest ones.

import { expect } from 'vitest';
import type { Misdeed } from '../../src/core/peer/misdeeds.ts';
import type { SimDevice } from './device.ts';
import { HostileMember } from './hostile-member.ts';
import { first, type Simulation } from './scenario.ts';

export const HONEST_COUNT = 4;

export async function poolWithHostile(
  simulation: Simulation,
  honestCount = HONEST_COUNT,
): Promise<{ honest: readonly SimDevice[]; hostile: HostileMember }> {
  const { world, network } = simulation;
  const honest = await simulation.pool(honestCount);
  const hostile = new HostileMember(world, network, first(honest));
  hostile.open();
  await world.until('linked', () => hostile.linked.size === honestCount);
  await hostile.introduceItself();
  await world.pass(500);
  return { honest, hostile };
}

/** Stores at one honest device and reads at another. */
export async function expectWorks({ world }: Simulation, honest: readonly SimDevice[]): Promise<void> {
  const bytes = world.random.bytes(20_000);
  const { fileId } = await world.settled(
    'an honest store',
    first(honest).put(bytes, { name: 'after all' }),
    300_000,
  );
  const reader = first(honest, 2);
  await world.until('known', () => reader.fileStatus(fileId) !== undefined);
  const read = await world.settled('an honest read', reader.read(fileId), 60_000);
  expect(Buffer.compare(read, bytes)).toBe(0);
}

/** `device` is told that another one, by its name, did `what`. */
export function expectMisdeed(device: SimDevice, what: Misdeed, name = /./): void {
  const told = expect.objectContaining({ name: expect.stringMatching(name) });
  expect(device.notices).toContainEqual(expect.objectContaining({ kind: 'misdeed', what, device: told }));
}
