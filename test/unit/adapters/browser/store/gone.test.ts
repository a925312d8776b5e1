// A database or files that are deleted under open stores: noticed at the next look, or at once where the
// engine says so, and nothing empty takes their place.

import { forceCloseDatabase } from 'fake-indexeddb';
import { deleteDB } from 'idb';
import { beforeEach, expect, it, vi } from 'vitest';
import { openDeviceStore } from '../../../../../src/adapters/browser/store/idb-device-store.ts';
import { openIdbStore, type IdbStore } from '../../../../../src/adapters/browser/store/idb-store.ts';
import { StorageWatch } from '../../../../../src/adapters/portable/storage-watch.ts';
import { PalmError } from '../../../../../src/core/model/errors.ts';
import { emptyIndexedDb } from '../../../../fixtures/fake-indexeddb.ts';
import { ManualClock } from '../../../../fixtures/manual-clock.ts';
import { TestPackFolder } from '../../../../fixtures/pack-folder.ts';

const NAME = 'palm-device';
const GONE_ERROR = new PalmError({ code: 'storage-failed', reason: 'gone' });
const GONE = { failure: { code: 'storage-failed', reason: 'gone' } };

beforeEach(emptyIndexedDb);

it('a database that somebody deletes is gone, and no call makes another', async () => {
  const { store, onGone } = await openStore();
  await deleteDB(NAME);
  expect(onGone).toHaveBeenCalledTimes(1);
  await expect(store.records.loadRecords()).rejects.toMatchObject(GONE);
  await expect(store.check()).rejects.toMatchObject(GONE);
  expect(await indexedDB.databases()).toEqual([]);
  expect(onGone).toHaveBeenCalledTimes(1);
});

it('a database that went with its connections is noticed at once, and no call makes another', async () => {
  const { store, onGone, endConnections } = await openStore();
  const deleting = deleteDB(NAME);
  endConnections();
  await deleting;
  await vi.waitFor(() => expect(onGone).toHaveBeenCalledTimes(1));
  await expect(store.records.loadRecords()).rejects.toMatchObject(GONE);
  expect(await indexedDB.databases()).toEqual([]);
});

it('another database under the same name is told from the one that was opened', async () => {
  const { store, onGone, endConnections } = await openStore();
  endConnections();
  await deleteDB(NAME);
  (await openIdbStore(NAME)).close();
  await expect(store.check()).rejects.toMatchObject(GONE);
  expect(onGone).toHaveBeenCalledTimes(1);
});

it('a connection that ends alone is opened again, also after the store was emptied', async () => {
  const { store, onGone, endConnections } = await openStore();
  await store.records.putMeta('name', 1);
  await store.records.clear();
  endConnections();
  await store.records.putMeta('name', 2);
  await store.check();
  expect(await store.records.getMeta('name')).toBe(2);
  expect(onGone).not.toHaveBeenCalled();
});

it('files that are deleted under the open device store are noticed', async () => {
  const folder = new TestPackFolder();
  const store = await openDeviceStore(folder.folders);
  await store.check();
  for (const name of await folder.keys.names()) await folder.keys.remove(name);
  await expect(store.check()).rejects.toMatchObject(GONE);
  store.close();
});

it('the watch looks every few seconds, and tells once; failures of other kinds say nothing', async () => {
  const clock = new ManualClock();
  let failure: Error | undefined = new Error('busy');
  const watch = new StorageWatch(clock, [
    () => (failure === undefined ? Promise.resolve() : Promise.reject(failure)),
  ]);
  let isGone = false;
  void watch.gone.then(() => (isGone = true));
  for (const next of [undefined, GONE_ERROR]) {
    clock.advance(5_000);
    await settle();
    expect(isGone).toBe(false);
    failure = next;
  }
  clock.advance(5_000);
  await settle();
  expect(isGone).toBe(true);
});

async function openStore(): Promise<{
  store: IdbStore;
  onGone: () => void;
  /** As the engine does: the connections hear of it. */
  endConnections: () => void;
}> {
  const opened: IDBDatabase[] = [];
  const open = indexedDB.open.bind(indexedDB);
  vi.spyOn(indexedDB, 'open').mockImplementation((...given) => {
    const request = open(...given);
    request.addEventListener('success', () => opened.push(request.result));
    return request;
  });
  const onGone = vi.fn();
  const store = await openIdbStore(NAME, onGone);
  return {
    store,
    onGone,
    endConnections: () => {
      // oxlint-disable-next-line typescript/no-unsafe-argument -- its type is not the library's own class
      for (const database of opened.splice(0)) forceCloseDatabase(database as never);
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}
