// The device identity over fake-indexeddb and Node's own WebCrypto: one key for each browser, never silently
// replaced, kept where it can be erased.

import {
  IDBCursor,
  IDBDatabase,
  IDBFactory,
  IDBIndex,
  IDBObjectStore,
  IDBRequest,
  IDBTransaction,
} from 'fake-indexeddb';
import { openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { forgetIdentity, loadIdentity } from '../../../../../src/adapters/browser/page/identity.ts';
import { isPalmError } from '../../../../../src/core/model/errors.ts';
import { deviceIdOf } from '../../../../../src/core/model/ids.ts';
import type { SecretStore } from '../../../../../src/core/ports.ts';
import { createMemoryStore } from '../../../../sim/memory-store.ts';

const classes = { IDBCursor, IDBDatabase, IDBIndex, IDBObjectStore, IDBRequest, IDBTransaction };
Object.assign(globalThis, classes);

let secrets: SecretStore;

beforeEach(() => {
  secrets = createMemoryStore().secrets;
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.stubGlobal('isSecureContext', true);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('the identity', () => {
  it('signs so that its public key verifies, and is named by that key', async () => {
    const identity = await loadIdentity(secrets);
    const { deviceId, publicKey } = identity;
    const message = new TextEncoder().encode('hello');
    const signature = new Uint8Array(await identity.sign(message));
    const key = await crypto.subtle.importKey('raw', new Uint8Array(publicKey), 'Ed25519', true, ['verify']);
    expect(signature).toHaveLength(64);
    expect(await crypto.subtle.verify('Ed25519', key, signature, message)).toBe(true);
    message[0] = 0;
    expect(await crypto.subtle.verify('Ed25519', key, signature, message)).toBe(false);
    expect(deviceId).toBe(deviceIdOf(publicKey));
  });

  it('is the same when it is loaded again', async () => {
    const first = await loadIdentity(secrets);
    const later = await loadIdentity(secrets);
    expect(later.deviceId).toBe(first.deviceId);
    const message = new Uint8Array([1, 2, 3]);
    expect(await first.sign(message)).toEqual(await later.sign(message));
  });

  it('is kept among the secrets and nowhere else, and in memory as a key that only signs', async () => {
    const imported = vi.spyOn(crypto.subtle, 'importKey');
    const { publicKey, isLockable } = await loadIdentity(secrets);
    expect(isLockable).toBe(true);
    const kept = Buffer.from((await secrets.get('device-key')) ?? []);
    expect(kept.subarray(0, 32)).toEqual(Buffer.from(publicKey));
    // PKCS #8 of an Ed25519 key (RFC 8410, section 7).
    expect(kept.subarray(32, 48).toString('hex')).toBe('302e020100300506032b657004220420');
    expect(kept).toHaveLength(32 + 48);
    expect(await indexedDB.databases()).toEqual([]);
    expect(imported.mock.calls.map(([format, , , isExtractable]) => [format, isExtractable])).toEqual([
      ['pkcs8', false],
    ]);
  });

  it('of an earlier version stays, and is known to be out of reach of a lock', async () => {
    const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
    await storeRow(pair);
    const earlier = await loadIdentity(secrets);
    expect(earlier.isLockable).toBe(false);
    expect(await earlier.sign(new Uint8Array(1))).toHaveLength(64);
    expect((await loadIdentity(secrets)).deviceId).toBe(earlier.deviceId);
    expect(await secrets.get('device-key')).toBeUndefined();
    await forgetIdentity();
    expect(await loadIdentity(secrets)).toMatchObject({ isLockable: true });
  });

  it('is a new one after it was deleted', async () => {
    const before = await loadIdentity(secrets);
    await secrets.clear();
    expect((await loadIdentity(secrets)).deviceId).not.toBe(before.deviceId);
  });

  it('is reported when it is damaged, and not replaced', async () => {
    await secrets.put('device-key', new Uint8Array(80));
    await expect(loadIdentity(secrets)).rejects.toSatisfy((error) => isPalmError(error, 'corrupt'));
    await secrets.clear();
    for (const damaged of [null, 1, {}, { privateKey: 1, publicKey: 2 }, await extractablePair()]) {
      await storeRow(damaged);
      await expect(loadIdentity(secrets)).rejects.toSatisfy((error) => isPalmError(error, 'corrupt'));
    }
    await forgetIdentity();
    await loadIdentity(secrets);
  });
});

describe('a browser', () => {
  it('that fails to make a key now and then is asked again', async () => {
    const failure = new DOMException('The operation failed.', 'OperationError');
    const generate = vi.spyOn(crypto.subtle, 'generateKey');
    for (let time = 0; time < 4; time++) generate.mockRejectedValueOnce(failure);
    const { deviceId } = await loadIdentity(secrets);
    expect(generate).toHaveBeenCalledTimes(5);
    generate.mockRejectedValue(failure);
    expect((await loadIdentity(secrets)).deviceId).toBe(deviceId);
    await secrets.clear();
    await expect(loadIdentity(secrets)).rejects.toMatchObject({
      failure: { code: 'unsupported', reason: 'no-ed25519' },
    });
  });

  it('that fails to open its database once is asked again', async () => {
    const open = vi.spyOn(indexedDB, 'open').mockImplementationOnce(() => {
      throw new DOMException('Connection lost.', 'UnknownError');
    });
    await loadIdentity(secrets);
    expect(open.mock.calls.length).toBeGreaterThan(1);
  });

  it('that cannot make Ed25519 keys is reported', async () => {
    const refusal = new DOMException('Unrecognized name.', 'NotSupportedError');
    vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(refusal);
    await expect(loadIdentity(secrets)).rejects.toSatisfy((error) => isPalmError(error, 'unsupported'));
  });

  it('whose page is not secure is reported', async () => {
    vi.stubGlobal('isSecureContext', false);
    await expect(loadIdentity(secrets)).rejects.toSatisfy((error) => isPalmError(error, 'unsupported'));
  });

  it('that cannot keep anything is reported', async () => {
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw new DOMException('Not allowed.', 'SecurityError');
      },
    });
    await expect(loadIdentity(secrets)).rejects.toSatisfy((error) => isPalmError(error, 'storage-failed'));
  });
});

async function extractablePair(): Promise<unknown> {
  return crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
}

async function storeRow(row: unknown): Promise<void> {
  const database = await openDB('palm-identity', 1, {
    upgrade: (created) => void created.createObjectStore('keys'),
  });
  await database.put('keys', row, 'device');
  database.close();
}
