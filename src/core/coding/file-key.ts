// Derives a file's data key from its two halves (FORMATS.md, keys). The pool or the link's owner knows Kc; Kq
// is shared k-of-n among the fragments (H. Krawczyk, "Secret sharing made short", CRYPTO '93). Neither half
// alone opens a byte.

import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8 } from '../model/bytes.ts';

/** Bytes of Kc, Kq, the salt and the data key. */
export const FILE_KEY_BYTES = 32;

/** DEK = HKDF-SHA256(Kc || Kq, salt, "palm/v1/file"). All of 32 bytes. */
export function deriveFileKey(linkKey: Uint8Array, sharedKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return hkdf(sha256, concatBytes(linkKey, sharedKey), salt, utf8('palm/v1/file'), FILE_KEY_BYTES);
}

/** The key that seals a private file's name, from Kc alone. Used for one message only. */
export function derivePrivateDetailsKey(linkKey: Uint8Array, salt: Uint8Array): Uint8Array {
  return hkdf(sha256, linkKey, salt, utf8('palm/v1/private-details'), FILE_KEY_BYTES);
}

/**
 * HMAC(content-tag key, SHA-256 over the segments' SHA-256s). Within a pool, equal files of equal geometry
 * get equal tags.
 */
export function contentTagOf(contentTagKey: Uint8Array, segmentHashes: readonly Uint8Array[]): Uint8Array {
  const hash = sha256.create();
  for (const segmentHash of segmentHashes) hash.update(segmentHash);
  return hmac(sha256, contentTagKey, hash.digest());
}
