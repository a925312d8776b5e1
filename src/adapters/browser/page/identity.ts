// This browser's device identity (portable/device-key.ts).
//
// Up to version 6 the pair was two CryptoKeys in a database of its own. An engine gives such a key's bytes to
// nobody, and leaves copies of its row behind: it can be neither moved, nor locked, nor surely erased. It
// stays the device's identity until the device leaves its pool.
//
// Invariant: one browser has one identity. Only the tab that has the device asks for it.

import { deleteDB, openDB } from 'idb';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import type { Identity, SecretStore } from '../../../core/ports.ts';
import { type DeviceKey, identityOf, keyAmong, newKeyAmong } from '../../portable/device-key.ts';
import { storageFailure } from '../../portable/store/storage-failure.ts';
import { openPatiently } from '../store/idb-opening.ts';

const DATABASE_NAME = 'palm-identity';
const SCHEMA_VERSION = 1;
const KEYS = 'keys';
const DEVICE = 'device';
const ALGORITHM = 'Ed25519';

/**
 * This browser's identity, made the first time.
 * @throws PalmError 'unsupported' when the browser lacks Ed25519 or the page is not secure, 'storage-failed'
 * when it cannot keep the key, 'corrupt' when what is stored is no longer a key pair, 'locked'.
 */
export async function loadIdentity(secrets: SecretStore, databaseName = DATABASE_NAME): Promise<Identity> {
  return identityOf(await storedPair(secrets, databaseName));
}

/**
 * Deletes an identity of an earlier version. One among the secrets goes with these. The next one will be
 * another device to every pool.
 * @throws PalmError 'storage-failed'.
 */
export async function forgetIdentity(databaseName = DATABASE_NAME): Promise<void> {
  try {
    await deleteDB(databaseName);
  } catch (error) {
    throw storageFailure(error);
  }
}

async function storedPair(secrets: SecretStore, databaseName: string): Promise<DeviceKey> {
  if (!isSecureContext || !('subtle' in crypto)) {
    throw new PalmError({ code: 'unsupported', reason: 'insecure-page' });
  }
  const kept = await keyAmong(secrets);
  if (kept !== undefined) return kept;
  const earlier = await earlierRow(databaseName);
  if (earlier !== undefined) return pairOfRow(earlier.row);
  return newKeyAmong(secrets);
}

/** What an earlier version stored; undefined without its database, which is not made. */
async function earlierRow(databaseName: string): Promise<{ readonly row: unknown } | undefined> {
  let isMissing = false;
  try {
    const database = await openPatiently(() => {
      isMissing = false;
      return openDB(databaseName, SCHEMA_VERSION, {
        upgrade: (_database, _oldVersion, _newVersion, transaction) => {
          isMissing = true;
          transaction.done.catch(() => undefined); // the opening fails with it
          transaction.abort();
        },
      });
    });
    try {
      const row: unknown = await database.get(KEYS, DEVICE);
      return row === undefined ? undefined : { row };
    } finally {
      database.close();
    }
  } catch (error) {
    if (isMissing) return undefined;
    throw isPalmError(error) ? error : storageFailure(error);
  }
}

async function pairOfRow(row: unknown): Promise<DeviceKey> {
  const pair = cryptoKeysOf(row);
  if (pair === undefined) throw new PalmError({ code: 'corrupt', reason: 'device-key' });
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { publicKey, privateKey: pair.privateKey, isLockable: false };
}

/** A row as the key pair that was written, or undefined. */
function cryptoKeysOf(row: unknown): CryptoKeyPair | undefined {
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
