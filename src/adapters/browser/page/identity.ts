// This browser's device identity: an Ed25519 key pair made by WebCrypto (RFC 8032). The private half is kept
// as bytes among the secrets (`SecretStore`), where it can be erased and locked; in memory it is a key that
// even Palm's own code can only have sign.
//
// Up to version 6 the pair was two CryptoKeys in a database of its own. An engine gives such a key's bytes to
// nobody, and leaves copies of its row behind: it can be neither moved, nor locked, nor surely erased. It
// stays the device's identity until the device leaves its pool.
//
// Invariant: one browser has one identity. Only the tab that has the device asks for it.

import { deleteDB, openDB } from 'idb';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import { concatBytes } from '../../../core/model/bytes.ts';
import { deviceIdOf } from '../../../core/model/ids.ts';
import type { Identity, SecretStore } from '../../../core/ports.ts';
import { storageFailure } from '../../portable/store/storage-failure.ts';
import { openPatiently } from '../store/idb-opening.ts';

const DATABASE_NAME = 'palm-identity';
const SCHEMA_VERSION = 1;
const KEYS = 'keys';
const DEVICE = 'device';
/** The name of the secret: the public key, then the private one as PKCS #8 (RFC 8410). */
const SECRET = 'device-key';
const ALGORITHM = 'Ed25519';
const PUBLIC_KEY_BYTES = 32;
/** For one pair: five failures in a row are no accident. */
const MAX_TRIES = 5;

interface Pair {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly privateKey: CryptoKey;
  readonly isLockable: boolean;
}

/**
 * This browser's identity, made the first time.
 * @throws PalmError 'unsupported' when the browser lacks Ed25519 or the page is not secure, 'storage-failed'
 * when it cannot keep the key, 'corrupt' when what is stored is no longer a key pair, 'locked'.
 */
export async function loadIdentity(secrets: SecretStore, databaseName = DATABASE_NAME): Promise<Identity> {
  const { publicKey, privateKey, isLockable } = await storedPair(secrets, databaseName);
  return {
    deviceId: deviceIdOf(publicKey),
    publicKey,
    isLockable,
    async sign(message) {
      // Copied: the caller's bytes may lie in a buffer that WebCrypto does not accept.
      return new Uint8Array(await crypto.subtle.sign(ALGORITHM, privateKey, new Uint8Array(message)));
    },
  };
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

async function storedPair(secrets: SecretStore, databaseName: string): Promise<Pair> {
  if (!isSecureContext || !('subtle' in crypto)) {
    throw new PalmError({ code: 'unsupported', reason: 'insecure-page' });
  }
  const kept = await secrets.get(SECRET);
  if (kept !== undefined) return pairOfSecret(kept);
  const earlier = await earlierRow(databaseName);
  if (earlier !== undefined) return pairOfRow(earlier.row);
  const secret = await newSecret();
  await secrets.put(SECRET, secret);
  return pairOfSecret(secret);
}

async function pairOfSecret(secret: Uint8Array): Promise<Pair> {
  const [publicKey, pkcs8] = [secret.slice(0, PUBLIC_KEY_BYTES), secret.slice(PUBLIC_KEY_BYTES)];
  try {
    const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']);
    return { publicKey, privateKey, isLockable: true };
  } catch (cause) {
    throw new PalmError({ code: 'corrupt', reason: 'device-key' }, { cause });
  } finally {
    pkcs8.fill(0);
  }
}

async function newSecret(): Promise<Uint8Array<ArrayBuffer>> {
  const pair = await generatePair();
  const [publicKey, pkcs8] = await Promise.all([
    crypto.subtle.exportKey('raw', pair.publicKey),
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
  ]);
  return concatBytes(new Uint8Array(publicKey), new Uint8Array(pkcs8));
}

/** An engine that has Ed25519 may fail to make a pair now and then: one in sixty (WebKitGTK 2.50). */
async function generatePair(): Promise<CryptoKeyPair> {
  for (let tryCount = 1; ; tryCount++) {
    try {
      const pair = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      if ('privateKey' in pair) return pair;
      throw new TypeError('no key pair from Ed25519');
    } catch (cause) {
      const isLacking = cause instanceof Error && cause.name === 'NotSupportedError';
      if (isLacking || tryCount === MAX_TRIES)
        throw new PalmError({ code: 'unsupported', reason: 'no-ed25519' }, { cause });
    }
  }
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

async function pairOfRow(row: unknown): Promise<Pair> {
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
