// The data of a device of version 5 is taken over completely, wherever the machine stops. Until all of it was
// read back, the old database stays as it was; and its replacement keeps an older app from beginning an empty
// device.

import { openDB } from 'idb';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDeviceStore } from '../../../../../src/adapters/browser/store/idb-device-store.ts';
import type { OpenDeviceStore } from '../../../../../src/adapters/portable/store/device-store.ts';
import type { PackFolder } from '../../../../../src/adapters/portable/store/pack-file.ts';
import { encodeFragmentIndex } from '../../../../../src/core/coding/fragment-index.ts';
import { utf8 } from '../../../../../src/core/model/bytes.ts';
import { fileIdOf, fragmentIdOf, ownerOfStore, parseBlockHash } from '../../../../../src/core/model/ids.ts';
import { unfinishedStoreAt } from '../../../../contract/store-journal.ts';
import { CrashingDisk } from '../../../../fixtures/crashing-disk.ts';
import { emptyIndexedDb } from '../../../../fixtures/fake-indexeddb.ts';

const STORE = unfinishedStoreAt(2);
const OWNER = ownerOfStore(STORE.storeId);
const PLAIN_HASH = new Uint8Array(32).fill(3);
const INVITE = 'uAQAAinvite';
const BLOCK = new Uint8Array(100).fill(8);
const HASH = parseBlockHash(new Uint8Array(await crypto.subtle.digest('SHA-256', BLOCK)));
const SHARE = new Uint8Array(32).fill(0xa5);
const INDEX = new Uint8Array(encodeFragmentIndex({ fragment: 1, share: SHARE, blocks: [HASH] }));
const STORED = {
  fragmentId: fragmentIdOf(INDEX),
  fileId: fileIdOf(new Uint8Array([1])),
  fragment: 1,
  blockBytes: BLOCK.length,
};
/** Of a block that is a row of its own. */
const PLACES = Uint32Array.of(2 ** 32 - 1, BLOCK.length);

let disk: CrashingDisk;

beforeEach(beginAnew);
afterEach(() => disk.end());

it('everything is taken over, sealed, and the old database is gone for good', async () => {
  await makeVersion5();
  const store = await open();
  await expectAll(store);
  store.close();
  const database = await openDB('palm-device');
  const rows = await Promise.all(
    [...database.objectStoreNames].map(async (name) => [name, await database.getAll(name)] as const),
  );
  const text = JSON.stringify(rows, (_, part: unknown) => (part instanceof Uint8Array ? [...part] : part));
  for (const secret of [SHARE, PLAIN_HASH, STORE.linkKey]) expect(text).not.toContain([...secret].join(','));
  for (const secret of [INVITE, STORE.name]) expect(text).not.toContain(secret);
  expect(await database.get('meta', 'name')).toBe('Laptop');
  expect(await database.get('meta', 'database-upgrade')).toBeUndefined();
  database.close();

  // As an older app opens it.
  await expect(openDB('palm', 5)).rejects.toMatchObject({ name: 'VersionError' });
  const place = await openDB('palm');
  expect([place.version, [...place.objectStoreNames]]).toEqual([6, []]);
  place.close();
});

it('wherever the machine stops, nothing is lost, and the old database is whole until all was read back', async () => {
  await makeVersion5();
  (await open()).close();
  const { stepCount } = disk;
  expect(stepCount).toBeGreaterThan(10);
  let wholeCount = 0;
  for (let steps = 0; steps < stepCount; steps++) {
    for (const unflushed of ['lost', 'kept'] as const) {
      beginAnew();
      await makeVersion5();
      disk.stopAfter(steps);
      await expect(open()).rejects.toThrow();
      disk.restart(unflushed);
      const isWhole = await isOldWhole();
      if (isWhole) wholeCount += 1;
      else if (await isOldThere()) expect(await stepOnDisk()).toMatch(/^mov(?:ing|ed)$/u);
      const store = await open();
      expect(store.damagedRowCount(), `stopped after ${steps} steps`).toBe(0);
      await expectAll(store);
      store.close();
    }
  }
  expect(wholeCount).toBeGreaterThan(stepCount);
});

it('stores of an older app are refused from the first copy on, and not lost', async () => {
  await makeVersion5();
  (await open()).close();
  const { stepCount } = disk;
  for (let steps = 0; steps < stepCount; steps++) {
    beginAnew();
    await makeVersion5();
    disk.stopAfter(steps);
    await expect(open()).rejects.toThrow();
    disk.restart('kept');
    // As a tab with the older app continues.
    const stored = await openDB('palm', 5).then(
      async (before) => {
        await before.put('meta', true, 'stored later');
        before.close();
        return true;
      },
      () => undefined,
    );
    (await open()).close();
    const database = await openDB('palm-device');
    expect(await database.get('meta', 'stored later'), `stopped after ${steps} steps`).toBe(stored);
    database.close();
  }
});

it('a block with a key that is no hash is damage, and the rest is still taken over', async () => {
  await makeVersion5();
  const before = await openDB('palm', 5);
  await before.put('blocks', BLOCK, 'no hash');
  before.close();
  const store = await open();
  await expectAll(store);
  expect(store.damagedRowCount()).toBe(1);
});

it('a copy that differs when read back leaves the old database whole, and it can be tried again', async () => {
  await makeVersion5();
  const sound = disk.folder('keys');
  const lying: PackFolder = {
    ...sound,
    open: async (name) => {
      const file = await sound.open(name);
      return {
        ...file,
        write: (bytes, place) =>
          file.write(
            bytes.map((byte) => byte ^ 1),
            place,
          ),
      };
    },
  };
  const failing = openDeviceStore({ blocks: disk.folder('blocks'), keys: lying });
  await expect(failing).rejects.toMatchObject({ failure: { code: 'storage-failed', reason: 'takeover' } });
  expect(await isOldWhole()).toBe(true);
  await expectAll(await open());
});

it('a new device occupies the place of the old database', async () => {
  (await open()).close();
  await expect(openDB('palm', 5)).rejects.toMatchObject({ name: 'VersionError' });
});

it('a database in use is not replaced by one of the old name', async () => {
  const store = await open();
  await store.secrets.put('pool-invite', utf8('another'));
  store.close();
  await new Promise((resolve) => {
    indexedDB.deleteDatabase('palm').addEventListener('success', resolve);
  });
  await makeVersion5();
  const again = await open();
  expect(await again.secrets.get('pool-invite')).toEqual(utf8('another'));
  expect(await again.fragments.list()).toEqual([]);
  expect(await isOldWhole()).toBe(true);
});

it('without files everything is taken over unsealed', async () => {
  await makeVersion5();
  await expectAll(await openDeviceStore(undefined));
});

function beginAnew(): void {
  emptyIndexedDb();
  disk?.end();
  disk = new CrashingDisk();
}

function open(): Promise<OpenDeviceStore> {
  return openDeviceStore({ blocks: disk.folder('blocks'), keys: disk.folder('keys') });
}

async function expectAll({ fragments, journal, secrets }: OpenDeviceStore): Promise<void> {
  expect(await fragments.list()).toEqual([STORED]);
  expect(await fragments.getIndex(STORED.fragmentId)).toEqual(INDEX);
  expect(await fragments.getBlock(HASH)).toEqual(BLOCK);
  expect((await fragments.kept(OWNER)).get(0)).toEqual({ note: PLAIN_HASH, blocks: [HASH] });
  expect((await journal.load()).stores).toEqual([STORE]);
  expect(await secrets.get('pool-invite')).toEqual(utf8(INVITE));
}

async function makeVersion5(): Promise<void> {
  const database = await openDB('palm', 5, {
    upgrade: (fresh) => {
      for (const name of ['blocks', 'indexes', 'outbox', 'meta']) fresh.createObjectStore(name);
      fresh.createObjectStore('kept', { keyPath: ['owner', 'keptAs'] });
      fresh.createObjectStore('fragments', { keyPath: 'fragmentId' });
      fresh.createObjectStore('records', { keyPath: 'entryId' });
      fresh.createObjectStore('journal', { keyPath: 'storeId' });
    },
  });
  const row = { hashes: new Uint8Array(HASH), places: PLACES };
  await database.put('blocks', BLOCK, new Uint8Array(HASH));
  await database.put('fragments', { ...STORED, ...row });
  await database.put('indexes', INDEX, STORED.fragmentId);
  await database.put('kept', { owner: OWNER, keptAs: 0, note: PLAIN_HASH, ...row });
  await database.put('journal', STORE);
  await database.put('meta', INVITE, 'pool-invite');
  await database.put('meta', 'Laptop', 'name');
  database.close();
  disk.stepCount = 0;
}

/** Whether the older app would find everything. */
async function isOldWhole(): Promise<boolean> {
  const database = await openDB('palm');
  const names = [...database.objectStoreNames];
  const counts = await Promise.all(names.map((name) => database.count(name)));
  const { version } = database;
  database.close();
  return version <= 6 && counts.join(' ') === '1 1 1 1 1 2 0 0';
}

async function isOldThere(): Promise<boolean> {
  const databases = await indexedDB.databases();
  return databases.some(({ name }) => name === 'palm') && (await hasStores());
}

async function hasStores(): Promise<boolean> {
  const database = await openDB('palm');
  const { length } = database.objectStoreNames;
  database.close();
  return length > 0;
}

async function stepOnDisk(): Promise<unknown> {
  const database = await openDB('palm-device');
  const step: unknown = await database.get('meta', 'database-upgrade');
  database.close();
  return step;
}
