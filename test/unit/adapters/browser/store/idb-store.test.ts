// The IndexedDB stores keep the ports' contracts (over fake-indexeddb here, over Chromium in the browser
// tests), and survive what a database adds: damaged rows, lost connections, other tabs.

import { sha256 } from '@noble/hashes/sha2.js';
import { forceCloseDatabase, IDBObjectStore } from 'fake-indexeddb';
import { openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDeviceStore } from '../../../../../src/adapters/browser/store/idb-device-store.ts';
import type { OpenDeviceStore } from '../../../../../src/adapters/portable/store/device-store.ts';
import { PalmDatabase } from '../../../../../src/adapters/browser/store/idb-database.ts';
import { type IdbStore, openIdbStore } from '../../../../../src/adapters/browser/store/idb-store.ts';
import { equalBytes } from '../../../../../src/core/model/bytes.ts';
import { isPalmError, PalmError } from '../../../../../src/core/model/errors.ts';
import {
  type BlockHash,
  deviceIdOf,
  entryIdOf,
  fileIdOf,
  fragmentIdOf,
  ownerOfStore,
  ownerOfTaking,
} from '../../../../../src/core/model/ids.ts';
import {
  CONTRACT_BLOCK_BYTES,
  fragmentStoreCases,
  keepAs,
  type FragmentStoreHarness,
} from '../../../../contract/fragment-store.ts';
import { recordStoreCases } from '../../../../contract/record-store.ts';
import { decodeCbor, encodeCbor } from '../../../../../src/core/encoding/decode.ts';
import { USUAL_BLOCK_BYTES } from '../../../../../src/core/model/limits.ts';
import { storeJournalCases, unfinishedStoreAt } from '../../../../contract/store-journal.ts';
import { emptyIndexedDb } from '../../../../fixtures/fake-indexeddb.ts';
import { TestPackFolder } from '../../../../fixtures/pack-folder.ts';
import { blockOf } from '../../../../fixtures/test-blocks.ts';

// oxlint-disable-next-line typescript/unbound-method -- called on the store that it was called on
const originalPut = IDBObjectStore.prototype.put;
/** Records and journal as the page has them, and fragments as their worker does. */
type Store = IdbStore & OpenDeviceStore;

const opened: Store[] = [];
const folders: TestPackFolder[] = [];

beforeEach(emptyIndexedDb);

afterEach(() => {
  IDBObjectStore.prototype.put = originalPut;
  for (const store of opened.splice(0)) store.close();
  for (const folder of folders.splice(0)) folder.delete();
});

describe('the fragment store', () => {
  for (const { name, run } of fragmentStoreCases) it(name, async () => run(await harness()));
});

describe('the fragment store with files', () => {
  for (const { name, run } of fragmentStoreCases) it(name, async () => run(await harness(packFolder())));

  it('keeps large blocks in files, and small ones as rows', async () => {
    const folder = packFolder();
    const { fragments } = await openStore('palm', folder);
    const [small, large] = [blockOf(1), blockOf(2, 250_000)];
    await fragments.putBlocks(ownerOfTaking(1), [small, large], 'claimed');
    expect(await rowCount('blocks')).toBe(1);
    expect(await folder.names()).toEqual(['pack-0']);
    await fragments.release(ownerOfTaking(1));
    expect(await rowCount('blocks')).toBe(0);
    await expect.poll(() => folder.names()).toEqual([]);
  });

  it('flushes the files before a fragment exists', async () => {
    const folder = packFolder();
    const { fragments } = await openStore('palm', folder);
    await fragments.putBlocks(ownerOfTaking(1), [blockOf(1, 250_000)], 'claimed');
    expect(folder.flushedNames).toEqual([]);
    const index = new Uint8Array([1]);
    const stored = {
      fragmentId: fragmentIdOf(index),
      fileId: fileIdOf(index),
      fragment: 0,
      blockBytes: 250_000,
    };
    await fragments.commit([{ stored, indexBytes: index, hashes: [blockOf(1, 250_000).hash] }]);
    expect(folder.flushedNames).toEqual(['pack-0']);
  });

  it('reports files that cannot be opened, and does not count their blocks as damaged', async () => {
    const folder = packFolder();
    const block = blockOf(1, 250_000);
    await (
      await openStore('palm', folder)
    ).fragments.putBlocks(ownerOfTaking(1), [block], 'claimed', keepAs(0));
    folder.die();
    const without = (await openStore()).fragments.getBlock(block.hash);
    await expect(without).rejects.toSatisfy((error) => isPalmError(error, 'storage-failed'));
    const again = await openStore('palm', folder);
    expect(await again.fragments.getBlock(block.hash)).toEqual(blockOf(1, 250_000).bytes);
  });

  it('writes no row for blocks that a job did not keep, and frees their slots when it is opened again', async () => {
    const folder = packFolder();
    const { fragments } = await openStore('palm', folder);
    await fragments.putBlocks(ownerOfTaking(1), [blockOf(1, 250_000)], 'claimed');
    for (const store of ['blocks', 'kept', 'fragments']) expect(await rowCount(store), store).toBe(0);
    folder.die();
    await openStore('palm', folder);
    expect(await folder.names()).toEqual([]);
  });

  it('rewrites a damaged block where it was, so that rows stay right', async () => {
    const folder = packFolder();
    const { fragments } = await openStore('palm', folder);
    const [first, second] = [blockOf(1, 250_000), blockOf(2, 250_000)];
    const index = new Uint8Array([1]);
    const stored = {
      fragmentId: fragmentIdOf(index),
      fileId: fileIdOf(index),
      fragment: 0,
      blockBytes: 250_000,
    };
    await fragments.putBlocks(ownerOfTaking(1), [first], 'claimed');
    await fragments.commit([{ stored, indexBytes: index, hashes: [first.hash] }]);
    await fragments.release(ownerOfTaking(1));
    folder.flipBit('pack-0', 7);
    await expect(fragments.getBlock(first.hash)).rejects.toSatisfy((error) => isPalmError(error, 'corrupt'));
    await fragments.putBlocks(ownerOfStore('other'), [second], 'claimed', keepAs(0));
    await fragments.putBlocks(ownerOfStore('repair'), [blockOf(1, 250_000)], 'claimed');
    folder.die();
    const again = (await openStore('palm', folder)).fragments;
    expect(await again.getBlock(first.hash)).toEqual(blockOf(1, 250_000).bytes);
    expect(await again.getBlock(second.hash)).toEqual(blockOf(2, 250_000).bytes);
  });

  it('does not give a slot away while it is written', async () => {
    const folder = packFolder();
    const { fragments } = await openStore('palm', folder);
    const putting = fragments.putBlocks(ownerOfTaking(1), [blockOf(1, 250_000)], 'computed');
    await fragments.release(ownerOfTaking(1));
    const other = blockOf(2, 250_000);
    await Promise.all([putting, fragments.putBlocks(ownerOfStore('other'), [other], 'computed')]);
    expect(await fragments.getBlock(other.hash)).toEqual(blockOf(2, 250_000).bytes);
    expect(await fragments.hasBlocks([blockOf(1, 250_000).hash])).toEqual([false]);
  });

  it('takes bytes with computed hashes without checking them', async () => {
    const { fragments } = await openStore();
    const { hash } = blockOf(1);
    await fragments.putBlocks(ownerOfTaking(1), [{ hash, bytes: blockOf(2).bytes }], 'computed');
    await expect(fragments.getBlock(hash)).rejects.toSatisfy((error) => isPalmError(error, 'corrupt'));
  });
});

describe('the record store', () => {
  for (const { name, run } of recordStoreCases) {
    it(name, async () =>
      run({ store: (await openStore()).records, reopen: async () => (await openStore()).records }),
    );
  }

  it('fails as a whole when the disk is full', async () => {
    const { records } = await openStore();
    const record = (seq: number): Parameters<typeof records.putRecords>[0][0] => {
      const bytes = new Uint8Array([seq]);
      return { entryId: entryIdOf(bytes), deviceId: deviceIdOf(bytes), seq, bytes };
    };
    limitDisk(() => false);
    const putting = records.putRecords([record(1), record(2)]);
    await expect(putting).rejects.toSatisfy((error) => isPalmError(error, 'storage-full'));
    expect(await records.loadRecords()).toEqual([]);
  });
});

describe('the store journal', () => {
  for (const { name, run } of storeJournalCases) {
    it(name, async () =>
      run({ journal: (await openStore()).journal, reopen: async () => (await openStore()).journal }),
    );
  }

  it('fails as a whole when the disk is full', async () => {
    const { journal } = await openStore();
    limitDisk(() => false);
    const putting = journal.put(unfinishedStoreAt(1));
    await expect(putting).rejects.toSatisfy((error) => isPalmError(error, 'storage-full'));
    expect(await journal.load()).toEqual({ stores: [], damagedCount: 0 });
  });

  it('is added to a database of the first version, which keeps its data', async () => {
    const first = await openDB('palm', 1, {
      upgrade: (database) => void database.createObjectStore('meta'),
    });
    await first.put('meta', 'kept', 'name');
    first.close();
    const { records, journal } = await openStore();
    expect(await records.getMeta('name')).toBe('kept');
    await journal.put(unfinishedStoreAt(1));
    expect((await journal.load()).stores).toEqual([unfinishedStoreAt(1)]);
  });
});

describe('a damaged row', () => {
  const unfinished = unfinishedStoreAt(1);
  it.each<[string, Record<string, unknown>]>([
    ['a key of another length', { linkKey: new Uint8Array(31) }],
    ['an impossible geometry', { k: 9 }],
    ['blocks that hold nothing', { k: 1, blockBytes: 16 }],
    ['no name', { name: '' }],
    ['a field more', { extra: 1 }],
    ['a negative size', { size: -1 }],
  ])('of the journal, with %s, is removed and counted', async (_, change) => {
    const store = await openStore();
    const other = unfinishedStoreAt(2);
    await store.journal.put(other);
    await store.journal.put(unfinished);
    // Without files rows are not sealed.
    await changeRowInLine('journal', unfinished.storeId, ({ sealed }) => {
      if (!(sealed instanceof Uint8Array)) throw new Error('A row is not made of bytes.');
      const fields: unknown = decodeCbor(sealed, 1_000);
      return { sealed: encodeCbor({ ...Object(fields), ...change }) };
    });
    expect(await store.journal.load()).toEqual({ stores: [other], damagedCount: 1 });
    expect(await store.journal.load()).toEqual({ stores: [other], damagedCount: 0 });
    expect(store.damagedRowCount()).toBe(1);
  });

  it.each<[string, Record<string, unknown>]>([
    ['an invalid handle', { handle: { kind: 'file', name: 'x' } }],
    ['a field more', { extra: 1 }],
    ['no bytes', { sealed: new Uint8Array() }],
    ['bytes that are no record', { sealed: new Uint8Array(40) }],
    ['an impossible slot', { slot: 2 ** 22 }],
    ['a slot that is not its own', { slot: 3 }],
  ])('of the journal as stored, with %s, is removed and counted', async (_, change) => {
    const folder = packFolder();
    const store = await openStore('palm', folder);
    const other = unfinishedStoreAt(2);
    for (const at of [3, 4, 5]) await store.journal.put(unfinishedStoreAt(at));
    await store.journal.put(other);
    await store.journal.put(unfinished);
    for (const at of [3, 5]) await store.journal.end(unfinishedStoreAt(at).storeId);
    await store.secrets.put('a', new Uint8Array(1));
    await changeRowInLine('journal', unfinished.storeId, () => change);
    const stores = [other, unfinishedStoreAt(4)];
    expect(await store.journal.load()).toEqual({ stores, damagedCount: 1 });
    expect(await store.journal.load()).toEqual({ stores, damagedCount: 0 });
    expect(store.damagedRowCount()).toBe(1);
  });

  it.each<[string, Record<string, unknown>]>([
    ['incomplete hashes', { hashes: new Uint8Array(33) }],
    ['a slot too small for its block', { places: Uint32Array.of(2 ** 31, 250_000) }],
    ['a hash too short', { note: new Uint8Array(31) }],
    ['no place', { places: new Uint32Array(1) }],
    ['places of other numbers', { places: new Float64Array(2) }],
    ['an impossible length', { places: Uint32Array.of(0, 300_000) }],
    ['a field more', { extra: 1 }],
  ])('of kept blocks, with %s, is counted, and its owner keeps nothing', async (_, change) => {
    const { fragments } = await openStore();
    // The rest that its owner kept cannot be continued either.
    for (const at of [4, 5, 6])
      await fragments.putBlocks(ownerOfStore('x'), [blockOf(at)], 'claimed', keepAs(at));
    await changeRowInLine('kept', ['store:x', 5], () => change);
    const again = await openStore();
    expect(again.damagedRowCount()).toBe(1);
    expect(await again.fragments.owners()).toEqual([]);
    expect(await again.fragments.kept(ownerOfStore('x'))).toEqual(new Map());
    expect(await rowCount('kept')).toBe(0);
    expect(await rowCount('blocks')).toBe(0);
  });

  it('of a fragment that names a slot twice loses the second block, and no other', async () => {
    const folder = packFolder();
    const { fragments } = await openStore('palm', folder);
    const blocks = [blockOf(1, 250_000), blockOf(2, 250_000)];
    const hashes = blocks.map(({ hash }) => hash);
    for (const [at, block] of blocks.entries())
      await fragments.putBlocks(ownerOfStore('x'), [block], 'claimed', keepAs(at));
    await changeRowInLine('kept', ['store:x', 1], () => ({ places: Uint32Array.of(0, 250_000) }));
    folder.die();
    const again = (await openStore('palm', folder)).fragments;
    expect(await again.hasBlocks(hashes)).toEqual([true, false]);
    expect(await again.getBlock(blockOf(1, 250_000).hash)).toEqual(blockOf(1, 250_000).bytes);
  });

  it('of a fragment is removed with its claims, not listed, and counted', async () => {
    const store = await openStore();
    const { fragments } = store;
    await putRow('fragments', { fragmentId: 'nonsense', fileId: 1, fragment: -1, blockBytes: 'x' });
    expect(await fragments.list()).toEqual([]);
    expect(store.damagedRowCount()).toBe(1);
    expect(await fragments.list()).toEqual([]);
    expect(store.damagedRowCount()).toBe(1);
  });

  it('of a record is removed and counted, and the others load', async () => {
    const store = await openStore();
    const { records } = store;
    const bytes = new Uint8Array([1]);
    const sound = { entryId: entryIdOf(bytes), deviceId: deviceIdOf(bytes), seq: 1, bytes };
    await records.putRecords([sound]);
    await putRow('records', { ...sound, entryId: entryIdOf(new Uint8Array([2])), seq: -1 });
    await putRow('records', { ...sound, entryId: entryIdOf(new Uint8Array([3])), extra: true });
    expect(await records.loadRecords()).toEqual([sound]);
    expect(store.damagedRowCount()).toBe(2);
  });

  it('of the outbox is removed and counted', async () => {
    const store = await openStore();
    const { records } = store;
    const fileId = fileIdOf(new Uint8Array([1]));
    await records.putOutbox(fileId);
    await putRow('outbox', true, 'nonsense');
    expect(await records.loadOutbox()).toEqual([fileId]);
    expect(store.damagedRowCount()).toBe(1);
  });

  it('of a block is a corrupt block', async () => {
    const { fragments } = await openStore();
    const { hash } = blockOf(1);
    for (const row of ['text', new Uint8Array(300_000), { bytes: 1 }]) {
      await fragments.putBlocks(ownerOfTaking(1), [blockOf(1)], 'claimed');
      await putRow('blocks', row, new Uint8Array(hash));
      await expect(fragments.getBlock(hash)).rejects.toSatisfy((error) => isPalmError(error, 'corrupt'));
      expect(await fragments.getBlock(hash)).toBeUndefined();
    }
  });
});

describe('the connection', () => {
  it('is opened again after the browser ended it', async () => {
    const connections = watchConnections();
    const { fragments } = await openStore();
    const block = blockOf(1);
    await fragments.putBlocks(ownerOfTaking(1), [block], 'claimed');
    // Its declared parameter is the class, but it accepts a connection.
    for (const connection of connections.slice()) Reflect.apply(forceCloseDatabase, undefined, [connection]);
    expect(await fragments.getBlock(block.hash)).toEqual(block.bytes);
    // The one in the place of the old database, the worker's and the page's, and the last two again: each
    // looks at once whether its database is still there.
    expect(connections).toHaveLength(5);
  });

  it('gives way to a tab with a newer version of Palm, and says so', async () => {
    const { fragments } = await openStore();
    const newer = await openDB('palm-device', 8);
    newer.close();
    const failure = await fragments.list().catch((error: unknown) => error);
    expect(failure).toMatchObject({ failure: { code: 'storage-failed', reason: 'updated-elsewhere' } });
  });

  it('reports a tab with a newer version of Palm that was there first', async () => {
    (await openDB('palm-device', 8)).close();
    await expect(openIdbStore('palm-device')).rejects.toSatisfy((error) =>
      isPalmError(error, 'storage-failed'),
    );
  });

  it('fails calls after close, and keeps earlier writes', async () => {
    const store = await openStore();
    const block = blockOf(1);
    await store.fragments.putBlocks(ownerOfTaking(1), [block], 'claimed', keepAs(0));
    store.close();
    const failing = store.fragments.getBlock(block.hash);
    await expect(failing).rejects.toSatisfy((error) => isPalmError(error, 'storage-failed'));
    const again = await openStore();
    expect(await again.fragments.getBlock(block.hash)).toEqual(block.bytes);
  });

  it('keeps databases of different names apart', async () => {
    const block = blockOf(1);
    await (await openStore('one')).fragments.putBlocks(ownerOfTaking(1), [block], 'claimed');
    expect(await (await openStore('two')).fragments.hasBlocks([block.hash])).toEqual([false]);
  });
});

describe('a transaction', () => {
  it('leaves nothing if its body throws after a write, and passes the error on', async () => {
    const database = await PalmDatabase.open('palm-device');
    const error = new PalmError({ code: 'refused', reason: 'not-here' });
    const running = database.run(['meta'], 'readwrite', 'relaxed', async (transaction) => {
      await transaction.objectStore('meta').put(1, 'name');
      throw error;
    });
    await expect(running).rejects.toBe(error);
    database.close();
    expect(await (await openStore()).records.getMeta('name')).toBeUndefined();
  });

  it('stores only the bytes of a view, not the buffer behind it', async () => {
    const { hash, bytes } = blockOf(1);
    const large = new Uint8Array(1_000_000);
    large.set(bytes, 500);
    const view = large.subarray(500, 500 + bytes.length);
    await (await openStore()).fragments.putBlocks(ownerOfTaking(1), [{ hash, bytes: view }], 'claimed');
    await changeRow('blocks', new Uint8Array(hash), (row) => {
      expect(row instanceof Uint8Array && row.buffer.byteLength).toBe(bytes.length);
      return row;
    });
  });
});

async function openStore(name = 'palm', folder?: TestPackFolder): Promise<Store> {
  const names = { database: `${name}-device`, before: name };
  const large = await openDeviceStore(folder?.folders, names);
  const small = await openIdbStore(names.database);
  const store = {
    ...small,
    ...large,
    damagedRowCount: () => small.damagedRowCount() + large.damagedRowCount(),
    close() {
      small.close();
      large.close();
    },
  };
  opened.push(store);
  return store;
}

function packFolder(): TestPackFolder {
  const folder = new TestPackFolder();
  folders.push(folder);
  return folder;
}

async function harness(folder?: TestPackFolder): Promise<FragmentStoreHarness> {
  return {
    store: (await openStore('palm', folder)).fragments,
    reopen: async () => {
      folder?.die(); // the process that had them open died
      return (await openStore('palm', folder)).fragments;
    },
    corruptBlock: async (hash) => {
      if (folder === undefined) await changeRow('blocks', new Uint8Array(hash), flipBit);
      else folder.flipBit(CONTRACT_PACK, placeOf(folder, hash) + 7);
    },
    deleteBlock: async (hash) => {
      if (folder === undefined) await changeRow('blocks', new Uint8Array(hash), () => undefined);
      else folder.flipBit(CONTRACT_PACK, placeOf(folder, hash) + 7);
    },
    corruptIndex: async (fragmentId) => changeRow('indexes', await indexKeyOf(fragmentId), flipBit),
    fillDisk: async (freeBytes) => {
      let leftBytes = freeBytes;
      const fits = (bytes: number): boolean => (leftBytes -= bytes) >= 0;
      limitDisk(fits);
      if (folder !== undefined) folder.fits = fits;
    },
    freeDisk: async () => {
      IDBObjectStore.prototype.put = originalPut;
      if (folder !== undefined) folder.fits = () => true;
    },
  };
}

/** The first pack for blocks of the usual size and below: the contract's cases never fill it. */
const CONTRACT_PACK = `pack-${2 ** 25}`;

/** Where in that pack a block of the contract's cases lies, bytes. */
function placeOf(folder: TestPackFolder, hash: BlockHash): number {
  const isWanted = (bytes: Uint8Array): boolean => equalBytes(sha256(bytes), hash);
  return folder.find(CONTRACT_PACK, USUAL_BLOCK_BYTES, CONTRACT_BLOCK_BYTES, isWanted);
}

async function rowCount(store: string): Promise<number> {
  const database = await openDB('palm-device');
  const count = await database.count(store);
  database.close();
  return count;
}

/** Writes with bytes that `fits` refuses abort their transaction, as Chromium does at its quota. */
function limitDisk(fits: (bytes: number) => boolean): void {
  IDBObjectStore.prototype.put = function put(value: unknown, key?: IDBValidKey): IDBRequest<IDBValidKey> {
    const request = key === undefined ? originalPut.call(this, value) : originalPut.call(this, value, key);
    if (!fits(value instanceof Uint8Array ? value.length : 0)) {
      const { transaction } = this;
      const abort: unknown = Reflect.get(transaction, '_abort');
      if (typeof abort !== 'function') throw new Error('fake-indexeddb has no _abort any more.');
      request.addEventListener('success', () => abort.call(transaction, 'QuotaExceededError'));
    }
    return request;
  };
}

/** Every connection opened from now on. */
function watchConnections(): IDBDatabase[] {
  const connections: IDBDatabase[] = [];
  const factory = globalThis.indexedDB;
  const open = factory.open.bind(factory);
  factory.open = (name, version) => {
    const request = open(name, version);
    request.addEventListener('success', () => connections.push(request.result));
    return request;
  };
  return connections;
}

function flipBit(row: unknown): unknown {
  if (!(row instanceof Uint8Array)) throw new Error('There is no such row of bytes.');
  return row.map((byte, at) => (at === 0 ? byte ^ 1 : byte));
}

/** The key of a fragment's row of `indexes`. */
async function indexKeyOf(fragmentId: string): Promise<IDBValidKey> {
  const database = await openDB('palm-device');
  const [key] = await database.getAllKeys('indexes', IDBKeyRange.bound([fragmentId], [fragmentId, []]));
  database.close();
  if (key === undefined) throw new Error('There is no such index.');
  return key;
}

async function changeRow(store: string, key: IDBValidKey, change: (row: unknown) => unknown): Promise<void> {
  const database = await openDB('palm-device');
  const row = change(await database.get(store, key));
  await (row === undefined ? database.delete(store, key) : database.put(store, row, key));
  database.close();
}

/** Changes fields of a row that has its key in it. */
async function changeRowInLine(
  store: string,
  key: IDBValidKey,
  change: (row: { readonly sealed?: unknown }) => Record<string, unknown>,
): Promise<void> {
  const database = await openDB('palm-device');
  const row: unknown = await database.get(store, key);
  if (typeof row !== 'object' || row === null) throw new Error('There is no such row.');
  await database.put(store, { ...row, ...change(row) });
  database.close();
}

async function putRow(store: string, row: unknown, key?: IDBValidKey): Promise<void> {
  const database = await openDB('palm-device');
  await database.put(store, row, key);
  database.close();
}
