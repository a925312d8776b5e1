// A recovery code as people write it down: Crockford's base32, which has no letters that look like digits, in
// groups of four, with a checksum (FORMATS.md, recovery).

import { sha256 } from '@noble/hashes/sha2.js';
import { base32hex } from 'multiformats/bases/base32';
import { concatBytes, utf8 } from './bytes.ts';
import { PalmError } from './errors.ts';
import type { BadRecoveryCode } from './failures.ts';

/** An Ed25519 private key (RFC 8032). */
const SECRET_BYTES = 32;
/** The signs of base32hex, and Crockford's of the same values. */
const HEX_SIGNS = '0123456789abcdefghijklmnopqrstuv';
const SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 52 of 5 bits for the bytes, 4 for the checksum. */
const SECRET_SIGNS = 52;
const ALL_SIGNS = 56;
const GROUP_SIGNS = 4;
/** As many bytes as the signs of a checksum begin. */
const CHECKSUM_BYTES = 3;
/** A pasted text longer than this is no code. */
const MAX_TEXT_UNITS = 1_000;

/** `secret`: 32 bytes. */
export function encodeRecoveryCode(secret: Uint8Array): string {
  const signs = inSigns(secret) + checksumOf(secret);
  const groups: string[] = [];
  for (let at = 0; at < signs.length; at += GROUP_SIGNS) groups.push(signs.slice(at, at + GROUP_SIGNS));
  return groups.join('-');
}

/** The 32 bytes. @throws PalmError 'bad-recovery-code'. */
export function decodeRecoveryCode(text: string): Uint8Array<ArrayBuffer> {
  if (text.length > MAX_TEXT_UNITS) throw badCode('length');
  const signs = text
    .replaceAll(/[\s\p{Dash}\p{Cf}]/gu, '')
    .toUpperCase()
    .replaceAll('O', '0')
    .replaceAll(/[IL]/gu, '1');
  if (Array.from(signs).some((sign) => !SIGNS.includes(sign))) throw badCode('characters');
  if (signs.length !== ALL_SIGNS) throw badCode('length');
  const hexSigns = Array.from(signs.slice(0, SECRET_SIGNS), (sign) => HEX_SIGNS[SIGNS.indexOf(sign)]);
  const secret = secretOf(hexSigns.join(''));
  if (secret === undefined || inSigns(secret) + checksumOf(secret) !== signs) throw badCode('mistyped');
  return secret;
}

/** Undefined when the bits after the last byte are none that an encoder writes. */
function secretOf(hexSigns: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const secret = base32hex.baseDecode(hexSigns);
    return secret.length === SECRET_BYTES ? new Uint8Array(secret) : undefined;
  } catch {
    return undefined;
  }
}

function checksumOf(secret: Uint8Array): string {
  const digest = sha256(concatBytes(utf8('palm/v1/recovery-code'), secret));
  return inSigns(digest.subarray(0, CHECKSUM_BYTES)).slice(0, ALL_SIGNS - SECRET_SIGNS);
}

function inSigns(bytes: Uint8Array): string {
  return Array.from(base32hex.baseEncode(bytes), (sign) => SIGNS[HEX_SIGNS.indexOf(sign)]).join('');
}

function badCode(reason: BadRecoveryCode['reason']): PalmError {
  return new PalmError({ code: 'bad-recovery-code', reason });
}
