// The fragment index: the small record that turns a column of blocks into a fragment (FORMATS.md).

import { bytesOf, bad, decodeCbor, encodeCbor, fieldsOf, listOf, uintOf } from '../encoding/decode.ts';
import { PalmError } from '../model/errors.ts';
import { segmentCountOf, type Geometry } from '../model/geometry.ts';
import { fragmentIdOf, parseBlockHash, type BlockHash, type FragmentId } from '../model/ids.ts';
import { MAX_FRAGMENT_COUNT, MAX_SEGMENT_COUNT } from '../model/limits.ts';
import { FILE_KEY_BYTES } from './file-key.ts';
import { interpolateShare } from './shamir.ts';

const VERSION = 1;
/** A block hash is 34 bytes in CBOR; the rest is small. */
const MAX_INDEX_BYTES = MAX_SEGMENT_COUNT * 34 + 256;

export interface FragmentIndex {
  /** i in 0..n-1. */
  readonly fragment: number;
  /** Share i of Kq, 32 bytes. */
  readonly share: Uint8Array;
  /** Hash of block i of each segment, in order. */
  readonly blocks: readonly BlockHash[];
}

/** Deterministic: the same index always has the same bytes, hence the same fragment id. */
export function encodeFragmentIndex(index: FragmentIndex): Uint8Array<ArrayBuffer> {
  return encodeCbor({ v: VERSION, i: index.fragment, share: index.share, blocks: index.blocks });
}

/** @throws PalmError 'bad-message'. */
export function decodeFragmentIndex(bytes: Uint8Array): FragmentIndex {
  const fields = fieldsOf(decodeCbor(bytes, MAX_INDEX_BYTES), ['v', 'i', 'share', 'blocks']);
  if (fields['v'] !== VERSION) throw bad('a fragment index of an unknown version');
  return {
    fragment: uintOf(fields['i'], MAX_FRAGMENT_COUNT - 1),
    share: bytesOf(fields['share'], FILE_KEY_BYTES, FILE_KEY_BYTES),
    blocks: listOf(fields['blocks'], MAX_SEGMENT_COUNT, parseBlockHash),
  };
}

/**
 * Decodes the index of a file's fragment.
 * @throws PalmError 'corrupt' or 'bad-message' when `bytes` is not that index.
 */
export function fragmentIndexOf(
  bytes: Uint8Array,
  file: Geometry & { readonly fragments: readonly FragmentId[] },
  fragment: number,
): FragmentIndex {
  if (fragmentIdOf(bytes) !== file.fragments[fragment])
    throw new PalmError({ code: 'corrupt', reason: 'index-of-another-id' });
  const index = decodeFragmentIndex(bytes);
  if (index.fragment !== fragment || index.blocks.length !== segmentCountOf(file))
    throw new PalmError({ code: 'corrupt', reason: 'index-of-another-file' });
  return index;
}

/**
 * The index of a fragment that was rebuilt: its share from those of k other indexes, its blocks' hashes as
 * they were computed. The same bytes as the lost index.
 * @throws PalmError 'corrupt' when they are not: then the file's maker gave out what does not fit together.
 */
export function rebuiltIndexOf(
  indexes: readonly FragmentIndex[],
  file: Geometry & { readonly fragments: readonly FragmentId[] },
  fragment: number,
  blocks: readonly BlockHash[],
): Uint8Array<ArrayBuffer> {
  const shares = indexes.map((index) => ({ index: index.fragment, share: index.share }));
  const bytes = encodeFragmentIndex({
    fragment,
    share: interpolateShare(shares, file.k, fragment),
    blocks,
  });
  fragmentIndexOf(bytes, file, fragment);
  return bytes;
}
