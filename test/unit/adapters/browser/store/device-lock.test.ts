// The lock of a device: nothing opens without the passphrase, whenever the machine stops while the lock is
// set, changed or removed, and nothing is lost. Formats as in FORMATS.md ("The lock").

import { createDecipheriv, scryptSync } from 'node:crypto';
import { openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDeviceStore } from '../../../../../src/adapters/browser/store/idb-device-store.ts';
import type { OpenDeviceStore } from '../../../../../src/adapters/portable/store/device-store.ts';
import { lockedSlots } from '../../../../../src/adapters/portable/store/slot-forms.ts';
import { bytesOfHex, hexOf } from '../../../../../src/core/model/bytes.ts';
import type { LockChange, LockState } from '../../../../../src/core/lock-port.ts';
import { unfinishedStoreAt } from '../../../../contract/store-journal.ts';
import { CrashingDisk } from '../../../../fixtures/crashing-disk.ts';
import { emptyIndexedDb } from '../../../../fixtures/fake-indexeddb.ts';
import vectors from '../../../../vectors/lock.json' with { type: 'json' };

// What a guess costs is no part of these tests.
vi.mock(import('@noble/hashes/scrypt.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    scrypt: (...[passphrase, salt, options]) =>
      real.scrypt(passphrase, salt, { ...options, N: cheap(options.N) }),
  };
});
let isCheap = true;
const cheap = (n: number): number => (isCheap ? 16 : n);

const WORDS = 'eleven quiet otters';
const OTHER_WORDS = 'a door of brass';
const POOL = new Uint8Array(40).fill(3);
const STORE = unfinishedStoreAt(2);

let disk: CrashingDisk;

beforeEach(() => {
  isCheap = true;
  emptyIndexedDb();
  disk = new CrashingDisk();
});

afterEach(() => {
  disk.end();
});

describe('a locked device', () => {
  it('opens nothing until the passphrase is given, and everything then', async () => {
    const store = await open();
    await begin(store);
    await store.lock.close(words(WORDS));
    expect(await store.lock.state()).toBe('locked');
    await expectLocked(store);
    store.close();

    const later = await open();
    expect(await later.lock.state()).toBe('locked');
    await expectLocked(later);
    await expect(later.lock.open('eleven quiet otter', false)).rejects.toMatchObject({
      code: 'wrong-passphrase',
    });
    await expectLocked(later);
    await later.lock.open(WORDS, false);
    expect(await later.lock.state()).toBe('unlocked');
    await expectOpen(later);
    await later.secrets.put('more', new Uint8Array([9]));
    later.close();

    const last = await open();
    await last.lock.open(WORDS, false);
    expect(await last.secrets.get('more')).toEqual(new Uint8Array([9]));
    await expectOpen(last);
    expect(last.damagedRowCount()).toBe(0);
  });

  it('takes a passphrase as it is typed on any keyboard', async () => {
    const store = await open();
    await begin(store);
    await store.lock.close(words('žluťoučký kůň'.normalize('NFC')));
    await store.lock.open('žluťoučký kůň'.normalize('NFD'), false);
    await expectOpen(store);
  });

  it('closes again under the same passphrase, and opens with a new one after a change', async () => {
    const store = await open();
    await begin(store);
    await expect(store.lock.close(undefined)).rejects.toMatchObject({ code: 'bad-argument' });
    await store.lock.close(words(WORDS));
    await expect(store.lock.close(words(OTHER_WORDS))).rejects.toMatchObject({ code: 'locked' });
    await store.lock.open(WORDS, false);
    await store.lock.close(undefined);
    await store.lock.open(WORDS, false);
    const before = disk.bytes().map((bytes) => hexOf(bytes));
    await store.lock.close(words(OTHER_WORDS));
    // The old lock key opens nothing that is there.
    expect(disk.bytes().filter((bytes) => bytes.length > 0 && before.includes(hexOf(bytes)))).toEqual([]);
    await expect(store.lock.open(WORDS, false)).rejects.toMatchObject({ code: 'wrong-passphrase' });
    await store.lock.open(OTHER_WORDS, false);
    await expectOpen(store);
  });

  it('loses its lock with the passphrase only', async () => {
    const store = await open();
    await begin(store);
    await store.lock.close(words(WORDS));
    await expect(store.lock.open('wrong', true)).rejects.toMatchObject({ code: 'wrong-passphrase' });
    await store.lock.open(WORDS, true);
    expect(await store.lock.state()).toBe('none');
    store.close();
    const later = await open();
    expect(await later.lock.state()).toBe('none');
    await expectOpen(later);
    expect(await disk.folder('keys').names()).toEqual(['keys']);
  });

  it('can be emptied without the passphrase, and is as new then', async () => {
    const store = await open();
    await begin(store);
    await store.lock.close(words(WORDS));
    await store.secrets.clear();
    await store.journal.clear();
    await store.lock.forget();
    expect(await store.lock.state()).toBe('none');
    await store.secrets.put('pool', new Uint8Array([1]));
    store.close();
    const later = await open();
    expect(await later.secrets.get('pool')).toEqual(new Uint8Array([1]));
    expect((await later.journal.load()).stores).toEqual([]);
  });

  it('says so when its lock is damaged, and can still be emptied', async () => {
    const store = await open();
    await begin(store);
    await store.lock.close(words(WORDS));
    store.close();
    await changeRow({ log2N: 40 });
    const damaged = await open();
    expect(await damaged.lock.state()).toBe('locked');
    await expect(damaged.lock.open(WORDS, false)).rejects.toMatchObject({
      failure: { code: 'corrupt', reason: 'lock' },
    });
    await damaged.secrets.clear();
    await damaged.lock.forget();
    expect(await damaged.lock.state()).toBe('none');
  });

  it('opens in another worker of the page with what the first one had, and only that', async () => {
    const store = await open();
    await begin(store);
    await store.lock.close(words(WORDS));
    await store.lock.open(WORDS, false);
    const held = store.heldLock();
    if (held === undefined) throw new Error('The lock is open.');
    const copy = { ...held, key: held.key.slice() };
    await store.lock.close(words(OTHER_WORDS));
    expect(store.heldLock()).toBeUndefined();
    store.close();
    const later = await open();
    await later.useHeld(copy);
    expect(await later.lock.state()).toBe('locked');
    await later.lock.open(OTHER_WORDS, false);
    const present = later.heldLock();
    if (present === undefined) throw new Error('The lock is open.');
    later.close();
    const last = await open();
    await last.useHeld(present);
    await expectOpen(last);
  });
});

describe('a device without files to overwrite', () => {
  it('refuses a lock, and stays as it is', async () => {
    const store = await openDeviceStore(undefined);
    await begin(store);
    await expect(store.lock.close(words(WORDS))).rejects.toMatchObject({ code: 'unsupported' });
    expect(await store.lock.state()).toBe('none');
    await expectOpen(store);
  });
});

interface Change {
  readonly name: string;
  readonly before: (store: OpenDeviceStore) => Promise<unknown>;
  readonly work: (store: OpenDeviceStore) => Promise<unknown>;
  /** Passphrases that may guard the device afterwards: before the change, and after it. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}

const CHANGES: readonly Change[] = [
  {
    name: 'a lock that is set',
    before: async () => undefined,
    work: ({ lock }) => lock.close(words(WORDS)),
    from: undefined,
    to: WORDS,
  },
  {
    name: 'a lock that is changed',
    before: async ({ lock }) => {
      await lock.close(words(WORDS));
      await lock.open(WORDS, false);
    },
    work: ({ lock }) => lock.close(words(OTHER_WORDS)),
    from: WORDS,
    to: OTHER_WORDS,
  },
  {
    name: 'a lock that is removed',
    before: ({ lock }) => lock.close(words(WORDS)),
    work: ({ lock }) => lock.open(WORDS, true),
    from: WORDS,
    to: undefined,
  },
];

describe.each(CHANGES)('$name', ({ before, work, from, to }) => {
  it.each(['lost', 'kept'] as const)(
    'loses nothing and is whole, whenever the machine stops (unflushed writes: %s)',
    async (unflushed) => {
      let isDone = false;
      let stepCount = 0;
      for (; !isDone; stepCount++) {
        disk.end();
        emptyIndexedDb();
        disk = new CrashingDisk();
        const store = await open();
        await begin(store);
        await before(store);
        disk.stopAfter(stepCount);
        isDone = await work(store).then(
          () => true,
          () => false,
        );
        disk.restart(unflushed);
        const later = await open();
        const state: LockState = await later.lock.state();
        const passphrase = await passphraseOf(later, state, [from, to]);
        if (isDone) expect(passphrase).toBe(to);
        await expectOpen(later);
        expect(later.damagedRowCount(), `step ${stepCount}`).toBe(0);
        // One file of keys is left, and no other has anything.
        expect(await keyFiles()).toHaveLength(1);
        if (to !== undefined && isDone) expect(await readableSecrets()).toEqual([]);
      }
      expect(stepCount).toBeGreaterThan(6);
    },
  );
});

it('erases the readable keys at the next start, even if the passphrase is never given again', async () => {
  const store = await open();
  await begin(store);
  expect(await readableSecrets()).not.toEqual([]);
  const whole = await stepsOf(({ lock }) => lock.close(words(WORDS)));
  let lockedCount = 0;
  for (let steps = 0; steps < whole; steps++) {
    disk.end();
    emptyIndexedDb();
    disk = new CrashingDisk();
    const victim = await open();
    await begin(victim);
    disk.stopAfter(steps);
    await victim.lock.close(words(WORDS)).catch(() => undefined);
    disk.restart('kept');
    const later = await open();
    if ((await later.lock.state()) === 'none') continue;
    lockedCount += 1;
    expect(await readableSecrets()).toEqual([]);
  }
  expect(lockedCount).toBeGreaterThan(1);
});

describe('the golden vectors', () => {
  it('are made by another implementation of the format, and open', async () => {
    isCheap = false;
    const { passphrase, row, lockKey, slot, key } = vectors;
    const stretched = scryptSync(passphrase.normalize('NFKC'), bytesOfHex(row.salt), 32, {
      N: 2 ** row.log2N,
      r: row.r,
      p: row.p,
      maxmem: 2 ** 28,
    });
    const sealed = Buffer.from(row.sealed, 'hex');
    const decipher = createDecipheriv('aes-256-gcm', stretched, sealed.subarray(0, 12));
    decipher.setAAD(Buffer.from(`palm/v1/disk/lock/${row.file}`));
    decipher.setAuthTag(sealed.subarray(-16));
    const opened = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
    expect(opened.toString('hex')).toBe(lockKey);
    expect(hexOf(lockedSlots(bytesOfHex(lockKey)).open(bytesOfHex(slot)))).toBe(key);

    (await open()).close();
    const file = await disk.folder('keys').open(row.file);
    file.write(bytesOfHex(vectors.file), { at: 0 });
    file.flush();
    file.close();
    await changeRow({ ...row, v: 1, salt: bytesOfHex(row.salt), sealed: bytesOfHex(row.sealed) });
    await putSecret(vectors.secret.name, { slot: 0, sealed: bytesOfHex(vectors.secret.sealed) });
    const store = await open();
    expect(await store.lock.state()).toBe('locked');
    await store.lock.open(passphrase, false);
    expect(hexOf((await store.secrets.get(vectors.secret.name)) ?? new Uint8Array())).toBe(
      vectors.secret.plain,
    );
  });
});

/** A lock with a passphrase alone. */
function words(passphrase: string): LockChange {
  return { passphrase, keeps: false };
}

function open(): Promise<OpenDeviceStore> {
  return openDeviceStore({ blocks: disk.folder('blocks'), keys: disk.folder('keys') });
}

async function begin(store: OpenDeviceStore): Promise<void> {
  await store.secrets.put('pool-invite', POOL);
  await store.journal.put(STORE);
}

async function expectOpen(store: OpenDeviceStore): Promise<void> {
  expect(await store.secrets.get('pool-invite')).toEqual(POOL);
  const { stores, damagedCount } = await store.journal.load();
  expect(stores.map(({ name }) => name)).toEqual([STORE.name]);
  expect(damagedCount).toBe(0);
}

async function expectLocked(store: OpenDeviceStore): Promise<void> {
  const locked = { code: 'locked' };
  await expect(store.secrets.get('pool-invite')).rejects.toMatchObject(locked);
  await expect(store.secrets.put('pool-invite', POOL)).rejects.toMatchObject(locked);
  await expect(store.journal.load()).rejects.toMatchObject(locked);
  await expect(store.journal.put(unfinishedStoreAt(5))).rejects.toMatchObject(locked);
}

/** Opens the lock with one of these; undefined when there is none. */
async function passphraseOf(
  store: OpenDeviceStore,
  state: LockState,
  candidates: readonly (string | undefined)[],
): Promise<string | undefined> {
  if (state === 'none') {
    expect(candidates).toContain(undefined);
    return undefined;
  }
  for (const candidate of candidates.filter((each) => each !== undefined)) {
    const isRight = await store.lock.open(candidate, false).then(
      () => true,
      () => false,
    );
    if (isRight) return candidate;
  }
  throw new Error('No passphrase opens the device.');
}

async function stepsOf(work: (store: OpenDeviceStore) => Promise<unknown>): Promise<number> {
  disk.end();
  emptyIndexedDb();
  disk = new CrashingDisk();
  const store = await open();
  await begin(store);
  const before = disk.stepCount;
  await work(store);
  return disk.stepCount - before;
}

async function keyFiles(): Promise<string[]> {
  return (await disk.folder('keys').names()).filter((name) => name.startsWith('keys'));
}

/** The secrets that somebody opens who takes the disk now, trying every 32 bytes of its files as a key. */
async function readableSecrets(): Promise<string[]> {
  const database = await openDB('palm-device');
  const rows: unknown[] = [...(await database.getAll('secrets')), ...(await database.getAll('journal'))];
  const names = (await database.getAllKeys('secrets')).flatMap((name) =>
    typeof name === 'string' ? [`secret/${name}`] : [],
  );
  database.close();
  const aads = [...names, `journal/${STORE.storeId}`].map((name) => `palm/v1/disk/${name}`);
  const keys = disk
    .bytes()
    .flatMap((bytes) =>
      Array.from({ length: Math.floor(bytes.length / 32) }, (_, at) => bytes.subarray(32 * at, 32 * at + 32)),
    );
  return rows.flatMap((row) => {
    const sealed = Buffer.from(Object(row).sealed);
    return keys.flatMap((key) => aads.filter((aad) => opens(key, aad, sealed)));
  });
}

function opens(key: Uint8Array, aad: string, sealed: Buffer): boolean {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  decipher.setAAD(Buffer.from(aad));
  decipher.setAuthTag(sealed.subarray(-16));
  decipher.update(sealed.subarray(12, -16));
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

async function changeRow(changes: Record<string, unknown>): Promise<void> {
  const database = await openDB('palm-device');
  await database.put('meta', { ...Object(await database.get('meta', 'lock')), ...changes }, 'lock');
  database.close();
}

async function putSecret(name: string, row: object): Promise<void> {
  const database = await openDB('palm-device');
  await database.put('secrets', row, name);
  database.close();
}
