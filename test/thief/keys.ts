// Palm's keys, ids and seals over Node's crypto (FORMATS.md, "Keys of a pool", "Keys of a file", "Ids").

import { createDecipheriv, createHash, hkdfSync } from 'node:crypto';

const TAG_BYTES = 16;
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

export interface PoolKeys {
  readonly poolId: string;
  readonly catalogueKey: Buffer;
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

export function hkdf(ikm: Uint8Array, salt: Uint8Array | undefined, info: string, byteCount: number): Buffer {
  return Buffer.from(hkdfSync('sha256', ikm, salt ?? Buffer.alloc(32), info, byteCount));
}

export function poolKeysOf(secret: Uint8Array, epoch: number): PoolKeys {
  return {
    poolId: hkdf(secret, undefined, `palm/v1/pool-id/${epoch}`, 16).toString('hex'),
    catalogueKey: hkdf(secret, undefined, `palm/v1/catalogue/${epoch}`, 32),
  };
}

export function dataKeyOf(kc: Uint8Array, kq: Uint8Array, salt: Uint8Array): Buffer {
  return hkdf(Buffer.concat([kc, kq]), salt, 'palm/v1/file', 32);
}

/** AES-256-GCM; undefined when the tag does not match. `sealed` ends with its tag. */
export function openSealed(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array | string,
  sealed: Uint8Array,
): Buffer | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce);
  decipher.setAAD(typeof aad === 'string' ? Buffer.from(aad) : aad);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const plain = decipher.update(sealed.subarray(0, -TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    // The key, the nonce or the bytes are wrong: Node has no other way to report that.
    return undefined;
  }
}

/** A file's id in text: CIDv1, raw, sha2-256, in base32. */
export function fileIdOf(sealedManifest: Uint8Array): string {
  const cid = Buffer.concat([Buffer.from([0x01, 0x55, 0x12, 0x20]), sha256(sealedManifest)]);
  let bits = 0;
  let bitCount = 0;
  let text = 'b';
  for (const byte of cid) {
    bits = (bits << 8) | byte;
    for (bitCount += 8; bitCount >= 5; bitCount -= 5) text += BASE32[(bits >> (bitCount - 5)) & 31];
    bits &= (1 << bitCount) - 1;
  }
  return bitCount === 0 ? text : text + BASE32[(bits << (5 - bitCount)) & 31];
}
