// The row `lock` of `meta`: which file of slots counts, and the lock key, sealed once for each way into the
// lock (FORMATS.md, "The lock"). A lock with a passphrase alone is written as it always was.

import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8 } from '../../../core/model/bytes.ts';
import { bad, bytesOf, fieldsOf, textOf, uintOf } from '../../../core/encoding/decode.ts';
import type { OpenPasskey, StoredPasskey } from '../../../core/lock-port.ts';
import {
  MAX_CREDENTIAL_ID_BYTES,
  PASSKEY_SALT_BYTES,
  PASSKEY_SECRET_BYTES,
} from '../../../core/model/limits.ts';
import { systemRandom } from '../random.ts';
import { webCryptography } from '../webcrypto.ts';
import { ownBytes } from './rows.ts';
import {
  keyOfPassphrase,
  MAX_STRETCH_BYTES,
  memoryOf,
  NEW_STRETCH,
  SALT_BYTES,
  type Stretch,
} from './passphrase.ts';
import { SEAL_BYTES } from './sealed-rows.ts';
import { KEY_BYTES } from './slot-forms.ts';

const NONCE_BYTES = 12;
const SEALED_BYTES = KEY_BYTES + SEAL_BYTES;
export const LOCKED_FILE = /^keys-[1-9]\d{0,8}$/;

export interface PassphraseWay {
  readonly salt: Uint8Array;
  readonly stretch: Stretch;
  /** The lock key, sealed under the passphrase's key. */
  readonly sealed: Uint8Array;
}

export interface PasskeyWay extends StoredPasskey {
  /** The lock key, sealed under a key from the passkey's secret. */
  readonly sealed: Uint8Array;
}

/** It has one way at least. */
export interface LockRow {
  /** The file of slots that counts. */
  readonly file: string;
  readonly passphrase?: PassphraseWay | undefined;
  readonly passkey?: PasskeyWay | undefined;
}

export async function passphraseWay(
  passphrase: string,
  file: string,
  lockKey: Uint8Array,
): Promise<PassphraseWay> {
  const salt = systemRandom.bytes(SALT_BYTES);
  const key = keyOfPassphrase(passphrase, salt, NEW_STRETCH);
  return { salt, stretch: NEW_STRETCH, sealed: await seal(key, aadOf('', file), lockKey) };
}

/** The lock key; undefined for another passphrase. */
export function openedByPassphrase(
  { salt, stretch, sealed }: PassphraseWay,
  file: string,
  passphrase: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return open(keyOfPassphrase(passphrase, salt, stretch), aadOf('', file), sealed);
}

export async function passkeyWay(
  { credentialId, salt, secret }: OpenPasskey,
  file: string,
  lockKey: Uint8Array,
): Promise<PasskeyWay> {
  const sealed = await seal(keyOfSecret(secret, salt), aadOf('passkey/', file), lockKey);
  return { credentialId, salt, sealed };
}

/** The lock key; undefined for the secret of another passkey. */
export function openedByPasskey(
  { salt, sealed }: PasskeyWay,
  file: string,
  secret: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return open(keyOfSecret(secret, salt), aadOf('passkey/', file), sealed);
}

/** What is written; `lockRow` reads it. */
export function writtenRow({ file, passphrase, passkey }: LockRow): Record<string, unknown> {
  const words = passphrase && { salt: passphrase.salt, sealed: passphrase.sealed, ...passphrase.stretch };
  if (passkey === undefined) return { v: 1, file, ...words };
  const { credentialId, salt, sealed } = passkey;
  return { v: 2, file, passphrase: words ?? null, passkey: { credentialId, salt, sealed } };
}

/** @throws PalmError 'bad-message'. */
export function lockRow(row: unknown): LockRow {
  const version = typeof row === 'object' && row !== null && 'v' in row ? row.v : undefined;
  if (version === 1) {
    const fields = fieldsOf(row, ['v', 'file', 'salt', 'sealed', 'log2N', 'r', 'p']);
    const { v: _version, file, ...words } = fields;
    return { file: fileOf(file), passphrase: wordsOf(words) };
  }
  if (version !== 2) throw bad('a lock of an unknown version');
  const { file, passphrase, passkey } = fieldsOf(row, ['v', 'file', 'passphrase', 'passkey']);
  const { credentialId, salt, sealed } = fieldsOf(passkey, ['credentialId', 'salt', 'sealed']);
  return {
    file: fileOf(file),
    passphrase: passphrase === null ? undefined : wordsOf(passphrase),
    passkey: {
      credentialId: ownBytes(bytesOf(credentialId, 1, MAX_CREDENTIAL_ID_BYTES)),
      salt: ownBytes(bytesOf(salt, PASSKEY_SALT_BYTES, PASSKEY_SALT_BYTES)),
      sealed: bytesOf(sealed, SEALED_BYTES, SEALED_BYTES),
    },
  };
}

function fileOf(value: unknown): string {
  const file = textOf(value, 16);
  if (!LOCKED_FILE.test(file)) throw bad('a lock over no file of slots');
  return file;
}

function wordsOf(value: unknown): PassphraseWay {
  const fields = fieldsOf(value, ['salt', 'sealed', 'log2N', 'r', 'p']);
  const stretch = {
    log2N: uintOf(fields['log2N'], 24),
    r: uintOf(fields['r'], 64),
    p: uintOf(fields['p'], 64),
  };
  if (stretch.log2N < 1 || stretch.r < 1 || stretch.p < 1 || memoryOf(stretch) > MAX_STRETCH_BYTES)
    throw bad('a lock that no device of this kind could open');
  return {
    stretch,
    salt: bytesOf(fields['salt'], SALT_BYTES, SALT_BYTES),
    sealed: bytesOf(fields['sealed'], SEALED_BYTES, SEALED_BYTES),
  };
}

/** The secret has 256 bits from an authenticator: nobody guesses it, so nothing is stretched. */
function keyOfSecret(secret: Uint8Array, salt: Uint8Array): Uint8Array {
  if (secret.length !== PASSKEY_SECRET_BYTES) throw bad('a secret of no passkey');
  return hkdf(sha256, secret, salt, utf8('palm/v1/disk/lock/passkey'), KEY_BYTES);
}

async function seal(key: Uint8Array, aad: Uint8Array, lockKey: Uint8Array): Promise<Uint8Array> {
  const nonce = systemRandom.bytes(NONCE_BYTES);
  return concatBytes(nonce, await webCryptography.seal(key, nonce, aad, lockKey));
}

async function open(
  key: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const lockKey = await webCryptography.open(key, nonce, aad, sealed.subarray(NONCE_BYTES));
  return lockKey?.length === KEY_BYTES ? lockKey : undefined;
}

function aadOf(way: '' | 'passkey/', file: string): Uint8Array<ArrayBuffer> {
  return utf8(`palm/v1/disk/lock/${way}${file}`);
}
