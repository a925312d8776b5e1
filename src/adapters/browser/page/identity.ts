// This browser's device identity: an Ed25519 key pair made by WebCrypto (RFC 8032). The private half is
// non-extractable: even Palm's own code can only have it sign. The pair has an IndexedDB database of its own,
// so that leaving a pool, which wipes the store, keeps the device.
//
// Invariant: one database has one identity, however many tabs ask for it first at the same time: each makes a
// pair, and the first transaction decides.

import { deleteDB, type IDBPDatabase, openDB } from 'idb';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import { deviceIdOf } from '../../../core/model/ids.ts';
import type { Identity } from '../../../core/ports.ts';
import { storageFailure } from '../store/idb-database.ts';
import { openPatiently } from '../store/idb-opening.ts';

const DATABASE_NAME = 'palm-identity';
const SCHEMA_VERSION = 1;
const KEYS = 'keys';
const DEVICE = 'device';
const ALGORITHM = 'Ed25519';
/** For one pair: five failures in a row are no accident. */
const MAX_TRIES = 5;

/**
 * This browser's identity, made the first time.
 * @throws PalmError 'unsupported' when the browser lacks Ed25519 or the page is not secure, 'storage-failed'
 * when it cannot keep the key, 'corrupt' when the stored row is no longer a key pair.
 */
export async function loadIdentity(databaseName = DATABASE_NAME): Promise<Identity> {
  const pair = await storedPair(databaseName);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return {
    deviceId: deviceIdOf(publicKey),
    publicKey,
    async sign(message) {
      // Copied: the caller's bytes may lie in a buffer that WebCrypto does not accept.
      return new Uint8Array(await crypto.subtle.sign(ALGORITHM, pair.privateKey, new Uint8Array(message)));
    },
  };
}

/**
 * Deletes the identity. The next one will be another device to every pool.
 * @throws PalmError 'storage-failed'.
 */
export async function forgetIdentity(databaseName = DATABASE_NAME): Promise<void> {
  try {
    await deleteDB(databaseName);
  } catch (error) {
    throw storageFailure(error);
  }
}

async function storedPair(databaseName: string): Promise<CryptoKeyPair> {
  if (!isSecureContext || !('subtle' in crypto)) {
    throw new PalmError({ code: 'unsupported', reason: 'insecure-page' });
  }
  // One that is there must not wait for an engine that fails to make another.
  const row = (await storedRow(databaseName)) ?? (await firstPair(databaseName, await generatePair()));
  const pair = pairOf(row);
  if (pair === undefined) {
    throw new PalmError({ code: 'corrupt', reason: 'device-key' });
  }
  return pair;
}

function storedRow(databaseName: string): Promise<unknown> {
  return inDatabase(databaseName, (database) => database.get(KEYS, DEVICE));
}

/**
 * What is stored, or `fresh`, stored now. It was made before, because the transaction would not outlive the
 * wait for it, and is discarded if there is one already.
 */
function firstPair(databaseName: string, fresh: CryptoKeyPair): Promise<unknown> {
  return inDatabase(databaseName, async (database) => {
    const transaction = database.transaction(KEYS, 'readwrite', { durability: 'strict' });
    const stored: unknown = await transaction.store.get(DEVICE);
    if (stored === undefined) await transaction.store.put(fresh, DEVICE);
    await transaction.done;
    return stored === undefined ? fresh : stored;
  });
}

async function inDatabase(
  databaseName: string,
  work: (database: IDBPDatabase) => Promise<unknown>,
): Promise<unknown> {
  try {
    const database = await openPatiently(() =>
      openDB(databaseName, SCHEMA_VERSION, { upgrade: (created) => void created.createObjectStore(KEYS) }),
    );
    try {
      return await work(database);
    } finally {
      database.close();
    }
  } catch (error) {
    throw isPalmError(error) ? error : storageFailure(error);
  }
}

/** An engine that has Ed25519 may fail to make a pair now and then: one in sixty (WebKitGTK 2.50). */
async function generatePair(): Promise<CryptoKeyPair> {
  for (let tryCount = 1; ; tryCount++) {
    try {
      const pair = await crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify']);
      if ('privateKey' in pair) return pair;
      throw new TypeError('no key pair from Ed25519');
    } catch (cause) {
      const isLacking = cause instanceof Error && cause.name === 'NotSupportedError';
      if (isLacking || tryCount === MAX_TRIES)
        throw new PalmError({ code: 'unsupported', reason: 'no-ed25519' }, { cause });
    }
  }
}

/** A row as the key pair that was written, or undefined. */
function pairOf(row: unknown): CryptoKeyPair | undefined {
  if (typeof row !== 'object' || row === null || !('privateKey' in row) || !('publicKey' in row)) {
    return undefined;
  }
  const { privateKey, publicKey } = row;
  const fits =
    privateKey instanceof CryptoKey &&
    publicKey instanceof CryptoKey &&
    privateKey.type === 'private' &&
    publicKey.type === 'public' &&
    privateKey.algorithm.name === ALGORITHM &&
    publicKey.algorithm.name === ALGORITHM &&
    !privateKey.extractable &&
    privateKey.usages.includes('sign');
  return fits ? { privateKey, publicKey } : undefined;
}
