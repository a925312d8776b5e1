// A set of fragment numbers 0..254 as a bitmap: 32 bytes at most on the wire, whatever n is.

import { MAX_FRAGMENT_COUNT } from '../model/limits.ts';
import { bad, bytesOf } from '../wire/decode.ts';

export type FragmentSet = ReadonlySet<number>;

/** Bit i of byte i >> 3, lowest first; no trailing zero bytes. */
export function encodeFragmentSet(fragments: Iterable<number>): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(32);
  let length = 0;
  for (const fragment of fragments) {
    bits[fragment >> 3] = (bits[fragment >> 3] ?? 0) | (1 << (fragment & 7));
    length = Math.max(length, (fragment >> 3) + 1);
  }
  return bits.slice(0, length);
}

/** @throws PalmError 'bad-message'. */
export function decodeFragmentSet(value: unknown): FragmentSet {
  const bits = bytesOf(value, 0, 32);
  const fragments = new Set<number>();
  for (let fragment = 0; fragment < bits.length * 8; fragment++) {
    if (((bits[fragment >> 3] ?? 0) >> (fragment & 7)) & 1) fragments.add(fragment);
  }
  if (fragments.has(MAX_FRAGMENT_COUNT)) throw bad('a fragment number out of range');
  return fragments;
}
