// The two codes by which devices pair without a relay: an offer, and the answer to it (FORMATS.md, pairing
// codes). Each tells how to reach one end of a WebRTC connection and by which DTLS certificate to know it.
//
// Invariants: a code holds nothing that lets its reader into a pool. What was read is whole and unchanged, or
// is refused with a reason. An answer names its offer by a digest of all of it, its fingerprint included. Any
// code fits a QR code of version 10 with error correction M.

import { sha256 } from '@noble/hashes/sha2.js';
import { base32upper } from 'multiformats/bases/base32';
import { concatBytes, equalBytes, utf8 } from '../model/bytes.ts';
import { PalmError } from '../model/errors.ts';
import type { BadPairCode } from '../model/failures.ts';
import type { PoolId } from '../model/ids.ts';
import { MAX_PAIR_CODE_BYTES, MAX_PASTED_CHARS } from '../model/limits.ts';
import { decodeAddress, encodeAddress, type PairAddress } from './pair-address.ts';
import type { PairEnd, PairKind } from './pair-sdp.ts';

export interface PairCode extends PairEnd {
  readonly kind: PairKind;
  /** PAIR_TAG_BYTES bytes: the pool that the device is in (`poolTag`); all 0 for none. */
  readonly pool: Uint8Array;
  /** In an answer: the digest of its offer, PAIR_TAG_BYTES bytes. */
  readonly offer: Uint8Array | undefined;
}

const PAIR_TAG_BYTES = 8;
const VERSION = 1;
const CHECKSUM_BYTES = 4;
const FINGERPRINT_BYTES = 32;
/** Begins every code: digits, capitals and `:` keep it within the alphanumeric mode of QR codes. */
const PREFIX = 'PALM:';
const CODE = /PALM:(?<letters>(?:(?!PALM:)[A-Z2-7\s>])*)/giu;
const INVITE_LINK = /\/join\/|%2Fjoin%2F/iu;
/** Version, kind and length: what tells how long the code is. */
const HEADER_BYTES = 3;
/** Five whole bytes of base32. */
const HEADER_CHARS = 8;
const KINDS: readonly PairKind[] = ['offer', 'answer'];
/** ice-char (RFC 8839, section 5.4), six bits each. */
const ICE_CHARS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** RFC 8839: at least 4 and 22. Browsers use 4 to 8, and 24 to 32. */
const UFRAG_CHARS = { min: 4, max: 32 };
const PASSWORD_CHARS = { min: 22, max: 48 };
/** More than a device has in one network; and all of them are IPv4 if so many fit. */
const MAX_ADDRESS_COUNT = 8;

/**
 * The code's text. Addresses that do not fit are left out, the last first.
 * @throws PalmError 'bad-argument' for an end that no code can tell of.
 */
export function encodePairCode(code: PairCode): string {
  const head = concatBytes(
    code.pool,
    code.offer ?? new Uint8Array(0),
    code.fingerprint,
    packed(code.ufrag, UFRAG_CHARS),
    packed(code.password, PASSWORD_CHARS),
  );
  const room = MAX_PAIR_CODE_BYTES - HEADER_BYTES - head.length - 1 - CHECKSUM_BYTES;
  const addresses: Uint8Array[] = [];
  let byteCount = 0;
  for (const address of code.addresses) {
    const bytes = encodeAddress(address);
    if (bytes === undefined || addresses.length === MAX_ADDRESS_COUNT) continue;
    if (byteCount + bytes.length > room) continue;
    addresses.push(bytes);
    byteCount += bytes.length;
  }
  const length = HEADER_BYTES + head.length + 1 + byteCount + CHECKSUM_BYTES;
  const header = Uint8Array.of(VERSION, KINDS.indexOf(code.kind), length);
  const body = concatBytes(header, head, Uint8Array.of(addresses.length), ...addresses);
  return PREFIX + base32upper.baseEncode(concatBytes(body, checksum(body)));
}

/**
 * Finds a code of `wanted` kind in text.
 * @throws PalmError 'bad-pair-code' with what is wrong with the text, or with the last code in it.
 */
export function readPairCode(text: string, wanted: PairKind): PairCode {
  if (text.length > MAX_PASTED_CHARS) throw bad('unreadable');
  let failure: PalmError | undefined;
  for (const { groups } of text.matchAll(CODE)) {
    const code = readLetters((groups?.['letters'] ?? '').replaceAll(/[\s>]/gu, '').toUpperCase());
    if (code instanceof PalmError) failure = code;
    else if (code.kind === wanted) return code;
    else failure = bad(code.kind === 'offer' ? 'is-offer' : 'is-answer');
  }
  throw failure ?? bad(INVITE_LINK.test(text) ? 'is-link' : 'unreadable');
}

/** What an answer names its offer by. */
export function pairCodeDigest(code: PairCode): Uint8Array {
  return sha256(utf8(`palm/v1/pair-offer${encodePairCode(code)}`)).subarray(0, PAIR_TAG_BYTES);
}

/**
 * Tells members of one pool that they are, and others nothing: the fingerprint, new for each code, hides
 * which pool it is. All 0 for a device in none.
 */
export function poolTag(pool: PoolId | undefined, fingerprint: Uint8Array): Uint8Array {
  if (pool === undefined) return new Uint8Array(PAIR_TAG_BYTES);
  return sha256(concatBytes(utf8(`palm/v1/pair-pool/${pool}`), fingerprint)).subarray(0, PAIR_TAG_BYTES);
}

export function isOutside({ pool }: Pick<PairCode, 'pool'>): boolean {
  return pool.every((byte) => byte === 0);
}

function readLetters(letters: string): PairCode | PalmError {
  if (letters.length < HEADER_CHARS) return missing(undefined);
  const header = bytesOf(letters.slice(0, HEADER_CHARS));
  if (header === undefined) return bad('unreadable');
  const [version = 0, , length = 0] = header;
  if (version > VERSION) return bad('newer-version');
  if (version !== VERSION || length > MAX_PAIR_CODE_BYTES || length < HEADER_BYTES + CHECKSUM_BYTES) {
    return bad('unreadable');
  }
  const charCount = Math.ceil((length * 8) / 5);
  if (letters.length < charCount) return missing(charCount - letters.length);
  const bytes = bytesOf(letters.slice(0, charCount));
  if (bytes?.length !== length) return bad('unreadable');
  const body = bytes.subarray(0, length - CHECKSUM_BYTES);
  if (!equalBytes(checksum(body), bytes.subarray(length - CHECKSUM_BYTES))) return bad('unreadable');
  return decodeBody(body) ?? bad('unreadable');
}

/** Undefined unless `body` is what `encodePairCode` writes, to the last bit. */
function decodeBody(body: Uint8Array): PairCode | undefined {
  const kind = KINDS[body[1] ?? KINDS.length];
  if (kind === undefined) return undefined;
  let at = HEADER_BYTES;
  const take = (count: number): Uint8Array => body.slice(at, (at += count));
  const pool = take(PAIR_TAG_BYTES);
  const offer = kind === 'answer' ? take(PAIR_TAG_BYTES) : undefined;
  const fingerprint = take(FINGERPRINT_BYTES);
  const texts = [UFRAG_CHARS, PASSWORD_CHARS].map(({ min, max }) => {
    const [charCount = 0] = take(1);
    return charCount < min || charCount > max ? undefined : unpacked(take(packedBytes(charCount)), charCount);
  });
  const [ufrag, password] = texts;
  const [addressCount = 0] = take(1);
  if (ufrag === undefined || password === undefined || addressCount > MAX_ADDRESS_COUNT) return undefined;
  const addresses: PairAddress[] = [];
  while (addresses.length < addressCount) {
    const decoded = decodeAddress(body.subarray(at));
    if (decoded === undefined) return undefined;
    addresses.push(decoded.address);
    at += decoded.byteCount;
  }
  return at === body.length ? { kind, pool, offer, fingerprint, ufrag, password, addresses } : undefined;
}

function packed(text: string, { min, max }: { readonly min: number; readonly max: number }): Uint8Array {
  const values = Array.from(text, (char) => ICE_CHARS.indexOf(char));
  if (values.length < min || values.length > max || values.includes(-1)) {
    throw new PalmError({ code: 'bad-argument', reason: 'internal', detail: 'no ICE credentials' });
  }
  const bytes = new Uint8Array(1 + packedBytes(values.length));
  bytes[0] = values.length;
  values.forEach((value, index) => {
    const bit = index * 6;
    const [at, shift] = [1 + (bit >> 3), 10 - (bit & 7)];
    const both = value << shift;
    bytes[at] = (bytes[at] ?? 0) | (both >> 8);
    if ((both & 0xff) !== 0) bytes[at + 1] = (bytes[at + 1] ?? 0) | (both & 0xff);
  });
  return bytes;
}

function packedBytes(charCount: number): number {
  return Math.ceil((charCount * 6) / 8);
}

/** Undefined when bits behind the text are set. */
function unpacked(bytes: Uint8Array, charCount: number): string | undefined {
  let text = '';
  for (let index = 0; index < charCount; index++) {
    const bit = index * 6;
    const both = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    text += ICE_CHARS.charAt((both >> (10 - (bit & 7))) & 63);
  }
  const spareBits = bytes.length * 8 - charCount * 6;
  const isClean = ((bytes.at(-1) ?? 0) & (2 ** spareBits - 1)) === 0;
  return isClean ? text : undefined;
}

/** Undefined for letters that are no base32, or with bits behind the last byte. */
function bytesOf(letters: string): Uint8Array | undefined {
  try {
    return base32upper.baseDecode(letters);
  } catch {
    return undefined;
  }
}

function checksum(body: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8('palm/v1/pair-code'), body)).subarray(0, CHECKSUM_BYTES);
}

function missing(charCount: number | undefined): PalmError {
  return new PalmError({ code: 'bad-pair-code', reason: 'missing', charCount });
}

function bad(reason: Exclude<BadPairCode['reason'], 'missing'>): PalmError {
  return new PalmError({ code: 'bad-pair-code', reason });
}
