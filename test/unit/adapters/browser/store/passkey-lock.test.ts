// A lock with a passkey, on the disk: it opens by each of its ways and by nothing else, and whenever the
// machine stops while its ways change, one of those that it had or has opens it, with everything there.

import { createDecipheriv, hkdfSync } from 'node:crypto';
import { openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDeviceStore } from '../../../../../src/adapters/browser/store/idb-device-store.ts';
import type { OpenDeviceStore } from '../../../../../src/adapters/portable/store/device-store.ts';
import { bytesOfHex, hexOf } from '../../../../../src/core/model/bytes.ts';
import type { LockChange, LockOpener, OpenPasskey } from '../../../../../src/core/lock-port.ts';
import { CrashingDisk } from '../../../../fixtures/crashing-disk.ts';
import { emptyIndexedDb } from '../../../../fixtures/fake-indexeddb.ts';
import vectors from '../../../../vectors/passkey-lock.json' with { type: 'json' };

// What a guess costs is no part of these tests.
vi.mock(import('@noble/hashes/scrypt.js'), async (original) => {
  const real = await original();
  return {
    ...real,
    scrypt: (...[passphrase, salt, options]) => real.scrypt(passphrase, salt, { ...options, N: 16 }),
  };
});

const WORDS = 'eleven quiet otters';
const OTHER_WORDS = 'a door of brass';
const POOL = new Uint8Array(40).fill(3);
const KEY = passkeyOf(1);
const OTHER_KEY = passkeyOf(2);
const WRONG = { code: 'passkey-failed', failure: { reason: 'wrong' } };

let disk: CrashingDisk;

beforeEach(() => {
  emptyIndexedDb();
  disk = new CrashingDisk();
});

afterEach(() => {
  disk.end();
});

describe('a lock with a passkey', () => {
  it('opens with the secret of its passkey alone', async () => {
    const store = await begun();
    await store.lock.close({ passkey: KEY, keeps: false });
    store.close();
    const later = await open();
    const { passkey, passphrase } = await later.lock.ways();
    expect(passphrase).toBe(false);
    // A later page asks the authenticator with these; the secret is nowhere.
    expect(passkey).toEqual({ credentialId: KEY.credentialId, salt: KEY.salt });
    await expect(later.lock.open(OTHER_KEY.secret, false)).rejects.toMatchObject(WRONG);
    await expect(later.lock.open(new Uint8Array(31), false)).rejects.toMatchObject({ code: 'bad-message' });
    await expect(later.lock.open(WORDS, true)).rejects.toMatchObject({
      failure: { reason: 'passkey-only' },
    });
    expect(await later.lock.state()).toBe('locked');
    await expect(later.secrets.get('pool-invite')).rejects.toMatchObject({ code: 'locked' });
    await later.lock.open(KEY.secret, false);
    expect(await later.secrets.get('pool-invite')).toEqual(POOL);
  });

  it('opens with either of its two ways, and keeps a way that another joins', async () => {
    const store = await begun();
    await store.lock.close({ passphrase: WORDS, keeps: false });
    await expect(store.lock.open(KEY.secret, false)).rejects.toMatchObject({
      failure: { reason: 'no-passkey' },
    });
    await store.lock.open(WORDS, false);
    await store.lock.close({ passkey: KEY, keeps: true });
    store.close();
    for (const opener of [KEY.secret, WORDS]) {
      const later = await open();
      await later.lock.open(opener, false);
      expect(await later.secrets.get('pool-invite')).toEqual(POOL);
      later.close();
    }
  });

  it('is not changed for a passkey that does not open it', async () => {
    const store = await begun();
    await store.lock.close({ passphrase: WORDS, passkey: KEY, keeps: false });
    await store.lock.open(WORDS, false);
    const stranger = { ...KEY, secret: OTHER_KEY.secret };
    await expect(
      store.lock.close({ passphrase: OTHER_WORDS, passkey: stranger, keeps: false }),
    ).rejects.toMatchObject(WRONG);
    store.close();
    expect(await openersOf([WORDS, OTHER_WORDS, KEY.secret, OTHER_KEY.secret])).toEqual([WORDS, KEY.secret]);
  });

  it('forgets ways that it no longer has, with the keys that they opened', async () => {
    const store = await begun();
    await store.lock.close({ passphrase: WORDS, passkey: KEY, keeps: false });
    await store.lock.open(WORDS, false);
    const old = await rowNow();
    await store.lock.close({ passphrase: OTHER_WORDS, keeps: false });
    store.close();
    expect(await openersOf([WORDS, OTHER_WORDS, KEY.secret])).toEqual([OTHER_WORDS]);
    // The engine's log may still have the old row; the slots that it opens are erased.
    await putRow(old);
    const robbed = await open();
    await robbed.lock.open(KEY.secret, false);
    await expect(robbed.secrets.get('pool-invite')).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('is damaged when its row is, and then nothing is erased', async () => {
    const store = await begun();
    await store.lock.close({ passkey: KEY, keeps: false });
    store.close();
    const row = Object(await rowNow());
    for (const bad of [
      { ...row, v: 3 },
      { ...row, passkey: { ...row.passkey, salt: new Uint8Array(31) } },
      { ...row, passkey: { ...row.passkey, credentialId: new Uint8Array(1024) } },
      { ...row, passkey: undefined },
    ]) {
      await putRow(bad);
      const later = await open();
      await expect(later.lock.open(KEY.secret, false)).rejects.toMatchObject({ code: 'corrupt' });
      await expect(later.lock.ways()).rejects.toMatchObject({ code: 'corrupt' });
      later.close();
    }
    await putRow(row);
    expect(await openersOf([KEY.secret])).toEqual([KEY.secret]);
  });
});

const CHANGES: readonly {
  readonly name: string;
  readonly from: LockChange;
  readonly change: LockChange;
  readonly before: readonly LockOpener[];
  readonly after: readonly LockOpener[];
}[] = [
  {
    name: 'a passkey that joins a passphrase',
    from: { passphrase: WORDS, keeps: false },
    change: { passkey: KEY, keeps: true },
    before: [WORDS],
    after: [WORDS, KEY.secret],
  },
  {
    name: 'a passphrase that joins a passkey',
    from: { passkey: KEY, keeps: false },
    change: { passphrase: WORDS, keeps: true },
    before: [KEY.secret],
    after: [WORDS, KEY.secret],
  },
  {
    name: 'a passphrase that changes beside a passkey',
    from: { passphrase: WORDS, passkey: KEY, keeps: false },
    change: { passphrase: OTHER_WORDS, passkey: KEY, keeps: false },
    before: [WORDS, KEY.secret],
    after: [OTHER_WORDS, KEY.secret],
  },
  {
    name: 'a passkey that takes a passphrase’s place',
    from: { passphrase: WORDS, keeps: false },
    change: { passkey: KEY, keeps: false },
    before: [WORDS],
    after: [KEY.secret],
  },
  {
    name: 'a passphrase that takes the place of both',
    from: { passphrase: WORDS, passkey: KEY, keeps: false },
    change: { passphrase: OTHER_WORDS, keeps: false },
    before: [WORDS, KEY.secret],
    after: [OTHER_WORDS],
  },
  {
    name: 'a passkey that takes another’s place',
    from: { passkey: KEY, keeps: false },
    change: { passkey: OTHER_KEY, keeps: false },
    before: [KEY.secret],
    after: [OTHER_KEY.secret],
  },
];

describe.each(CHANGES)('$name', ({ from, change, before, after }) => {
  it.each(['lost', 'kept'] as const)(
    'leaves the ways of before or those of after, whenever the machine stops (unflushed writes: %s)',
    async (unflushed) => {
      const all = [WORDS, OTHER_WORDS, KEY.secret, OTHER_KEY.secret];
      let isDone = false;
      let stepCount = 0;
      for (; !isDone; stepCount++) {
        disk.end();
        emptyIndexedDb();
        disk = new CrashingDisk();
        const store = await begun();
        await store.lock.close(from);
        await store.lock.open(before[0] ?? '', false);
        disk.stopAfter(stepCount);
        isDone = await store.lock.close(change).then(
          () => true,
          () => false,
        );
        disk.restart(unflushed);
        const openers = await openersOf(all);
        const isAfter = JSON.stringify(openers) === JSON.stringify(after);
        if (isDone || isAfter) expect(openers).toEqual(after);
        else expect(openers).toEqual(before);
      }
      expect(stepCount).toBeGreaterThan(0);
    },
  );
});

it('opens the golden vector, made by another implementation of the format', async () => {
  const { row, lockKey, secret } = vectors;
  const salt = bytesOfHex(row.passkey.salt);
  const key = hkdfSync('sha256', bytesOfHex(secret), salt, 'palm/v1/disk/lock/passkey', 32);
  const sealed = Buffer.from(row.passkey.sealed, 'hex');
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key), sealed.subarray(0, 12));
  decipher.setAAD(Buffer.from(`palm/v1/disk/lock/passkey/${row.file}`));
  decipher.setAuthTag(sealed.subarray(-16));
  const opened = Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
  expect(opened.toString('hex')).toBe(lockKey);

  (await open()).close();
  const credentialId = bytesOfHex(row.passkey.credentialId);
  await putRow({ ...row, v: 2, passkey: { credentialId, salt, sealed: new Uint8Array(sealed) } });
  const store = await open();
  await store.lock.open(bytesOfHex(secret), false);
  expect(hexOf(store.heldLock()?.key ?? new Uint8Array())).toBe(lockKey);
});

function passkeyOf(seed: number): OpenPasskey {
  return {
    credentialId: new Uint8Array(16).fill(seed),
    salt: new Uint8Array(32).fill(seed + 10),
    secret: new Uint8Array(32).fill(seed + 20),
  };
}

function open(): Promise<OpenDeviceStore> {
  return openDeviceStore({ blocks: disk.folder('blocks'), keys: disk.folder('keys') });
}

async function begun(): Promise<OpenDeviceStore> {
  const store = await open();
  await store.secrets.put('pool-invite', POOL);
  return store;
}

/** Those of `candidates` that open the device as it lies on the disk, with everything in it. */
async function openersOf(candidates: readonly LockOpener[]): Promise<LockOpener[]> {
  const openers: LockOpener[] = [];
  for (const candidate of candidates) {
    const store = await open();
    const isOpen = await store.lock.open(candidate, false).then(
      () => true,
      () => false,
    );
    if (isOpen) {
      expect(await store.secrets.get('pool-invite')).toEqual(POOL);
      openers.push(candidate);
    }
    store.close();
  }
  return openers;
}

async function rowNow(): Promise<unknown> {
  const database = await openDB('palm-device');
  const row: unknown = await database.get('meta', 'lock');
  database.close();
  return row;
}

async function putRow(row: unknown): Promise<void> {
  const database = await openDB('palm-device');
  await database.put('meta', row, 'lock');
  database.close();
}
