// A recovery code as people write it down: 32 bytes as typed signs, with a checksum (FORMATS.md, recovery).

import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8 } from './bytes.ts';
import { PalmError } from './errors.ts';
import type { BadRecoveryCode } from './failures.ts';
import { bytesOfSigns, inGroups, MAX_TYPED_UNITS, signsOf, typedSigns } from './typed-signs.ts';

/** An Ed25519 private key (RFC 8032). */
const SECRET_BYTES = 32;
/** 52 of 5 bits for the bytes, 4 for the checksum. */
const SECRET_SIGNS = 52;
const ALL_SIGNS = 56;
/** As many bytes as the signs of a checksum begin. */
const CHECKSUM_BYTES = 3;

/** `secret`: 32 bytes. */
export function encodeRecoveryCode(secret: Uint8Array): string {
  return inGroups(signsOf(secret) + checksumOf(secret));
}

/** The 32 bytes. @throws PalmError 'bad-recovery-code'. */
export function decodeRecoveryCode(text: string): Uint8Array<ArrayBuffer> {
  if (text.length > MAX_TYPED_UNITS) throw badCode('length');
  const signs = typedSigns(text);
  if (signs === undefined) throw badCode('characters');
  if (signs.length !== ALL_SIGNS) throw badCode('length');
  const secret = secretOf(signs.slice(0, SECRET_SIGNS));
  if (secret === undefined || signsOf(secret) + checksumOf(secret) !== signs) throw badCode('mistyped');
  return secret;
}

/** Undefined when the bits after the last byte are none that an encoder writes. */
function secretOf(signs: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const secret = bytesOfSigns(signs);
    return secret.length === SECRET_BYTES ? new Uint8Array(secret) : undefined;
  } catch {
    return undefined;
  }
}

function checksumOf(secret: Uint8Array): string {
  const digest = sha256(concatBytes(utf8('palm/v1/recovery-code'), secret));
  return signsOf(digest.subarray(0, CHECKSUM_BYTES)).slice(0, ALL_SIGNS - SECRET_SIGNS);
}

function badCode(reason: BadRecoveryCode['reason']): PalmError {
  return new PalmError({ code: 'bad-recovery-code', reason });
}
