// The device identity over fake-indexeddb and Node's own WebCrypto: one key per database, never readable,
// never silently replaced.

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

const classes = { IDBCursor, IDBDatabase, IDBIndex, IDBObjectStore, IDBRequest, IDBTransaction };
Object.assign(globalThis, classes);

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
  vi.stubGlobal('isSecureContext', true);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('the identity', () => {
  it('signs so that its public key verifies, and is named by that key', async () => {
    const identity = await loadIdentity();
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

  it('is the same when it is loaded again, and for tabs that load it at the same time', async () => {
    const together = await Promise.all([loadIdentity(), loadIdentity(), loadIdentity()]);
    const later = await loadIdentity();
    const ids = new Set([...together, later].map((identity) => identity.deviceId));
    expect(ids.size).toBe(1);
    const message = new Uint8Array([1, 2, 3]);
    expect(await together[2]?.sign(message)).toEqual(await later.sign(message));
  });

  it('has a private key that cannot be exported', async () => {
    await loadIdentity();
    const row: unknown = await storedRow();
    const privateKey = typeof row === 'object' && row !== null ? Reflect.get(row, 'privateKey') : undefined;
    if (!(privateKey instanceof CryptoKey)) throw new Error('There is no private key.');
    expect(privateKey.extractable).toBe(false);
    await expect(crypto.subtle.exportKey('pkcs8', privateKey)).rejects.toThrow();
    await expect(crypto.subtle.exportKey('jwk', privateKey)).rejects.toThrow();
  });

  it('is a new one after it was deleted', async () => {
    const before = await loadIdentity();
    await forgetIdentity();
    expect((await loadIdentity()).deviceId).not.toBe(before.deviceId);
  });

  it('is reported when it is damaged, and not replaced', async () => {
    await loadIdentity();
    for (const damaged of [null, 1, {}, { privateKey: 1, publicKey: 2 }, await extractablePair()]) {
      await storeRow(damaged);
      await expect(loadIdentity()).rejects.toSatisfy((error) => isPalmError(error, 'corrupt'));
    }
    await forgetIdentity();
    await loadIdentity();
  });
});

describe('a browser', () => {
  it('that fails to make a key now and then is asked again', async () => {
    const failure = new DOMException('The operation failed.', 'OperationError');
    const generate = vi.spyOn(crypto.subtle, 'generateKey');
    for (let time = 0; time < 4; time++) generate.mockRejectedValueOnce(failure);
    const { deviceId } = await loadIdentity();
    expect(generate).toHaveBeenCalledTimes(5);
    generate.mockRejectedValue(failure);
    expect((await loadIdentity()).deviceId).toBe(deviceId);
    await forgetIdentity();
    await expect(loadIdentity()).rejects.toMatchObject({
      failure: { code: 'unsupported', reason: 'no-ed25519' },
    });
  });

  it('that fails to open its database once is asked again', async () => {
    const open = vi.spyOn(indexedDB, 'open').mockImplementationOnce(() => {
      throw new DOMException('Connection lost.', 'UnknownError');
    });
    await loadIdentity();
    expect(open.mock.calls.length).toBeGreaterThan(1);
  });

  it('that cannot make Ed25519 keys is reported', async () => {
    const refusal = new DOMException('Unrecognized name.', 'NotSupportedError');
    vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(refusal);
    await expect(loadIdentity()).rejects.toSatisfy((error) => isPalmError(error, 'unsupported'));
  });

  it('whose page is not secure is reported', async () => {
    vi.stubGlobal('isSecureContext', false);
    await expect(loadIdentity()).rejects.toSatisfy((error) => isPalmError(error, 'unsupported'));
  });

  it('that cannot keep anything is reported', async () => {
    vi.stubGlobal('indexedDB', {
      open: () => {
        throw new DOMException('Not allowed.', 'SecurityError');
      },
    });
    await expect(loadIdentity()).rejects.toSatisfy((error) => isPalmError(error, 'storage-failed'));
  });
});

async function extractablePair(): Promise<unknown> {
  return crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
}

async function storedRow(): Promise<unknown> {
  const database = await openDB('palm-identity', 1);
  const row: unknown = await database.get('keys', 'device');
  database.close();
  return row;
}

async function storeRow(row: unknown): Promise<void> {
  const database = await openDB('palm-identity', 1);
  await database.put('keys', row, 'device');
  database.close();
}
