// Early placing on virtual time: blocks are at their takers while the rest of their file is still being
// sealed, nothing is sent twice for it, and whatever happens to the store, the storer or the links, no device
// keeps blocks that no fragment counts.

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { blockKey, parseBlockHash, parseJobId, type BlockHash } from '../../src/core/model/ids.ts';
import { BLOCK_BYTES, fragmentCap, SOON_KEEP_MS } from '../../src/core/model/limits.ts';
import { decodeMessage } from '../../src/core/wire/messages.ts';
import type { StoreOptions } from '../../src/runtime/api.ts';
import { expectCaps, expectOnlyNeeded, settledOutboxes, watchHonesty } from './checks.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { MemoryFile } from './memory-file.ts';
import { HostileMember } from './hostile-member.ts';
import { ROUGH } from './network.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const OPTIONS: StoreOptions = { name: 'film.mp4', k: 3, n: 6 };
const SEGMENT_COUNT = 8;
const SIZE = 7 * (3 * BLOCK_BYTES - 16) + 1_000;
const SHARE_BYTES = SEGMENT_COUNT * BLOCK_BYTES;
/** A disk with writes this slow makes the store last. */
const SLOW_DISK_MS = 150;

scenario(
  'most blocks are at home when the file is published, each was sent once, and no claim stays',
  [900, 901],
  async (simulation) => {
    const { world, pool } = simulation;
    const devices = await pool(3);
    const storer = first(devices);
    storer.diskFaults.mostMs = SLOW_DISK_MS;
    watchHonesty(world, devices);
    world.always(() =>
      expectCaps(devices, new Map(storer.pool.status().files.map((file) => [file.fileId, file]))),
    );
    const traffic = blocksSent(simulation);
    let earlyCount = -1;
    world.always(() => {
      if (earlyCount < 0 && storer.pool.status().files.length > 0) earlyCount = blockCount(devices.slice(1));
    });
    const bytes = world.random.bytes(SIZE);
    const { fileId } = await world.settled('store', storer.put(bytes, OPTIONS));
    await world.until('placed', () => settledOutboxes(devices));
    await world.pass(5_000);
    // Four of six fragments go elsewhere.
    expect(earlyCount).toBeGreaterThan((4 * SEGMENT_COUNT) / 2);
    expect(traffic.sentCount()).toBe(4 * SEGMENT_COUNT);
    for (const device of devices) {
      expectOnlyNeeded(device);
      expect(fragmentCountOf(device)).toBe(fragmentCap(3));
    }
    const read = await world.settled('read', first(devices, 1).read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a file published while its blocks are still on their way is fetched only once',
  [905, 906],
  async (simulation) => {
    const { world, network, pool } = simulation;
    const devices = await pool(3);
    network.faults = { ...network.faults, bytesPerMs: 3_000 };
    const traffic = blocksSent(simulation);
    const bytes = world.random.bytes(SIZE);
    await world.settled('store', first(devices).put(bytes, { ...OPTIONS, durability: 'fast' }));
    const early = devices.slice(1).reduce((sum, device) => sum + foretoldCount(device), 0);
    expect(early).toBeLessThan(4 * SEGMENT_COUNT);
    await world.until('placed', () => settledOutboxes(devices));
    await world.pass(5_000);
    expect(traffic.sentCount()).toBe(4 * SEGMENT_COUNT);
    for (const device of devices) expectOnlyNeeded(device);
  },
);

scenario(
  'a store that is cancelled at any moment leaves nothing on the takers',
  [910, 911, 912, 913, 914, 915, 916, 917],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const storer = first(devices);
    storer.diskFaults.mostMs = SLOW_DISK_MS;
    const abort = new AbortController();
    const storing = storer.put(world.random.bytes(SIZE), { ...OPTIONS, signal: abort.signal });
    const ended = storing.catch((error: unknown) => error);
    await world.pass(world.random.below(2_000));
    abort.abort();
    await world.settled('it ends', ended);
    await world.pass(2_000);
    // An entry that was being written at the cancel is published.
    const isPublished = storer.pool.status().files.length > 0;
    if (isPublished) await world.until('placed', () => settledOutboxes(devices));
    await world.pass(1_000);
    for (const device of devices) {
      expectOnlyNeeded(device);
      if (!isPublished) expect(device.store.contents().blocks.size, device.name).toBe(0);
    }
  },
);

scenario(
  'a storer that dies is waited for: its blocks are there if it returns, and are dropped if it does not',
  [920, 921, 922, 923],
  async (simulation) => {
    const { world, pool } = simulation;
    const devices = await pool(3);
    const [storer, taker] = [first(devices), first(devices, 1)];
    storer.diskFaults.mostMs = SLOW_DISK_MS;
    const bytes = world.random.bytes(SIZE);
    void storer.put(bytes, OPTIONS);
    await world.until('some are there', () => blockCount([taker]) > 4);
    const traffic = blocksSent(simulation);
    storer.kill();
    await world.pass(SOON_KEEP_MS / 2);
    expect(blockCount([taker])).toBeGreaterThan(4);
    const before = blockCount(devices.slice(1));
    if (world.seed % 2 === 0) {
      await world.pass(SOON_KEEP_MS / 2 + 10_000);
      expect(blockCount([taker])).toBe(0);
      expectOnlyNeeded(taker);
    } else {
      await storer.reopen();
      const { id } = first(storer.pool.status().unfinished);
      await world.until('all are linked', () => devices.every((device) => reachableCount(device) === 3));
      await world.settled('resumed', storer.resume(id, new MemoryFile(bytes, OPTIONS.name)));
      await world.until('placed', () => settledOutboxes(devices));
      await world.pass(5_000);
      expect(traffic.sentCount()).toBeLessThanOrEqual(4 * SEGMENT_COUNT - before);
      for (const device of devices) expectOnlyNeeded(device);
    }
  },
);

scenario(
  'a file is placed and nothing else stays when links break and lose and takers restart, freeze or fill up',
  [930, 931, 932, 933, 934, 935, 936, 937],
  async (simulation) => {
    const { world, network, pool } = simulation;
    const devices = await pool(4);
    const [storer, ...takers] = devices;
    if (storer === undefined) throw new Error('expected a storer');
    network.faults = { ...ROUGH, bytesPerMs: 2_000 };
    storer.diskFaults.mostMs = SLOW_DISK_MS;
    const bytes = world.random.bytes(SIZE);
    const storing = storer.put(bytes, OPTIONS);
    for (let round = 0; round < 6; round++) {
      await world.pass(world.random.below(1_500));
      const taker = first(takers, world.random.below(takers.length));
      switch (world.random.below(4)) {
        case 0:
          network.breakLink(storer.id, taker.id);
          break;
        case 1:
          taker.kill();
          await taker.reopen();
          break;
        case 2:
          taker.freeze();
          await world.pass(world.random.below(5_000));
          taker.thaw();
          break;
        case 3:
          taker.setQuota(taker.store.usedBytes() + world.random.below(3 * SHARE_BYTES));
          break;
      }
    }
    const { fileId } = await world.settled('store', storing, 600_000);
    for (const taker of takers) taker.setQuota(2 ** 30);
    await world.until('placed', () => settledOutboxes(devices), 600_000);
    await world.pass(SOON_KEEP_MS + 20_000);
    for (const device of devices) expectOnlyNeeded(device);
    const read = await world.settled('read', first(takers).read(fileId), 600_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a taker without room for its share twice is foretold nothing, and still takes it in the end',
  [940],
  async (simulation) => {
    const { world, pool } = simulation;
    const devices = await pool(3);
    const [storer, narrow] = [first(devices), first(devices, 1)];
    storer.diskFaults.mostMs = SLOW_DISK_MS;
    narrow.setQuota((narrow.store.usedBytes() + 3 * SHARE_BYTES) / 0.8);
    await world.pass(40_000);
    let publishedAt = Infinity;
    world.always(() => {
      if (storer.pool.status().files.length > 0) publishedAt = Math.min(publishedAt, world.nowMs);
      if (world.nowMs < publishedAt) expect(blockCount([narrow])).toBe(0);
    });
    await world.settled('store', storer.put(world.random.bytes(SIZE), OPTIONS));
    await world.until('placed', () => settledOutboxes(devices));
    expect(fragmentCountOf(narrow)).toBe(2);
  },
);

scenario(
  'two simultaneous stores to takers with little room take no more than is offered, and both are placed',
  [950, 951, 952],
  async (simulation) => {
    const { world, pool } = simulation;
    const devices = await pool(4);
    const [one, other, ...takers] = devices;
    if (one === undefined || other === undefined) throw new Error('expected two storers');
    for (const storer of [one, other]) storer.diskFaults.mostMs = SLOW_DISK_MS;
    const offeredBytes = 5 * SHARE_BYTES;
    const before = takers.map((taker) => taker.store.usedBytes());
    for (const taker of takers) taker.setQuota((taker.store.usedBytes() + offeredBytes) / 0.8);
    await world.pass(40_000);
    watchClaims(simulation, takers, offeredBytes / 2);
    world.always(() => {
      for (const [index, taker] of takers.entries())
        expect(taker.store.usedBytes() - first(before, index)).toBeLessThanOrEqual(offeredBytes + 10_000);
    });
    const storing = [one, other].map((storer) =>
      storer.put(world.random.bytes(SIZE), { ...OPTIONS, name: storer.name }),
    );
    for (const stored of storing) await world.settled('store', stored, 300_000);
    await world.until('placed', () => settledOutboxes(devices), 300_000);
    await world.pass(5_000);
    for (const device of devices) expectOnlyNeeded(device);
  },
);

const LIES = ['silence', 'absent', 'other bytes', 'too many bytes', 'what it told'] as const;

scenario(
  'a flood of hints fills at most half of the offered space, not forever, and stops no device from working',
  LIES.map((_, index) => 960 + index),
  async (simulation) => {
    const { world, network, pool } = simulation;
    const lie = first(LIES, world.seed - 960);
    const honest = await pool(3);
    const offeredBytes = 40 * BLOCK_BYTES;
    const victim = first(honest, 1);
    const before = victim.store.usedBytes();
    victim.setQuota((before + offeredBytes) / 0.8);
    await world.pass(40_000);
    const hostile = new HostileMember(world, network, first(honest));
    hostile.open();
    await world.until('linked', () => hostile.linked.size === honest.length);
    const blocks = new Map<string, Uint8Array>();
    const tell = (bytes: Uint8Array): BlockHash => {
      const hash = parseBlockHash(createHash('sha256').update(bytes).digest());
      blocks.set(blockKey(hash), bytes);
      return hash;
    };
    hostile.onMessage = (from, message) => {
      if (message.kind !== 'get-block' || lie === 'silence') return;
      const { id } = message;
      if (lie === 'absent') hostile.send(from, { kind: 'failed', id, reason: 'absent' });
      else if (lie === 'other bytes') hostile.send(from, { kind: 'block', id }, world.random.bytes(100));
      else hostile.send(from, { kind: 'block', id }, blocks.get(blockKey(message.hash)));
    };
    watchClaims(simulation, [victim], offeredBytes / 2);
    const blockBytes = lie === 'too many bytes' ? BLOCK_BYTES + 1 : BLOCK_BYTES;
    const mixed = Array.from({ length: 60 }, () => tell(world.random.bytes(blockBytes)));
    for (let round = 0; round < 40; round++) {
      const job = parseJobId(world.random.bytes(16));
      const start = world.random.below(mixed.length);
      hostile.send(victim.id, { kind: 'soon', job, blocks: mixed.slice(start, start + 64) });
      hostile.send(victim.id, { kind: 'soon-over', job: parseJobId(world.random.bytes(16)) });
      if (world.random.below(4) === 0) hostile.send(victim.id, { kind: 'soon-over', job });
      await world.pass(world.random.below(300));
    }
    if (lie === 'what it told') expect(foretoldCount(victim)).toBeGreaterThan(0);
    else expect(foretoldCount(victim)).toBe(0);
    const bytes = world.random.bytes(SIZE);
    const storing = first(honest).put(bytes, { ...OPTIONS, n: 5 });
    const { fileId } = await world.settled('an honest store', storing, 300_000);
    const read = await world.settled('an honest read', first(honest, 2).read(fileId), 60_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
    await world.until('placed', () => settledOutboxes(honest), 300_000);
    await world.pass(SOON_KEEP_MS + 10_000);
    for (const device of honest) expectOnlyNeeded(device);
    expect(victim.store.usedBytes() - before).toBeLessThanOrEqual(offeredBytes + 10_000);
  },
);

/** Blocks that are on their disks only because they were foretold never exceed `most`. */
function watchClaims({ world }: Simulation, takers: readonly SimDevice[], most: number): void {
  world.always(() => {
    for (const taker of takers) expect(foretoldCount(taker) * BLOCK_BYTES).toBeLessThanOrEqual(most);
  });
}

function foretoldCount(device: SimDevice): number {
  return [...device.store.contents().blocks.values()].filter(({ owners }) =>
    owners.every((owner) => owner.startsWith('job:soon:')),
  ).length;
}

function blockCount(devices: readonly SimDevice[]): number {
  return devices.reduce((sum, device) => sum + device.store.contents().blocks.size, 0);
}

function fragmentCountOf(device: SimDevice): number {
  return device.store.contents().fragments.length;
}

/** Counts the blocks that arrive anywhere from now on. */
function blocksSent({ network }: Simulation): { readonly sentCount: () => number } {
  let count = 0;
  network.onDelivery = (_from, _to, bytes) => {
    if (decodeMessage(bytes).message.kind === 'block') count += 1;
  };
  return { sentCount: () => count };
}
