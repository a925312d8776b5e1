// Devices that claim fragments which they do not have: once they did not give them, their claims do not
// count, and what they only claim is repaired. Judged by the disks.

import { expect } from 'vitest';
import type { DeviceId } from '../../src/core/model/ids.ts';
import { fragmentsOn } from './checks.ts';
import { reachableCount } from './device.ts';
import { absent, busy, liedAbout, N, silent, wrong, type LiedAbout } from './lied-about.ts';
import { expectReadable, until } from './moved-file.ts';
import { first, scenario, type Simulation } from './scenario.ts';

/** From now on they repair, and audit what others claim. */
function spareNothing({ left }: LiedAbout): void {
  for (const device of left) device.spare(undefined);
}

/** It is asked by those who read, and by nobody else. */
const SPARING = { isSparing: true };

/** Each of these in turn is alone with the liar for a moment, and reads: it has nobody else to ask. */
async function askAlone(
  { world, network }: Simulation,
  { file, left, liar }: LiedAbout,
  asking = left,
): Promise<void> {
  for (const device of asking) {
    const pair = new Set<DeviceId>([device.id, liar.id]);
    network.partition((each) => (pair.has(each) ? 1 : 0));
    await world.until('alone', () => reachableCount(device) === 2, 60_000);
    const read = device.read(file.fileId).catch(() => undefined);
    await world.pass(20_000);
    network.heal();
    await world.until('together', () => reachableCount(device) > left.length, 60_000);
    await world.settled('it ends', read, 120_000);
  }
}

const LIES = [absent, wrong];

scenario(
  'what a liar claims and does not give is made up for, and no longer shown',
  LIES.map((_, index) => 1500 + index),
  async (simulation) => {
    const lied = await liedAbout(simulation, first(LIES, simulation.world.seed % LIES.length), SPARING);
    const { file, left } = lied;
    expect(fragmentsOn(left, file.fileId).size).toBe(N - 1);
    await askAlone(simulation, lied);
    await simulation.world.pass(30_000);
    for (const device of left) expect(device.fileStatus(file.fileId)?.durable).toBe(N - 1);
    spareNothing(lied);
    await until(simulation, 'it is made up for', () => fragmentsOn(left, file.fileId).size === N);
    for (const device of left) await expectReadable(simulation, file, device);
  },
);

scenario('a liar that offers space is not given what it did not give', [1540, 1541], async (simulation) => {
  const answer = first(LIES, simulation.world.seed % LIES.length);
  const lied = await liedAbout(simulation, answer, { freeBytes: 2 ** 30 });
  const { file, left, offered } = lied;
  // Whoever finds out first has few takers: the others still believe the liar.
  await askAlone(simulation, lied, left.slice(0, 1));
  await simulation.world.pass(5 * 60_000);
  expect(offered).toEqual([]);
  await askAlone(simulation, lied, left.slice(1));
  await until(simulation, 'it is made up for', () => fragmentsOn(left, file.fileId).size === N);
  await simulation.world.pass(5 * 60_000);
  expect(offered).toEqual([]);
  for (const device of left) await expectReadable(simulation, file, device);
});

const EXCUSES = [busy, silent];

scenario(
  'a holder that is busy or silent when a file is read is not doubted for that',
  EXCUSES.map((_, index) => 1520 + index),
  async (simulation) => {
    const lied = await liedAbout(simulation, first(EXCUSES, simulation.world.seed % EXCUSES.length), SPARING);
    const { file, left } = lied;
    await askAlone(simulation, lied);
    await simulation.world.pass(10 * 60_000);
    for (const device of left) expect(device.fileStatus(file.fileId)?.durable).toBe(N);
  },
);

scenario(
  'a member that claims what is missing and withdraws it in turn does not keep it from being rebuilt',
  [1560, 1561],
  async (simulation) => {
    const { world } = simulation;
    const { file, left, claim } = await liedAbout(simulation, silent);
    let isMade = true;
    const turn = (): void => {
      isMade = !isMade;
      claim(isMade);
      world.after(1_500, turn);
    };
    turn();
    await until(simulation, 'it is made up for', () => fragmentsOn(left, file.fileId).size === N, 180_000);
    for (const device of left) await expectReadable(simulation, file, device);
  },
);
