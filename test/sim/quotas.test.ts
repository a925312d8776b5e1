// What the pool's policy lets each device store, and what it must give for it.

import { expect } from 'vitest';
import { fragmentsOn, settledOutboxes } from './checks.ts';
import type { SimDevice } from './device.ts';
import { first, scenario, type Simulation } from './scenario.ts';

/** With all fragments at 4 of 8 a file of this size takes 200,816 bytes: four fit into the least limit. */
const FILE_BYTES = 100_000;
const LIMIT_BYTES = 1_000_000;
const STORED_BYTES = 200_816;

function store({ world }: Simulation, device: SimDevice, name: string) {
  return world.settled('store', device.put(world.random.bytes(FILE_BYTES), { name, durability: 'fast' }));
}

async function storeAll(simulation: Simulation, device: SimDevice, names: readonly string[]): Promise<void> {
  for (const name of names) await store(simulation, device, name);
}

/** The names of files that have fragments beyond their storer. */
function placedNames(storer: SimDevice, devices: readonly SimDevice[]): string[] {
  const others = devices.filter((device) => device !== storer);
  const { files } = storer.pool.status();
  return files.filter(({ fileId }) => fragmentsOn(others, fileId).size > 0).map(({ name }) => name);
}

scenario(
  'a device at its limit is refused with what would make room, others are not, and what is stored stays',
  [1_480, 1_481],
  async (simulation) => {
    const { world } = simulation;
    const devices = await simulation.pool(4);
    const [one, other] = [first(devices), first(devices, 1)];
    await world.settled('set', other.pool.setPolicy({ storeBytes: LIMIT_BYTES }));
    await world.until('heard', () => one.pool.policy().storeBytes === LIMIT_BYTES);
    await storeAll(simulation, one, ['a', 'b', 'c', 'd']);
    expect(one.pool.status().quota).toMatchObject({
      storeBytes: LIMIT_BYTES,
      storedBytes: 4 * STORED_BYTES,
    });
    await expect(store(simulation, one, 'e')).rejects.toMatchObject({
      code: 'over-quota',
      failure: {
        reason: 'stores',
        limitBytes: LIMIT_BYTES,
        usedBytes: 4 * STORED_BYTES,
        neededBytes: STORED_BYTES,
        removable: { bytes: STORED_BYTES },
      },
    });
    expect(one.pool.status().files.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    await storeAll(simulation, other, ['of the other']);

    const [file] = one.pool.status().files;
    await world.settled('remove', one.pool.remove(file?.fileId ?? ''));
    // One fits: of two at the same time one is refused.
    const both = await Promise.allSettled([store(simulation, one, 'f'), store(simulation, one, 'g')]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await world.until('placed', () => settledOutboxes(devices));
    expect(placedNames(one, devices)).toHaveLength(5);

    await world.settled('set', one.pool.setPolicy({ storeBytes: 0 }));
    await store(simulation, one, 'h');
    expect(one.pool.status().quota).toBeUndefined();
  },
);

scenario(
  'what a device stored beyond a limit that it had not heard of stays with it until the limit is raised',
  [1_483],
  async (simulation) => {
    const { world, network } = simulation;
    const devices = await simulation.pool(4);
    const [one, other] = [first(devices), first(devices, 1)];
    await storeAll(simulation, one, ['a', 'b']);
    await world.until('placed', () => settledOutboxes(devices));
    network.partition((id) => (id === one.id ? 1 : 0));
    await world.settled('set', other.pool.setPolicy({ storeBytes: LIMIT_BYTES }));
    await storeAll(simulation, one, ['c', 'd', 'e', 'f']);
    network.heal();
    await world.until('heard', () => one.pool.policy().storeBytes === LIMIT_BYTES);
    await world.pass(120_000);
    expect(placedNames(one, devices)).toEqual(['a', 'b', 'c', 'd']);
    const { files } = one.pool.status();
    expect(files.filter(({ inOutbox }) => inOutbox).map(({ name }) => name)).toEqual(['e', 'f']);
    // A lower limit takes nothing away from what others hold.
    await world.settled('set', other.pool.setPolicy({ giveBytes: 10 ** 15 }));
    await world.pass(120_000);
    expect(placedNames(one, devices)).toEqual(['a', 'b', 'c', 'd']);

    await world.settled('set', other.pool.setPolicy({ storeBytes: 2 * LIMIT_BYTES, giveBytes: 0 }));
    await world.until('placed', () => settledOutboxes(devices), 600_000);
    expect(placedNames(one, devices)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  },
);

scenario(
  'who gives less than it must stores nothing until it gives more, and reads and holds as before',
  [1_485],
  async (simulation) => {
    const { world } = simulation;
    const devices = await simulation.pool(4);
    const [one, small] = [first(devices), first(devices, 1)];
    small.setQuota(2_000_000);
    await world.settled('set', one.pool.setPolicy({ giveBytes: 100_000_000 }));
    await store(simulation, one, 'a');
    await world.until('measured', () => (small.pool.status().quota?.givenBytes ?? Infinity) < 2_000_000);
    await expect(store(simulation, small, 'b')).rejects.toMatchObject({
      code: 'over-quota',
      failure: { reason: 'gives', wantedBytes: 100_000_000 },
    });
    await world.until('placed', () => settledOutboxes(devices));
    const [file] = small.pool.status().files;
    expect(file).toMatchObject({ name: 'a', reach: 8 });
    expect(fragmentsOn([small], file?.fileId ?? '').size).toBeGreaterThan(0);
  },
);
