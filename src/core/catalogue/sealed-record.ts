// Records of the catalogue that are sealed for the pool: a nonce, then the record under the catalogue key
// (FORMATS.md, manifest and file name).

import { concatBytes } from '../model/bytes.ts';
import { MAX_RECORD_BYTES } from '../model/limits.ts';
import type { Cryptography } from '../ports.ts';
import { bad } from '../encoding/decode.ts';

export const NONCE_BYTES = 12;

/** @param nonce 12 random bytes, never used before with `key`. */
export async function sealRecord(
  plain: Uint8Array,
  key: Uint8Array,
  aad: Uint8Array,
  nonce: Uint8Array,
  cryptography: Cryptography,
): Promise<Uint8Array<ArrayBuffer>> {
  return concatBytes(nonce, await cryptography.seal(key, nonce, aad, plain));
}

/**
 * What `sealRecord` sealed with one of `keys`. `what` names it in errors.
 * @throws PalmError 'bad-message' when it was not sealed with any of them and `aad`.
 */
export async function openRecord(
  what: 'a manifest' | 'a file name' | 'an invite',
  sealed: Uint8Array,
  keys: readonly Uint8Array[],
  aad: Uint8Array,
  cryptography: Cryptography,
): Promise<Uint8Array<ArrayBuffer>> {
  if (sealed.length <= NONCE_BYTES || sealed.length > MAX_RECORD_BYTES)
    throw bad(`${what} of impossible length`);
  const [nonce, body] = [sealed.subarray(0, NONCE_BYTES), sealed.subarray(NONCE_BYTES)];
  for (const key of keys) {
    const plain = await cryptography.open(key, nonce, aad, body);
    if (plain !== undefined) return plain;
  }
  throw bad(`${what} that this pool did not seal`);
}
