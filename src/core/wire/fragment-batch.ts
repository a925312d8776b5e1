// Whole fragments in one answer (FORMATS.md, messages): for files of one segment with small blocks, so that a
// thousand small files cost some dozens of round trips.

import type { Geometry } from '../model/geometry.ts';
import { blockBytesOf, segmentCountOf } from '../model/geometry.ts';
import { BLOCK_BYTES } from '../model/limits.ts';
import { bytesOf, decodeCbor, encodeCbor, listOf, tupleOf } from '../encoding/decode.ts';
import { MAX_PLACES_PER_MESSAGE } from './places.ts';

/**
 * A block of a small fragment at most, bytes: copying it into a message costs less than a message of its own.
 */
const MAX_SMALL_BLOCK_BYTES = 64 * 1024;
/** A fragment index of one block at most, bytes: it takes 90. */
export const MAX_SMALL_INDEX_BYTES = 256;
/** The blocks of one answer, bytes: two answers together fit one block's size and deadline. */
export const MAX_TOGETHER_BYTES = BLOCK_BYTES / 2;

/** A fragment of one block: its encoded index, and that block. */
export interface SmallFragment {
  readonly index: Uint8Array;
  readonly block: Uint8Array;
}

/** Whether the fragments of a file are asked for whole. */
export function hasSmallFragments(file: Geometry): boolean {
  return segmentCountOf(file) === 1 && blockBytesOf(file, 0) <= MAX_SMALL_BLOCK_BYTES;
}

/**
 * Encodes fragments in the order in which they were asked for; undefined for those that are not sent. The
 * caller owns the result.
 */
export function encodeSmallFragments(
  fragments: readonly (SmallFragment | undefined)[],
): Uint8Array<ArrayBuffer> {
  return encodeCbor(
    fragments.map((fragment) => (fragment === undefined ? null : [fragment.index, fragment.block])),
  );
}

/** The caller owns the blocks, each in a buffer of its own. @throws PalmError 'bad-message'. */
export function decodeSmallFragments(
  payload: Uint8Array,
): ((SmallFragment & { readonly block: Uint8Array<ArrayBuffer> }) | undefined)[] {
  const maxBytes = MAX_TOGETHER_BYTES + MAX_PLACES_PER_MESSAGE * (MAX_SMALL_INDEX_BYTES + 16);
  return listOf(decodeCbor(payload, maxBytes), MAX_PLACES_PER_MESSAGE, (item) => {
    if (item === null) return undefined;
    const [index, block] = tupleOf(item, 2);
    return {
      index: bytesOf(index, 1, MAX_SMALL_INDEX_BYTES),
      block: new Uint8Array(bytesOf(block, 1, MAX_SMALL_BLOCK_BYTES)),
    };
  });
}
