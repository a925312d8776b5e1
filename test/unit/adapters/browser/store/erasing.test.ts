// Nothing on the disk opens data that was let go, whenever the machine stops; and whenever it stops, nothing
// durable is lost or counted as damaged.

import { createDecipheriv } from 'node:crypto';
import { IDBObjectStore } from 'fake-indexeddb';
import { openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDeviceStore } from '../../../../../src/adapters/browser/store/idb-device-store.ts';
import type { OpenDeviceStore } from '../../../../../src/adapters/portable/store/device-store.ts';
import { encodeFragmentIndex } from '../../../../../src/core/coding/fragment-index.ts';
import {
  type BlockOwner,
  fileIdOf,
  fragmentIdOf,
  ownerOfStore,
  ownerOfTaking,
  parseBlockHash,
} from '../../../../../src/core/model/ids.ts';
import type { NewFragment } from '../../../../../src/core/ports.ts';
import { unfinishedStoreAt } from '../../../../contract/store-journal.ts';
import { CrashingDisk } from '../../../../fixtures/crashing-disk.ts';
import { emptyIndexedDb } from '../../../../fixtures/fake-indexeddb.ts';

// oxlint-disable-next-line typescript/unbound-method -- called on the store that it was called on
const originalPut = IDBObjectStore.prototype.put;

/** A row that was ever written, as an engine's log may still have it. */
interface OldRow {
  readonly store: string;
  /** Text, and for `indexes` and `kept` a number. */
  readonly key: readonly [string, number?];
  readonly sealed: Uint8Array;
}

let disk: CrashingDisk;
let oldRows: OldRow[];

beforeEach(() => {
  emptyIndexedDb();
  disk = new CrashingDisk();
  oldRows = [];
  IDBObjectStore.prototype.put = function recorded(
    value: unknown,
    key?: IDBValidKey,
  ): IDBRequest<IDBValidKey> {
    const [sealed] = [Object(value).sealed, Object(value).note, value].filter(
      (part) => part instanceof Uint8Array,
    );
    const { storeId, owner, keptAs } = Object(value);
    const rowKey = key ?? storeId ?? [owner, keptAs];
    if (['indexes', 'kept', 'journal', 'secrets'].includes(this.name) && sealed !== undefined)
      oldRows.push({
        store: this.name,
        key: Array.isArray(rowKey) ? [rowKey[0], rowKey[1]] : [rowKey],
        sealed,
      });
    return key === undefined ? originalPut.call(this, value) : originalPut.call(this, value, key);
  };
});

afterEach(() => {
  IDBObjectStore.prototype.put = originalPut;
  disk.end();
});

interface Erasing {
  readonly name: string;
  /** The contents before the work. */
  readonly before?: (store: OpenDeviceStore) => Promise<unknown>;
  readonly work: (store: OpenDeviceStore) => Promise<unknown>;
  /** Whether the state is that before the work (false), or that after it (true). */
  readonly isDone: (store: OpenDeviceStore) => Promise<boolean>;
  /** What nothing opens once the work is done. */
  readonly erased: readonly string[];
}

const ONE = fragmentOf(1);
/** Together with the rows of `begin` they take all keys that are made together. */
const OTHERS = Array.from({ length: 124 }, (_, at) => fragmentOf(100 + at));
const KEPT_HASH = new Uint8Array(32).fill(7);
const STORE = unfinishedStoreAt(2);

const CASES: readonly Erasing[] = [
  {
    name: 'a fragment that is made',
    work: (store) => commit(store, ONE),
    isDone: async (store) => (await listed(store)).includes(ONE.stored.fragmentId),
    erased: [],
  },
  {
    name: 'a fragment that is made when no key is left',
    before: async (store) => {
      await Promise.all(OTHERS.map((fragment) => put(store, fragment)));
      await store.fragments.commit(OTHERS);
    },
    work: (store) => commit(store, ONE),
    isDone: async (store) => (await listed(store)).includes(ONE.stored.fragmentId),
    erased: [],
  },
  {
    name: 'a fragment that is dropped',
    before: (store) => commit(store, ONE),
    work: ({ fragments }) => fragments.drop([ONE.stored.fragmentId]),
    isDone: async (store) => !(await listed(store)).includes(ONE.stored.fragmentId),
    erased: [`indexes ${ONE.stored.fragmentId}`],
  },
  {
    name: 'an unfinished store that begins',
    work: ({ journal }) => journal.put(STORE),
    isDone: async ({ journal }) =>
      (await journal.load()).stores.some(({ storeId }) => storeId === STORE.storeId),
    erased: [],
  },
  {
    name: 'an unfinished store that ends',
    before: ({ journal }) => journal.put(STORE),
    work: ({ journal }) => journal.end(STORE.storeId),
    isDone: async ({ journal }) =>
      !(await journal.load()).stores.some(({ storeId }) => storeId === STORE.storeId),
    erased: [`journal ${STORE.storeId}`],
  },
  {
    name: 'what is noted of a segment',
    work: (store) => keep(store, ownerOfStore('a')),
    isDone: async ({ fragments }) => (await fragments.kept(ownerOfStore('a'))).get(0)?.note !== undefined,
    erased: [],
  },
  {
    name: 'what was noted of a segment and is released',
    before: (store) => keep(store, ownerOfStore('a')),
    work: ({ fragments }) => fragments.release(ownerOfStore('a')),
    isDone: async ({ fragments }) => (await fragments.kept(ownerOfStore('a'))).size === 0,
    erased: ['kept store:a'],
  },
  {
    name: 'a secret that another replaces',
    before: ({ secrets }) => secrets.put('pool', new Uint8Array(20).fill(1)),
    work: ({ secrets }) => secrets.put('pool', new Uint8Array(20).fill(2)),
    isDone: async ({ secrets }) => (await secrets.get('pool'))?.[0] === 2,
    erased: ['secrets pool'],
  },
  {
    name: 'secrets that are cleared',
    before: ({ secrets }) => secrets.put('pool', new Uint8Array(20).fill(1)),
    work: ({ secrets }) => secrets.clear(),
    isDone: async ({ secrets }) => (await secrets.get('pool')) === undefined,
    erased: ['secrets pool', 'secrets other'],
  },
];

describe.each(CASES)('$name', ({ before, work, isDone, erased }) => {
  it('happens as a whole or not at all, wherever the machine stops, and nothing else is lost or damaged', async () => {
    const stepCount = await stepsOf(before, work);
    expect(stepCount).toBeGreaterThan(0);
    for (let steps = 0; steps <= stepCount; steps++) {
      for (const unflushed of ['lost', 'kept'] as const) {
        emptyIndexedDb();
        disk.end();
        disk = new CrashingDisk();
        oldRows = [];
        const store = await begin(before);
        const earlier = oldRows.length;
        disk.stopAfter(steps);
        const isTold = await work(store).then(
          () => true,
          () => false,
        );
        disk.restart(unflushed);
        const again = await open();
        const where = `stopped after ${steps} of ${stepCount} steps, what was not flushed ${unflushed}`;
        expect(again.damagedRowCount(), where).toBe(0);
        const done = await isDone(again);
        if (isTold) expect(done, where).toBe(true);
        await expectBystanders(again, erased);
        // A thief who takes the disk now, with every row that was there before.
        const opened = oldRows.slice(0, earlier).flatMap((row) => (opens(row) ? [nameOf(row)] : []));
        if (done) for (const name of erased) expect(opened, where).not.toContain(name);
        again.close();
      }
    }
  });
});

it('the disk opens a replaced row only while it counts', async () => {
  const store = await begin((opened) => commit(opened, ONE));
  expect(oldRows.map(nameOf)).toContain(`indexes ${ONE.stored.fragmentId}`);
  for (const row of oldRows) expect(opens(row), nameOf(row)).toBe(true);
  await store.fragments.clear();
  await store.journal.clear();
  await store.secrets.clear();
  for (const row of oldRows) expect(opens(row), nameOf(row)).toBe(false);
});

it('keys that no row was written under are erased when the store is opened', async () => {
  const store = await begin();
  disk.stopAfter(0);
  await expect(commit(store, ONE)).rejects.toThrow();
  disk.restart('kept');
  expect(keysOnDisk().size).toBeGreaterThan(100);
  await open();
  // Those of a fragment, a job, an unfinished store and a secret.
  expect(keysOnDisk().size).toBe(4);
});

it('the handle of its source does not reveal a private file', async () => {
  const handle = { kind: 'file', name: 'secret.txt' } as const;
  const store = await begin();
  await store.journal.put({ ...STORE, isPrivate: true, handle });
  store.close();
  const { stores } = await (await open()).journal.load();
  expect(stores.find(({ storeId }) => storeId === STORE.storeId)?.handle).toBeUndefined();
});

it('everything on a full disk can be let go', async () => {
  const store = await begin();
  disk.mostBytes = 0;
  const refused = (async () => {
    for (let fragment = 2; fragment < 200; fragment++) await commit(store, fragmentOf(fragment));
  })();
  await expect(refused).rejects.toMatchObject({ code: 'storage-full' });
  await store.fragments.drop([fragmentOf(0).stored.fragmentId]);
  await store.fragments.release(ownerOfStore('other'));
  await store.journal.end(unfinishedStoreAt(1).storeId);
  await store.secrets.clear();
  await store.fragments.clear();
  expect(oldRows.filter((row) => opens(row)).map(nameOf)).toEqual([]);
});

it.each([0, 32, 40])(
  'a file of keys that was cut to %i bytes counts as damage, not as letting go',
  async (byteCount) => {
    const store = await begin();
    for (const fragment of [5, 6, 7]) await commit(store, fragmentOf(fragment));
    store.close();
    const folder = disk.folder('keys');
    const before = await folder.open('keys');
    const bytes = new Uint8Array(byteCount);
    before.read(bytes, { at: 0 });
    before.close();
    await folder.remove('keys');
    const cut = await folder.open('keys');
    cut.write(bytes, { at: 0 });
    cut.flush();
    cut.close();
    const again = await open();
    expect(again.damagedRowCount()).toBeGreaterThanOrEqual(3);
    expect(await again.fragments.list()).toHaveLength(4);
    await expect(again.secrets.get('other')).rejects.toMatchObject({ code: 'corrupt' });
    expect((await again.journal.load()).damagedCount).toBe(1);
  },
);

it('a damaged row that names another row’s slot destroys nothing', async () => {
  const store = await begin();
  await commit(store, fragmentOf(4));
  store.close();
  const database = await openDB('palm-device');
  const keys = await database.getAllKeys('indexes');
  const slot = keys.flatMap((key) =>
    Array.isArray(key) && key[0] === fragmentOf(4).stored.fragmentId ? [key[1]] : [],
  )[0];
  const { storeId } = unfinishedStoreAt(1);
  await database.put('journal', { ...(await database.get('journal', storeId)), slot });
  database.close();
  const again = await open();
  expect((await again.journal.load()).damagedCount).toBe(1);
  const { stored, indexBytes } = fragmentOf(4);
  expect(await again.fragments.getIndex(stored.fragmentId)).toEqual(indexBytes);
  again.close();
  const third = await open();
  expect(await listed(third)).toContain(stored.fragmentId);
  await third.fragments.drop([stored.fragmentId]);
  expect(oldRows.filter((row) => opens(row)).map(nameOf)).not.toContain(`indexes ${stored.fragmentId}`);
});

describe('a hash that is being sealed', () => {
  it('is not written once its store has ended, and does not harm the next owner of its slot', async () => {
    const store = await begin();
    const { storeId } = STORE;
    const [noted] = await Promise.allSettled([store.journal.put(STORE), store.journal.end(storeId)]);
    expect(noted).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    await commit(store, fragmentOf(4));
    store.close();
    const again = await open();
    expect((await again.journal.load()).stores.map((unfinished) => unfinished.storeId)).not.toContain(
      storeId,
    );
    expect(again.damagedRowCount()).toBe(0);
    const { stored, indexBytes } = fragmentOf(4);
    expect(await again.fragments.getIndex(stored.fragmentId)).toEqual(indexBytes);
  });

  it('is cleared with everything else', async () => {
    const store = await begin();
    await put(store, fragmentOf(5));
    await Promise.all([
      store.secrets.put('pool', new Uint8Array([9])),
      store.journal.put(STORE),
      store.fragments.commit([fragmentOf(5)]),
      store.secrets.clear(),
      store.journal.clear(),
      store.fragments.clear(),
    ]);
    expect(await store.secrets.get('pool')).toBeUndefined();
    expect(oldRows.filter((row) => opens(row)).map(nameOf)).toEqual([]);
    store.close();
    const again = await open();
    expect(await again.secrets.get('pool')).toBeUndefined();
    expect((await again.journal.load()).stores).toEqual([]);
    expect(await again.fragments.list()).toEqual([]);
  });
});

it('many fragments cost one write of the slots and one flush', async () => {
  const store = await begin();
  const fragments = Array.from({ length: 100 }, (_, at) => fragmentOf(10 + at));
  for (const fragment of fragments) await put(store, fragment);
  const before = disk.stepCount;
  await Promise.all(fragments.map((fragment) => store.fragments.commit([fragment])));
  // In groups of 32 at most; the first group is the write that came first.
  const groupCount = 5;
  expect(disk.stepCount - before).toBeLessThanOrEqual(3 * groupCount);
});

async function stepsOf(before: Erasing['before'], work: Erasing['work']): Promise<number> {
  const store = await begin(before);
  const { stepCount } = disk;
  await work(store);
  return disk.stepCount - stepCount;
}

/** A device with some of everything, which the cases do not touch, and the rows that `before` adds. */
async function begin(before: Erasing['before'] = async () => undefined): Promise<OpenDeviceStore> {
  const store = await open();
  await commit(store, fragmentOf(0));
  await keep(store, ownerOfStore('other'));
  await store.journal.put(unfinishedStoreAt(1));
  await store.secrets.put('other', new Uint8Array([5]));
  await before(store);
  return store;
}

async function expectBystanders(store: OpenDeviceStore, erased: readonly string[]): Promise<void> {
  const { indexBytes, stored } = fragmentOf(0);
  expect(await store.fragments.getIndex(stored.fragmentId)).toEqual(indexBytes);
  expect((await store.fragments.kept(ownerOfStore('other'))).get(0)?.note).toEqual(KEPT_HASH);
  expect((await store.journal.load()).stores).toContainEqual(unfinishedStoreAt(1));
  if (!erased.includes('secrets other'))
    expect(await store.secrets.get('other')).toEqual(new Uint8Array([5]));
}

function open(): Promise<OpenDeviceStore> {
  return openDeviceStore({ blocks: disk.folder('blocks'), keys: disk.folder('keys') });
}

async function commit(store: OpenDeviceStore, fragment: NewFragment): Promise<void> {
  await put(store, fragment);
  await store.fragments.commit([fragment]);
}

async function put({ fragments }: OpenDeviceStore, { hashes, stored }: NewFragment): Promise<void> {
  const bytes = new Uint8Array(10).fill(stored.fragment);
  await fragments.putBlocks(
    ownerOfTaking(1),
    hashes.map((hash) => ({ hash, bytes })),
    'computed',
  );
}

async function keep({ fragments }: OpenDeviceStore, owner: BlockOwner): Promise<void> {
  await fragments.putBlocks(owner, [], 'computed', { as: 0, note: KEPT_HASH });
}

/** All listed fragments have their index. */
async function listed({ fragments }: OpenDeviceStore): Promise<string[]> {
  const ids = (await fragments.list()).map(({ fragmentId }) => fragmentId);
  for (const id of ids) expect(await fragments.getIndex(id)).toBeDefined();
  return ids;
}

function fragmentOf(fragment: number): NewFragment {
  const hashes = [parseBlockHash(new Uint8Array(32).fill(fragment))];
  const share = new Uint8Array(32).fill(fragment + 1);
  const indexBytes = encodeFragmentIndex({ fragment, share, blocks: hashes });
  const stored = {
    fragmentId: fragmentIdOf(indexBytes),
    fileId: fileIdOf(new Uint8Array([1])),
    fragment,
    blockBytes: 10,
  };
  return { stored, indexBytes, hashes };
}

function keysOnDisk(): Set<string> {
  const keys = new Set<string>();
  for (const bytes of disk.bytes()) {
    for (let at = 0; at + 32 <= bytes.length; at += 32) {
      const key = bytes.subarray(at, at + 32);
      if (key.some((byte) => byte !== 0)) keys.add(Buffer.from(key).toString('hex'));
    }
  }
  return keys;
}

/** With code of its own, and any key. */
function opens(row: OldRow): boolean {
  const [nonce, tag] = [row.sealed.subarray(0, 12), row.sealed.subarray(-16)];
  return [...keysOnDisk()].some((key) => {
    const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key, 'hex'), nonce);
    decipher.setAAD(Buffer.from(aadOf(row)));
    decipher.setAuthTag(tag);
    try {
      decipher.update(row.sealed.subarray(12, -16));
      decipher.final();
      return true;
    } catch {
      return false; // another key's
    }
  });
}

/** As FORMATS.md says. */
function aadOf({ store, key }: OldRow): string {
  const [first, second] = key;
  switch (store) {
    case 'indexes':
      return `palm/v1/disk/index/${first}`;
    case 'kept':
      return `palm/v1/disk/kept/${first}/${second}`;
    case 'journal':
      return `palm/v1/disk/journal/${first}`;
    default:
      return `palm/v1/disk/secret/${first}`;
  }
}

function nameOf({ store, key }: OldRow): string {
  return `${store} ${key[0]}`;
}
