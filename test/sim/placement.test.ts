// Placing on virtual time: caps, honest margins, store results that are true when they are given, and an
// outbox that drains whatever happens to the devices.

import { expect } from 'vitest';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { concatBytes } from '../../src/core/model/bytes.ts';
import { BLOCK_BYTES, fragmentCap } from '../../src/core/model/limits.ts';
import { decodeMessage } from '../../src/core/wire/messages.ts';
import {
  expectCaps,
  expectOnlyNeeded,
  fragmentsOn,
  settledOutboxes,
  watchHonesty,
  wholeFragments,
} from './checks.ts';
import type { FileStatus } from '../../src/runtime/api.ts';
import { joinPool, reachableCount, type SimDevice } from './device.ts';
import { first, scenario } from './scenario.ts';
import type { World } from './world.ts';

const [K, N] = [4, 8];
const QUORUM = K + Math.ceil((N - K) / 2);

scenario(
  'every geometry keeps its caps at every moment, and no margin is shown that the disks do not justify',
  [201, 202, 203, 204],
  async ({ world, pool }) => {
    const devices = await pool(3 + world.random.below(3));
    // A disk this slow reveals a device that counts a fragment before it is durable.
    for (const device of devices) device.diskFaults.mostMs = 40;
    watchHonesty(world, devices);
    const files = watchCaps(world, devices);
    for (let index = 0; index < 6; index++) {
      const k = 2 + world.random.below(5);
      const n = k + world.random.below(8);
      const durability = world.random.below(2) === 0 ? 'fast' : 'quorum';
      const storing = first(devices, world.random.below(devices.length)).put(world.random.bytes(500), {
        name: `${k} of ${n}`,
        k,
        n,
        durability,
      });
      const { fileId } = await world.settled(`store ${k} of ${n}`, storing);
      files.set(fileId, { k });
      await world.pass(world.random.below(200));
    }
    const fits = (file: { k: number; n: number }): boolean => file.n <= devices.length * fragmentCap(file.k);
    const placed = (file: FileStatus): boolean => !fits(file) || !file.inOutbox;
    await world.until('all that fits is placed', () =>
      devices.every((device) => device.pool.status().files.every(placed)),
    );
    await world.pass(5_000);
    for (const { fileId, k, n, margin, safe } of first(devices).pool.status().files) {
      expect(fragmentsOn(devices, fileId).size).toBe(n);
      expect(safe).toBe(margin >= 1);
      if (n > k && fits({ k, n })) expect(margin, `${k} of ${n}`).toBeGreaterThanOrEqual(1);
    }
  },
);

scenario(
  'one device, then two, then three: the file becomes safe, and its storer lets go of the copies of others',
  [211, 212],
  async ({ world, pool, device }) => {
    const [storer] = [first(await pool(1))];
    const bytes = world.random.bytes(10_000);
    const stored = await world.settled('store', storer.put(bytes, { name: 'alone' }));
    expect(stored.placed).toBe(fragmentCap(K));
    expect(storer.fileStatus(stored.fileId)).toMatchObject({
      inOutbox: true,
      margin: 0,
      safe: false,
      reach: N,
    });

    const second = device('second');
    await joinPool(world, second, storer);
    await world.until('the second has its share', () => wholeFragments(second, stored.fileId).size === K - 1);
    await world.pass(60_000);
    expect(storer.fileStatus(stored.fileId)).toMatchObject({ inOutbox: true, margin: 0, safe: false });
    expect(wholeFragments(storer, stored.fileId).size).toBe(N);

    const third = device('third');
    await joinPool(world, third, storer);
    await world.until('the outbox is empty', () => storer.fileStatus(stored.fileId)?.inOutbox === false);
    await world.pass(2_000);
    const devices = [storer, second, third];
    for (const one of devices) {
      expect(one.fileStatus(stored.fileId)).toMatchObject({ margin: 1, safe: true, reach: N });
      expect(wholeFragments(one, stored.fileId).size).toBeLessThanOrEqual(fragmentCap(K));
      expectOnlyNeeded(one);
    }
    expect(storer.store.contents().outbox).toEqual([]);
    await expectSurvivesAnyLoss(world, devices, stored.fileId, bytes);
  },
);

scenario(
  'a quorum result is true on the disks when it is given; a fast one comes earlier and survives a restart',
  [221, 222],
  async ({ world, pool }) => {
    const devices = await pool(4);
    const storer = first(devices);
    const others = devices.slice(1);
    let homesAtAnswer = 0;
    const quorum = storer.put(world.random.bytes(400_000), { name: 'quorum' }).then((result) => {
      // The storer's own share counts up to its cap: its other copies only wait for their homes.
      const elsewhere = fragmentsOn(others, result.fileId);
      const own = [...wholeFragments(storer, result.fileId)].filter((fragment) => !elsewhere.has(fragment));
      homesAtAnswer = elsewhere.size + Math.min(own.length, fragmentCap(K));
      return result;
    });
    const { placed } = await world.settled('quorum', quorum);
    expect(placed).toBeGreaterThanOrEqual(QUORUM);
    expect(homesAtAnswer).toBeGreaterThanOrEqual(placed);

    const bytes = world.random.bytes(400_000);
    let elsewhereAtAnswer = -1;
    const fast = storer.put(bytes, { name: 'fast', durability: 'fast' }).then((result) => {
      elsewhereAtAnswer = fragmentsOn(others, result.fileId).size;
      storer.kill();
      return result;
    });
    const { fileId } = await world.settled('fast', fast);
    expect(elsewhereAtAnswer).toBe(0);
    await world.pass(10_000);
    expect(fragmentsOn(others, fileId).size).toBe(0);
    await storer.reopen();
    await world.until('drained after the restart', () => storer.fileStatus(fileId)?.inOutbox === false);
    await expectSurvivesAnyLoss(world, devices, fileId, bytes);
  },
);

scenario(
  'a full device refuses and others take its part; once it has room it takes what still waits',
  [231, 232],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const [storer, full, other] = [first(devices), first(devices, 1), first(devices, 2)];
    full.setQuota(full.store.usedBytes() + 1_000);
    await world.pass(40_000);
    const bytes = world.random.bytes(40_000);
    const { fileId, placed } = await world.settled('store', storer.put(bytes, { name: 'no room' }));
    expect(placed).toBe(2 * fragmentCap(K));
    expect(wholeFragments(full, fileId).size).toBe(0);
    expect(wholeFragments(other, fileId).size).toBe(fragmentCap(K));
    expect(storer.fileStatus(fileId)).toMatchObject({ inOutbox: true, safe: false });
    expectOnlyNeeded(full);

    full.setQuota(2 ** 30);
    // It measures its space every half minute, and tells immediately when there is more.
    await world.until('taken', () => storer.fileStatus(fileId)?.inOutbox === false, 35_000);
    await world.pass(1_000);
    await expectSurvivesAnyLoss(world, devices, fileId, bytes);
  },
);

scenario(
  'many files at the same time do not make a device take more than it offered',
  [235],
  async ({ world, pool }) => {
    const devices = await pool(2);
    const [storer, small] = [first(devices), first(devices, 1)];
    await world.pass(40_000);
    const before = small.store.usedBytes();
    const offeredBytes = 100_000;
    small.setQuota((before + offeredBytes) / 0.8);
    await world.pass(40_000);
    for (let index = 0; index < 10; index++) {
      const storing = storer.put(world.random.bytes(40_000), { name: `file ${index}`, durability: 'fast' });
      await world.settled('store', storing);
    }
    world.always(() => {
      expect(small.store.usedBytes() - before).toBeLessThanOrEqual(offeredBytes + 1_000);
    });
    await world.pass(100_000);
    expect(small.store.usedBytes() - before).toBeGreaterThan(offeredBytes * 0.7);
  },
);

scenario(
  'a device that dies while taking fragments leaves nothing half-made, and its part goes to others',
  [241, 242, 243],
  async ({ world, network, pool }) => {
    network.faults = { ...network.faults, bytesPerMs: 500 };
    const devices = await pool(4);
    const [storer, dying] = [first(devices), first(devices, 1)];
    const files = watchCaps(world, devices);
    const bytes = world.random.bytes(1_500_000);
    const { fileId } = await world.settled(
      'store',
      storer.put(bytes, { name: 'interrupted', durability: 'fast' }),
    );
    files.set(fileId, { k: K });
    const begun = (): boolean => dying.store.contents().blocks.size > 0;
    await world.until('it has begun', begun);
    await world.pass(world.random.below(300));
    dying.kill();
    const stored = (): boolean => storer.fileStatus(fileId)?.inOutbox === false;
    await world.until('drained without it', stored, 300_000);
    const rest = devices.filter((device) => device !== dying);
    await expectSurvivesAnyLoss(world, rest, fileId, bytes);
    await dying.reopen();
    await world.until('it is back', () => reachableCount(dying) === 4);
    await world.pass(20_000);
    expectOnlyNeeded(dying);
    for (const device of devices) expect(device.fileStatus(fileId)?.reach).toBe(N);
  },
);

scenario(
  'a device that freezes midway does not hold up a store forever, and catches up when it thaws',
  [251, 252],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const [storer, frozen] = [first(devices), first(devices, 1)];
    frozen.freeze();
    const bytes = world.random.bytes(100_000);
    const { fileId, placed } = await world.settled('store', storer.put(bytes, { name: 'waiting' }), 60_000);
    expect(placed).toBe(2 * fragmentCap(K));
    frozen.thaw();
    await world.until('drained', () => settledOutboxes(devices), 120_000);
    await world.pass(2_000);
    await expectSurvivesAnyLoss(world, devices, fileId, bytes);
  },
);

scenario(
  'a device that cannot write the file into its catalogue is no holder: it would forget the fragment',
  [261, 262],
  async ({ world, pool }) => {
    const devices = await pool(4);
    const [storer, forgetful] = [first(devices), first(devices, 1)];
    forgetful.diskFaults.recordsFail = true;
    const bytes = world.random.bytes(50_000);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'forgotten' }), 60_000);
    await world.until('placed', () => storer.fileStatus(fileId)?.inOutbox === false, 300_000);
    const holders = storer.fileStatus(fileId)?.holders.map(({ deviceId }) => deviceId);
    expect(holders).not.toContain(forgetful.id);
    expect(forgetful.notices).toContainEqual({
      kind: 'failure',
      failure: { code: 'storage-full', reason: 'device' },
    });

    forgetful.diskFaults.recordsFail = false;
    forgetful.kill();
    await forgetful.reopen();
    await world.until('it has heard of the file again', () => forgetful.fileStatus(fileId)?.reach === N);
    await expectSurvivesAnyLoss(world, devices, fileId, bytes);
  },
);

scenario(
  'blocks a byte short or long are refused and reported; the fragment is taken once they are whole, or elsewhere',
  [251, 252, 253, 254],
  async ({ world, network, pool }) => {
    // Two segments are pulled when they are offered; four are foretold and prefetched.
    const [segmentCount, howOften, deviceCount] = first(
      [
        [2, 3, 4],
        [2, Infinity, 5],
        [4, 3, 4],
        [4, Infinity, 5],
      ] as const,
      world.seed - 251,
    );
    const devices = await pool(deviceCount);
    const storer = first(devices);
    let [wrongCount, takerId] = [0, ''];
    network.distort = (from, to, message) => {
      if (from !== storer.id || decodeMessage(message).message.kind !== 'block') return message;
      // The first one that asks for a block.
      if (takerId === '') takerId = to;
      if (to !== takerId || wrongCount >= howOften) return message;
      wrongCount += 1;
      return wrongCount % 2 === 0 ? message.slice(0, -1) : concatBytes(message, Uint8Array.of(0));
    };
    const bytes = world.random.bytes((segmentCount - 1) * (2 * BLOCK_BYTES - 16) + 999);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'cut', k: 2, n: 4 }));
    watchWhole(world, devices, fileId, 4);
    await world.until('placed', () => settledOutboxes(devices), 300_000);
    await world.pass(5_000);
    expect(wrongCount).toBeGreaterThan(0);
    const taker = first(devices.filter(({ id }) => id === takerId));
    expect(taker.notices).toContainEqual({
      kind: 'damaged-offer',
      from: { id: storer.id, name: storer.name, isAmbiguous: false },
    });
    expect(wholeFragments(taker, fileId).size).toBe(howOften === Infinity ? 0 : 1);
    for (const device of devices) expectOnlyNeeded(device);
    const read = await world.settled('read', taker.read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a taker whose fragment worker dies leaves nothing half-made, and takes its part afterwards',
  [256, 257],
  async ({ world, pool }) => {
    const devices = await pool(4);
    const [storer, taker] = [first(devices), first(devices, 1)];
    taker.diskFaults.dyingCount = 2;
    const segmentCount = world.seed === 256 ? 2 : 4;
    const bytes = world.random.bytes((segmentCount - 1) * (2 * BLOCK_BYTES - 16) + 999);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'taken', k: 2, n: 4 }));
    watchWhole(world, devices, fileId, 4);
    await world.until('placed', () => settledOutboxes(devices), 300_000);
    await world.pass(5_000);
    expect(taker.diskFaults.dyingCount).toBe(0);
    // Prefetched blocks are fetched again, and there is nothing to report.
    if (segmentCount === 2) {
      const failure = { code: 'storage-failed', reason: 'fragment-worker' };
      expect(taker.notices).toContainEqual({ kind: 'failure', failure });
    }
    for (const device of devices) {
      expect(wholeFragments(device, fileId).size).toBe(1);
      expectOnlyNeeded(device);
    }
    const read = await world.settled('read', taker.read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a fragment damaged before it found a home is given up, and the others find theirs',
  [271, 272, 273],
  async ({ world, pool, device }) => {
    const storer = first(await pool(1));
    const bytes = world.random.bytes(20_000);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'damaged early' }));
    const { index } = first(storer.store.contents().fragments, world.random.below(N));
    expect(storer.store.corruptBlock(first(decodeFragmentIndex(index).blocks))).toBe(true);
    const devices = [storer, device('second'), device('third'), device('fourth')];
    for (const joining of devices.slice(1)) await joinPool(world, joining, storer);
    const read = await world.settled('read', first(devices, 1).read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
    // A reader finds the damage, if no device was asked to take the fragment.
    const again = await world.settled('read at home', storer.read(fileId));
    expect(Buffer.compare(again, bytes)).toBe(0);
    await world.until('placed', () => storer.fileStatus(fileId)?.inOutbox === false, 60_000);
    await world.pass(2_000);
    for (const viewer of devices) {
      expect(viewer.fileStatus(fileId)?.reach).toBeGreaterThanOrEqual(N - 1);
      expect(viewer.fileStatus(fileId)?.safe).toBe(true);
    }
    await expectSurvivesAnyLoss(world, devices, fileId, bytes);
  },
);

/** From now on all `count` fragments are whole on some disk. */
function watchWhole(world: World, devices: readonly SimDevice[], fileId: string, count: number): void {
  let lookedAtMs = -1;
  world.always(() => {
    if (world.nowMs === lookedAtMs) return;
    lookedAtMs = world.nowMs;
    expect(fragmentsOn(devices, fileId).size, 'a fragment is lost').toBe(count);
  });
}

/** At every event from now on: caps hold for the files that the test adds to the result. */
function watchCaps(world: World, devices: readonly SimDevice[]): Map<string, { readonly k: number }> {
  const files = new Map<string, { readonly k: number }>();
  world.always(() => expectCaps(devices, files));
  return files;
}

/** Loses each device in turn, and reads the file on another one. */
async function expectSurvivesAnyLoss(
  world: World,
  devices: readonly SimDevice[],
  fileId: string,
  bytes: Uint8Array,
): Promise<void> {
  for (const lost of devices) {
    lost.kill();
    const readers = devices.filter((device) => device !== lost);
    await world.pass(4_000);
    const reader = first(readers, world.random.below(readers.length));
    const read = await world.settled(`read without ${lost.name}`, reader.read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
    await lost.reopen();
    await world.until('all are back', () =>
      devices.every((device) => reachableCount(device) >= devices.length),
    );
  }
}
