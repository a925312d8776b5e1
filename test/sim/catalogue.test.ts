// The catalogue under partitions, merges, restarts and changes on all sides: in the end all devices have the
// same catalogue, removed files are gone from every disk, and stored files that were not removed can be read.

import { expect } from 'vitest';
import { expectOnlyNeeded, expectSameCatalogues, sameCatalogues, settledOutboxes } from './checks.ts';
import { joinPool, reachableCount, type SimDevice } from './device.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const STEPS = 40;

scenario(
  'partitions and merges with stores, removals, renames and restarts on all sides end in one catalogue',
  [101, 102, 103, 104, 105, 106],
  async (simulation) => {
    const { world, network } = simulation;
    const devices = await simulation.pool(5);
    const story = new Story(simulation, devices);
    for (let step = 0; step < STEPS; step++) {
      await story.step(step);
      await world.pass(world.random.below(2_000));
    }
    network.heal();
    for (const device of devices) if (!device.isRunning) await device.reopen();
    await world.until('all are linked', () => devices.every((device) => reachableCount(device) === 5));
    await world.until('all catalogues are equal', () => sameCatalogues(devices));
    await world.until('everything is placed', () => settledOutboxes(devices), 300_000);
    await world.pass(10_000);

    // Everything is safe now: one device may lose its storage under its open page.
    const [losing, other] = [world.random.below(5), world.random.below(4)];
    const lost = first(devices, losing);
    const others = devices.filter((device) => device !== lost);
    lost.loseStorage();
    await world.until('the others let it go', () => others.every((device) => reachableCount(device) === 4));
    await lost.reopen();
    await joinPool(world, lost, first(others, other));
    await world.until('all are linked again', () => devices.every((device) => reachableCount(device) === 5));
    await world.until('all catalogues are equal again', () => sameCatalogues(devices));

    expectSameCatalogues(devices);
    const shown = first(devices)
      .pool.status()
      .files.map(({ fileId }) => fileId);
    for (const fileId of story.removed) expect(shown).not.toContain(fileId);
    for (const device of devices) expectOnlyNeeded(device);
    for (const [fileId, bytes] of story.stored) {
      if (story.removed.has(fileId)) continue;
      const reader = first(devices, world.random.below(5));
      const read = await world.settled(`read ${fileId}`, reader.read(fileId));
      expect(Buffer.compare(read, bytes)).toBe(0);
    }
  },
);

/** A pool's random history, and what was promised in it. */
class Story {
  readonly #simulation: Simulation;
  readonly #devices: readonly SimDevice[];
  /** Files whose store() resolved. */
  readonly stored = new Map<string, Uint8Array>();
  /** Files whose remove() resolved. */
  readonly removed = new Set<string>();

  constructor(simulation: Simulation, devices: readonly SimDevice[]) {
    this.#simulation = simulation;
    this.#devices = devices;
  }

  async step(step: number): Promise<void> {
    const { random } = this.#simulation.world;
    const device = first(this.#devices, random.below(this.#devices.length));
    const turn = random.below(10);
    if (turn === 0) this.#partition();
    else if (turn === 1) this.#simulation.network.heal();
    else if (turn === 2) await this.#restart(device);
    else if (!device.isRunning) await device.reopen();
    else if (turn === 3) this.#whileItLives(device.pool.setDeviceName(`name ${step}`));
    else if (turn < 7) this.#store(device, `file ${step}`);
    else this.#remove(device);
  }

  #partition(): void {
    const { world, network } = this.#simulation;
    const groups = new Map(this.#devices.map(({ id }) => [id, world.random.below(2)]));
    network.partition((device) => groups.get(device) ?? 0);
  }

  async #restart(device: SimDevice): Promise<void> {
    device.kill();
    if (this.#simulation.world.random.below(2) === 0) await device.reopen();
  }

  #store(device: SimDevice, name: string): void {
    const { random } = this.#simulation.world;
    // Equal bytes get a further name where they are found, and are stored again where they are not.
    const again = [...this.stored.values()][random.below(3 * Math.max(1, this.stored.size))];
    const bytes = again === undefined ? random.bytes(random.below(3_000)) : Uint8Array.from(again);
    const durability = random.below(2) === 0 ? 'fast' : 'quorum';
    const storing = device.put(bytes, { name, durability }).then(({ fileId }) => {
      this.stored.set(fileId, bytes);
    });
    this.#whileItLives(storing);
  }

  #remove(device: SimDevice): void {
    const { files } = device.pool.status();
    const file = files[this.#simulation.world.random.below(Math.max(1, files.length))];
    if (file === undefined) return;
    const removing = device.pool.remove(file.fileId).then(() => {
      this.removed.add(file.fileId);
    });
    this.#whileItLives(removing);
  }

  /** Work that ends with its device, or with a file that another device removed. */
  #whileItLives(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      expect(error).toMatchObject({ code: 'removed-file' });
    });
  }
}
