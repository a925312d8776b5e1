// A database of an earlier version is upgraded to this one with everything in it, or stays as it was.

import { sha256 } from '@noble/hashes/sha2.js';
import { IDBCursor } from 'fake-indexeddb';
import { type IDBPDatabase, openDB } from 'idb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDeviceStore } from '../../../../../src/adapters/browser/store/idb-device-store.ts';
import type { OpenDeviceStore } from '../../../../../src/adapters/portable/store/device-store.ts';
import { encodeFragmentIndex } from '../../../../../src/core/coding/fragment-index.ts';
import { isPalmError } from '../../../../../src/core/model/errors.ts';
import {
  type BlockHash,
  fileIdOf,
  fragmentIdOf,
  ownerOfStore,
  parseBlockHash,
} from '../../../../../src/core/model/ids.ts';
import { BLOCK_BYTES } from '../../../../../src/core/model/limits.ts';
import type { Kept, StoredFragment } from '../../../../../src/core/ports.ts';
import { unfinishedStoreAt } from '../../../../contract/store-journal.ts';
import { emptyIndexedDb } from '../../../../fixtures/fake-indexeddb.ts';
import { TestPackFolder } from '../../../../fixtures/pack-folder.ts';

// oxlint-disable-next-line typescript/unbound-method -- called on the cursor that it was called on
const originalUpdate = IDBCursor.prototype.update;
const STORE = unfinishedStoreAt(1);
/** As up to version 4 the journal had them, for its two segments. */
const SEGMENT_HASHES = new Uint8Array(64).fill(1, 32);
const OWNER = ownerOfStore(STORE.storeId);

let folder: TestPackFolder;
const opened: OpenDeviceStore[] = [];

beforeEach(() => {
  emptyIndexedDb();
  folder = new TestPackFolder();
});

afterEach(() => {
  IDBCursor.prototype.update = originalUpdate;
  for (const store of opened.splice(0)) store.close();
  folder.delete();
});

it('version 3: blocks in files and rows, fragments, an unfinished store', async () => {
  const database = await version3();
  const whole = fragmentOf(0, [1, 2]);
  const damaged = fragmentOf(1, [3, 4]);
  await putFragment(database, whole);
  await putFragment(database, damaged);
  await putSlot(database, 0, 1);
  await putRow(database, 2);
  await putSlot(database, 70, 3); // its fourth block was damaged and dropped
  await putSlot(database, 1, 5);
  await putRow(database, 6);
  await database.put('journal', { ...STORE, segmentHashes: SEGMENT_HASHES });
  await database.put('sealed', { storeId: STORE.storeId, segment: 1, blocks: rowOf([5, 6]) });
  await database.put('sealed', { storeId: STORE.storeId, segment: 0, blocks: rowOf([6, 9]) });
  await putRow(database, 7); // claimed by a job that ended with its page
  database.close();

  const { fragments, journal } = await open();
  expect(await fragments.list()).toEqual([whole.stored, damaged.stored]);
  for (const seed of [1, 2, 3, 5, 6]) expect(await fragments.getBlock(hashAt(seed))).toEqual(bytesOf(seed));
  expect(await fragments.hasBlocks([4, 7].map(hashAt))).toEqual([false, false]);
  expect(await fragments.getIndex(whole.stored.fragmentId)).toEqual(whole.index);
  expect(await fragments.owners()).toEqual([OWNER]);
  expect(await fragments.kept(OWNER)).toEqual(
    new Map<number, Kept>([
      [0, { note: SEGMENT_HASHES.slice(0, 32), blocks: undefined }],
      [1, { note: SEGMENT_HASHES.slice(32), blocks: [5, 6].map(hashAt) }],
    ]),
  );

  await fragments.release(OWNER);
  await fragments.drop([whole.stored.fragmentId]);
  expect(await fragments.hasBlocks([1, 2, 5, 6].map(hashAt))).toEqual([false, false, false, false]);
  await expect.poll(() => folder.names()).toEqual(['pack-1']);

  expect((await journal.load()).stores).toEqual([STORE]);
  const now = await openDB('palm-device');
  expect([...now.objectStoreNames].toSorted()).toEqual(
    ['blocks', 'fragments', 'indexes', 'journal', 'kept', 'meta', 'outbox', 'records', 'secrets'].toSorted(),
  );
  now.close();
});

it('version 4, with the hashes of sealed segments in the journal', async () => {
  const database = await openDB('palm', 4, { upgrade: (fresh) => createVersion4(fresh) });
  const fragment = fragmentOf(0, [1]);
  const places = Uint32Array.of(1, 200_000);
  await database.put('fragments', { ...fragment.stored, hashes: rowOf([1]), places });
  await database.put('indexes', fragment.index, fragment.stored.fragmentId);
  await putPacked(1, 1);
  await database.put('journal', { ...STORE, segmentHashes: SEGMENT_HASHES });
  const kept = { owner: OWNER, keptAs: 1, hashes: rowOf([2]), places: Uint32Array.of(2, 200_000) };
  await database.put('kept', kept);
  await putPacked(2, 2);
  await database.put('kept', { ...kept, keptAs: 2 }); // the file has two segments
  await database.put('kept', { ...kept, owner: 'store:of which the journal knows nothing' });
  database.close();

  const { fragments, journal } = await open();
  expect(await fragments.list()).toEqual([fragment.stored]);
  for (const seed of [1, 2]) expect(await fragments.getBlock(hashAt(seed))).toEqual(bytesOf(seed));
  expect(await fragments.owners()).toEqual([OWNER]);
  expect(await fragments.kept(OWNER)).toEqual(
    new Map<number, Kept>([
      // Its blocks may have left all the same.
      [0, { note: SEGMENT_HASHES.slice(0, 32), blocks: undefined }],
      [1, { note: SEGMENT_HASHES.slice(32), blocks: [hashAt(2)] }],
    ]),
  );
  expect((await journal.load()).stores).toEqual([STORE]);
  await fragments.release(OWNER);
  expect(await fragments.kept(OWNER)).toEqual(new Map());
});

it('version 4: a store without rows keeps its hashes until it is discarded', async () => {
  const database = await openDB('palm', 4, { upgrade: (fresh) => createVersion4(fresh) });
  await database.put('journal', { ...STORE, segmentHashes: SEGMENT_HASHES });
  database.close();
  const { fragments } = await open();
  expect([...(await fragments.kept(OWNER)).values()].map(({ note }) => note)).toEqual([
    SEGMENT_HASHES.slice(0, 32),
    SEGMENT_HASHES.slice(32),
  ]);
  await fragments.release(OWNER);
  expect(await fragments.kept(OWNER)).toEqual(new Map());
});

it('version 4: a store with incomplete hashes is deleted, with its sealed blocks', async () => {
  const database = await openDB('palm', 4, { upgrade: (fresh) => createVersion4(fresh) });
  await database.put('journal', { ...STORE, segmentHashes: SEGMENT_HASHES.slice(32) });
  await database.put('kept', {
    owner: OWNER,
    keptAs: 0,
    hashes: rowOf([2]),
    places: Uint32Array.of(2, 200_000),
  });
  database.close();
  const { fragments, journal } = await open();
  expect(await fragments.owners()).toEqual([]);
  expect((await journal.load()).stores).toEqual([]);
});

it('version 1, where every block is a row', async () => {
  const database = await openDB('palm', 1, { upgrade: (fresh) => createVersion1(fresh) });
  const fragment = fragmentOf(0, [1, 2]);
  await putFragment(database, fragment);
  await putRow(database, 1);
  await putRow(database, 2);
  database.close();
  const { fragments } = await open();
  expect(await fragments.list()).toEqual([fragment.stored]);
  for (const seed of [1, 2]) expect(await fragments.getBlock(hashAt(seed))).toEqual(bytesOf(seed));
});

it('a fragment with an unreadable index is deleted, and the others stay', async () => {
  const database = await version3();
  const [kept, lost] = [fragmentOf(0, [1]), fragmentOf(1, [2])];
  await putFragment(database, kept);
  await putFragment(database, lost);
  await database.put('indexes', 'text', lost.stored.fragmentId);
  await putRow(database, 1);
  database.close();
  expect(await (await open()).fragments.list()).toEqual([kept.stored]);
});

it('a failed upgrade leaves the database as it was, and the next one succeeds', async () => {
  const database = await version3();
  const fragment = fragmentOf(0, [1, 2]);
  await putFragment(database, fragment);
  await putSlot(database, 0, 1);
  await putSlot(database, 1, 2);
  database.close();
  IDBCursor.prototype.update = () => {
    throw new Error('For the test.');
  };
  await expect(open()).rejects.toSatisfy((error) => isPalmError(error, 'storage-failed'));
  IDBCursor.prototype.update = originalUpdate;
  const { fragments } = await open();
  expect(await fragments.list()).toEqual([fragment.stored]);
  for (const seed of [1, 2]) expect(await fragments.getBlock(hashAt(seed))).toEqual(bytesOf(seed));
});

async function open(): Promise<OpenDeviceStore> {
  const store = await openDeviceStore(folder.folders);
  opened.push(store);
  return store;
}

function version3(): Promise<IDBPDatabase> {
  return openDB('palm', 3, {
    upgrade: (database) => {
      createVersion1(database);
      database.createObjectStore('journal', { keyPath: 'storeId' });
      database.createObjectStore('sealed', { keyPath: ['storeId', 'segment'] });
      database.createObjectStore('slots');
    },
  });
}

function createVersion4(database: IDBPDatabase): void {
  for (const name of ['blocks', 'indexes', 'outbox', 'meta']) database.createObjectStore(name);
  database.createObjectStore('kept', { keyPath: ['owner', 'keptAs'] });
  database.createObjectStore('fragments', { keyPath: 'fragmentId' });
  database.createObjectStore('records', { keyPath: 'entryId' });
  database.createObjectStore('journal', { keyPath: 'storeId' });
}

function createVersion1(database: IDBPDatabase): void {
  for (const name of ['blocks', 'indexes', 'outbox', 'meta']) database.createObjectStore(name);
  database.createObjectStore('claims', { keyPath: ['hash', 'owner'] }).createIndex('owner', 'owner');
  database.createObjectStore('fragments', { keyPath: 'fragmentId' });
  database.createObjectStore('records', { keyPath: 'entryId' });
}

interface TestFragment {
  readonly stored: StoredFragment;
  readonly index: Uint8Array<ArrayBuffer>;
}

function fragmentOf(fragment: number, seeds: readonly number[]): TestFragment {
  const blocks = seeds.map(hashAt);
  const index = new Uint8Array(encodeFragmentIndex({ fragment, share: new Uint8Array(32), blocks }));
  const fileId = fileIdOf(new Uint8Array([9]));
  return {
    stored: { fragmentId: fragmentIdOf(index), fileId, fragment, blockBytes: seeds.length * 200_000 },
    index,
  };
}

async function putFragment(database: IDBPDatabase, { stored, index }: TestFragment): Promise<void> {
  await database.put('fragments', stored);
  await database.put('indexes', index, stored.fragmentId);
}

async function putSlot(database: IDBPDatabase, slot: number, seed: number): Promise<void> {
  await putPacked(slot, seed);
  await database.put('slots', { slot, bytes: 200_000 }, new Uint8Array(hashAt(seed)));
}

async function putPacked(slot: number, seed: number): Promise<void> {
  const pack = await folder.open(`pack-${Math.floor(slot / 64)}`);
  pack.write(bytesOf(seed), { at: (slot % 64) * BLOCK_BYTES });
  pack.close();
}

async function putRow(database: IDBPDatabase, seed: number): Promise<void> {
  await database.put('blocks', bytesOf(seed), new Uint8Array(hashAt(seed)));
}

function bytesOf(seed: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(200_000).fill(seed);
}

function hashAt(seed: number): BlockHash {
  return parseBlockHash(sha256(bytesOf(seed)));
}

function rowOf(seeds: readonly number[]): Uint8Array {
  return Uint8Array.from(seeds.flatMap((seed) => [...hashAt(seed)]));
}
