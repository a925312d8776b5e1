// A store that is interrupted while it seals: sealed segments stay, and only the missing ones are sealed when
// it continues. No key ever seals two plaintexts, and nothing is kept of a store that was given up.

import { expect } from 'vitest';
import { expectOnlyNeeded, settledOutboxes } from './checks.ts';
import { parseBlockHash, type BlockHash } from '../../src/core/model/ids.ts';
import { MemoryFile } from './memory-file.ts';
import {
  expectReads,
  failureOf,
  hasFiles,
  interrupt,
  NAME,
  OPTIONS,
  SIZE,
  three,
  unfinishedOf,
} from './interruption.ts';
import { first, scenario } from './scenario.ts';

/** Full segments at k = 2, and one that is not. */
const SEGMENT_COUNT = 8;
/** Segments that are sealed at the same time: twelve blocks at k = 2. */
const AT_ONCE = 6;
/** Sealed segments that a crash can cost: those under way. */
const MOST_LOST = AT_ONCE;

scenario(
  'a storer killed at any moment continues with the file chosen again, and seals only what is missing',
  [800, 801, 802, 803, 804, 805, 806, 807, 808, 809],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    void storer.put(bytes, OPTIONS);
    await world.pass(world.random.below(60));
    storer.kill();
    await storer.reopen();
    const sealedBefore = storer.codec.sealedCount;

    const [interrupted] = storer.pool.status().unfinished;
    const [published] = storer.pool.status().files;
    if (interrupted === undefined) {
      // Either it had not begun to seal, or it was published: nothing of it is left but a whole file.
      if (published === undefined) expect(sealedBefore).toBe(0);
    } else {
      expect(published).toBeUndefined();
      expect(interrupted).toMatchObject({
        name: NAME,
        path: 'Films',
        size: SIZE,
        private: false,
        needs: 'file',
      });
      const renamed = new MemoryFile(bytes, 'film (1).mp4');
      const resuming = storer.resume(interrupted.id, renamed);
      await world.settled('it is stored', resuming);
      expect(storer.codec.sealedCount).toBeLessThanOrEqual(SEGMENT_COUNT + MOST_LOST);
      expect(storer.codec.sealedCount).toBeGreaterThanOrEqual(SEGMENT_COUNT);
    }
    expect(storer.pool.status().unfinished).toEqual([]);
    await world.until('everything is placed', () => settledOutboxes([storer]));
    await world.pass(5_000);
    expectOnlyNeeded(storer);
    const [file] = storer.pool.status().files;
    if (file === undefined) return;
    // A continued store keeps its name. If nothing of it was sealed, it begins again with the file's current
    // name.
    const { sealedBytes } = interrupted ?? { sealedBytes: SIZE };
    const named = sealedBytes > 0 ? { name: NAME, mime: 'video/mp4' } : { name: 'film (1).mp4', mime: '' };
    expect(file).toMatchObject({ ...named, path: 'Films' });
    const read = await world.settled('read', reader.read(file.fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'sealed segments are not sealed again, however often the storer is killed',
  [820, 821, 822],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    let { id, sealedBytes } = await interrupt(world, storer, bytes);
    for (let round = 0; round < 3; round++) {
      void storer.resume(id, new MemoryFile(bytes, NAME));
      const goal = storer.codec.sealedCount + 1;
      await world.until('it seals', () => storer.codec.sealedCount >= goal || hasFiles(storer));
      if (hasFiles(storer)) break;
      storer.kill();
      await storer.reopen();
      const again = unfinishedOf(storer);
      expect(again.id).toBe(id);
      expect(again.sealedBytes).toBeGreaterThanOrEqual(sealedBytes);
      ({ id, sealedBytes } = again);
    }
    const before = storer.codec.sealedCount;
    if (!hasFiles(storer)) {
      const missing = SEGMENT_COUNT - Math.floor(sealedBytes / (2 * 262_144 - 16));
      await world.settled('it is stored', storer.resume(id, new MemoryFile(bytes, NAME)));
      expect(storer.codec.sealedCount - before).toBeLessThanOrEqual(missing);
    }
    await expectReads(world, reader, bytes);
  },
);

scenario(
  'a storer killed after the file was published, but before it forgot the store, has only the file',
  [825, 826],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    void storer.put(bytes, OPTIONS);
    const isBetween = (): boolean => hasFiles(storer) && storer.store.contents().unfinished.length > 0;
    await world.until('it is published', isBetween);
    storer.kill();
    await storer.reopen();
    expect(storer.pool.status().unfinished).toEqual([]);
    expect(storer.pool.status().files).toMatchObject([{ name: NAME, size: SIZE }]);
    await expectReads(world, reader, bytes);
    await world.until('everything is placed', () => settledOutboxes([storer]));
    await world.pass(5_000);
    expectOnlyNeeded(storer);
  },
);

scenario(
  'no block is kept before its store is in the journal, though the first are sealed meanwhile',
  [826],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const { journal, fragments } = storer.store;
    const put = journal.put.bind(journal);
    const putBlocks = fragments.putBlocks.bind(fragments);
    let write: (() => void) | undefined;
    const writing = new Promise<void>((resolve) => {
      write = resolve;
    });
    let keptCount = 0;
    journal.put = async (store) => {
      await writing;
      await put(store);
    };
    fragments.putBlocks = async (...blocks) => {
      keptCount += 1;
      await putBlocks(...blocks);
    };
    const bytes = world.random.bytes(SIZE);
    const storing = storer.put(bytes, OPTIONS);
    await world.until('the first segments are sealed', () => storer.codec.sealedCount === AT_ONCE);
    await world.pass(5_000);
    expect(keptCount).toBe(0);
    expect(storer.codec.sealedCount).toBe(AT_ONCE);
    write?.();
    await world.settled('stored', storing);
    expect(keptCount).toBe(SEGMENT_COUNT);
    await expectReads(world, reader, bytes);
  },
);

scenario(
  'a block that is lost or damaged in between has its segment sealed again, to the same bytes',
  [830, 831],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    const { id, sealedBytes } = await interrupt(world, storer, bytes);
    const [key = ''] = storer.store.contents().blocks.keys();
    const isHit =
      world.seed === 830
        ? storer.store.deleteBlock(hashFromKey(key))
        : storer.store.corruptBlock(hashFromKey(key));
    expect(isHit).toBe(true);
    const before = storer.codec.sealedCount;
    await world.settled('it is stored', storer.resume(id, new MemoryFile(bytes, NAME)));
    const kept = Math.round(sealedBytes / (2 * 262_144 - 16)) - 1;
    expect(storer.codec.sealedCount - before).toBe(SEGMENT_COUNT - kept);
    await expectReads(world, reader, bytes);
  },
);

scenario(
  'choosing another file stores it from its beginning, says so, and keeps nothing of the first',
  [840, 841, 842],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    const sizes = [SIZE, SIZE - 600_000, 0];
    const other = world.random.bytes(first(sizes, world.seed - 840));
    const { id } = await interrupt(world, storer, bytes);
    const before = storer.codec.sealedCount;
    await world.settled('it is stored', storer.resume(id, new MemoryFile(other, 'other.bin')));
    expect(storer.codec.sealedCount - before).toBe(Math.max(1, Math.ceil(other.length / (2 * 262_144 - 16))));
    expect(storer.notices).toContainEqual(
      expect.objectContaining({ kind: 'another-file', interrupted: NAME }),
    );
    expect(storer.pool.status().files).toMatchObject([{ name: 'other.bin', path: 'Films', k: 2, n: 3 }]);
    await expectReads(world, reader, other);
    await world.until('everything is placed', () => settledOutboxes([storer]));
    await world.pass(5_000);
    expectOnlyNeeded(storer);
  },
);

scenario(
  'adding the same file again continues its store; another version of it does not touch the interrupted one',
  [850, 851],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    const { id, sealedBytes } = await interrupt(world, storer, bytes);
    const changed = changedAt(bytes, 0);
    await world.settled('the other version is stored', storer.put(changed, OPTIONS));
    expect(unfinishedOf(storer)).toMatchObject({ id, sealedBytes });

    await world.settled('a private one is stored', storer.put(bytes, { ...OPTIONS, private: true }));
    expect(unfinishedOf(storer)).toMatchObject({ id, sealedBytes });
    await world.settled('another geometry is stored', storer.put(bytes, { ...OPTIONS, k: 3, n: 4 }));
    expect(unfinishedOf(storer).id).toBe(id);

    const before = storer.codec.sealedCount;
    const { fileId } = await world.settled('it is stored', storer.put(bytes, { ...OPTIONS, path: 'Moved' }));
    expect(storer.codec.sealedCount - before).toBeLessThan(SEGMENT_COUNT);
    expect(storer.pool.status().unfinished).toEqual([]);
    expect(storer.fileStatus(fileId)?.path).toBe('Moved');
    await world.until('known', () => reader.fileStatus(fileId) !== undefined);
    const read = await world.settled('read', reader.read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a version that differs only in what is not yet sealed keeps the sealed segments',
  [855, 856],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    const { id } = await interrupt(world, storer, bytes);
    const changed = changedAt(bytes, SIZE - 1);
    const before = storer.codec.sealedCount;
    const storing =
      world.seed === 855
        ? storer.put(changed, OPTIONS)
        : storer.resume(id, new MemoryFile(changed, 'film (1).mp4'));
    await world.settled('it is stored', storing);
    expect(storer.codec.sealedCount - before).toBeLessThan(SEGMENT_COUNT);
    expect(storer.pool.status()).toMatchObject({ unfinished: [], files: [{ name: NAME }] });
    await expectReads(world, reader, changed);
  },
);

scenario(
  'a block leaves the storer only once its plain hash is on the disk, so that no other can be sealed in its place',
  [1000, 1001, 1002],
  async ({ world, pool }) => {
    const [storer, ...takers] = await pool(3).then(three);
    void storer.put(world.random.bytes(8 * SIZE), { ...OPTIONS, durability: 'quorum' });
    const left = new Set<string>();
    while (!hasFiles(storer)) {
      await world.pass(1);
      for (const { store } of takers) for (const key of store.contents().blocks.keys()) left.add(key);
      // Once it is published, nothing is sealed in its place any more.
      if (hasFiles(storer)) break;
      const { notes } = storer.store.contents();
      for (const { plainHash, blockKeys } of storer.codec.sealed)
        if (blockKeys.some((key) => left.has(key))) expect(notes).toContain(plainHash);
    }
    expect(left.size).toBeGreaterThan(SEGMENT_COUNT);
  },
);

scenario(
  'a segment whose blocks are lost is not sealed from a file that changed there',
  [1010],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    const { id } = await interrupt(world, storer, bytes);
    for (const key of storer.store.contents().blocks.keys()) storer.store.deleteBlock(hashFromKey(key));
    const keysBefore = storer.codec.sealed.map(({ sealedBy }) => sealedBy);
    const changed = changedAt(bytes, 0);
    await world.settled('it is stored', storer.resume(id, new MemoryFile(changed, NAME)));
    expect(storer.notices).toContainEqual(
      expect.objectContaining({ kind: 'another-file', interrupted: NAME }),
    );
    const keysNow = storer.codec.sealed.slice(keysBefore.length).map(({ sealedBy }) => sealedBy);
    expect(keysNow).toHaveLength(SEGMENT_COUNT);
    expect(keysBefore).not.toContain(keysNow[0]);
    await expectReads(world, reader, changed);
  },
);

scenario(
  'kept data of an interrupted store that can no longer be read costs its keys, and nothing else',
  [1020, 1021],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    await interrupt(world, storer, bytes);
    storer.kill();
    storer.store.forgetKept();
    await storer.reopen();
    const { id, sealedBytes } = unfinishedOf(storer);
    expect(sealedBytes).toBe(0);
    const keysBefore = new Set(storer.codec.sealed.map(({ sealedBy }) => sealedBy));
    const sealedBefore = storer.codec.sealed.length;
    const isAdded = world.seed === 1020;
    const storing = isAdded
      ? storer.put(bytes, OPTIONS)
      : storer.resume(id, new MemoryFile(bytes, 'film (1).mp4'));
    await world.settled('it is stored', storing);
    const sealedNow = storer.codec.sealed.slice(sealedBefore);
    expect(sealedNow).toHaveLength(SEGMENT_COUNT);
    expect(sealedNow.filter(({ sealedBy }) => keysBefore.has(sealedBy))).toEqual([]);
    const { unfinished, files } = storer.pool.status();
    expect(files).toMatchObject([{ name: isAdded ? NAME : 'film (1).mp4' }]);
    // Nothing tells whether the added file is the interrupted one.
    expect(unfinished).toMatchObject(isAdded ? [{ id, sealedBytes: 0 }] : []);
    await expectReads(world, reader, bytes);
  },
);

scenario(
  'a full disk keeps what is sealed and says so, and the store continues when there is room',
  [860, 861],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    storer.setQuota(storer.store.usedBytes() + 3_000_000);
    const failure = await failureOf(world, storer.put(bytes, OPTIONS));
    expect(failure).toMatchObject({ failure: { code: 'storage-full', reason: 'store-kept', name: NAME } });
    const { sealedBytes } = unfinishedOf(storer);
    expect(sealedBytes).toBeGreaterThan(0);
    expect(storer.pool.status().transfers).toEqual([]);

    const again = await failureOf(world, storer.put(bytes, OPTIONS));
    expect(again).toMatchObject({ code: 'storage-full' });
    storer.setQuota(2 ** 30);
    const before = storer.codec.sealedCount;
    await world.settled('it is stored', storer.put(bytes, OPTIONS));
    expect(storer.codec.sealedCount - before).toBeLessThan(SEGMENT_COUNT);
    await expectReads(world, reader, bytes);
  },
);

scenario(
  'a worker that dies has its segment sealed by another; one that keeps dying can be waited out',
  [890],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    storer.codec.dyingCount = 1;
    await world.settled('it is stored', storer.put(bytes, OPTIONS));
    expect(storer.codec.sealedCount).toBe(SEGMENT_COUNT);
    await expectReads(world, reader, bytes);

    const other = world.random.bytes(SIZE);
    const failing = failureOf(world, storer.put(other, { ...OPTIONS, name: 'other.bin' }));
    await world.until('it seals', () => storer.codec.sealedCount >= SEGMENT_COUNT + 2);
    storer.codec.dyingCount = 2 * AT_ONCE;
    expect(await failing).toMatchObject({ code: 'worker-failed' });
    storer.codec.dyingCount = 0;
    const { id } = unfinishedOf(storer);
    const before = storer.codec.sealedCount;
    await world.settled('it goes on', storer.resume(id, new MemoryFile(other, 'other.bin')));
    expect(storer.codec.sealedCount - before).toBeLessThan(SEGMENT_COUNT);
  },
);

scenario(
  'a fragment worker that dies while writing keeps what is sealed, says so, and the store continues',
  [895, 896],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    const failing = failureOf(world, storer.put(bytes, OPTIONS));
    await world.until('it seals', () => storer.codec.sealedCount > AT_ONCE);
    storer.diskFaults.dyingCount = world.seed === 895 ? 1 : AT_ONCE;
    const failure = await failing;
    expect(failure).toMatchObject({ code: 'storage-failed' });
    expect(failure).toMatchObject({
      failure: {
        reason: 'store-kept',
        name: NAME,
        failure: { code: 'storage-failed', reason: 'fragment-worker' },
      },
    });
    expect(storer.pool.status()).toMatchObject({ transfers: [], files: [], unfinished: [{ name: NAME }] });
    storer.diskFaults.dyingCount = 0;
    const { id, sealedBytes } = unfinishedOf(storer);
    expect(sealedBytes).toBeGreaterThan(0);
    const before = storer.codec.sealedCount;
    await world.settled('it goes on', storer.resume(id, new MemoryFile(bytes, NAME)));
    expect(storer.codec.sealedCount - before).toBeLessThan(SEGMENT_COUNT);
    await expectReads(world, reader, bytes);
    await world.until('everything is placed', () => settledOutboxes([storer]));
    await world.pass(5_000);
    expectOnlyNeeded(storer);
  },
);

scenario(
  'a tab that sleeps for hours in the middle of a store continues when it wakes',
  [900, 901],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    const storing = storer.put(bytes, OPTIONS);
    await world.until('it seals', () => storer.codec.sealedCount > 1);
    storer.freeze();
    await world.pass(9 * 3_600_000);
    storer.thaw();
    await world.settled('it is stored', storing);
    expect(storer.codec.sealedCount).toBe(SEGMENT_COUNT);
    await expectReads(world, reader, bytes);
  },
);

scenario(
  'a store whose file the browser can open continues without being given it',
  [910],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    storer.sources.files.set(NAME, new MemoryFile(bytes, NAME));
    const { id, needs } = await interrupt(world, storer, bytes, { handle: { kind: 'file', name: NAME } });
    expect(needs).toBe('nothing');
    await world.settled('it is stored', storer.resume(id));
    await expectReads(world, reader, bytes);
  },
);

scenario(
  'a store whose file needs permission asks for it, and for the file if permission is denied',
  [911],
  async ({ world, pool }) => {
    const storer = first(await pool(3));
    const bytes = world.random.bytes(SIZE);
    storer.sources.files.set(NAME, new MemoryFile(bytes, NAME));
    storer.sources.permission = 'asks';
    const { id, needs } = await interrupt(world, storer, bytes, { handle: { kind: 'file', name: NAME } });
    expect(needs).toBe('permission');

    storer.sources.permission = 'denied';
    expect(await failureOf(world, storer.resume(id))).toMatchObject({ code: 'file-needed' });
    expect(unfinishedOf(storer)).toMatchObject({ id, needs: 'file' });

    storer.sources.permission = 'asks';
    storer.sources.files.delete(NAME);
    expect(await failureOf(world, storer.resume(id))).toMatchObject({ code: 'file-needed' });
    storer.sources.files.set(NAME, new MemoryFile(bytes, NAME));
    await world.settled('it is stored', storer.resume(id));
    expect(storer.pool.status().unfinished).toEqual([]);
  },
);

scenario(
  'a question that nobody answers leaves the store free to be continued with a chosen file, or discarded',
  [912, 913],
  async ({ world, pool }) => {
    const storer = first(await pool(3));
    const bytes = world.random.bytes(SIZE);
    storer.sources.files.set(NAME, new MemoryFile(bytes, NAME));
    storer.sources.permission = 'asks';
    const { id } = await interrupt(world, storer, bytes, { handle: { kind: 'file', name: NAME } });
    storer.sources.permission = 'unanswered';
    const stop = new AbortController();
    const stopped = failureOf(world, storer.pool.resumeStore(id, undefined, { signal: stop.signal }));
    void storer.resume(id).catch(() => undefined);
    await world.pass(60_000);
    stop.abort();
    expect(await stopped).toMatchObject({ code: 'cancelled' });

    if (world.seed === 913) await world.settled('it is discarded', storer.pool.discardStore(id));
    else await world.settled('it is stored', storer.resume(id, new MemoryFile(bytes, NAME)));
    expect(storer.pool.status().unfinished).toEqual([]);
  },
);

scenario(
  'an interrupted private file continues and gives its link, and its keys are gone',
  [920],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    const bytes = world.random.bytes(SIZE);
    const { id } = await interrupt(world, storer, bytes, { private: true });
    const { fileId, link = '' } = await world.settled(
      'stored',
      storer.resume(id, new MemoryFile(bytes, NAME)),
    );
    expect(storer.store.contents().unfinished).toEqual([]);
    await world.until('known', () => reader.fileStatus(fileId) !== undefined);
    const read = await world.settled('read', reader.read(fileId, { link }));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a store that is discarded, or cancelled after it continued, leaves nothing',
  [930, 931],
  async ({ world, pool }) => {
    const storer = first(await pool(2));
    const bytes = world.random.bytes(SIZE);
    const { id } = await interrupt(world, storer, bytes);
    if (world.seed === 930) {
      await world.settled('it is discarded', storer.pool.discardStore(id));
    } else {
      const before = storer.codec.sealedCount;
      const failing = failureOf(world, storer.resume(id, new MemoryFile(bytes, NAME)));
      await world.until('it seals', () => storer.codec.sealedCount > before);
      expect(await failureOf(world, storer.resume(id))).toMatchObject({ code: 'bad-argument' });
      for (const transfer of storer.pool.status().transfers) storer.pool.cancel(transfer.id);
      expect(await failing).toMatchObject({ code: 'cancelled' });
    }
    expect(storer.pool.status().unfinished).toEqual([]);
    expect(storer.store.usedBytes()).toBe(0);
    expect(await failureOf(world, storer.pool.discardStore(id))).toMatchObject({ code: 'bad-argument' });
    await storer.reopen();
    expectOnlyNeeded(storer);
  },
);

scenario(
  'kept data of a store goes when the device leaves, and when it is damaged',
  [940, 941],
  async ({ world, pool }) => {
    const storer = first(await pool(2));
    await interrupt(world, storer, world.random.bytes(SIZE));
    if (world.seed === 940) {
      await world.settled('it leaves', storer.pool.leave());
    } else {
      storer.kill();
      storer.store.damageJournal();
      await storer.reopen();
      expect(storer.notices).toContainEqual({ kind: 'unfinished-damaged' });
    }
    expect(storer.pool.status().unfinished).toEqual([]);
    expect(storer.store.usedBytes()).toBe(0);
    expectOnlyNeeded(storer);
  },
);

function changedAt(bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

function hashFromKey(key: string): BlockHash {
  return parseBlockHash(new Uint8Array(Buffer.from(key, 'hex')));
}
