// Where a device answers callers by itself, without relay and without an answer code: what follows `/at/` in
// an invite (FORMATS.md, direct addresses). It tells where to knock, by which DTLS certificate to know the
// device, and a secret that proves to it that the caller was given the address.
//
// Invariants: it lets nobody into a pool, and tells which of none. What was read is whole and unchanged;
// anything else counts as absent, because the invite before it works without it.

import { sha256 } from '@noble/hashes/sha2.js';
import { base64url } from 'multiformats/bases/base64';
import { concatBytes, equalBytes, utf8 } from '../model/bytes.ts';
import { PalmError } from '../model/errors.ts';
import { MAX_DIRECT_ADDRESS_COUNT, MAX_PASTED_CHARS } from '../model/limits.ts';
import { lettersOf, plainText } from '../model/pasted-link.ts';
import { decodeAddress, encodeAddress, type PairAddress } from './pair-address.ts';

export interface DirectAddress {
  /** SHA-256 of the device's DTLS certificate, 32 bytes. */
  readonly fingerprint: Uint8Array;
  /** DIRECT_SECRET_BYTES bytes. */
  readonly secret: Uint8Array;
  /** The likeliest first; 1 to MAX_DIRECT_ADDRESS_COUNT. */
  readonly addresses: readonly PairAddress[];
}

export const DIRECT_SECRET_BYTES = 16;
const FINGERPRINT_BYTES = 32;
const VERSION = 1;
const CHECKSUM_BYTES = 4;
/** Version, fingerprint, secret, and how many addresses follow. */
const HEAD_BYTES = 1 + FINGERPRINT_BYTES + DIRECT_SECRET_BYTES + 1;
/** Follows signs that a chat program would take for punctuation behind the link, and cut off. */
const END_LETTER = 'e';
const MARKER = /\/\s*at\s*\//giu;
/** Markers in one text that are looked at. */
const MAX_MARKERS = 16;

/** What follows an invite. @throws PalmError 'bad-argument' for addresses that no code can tell of. */
export function encodeDirectAddress({ fingerprint, secret, addresses }: DirectAddress): string {
  const encoded = addresses.slice(0, MAX_DIRECT_ADDRESS_COUNT).flatMap((each) => encodeAddress(each) ?? []);
  if (encoded.length === 0)
    throw new PalmError({ code: 'bad-argument', reason: 'internal', detail: 'nowhere' });
  const head = concatBytes(Uint8Array.of(VERSION), fingerprint, secret, Uint8Array.of(encoded.length));
  const body = concatBytes(head, ...encoded);
  const text = base64url.encode(concatBytes(body, checksum(body)));
  return `/at/${/[-_]$/u.test(text) ? text + END_LETTER : text}`;
}

/** The first whole one in `text`, an invite as people paste it. */
export function directAddressIn(text: string): DirectAddress | undefined {
  if (text.length > MAX_PASTED_CHARS) return undefined;
  const plain = plainText(text);
  let seenCount = 0;
  for (const { 0: marker, index } of plain.matchAll(MARKER)) {
    const found = decode(lettersOf(plain.slice(index + marker.length)));
    if (found !== undefined) return found;
    seenCount += 1;
    if (seenCount === MAX_MARKERS) break;
  }
  return undefined;
}

function decode(letters: string): DirectAddress | undefined {
  // The text may go on behind it: the addresses tell where it ends.
  const there = bytesOf(letters.slice(0, 1 + 4 * Math.floor((letters.length - 1) / 4)));
  const length = there === undefined ? undefined : lengthOf(there);
  if (length === undefined) return undefined;
  const bytes = bytesOf(letters.slice(0, 1 + Math.ceil((length * 4) / 3)));
  if (bytes?.length !== length) return undefined;
  const body = bytes.subarray(0, length - CHECKSUM_BYTES);
  if (!equalBytes(checksum(body), bytes.subarray(body.length))) return undefined;
  const addresses: PairAddress[] = [];
  for (let at = HEAD_BYTES; at < body.length;) {
    const decoded = decodeAddress(body.subarray(at));
    if (decoded === undefined) return undefined;
    addresses.push(decoded.address);
    at += decoded.byteCount;
  }
  const secretAt = 1 + FINGERPRINT_BYTES;
  return { fingerprint: body.slice(1, secretAt), secret: body.slice(secretAt, HEAD_BYTES - 1), addresses };
}

/** Of the whole code that begins like `bytes`; undefined when that is none. */
function lengthOf(bytes: Uint8Array): number | undefined {
  const count = bytes[HEAD_BYTES - 1] ?? 0;
  if (bytes[0] !== VERSION || count === 0 || count > MAX_DIRECT_ADDRESS_COUNT) return undefined;
  let at = HEAD_BYTES;
  for (let index = 0; index < count; index++) {
    const decoded = decodeAddress(bytes.subarray(at));
    if (decoded === undefined) return undefined;
    at += decoded.byteCount;
  }
  return at + CHECKSUM_BYTES;
}

function bytesOf(text: string): Uint8Array | undefined {
  try {
    return base64url.decode(text);
  } catch {
    return undefined;
  }
}

function checksum(body: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8('palm/v1/direct-address'), body)).subarray(0, CHECKSUM_BYTES);
}
