// Sets of fragment numbers 0..254. Decisions use sets. Kept by the thousand they are bitmaps, one character
// for eight fragments: the usual set is then one character, and engines keep each such string only once.

import { MAX_FRAGMENT_COUNT } from '../model/limits.ts';
import { bad, bytesOf } from '../encoding/decode.ts';

declare const brand: unique symbol;

export type FragmentSet = ReadonlySet<number>;

/**
 * Fragment i is bit i & 7, lowest first, of the code of character i >> 3; codes are 0 to 255, and the last
 * one is not 0. Equal sets are equal texts; the empty set is ''.
 */
export type PackedFragments = string & { readonly [brand]: 'PackedFragments' };

/** On the wire: 32 bytes at most, whatever n is. */
const MAX_BYTES = 32;

export const NO_FRAGMENTS = '' as PackedFragments; // the empty set

export function packFragments(fragments: Iterable<number>): PackedFragments {
  const bits = new Uint8Array(MAX_BYTES);
  for (const fragment of fragments) bits[fragment >> 3] = (bits[fragment >> 3] ?? 0) | (1 << (fragment & 7));
  return packBits(bits);
}

/** The set, in ascending order. It may be shared, so it must not be changed. */
export function unpackFragments(packed: PackedFragments): FragmentSet {
  if (packed.length > 1) return setOf(packed);
  const known = shared.get(packed);
  if (known !== undefined) return known;
  const fragments = setOf(packed);
  shared.set(packed, fragments);
  return fragments;
}

/** Those below `count`. */
export function fragmentsBelow(packed: PackedFragments, count: number): PackedFragments {
  if (packed.length * 8 <= count) return packed;
  const bits = packedBytes(packed).subarray(0, (count + 7) >> 3);
  const last = bits.length - 1;
  if (last >= 0 && (count & 7) !== 0) bits[last] = (bits[last] ?? 0) & ((1 << (count & 7)) - 1);
  return packBits(bits);
}

/** Bit i & 7 of byte i >> 3, lowest first; no trailing zero bytes. The caller owns them. */
export function packedBytes(packed: PackedFragments): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: packed.length }, (_, index) => packed.charCodeAt(index));
}

/** @throws PalmError 'bad-message'. */
export function decodeFragments(value: unknown): PackedFragments {
  const bits = bytesOf(value, 0, MAX_BYTES);
  if (((bits[MAX_FRAGMENT_COUNT >> 3] ?? 0) >> (MAX_FRAGMENT_COUNT & 7)) & 1)
    throw bad('a fragment number out of range');
  return packBits(bits);
}

/** Sets of at most one character: 256 of them. */
const shared = new Map<PackedFragments, FragmentSet>();

function setOf(packed: PackedFragments): FragmentSet {
  const fragments = new Set<number>();
  for (let fragment = 0; fragment < packed.length * 8; fragment++) {
    if ((packed.charCodeAt(fragment >> 3) >> (fragment & 7)) & 1) fragments.add(fragment);
  }
  return fragments;
}

function packBits(bits: Uint8Array): PackedFragments {
  let length = bits.length;
  while (length > 0 && bits[length - 1] === 0) length -= 1;
  return String.fromCharCode(...bits.subarray(0, length)) as PackedFragments; // made here: its validator
}
