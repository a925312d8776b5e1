// A simulated pool as a test: one world and one network for each seed, which the test's name shows, so that a
// failure can be run again. PALM_SIM_SEEDS=1000-1099 runs other seeds than those listed here.

import { expect, test } from 'vitest';
import { formPool, SimDevice, type SimNetwork } from './device.ts';
import { LinkedNetwork } from './linked-network.ts';
import { CALM, Network, type NetworkFaults } from './network.ts';
import { World } from './world.ts';
import { setClocks } from './wrong-clocks.ts';

export interface Simulation<Net extends SimNetwork = Network> {
  readonly world: World;
  readonly network: Net;
  /** Every device made so far. */
  readonly devices: readonly SimDevice[];
  /** A device that is in no pool. */
  readonly device: (name: string) => SimDevice;
  /** `count` devices in a pool, all linked. */
  readonly pool: (count: number) => Promise<readonly SimDevice[]>;
}

/** A test for each of `seeds`. Wall clocks jump meanwhile. No device may meet a bug of its own. */
export function scenario(
  name: string,
  seeds: readonly number[],
  run: (simulation: Simulation) => Promise<void>,
  faults: NetworkFaults = CALM,
): void {
  test.each(chosenSeeds() ?? seeds)(`${name} (seed %i)`, async (seed) => {
    const world = new World(seed);
    await simulate(world, new Network(world, faults), run);
  });
}

/** The same over the real transport: devices find and mend their links. */
export function linkedScenario(
  name: string,
  seeds: readonly number[],
  run: (simulation: Simulation<LinkedNetwork>) => Promise<void>,
  faults: NetworkFaults = CALM,
): void {
  test.each(chosenSeeds() ?? seeds)(`${name} (seed %i)`, async (seed) => {
    const world = new World(seed);
    const network = new LinkedNetwork(world, faults);
    await simulate(world, network, run);
    expect(network.bugs).toEqual([]);
  });
}

async function simulate<Net extends SimNetwork>(
  world: World,
  network: Net,
  run: (simulation: Simulation<Net>) => Promise<void>,
): Promise<void> {
  const devices: SimDevice[] = [];
  const device = (deviceName: string): SimDevice => {
    const made = new SimDevice(deviceName, world, network);
    devices.push(made);
    return made;
  };
  const pool = async (count: number): Promise<readonly SimDevice[]> => {
    const formed = await formPool(world, network, count);
    devices.push(...formed);
    return formed;
  };
  setClocks(world, devices);
  await run({ world, network, devices, device, pool });
  for (const { name: deviceName, notices } of devices) {
    expect(
      notices.filter(({ kind }) => kind === 'bug'),
      deviceName,
    ).toEqual([]);
  }
}

/** The first `count` items, all of which must exist. */
export function first<Item>(items: readonly Item[], at = 0): Item {
  const item = items[at];
  if (item === undefined) throw new Error(`nothing at ${at}`);
  return item;
}

/** The seeds that PALM_SIM_SEEDS asks for. */
export function chosenSeeds(): number[] | undefined {
  const range = /^(\d+)(?:-(\d+))?$/.exec(process.env['PALM_SIM_SEEDS'] ?? '');
  if (range === null) return undefined;
  const from = Number(range[1]);
  const to = Number(range[2] ?? range[1]);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
