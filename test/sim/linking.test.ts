// Whole pools over the real transport: link machines, routers, couriers and relay clients on virtual time,
// over simulated connections and a simulated relay. Devices find each other, lose their links and mend them,
// while files are stored and read.

import { expect, test } from 'vitest';
import { isBulkFrame } from '../../src/core/wire/frames.ts';
import { expectSameCatalogues, sameCatalogues, settledOutboxes } from './checks.ts';
import { formPool, reachableCount, type SimDevice } from './device.ts';
import { LinkedNetwork } from './linked-network.ts';
import { CALM, ROUGH } from './network.ts';
import { first, linkedScenario } from './scenario.ts';
import { World } from './world.ts';

const FILE_BYTES = 300_000;
/** What a needed device that says nothing may cost a read, ms. */
const MOST_SILENT_MS = 5_000;
/** After it woke, a device is usable within this, ms. */
const USABLE_MS = 2_000;
/** A read that is hopeless from the start says so within this, ms. */
const MOST_PATIENT_MS = 9_500;
/** Longer than any device waits before it tries to link again. */
const MENDED_MS = 180_000;

linkedScenario(
  'a pool forms over a lossy relay, and stores and reads over rough links',
  [3001, 3002],
  async ({ world, network, pool }) => {
    network.relay.loss = 0.2;
    const devices = await pool(4);
    const [storer, reader] = [first(devices), first(devices, 1)];
    const bytes = world.random.bytes(FILE_BYTES);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'rough' }), MENDED_MS);
    await world.until('all is placed', () => settledOutboxes(devices), MENDED_MS);
    await expectReads(world, reader, fileId, bytes);
    await world.until('all is told', () => sameCatalogues(devices), MENDED_MS);
    expectSameCatalogues(devices);
  },
  ROUGH,
);

linkedScenario(
  'a needed holder that hangs or swallows answers ends a read within five seconds, by its name; a slow one takes its time',
  [3015, 3016],
  async ({ world, network, pool }) => {
    const devices = await pool(4);
    const [storer, reader] = [first(devices), first(devices, 3)];
    const bytes = world.random.bytes(400_000);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'slow', k: 2, n: 4 }));
    await world.until('all is placed', () => settledOutboxes(devices));
    await world.until('known', () => reader.fileStatus(fileId)?.reach === 4);
    const [lost, alsoLost, needed] = [first(devices), first(devices, 1), first(devices, 2)];
    lost.kill();
    alsoLost.kill();
    await world.until('only one is left', () => reachableCount(reader) === 2, MENDED_MS);

    // A block takes longer than silence may, and its frames arrive all the time.
    network.connections.faults = { ...CALM, bytesPerMs: 30 };
    const beganMs = world.nowMs;
    await expectReads(world, reader, fileId, bytes);
    expect(world.nowMs - beganMs).toBeGreaterThan(MOST_SILENT_MS);

    network.connections.faults = CALM;
    network.connections.swallows = (from, frame) => from === needed.id && isBulkFrame(frame);
    const swallowedFromMs = world.nowMs;
    await expect(world.settled('refused', reader.read(fileId), MENDED_MS)).rejects.toMatchObject({
      failure: { code: 'not-enough-fragments', silent: [needed.name], isHeard: true, reach: 1, k: 2 },
    });
    expect(world.nowMs - swallowedFromMs).toBeLessThanOrEqual(MOST_SILENT_MS);
    network.connections.swallows = () => false;
    await expectReads(world, reader, fileId, bytes);

    await world.pass(world.random.below(3_000));
    needed.hang();
    const hungAtMs = world.nowMs;
    const refused = world.settled('refused', reader.read(fileId), MENDED_MS);
    await expect(refused).rejects.toMatchObject({
      code: 'not-enough-fragments',
      failure: { silent: [needed.name], isHeard: false, reach: 1, k: 2 },
    });
    expect(world.nowMs - hungAtMs).toBeLessThanOrEqual(MOST_SILENT_MS);
  },
);

linkedScenario(
  'links that break while there is no relay are mended through neighbours',
  [3011, 3012],
  async ({ world, network, pool }) => {
    const devices = await pool(4);
    const [a, b] = [first(devices), first(devices, 1)];
    network.relay.stop();
    // A letter that a device wrote when it heard of the relay's end may still be on its way.
    await world.pass(5_000);
    const openedCount = network.connections.openedCount;
    network.connections.breakLink(a.id, b.id);
    await world.until('both notice', () => !reaches(a, b) && !reaches(b, a), MENDED_MS);
    await world.until('they are linked again', () => reaches(a, b) && reaches(b, a), MENDED_MS);
    expect(network.connections.openedCount).toBe(openedCount + 2);
    const bytes = world.random.bytes(FILE_BYTES);
    const { fileId } = await world.settled('store', a.put(bytes, { name: 'without a relay' }));
    await world.until('all is placed', () => settledOutboxes(devices));
    await expectReads(world, b, fileId, bytes);
  },
);

linkedScenario(
  'a tab that is killed during a store, or frozen, is linked again, and its files are whole',
  [1, 3021],
  async ({ world, network, pool }) => {
    network.connections.noticedEnds = 0.3;
    const devices = await pool(4);
    const [storer, frozen, other] = [first(devices), first(devices, 1), first(devices, 2)];
    const bytes = world.random.bytes(FILE_BYTES);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'kept' }));
    storer.kill();
    frozen.freeze();
    await world.until('both are missed', () => reachableCount(other) === 2, MENDED_MS);
    await storer.reopen();
    frozen.thaw();
    await world.until('all are linked', () => allReach(devices), MENDED_MS);
    await world.until('all is placed', () => settledOutboxes(devices), MENDED_MS);
    await expectReads(world, frozen, fileId, bytes);
  },
);

for (const sleptMs of [8_000, 30_000, 600_000]) {
  linkedScenario(
    `a device that slept for ${sleptMs / 1_000} s and lost all connections reads a file within two seconds`,
    [3051, 3052, 3053],
    async ({ world, network, pool }) => {
      const devices = await pool(4);
      const bytes = world.random.bytes(FILE_BYTES);
      const storing = first(devices).put(bytes, { name: 'kept', k: 3, n: 4 });
      const { fileId } = await world.settled('store', storing);
      await world.until('all is placed', () => settledOutboxes(devices));
      await world.until('known', () => devices.every((each) => each.fileStatus(fileId)?.reach === 4));
      await world.pass(20_000);
      for (const sleeper of devices) {
        const others = devices.filter((device) => device !== sleeper);
        sleeper.sleep(sleptMs);
        network.loseConnections(sleeper.id);
        await world.until('it wakes', () => sleeper.isRunning, 2 * sleptMs);
        const wokeMs = world.nowMs;
        await expectReads(world, sleeper, fileId, bytes);
        expect(world.nowMs - wokeMs).toBeLessThanOrEqual(USABLE_MS);
        const isLinked = (): boolean =>
          others.every(({ id }) => network.connections.areLinked(sleeper.id, id));
        await world.until('it is linked with all', isLinked);
        expect(world.nowMs - wokeMs).toBeLessThanOrEqual(USABLE_MS);
        await world.until('all see it', () => allReach(devices));
        await world.pass(20_000);
      }
    },
  );
}

for (const relayMs of [1_000, 3_000]) {
  linkedScenario(
    `a file that is read as soon as a page opens waits for links that the relay makes ${relayMs} ms later`,
    [3061, 3062],
    async ({ world, network, pool }) => {
      const devices = await pool(4);
      const reader = first(devices, 1);
      const bytes = world.random.bytes(FILE_BYTES);
      const storing = first(devices).put(bytes, { name: 'kept', k: 3, n: 4 });
      const { fileId } = await world.settled('store', storing);
      await world.until('all is placed', () => settledOutboxes(devices));
      await world.until('known', () => reader.fileStatus(fileId)?.reach === 4);
      reader.kill();
      network.relay.stop();
      await reader.reopen();
      world.after(relayMs, () => network.relay.start());
      await expectReads(world, reader, fileId, bytes);

      // It waits its time, and no longer.
      reader.kill();
      network.relay.stop();
      await reader.reopen();
      const openedMs = world.nowMs;
      const refused = world.settled('refused', reader.read(fileId), MENDED_MS);
      await expect(refused).rejects.toMatchObject({ failure: { code: 'not-enough-fragments' } });
      expect(world.nowMs - openedMs).toBeLessThanOrEqual(MOST_PATIENT_MS);
    },
  );
}

linkedScenario(
  'a device that slept keeps the links that survived',
  [3103, 3104],
  async ({ world, network, pool }) => {
    const devices = await pool(4);
    await world.pass(20_000);
    const linkCount = network.connections.openedCount;
    for (const sleptMs of [3_000, 6_000, 7_000]) {
      first(devices, 1).sleep(sleptMs);
      await world.pass(2 * sleptMs);
    }
    expect(network.connections.openedCount).toBe(linkCount);
    expect(allReach(devices)).toBe(true);
  },
);

linkedScenario(
  'halves of a pool that could not hear each other come together again',
  [3031, 3032],
  async ({ world, network, pool }) => {
    const devices = await pool(4);
    const [a, b, c, d] = [first(devices), first(devices, 1), first(devices, 2), first(devices, 3)];
    const halfOf = (id: string): number => (id === a.id || id === b.id ? 0 : 1);
    network.connections.partition(halfOf);
    await world.until('they part', () => [a, b, c, d].every((one) => reachableCount(one) === 2), MENDED_MS);
    await world.settled('rename', a.pool.setDeviceName('in the first half'));
    await world.settled('rename', c.pool.setDeviceName('in the second half'));
    await world.pass(30_000);
    expect(sameCatalogues(devices)).toBe(false);
    network.connections.partition(() => 0);
    await world.until('all are linked', () => allReach(devices), MENDED_MS);
    await world.until('all is told', () => sameCatalogues(devices), MENDED_MS);
  },
);

test('two runs with one seed deliver the same frames at the same times; another seed does not', async () => {
  const [one, again, other] = [await traceOf(3041), await traceOf(3041), await traceOf(3042)];
  expect(again).toBe(one);
  expect(other).not.toBe(one);
});

async function traceOf(seed: number): Promise<string> {
  const world = new World(seed);
  const network = new LinkedNetwork(world, ROUGH);
  const [a, b] = await formPool(world, network, 3);
  if (a === undefined || b === undefined) throw new Error('expected a pool of three');
  network.connections.breakLink(a.id, b.id);
  const bytes = world.random.bytes(100_000);
  await world.settled('store', a.put(bytes, { name: 'traced' }), MENDED_MS);
  await world.pass(20_000);
  return network.connections.traceDigest();
}

async function expectReads(
  world: World,
  reader: SimDevice,
  fileId: string,
  bytes: Uint8Array,
): Promise<void> {
  const read = await world.settled('read', reader.read(fileId), MENDED_MS);
  expect(Buffer.compare(read, bytes)).toBe(0);
}

function reaches(viewer: SimDevice, other: SimDevice): boolean {
  return viewer.pool.status().devices.some(({ id, state }) => id === other.id && state === 'reachable');
}

function allReach(devices: readonly SimDevice[]): boolean {
  return devices.every((device) => reachableCount(device) === devices.length);
}
