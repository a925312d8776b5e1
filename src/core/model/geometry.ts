// The arithmetic of a file: how its bytes fall into segments, and segments into blocks.
//
//   a segment holds up to k * blockBytes - 16 bytes of plaintext; sealed and padded it is k blocks, coded n.

import { PalmError } from './errors.ts';
import {
  BLOCK_BYTES,
  DEFAULT_K,
  MAX_ANCHORED_OTHERS,
  GCM_TAG_BYTES,
  MAX_FRAGMENT_COUNT,
  MAX_SEGMENT_COUNT,
  MIN_BLOCK_BYTES,
  USUAL_BLOCK_BYTES,
} from './limits.ts';

/** A fragment index in CBOR (FORMATS.md, fragment index): a block hash, and everything else. */
const INDEX_BYTES_PER_BLOCK = 34;
const INDEX_BYTES = 64;

export interface Geometry {
  /** Plaintext bytes of the file. */
  readonly size: number;
  readonly k: number;
  readonly n: number;
  /** Bytes of a full segment's blocks. */
  readonly blockBytes: number;
}

/** @throws PalmError 'bad-argument' when k, n or the size cannot be coded; k = 1 only with `mirror`. */
export function checkGeometry(geometry: Geometry, mirror: boolean): void {
  const { k, n, size } = geometry;
  if (!Number.isInteger(k) || !Number.isInteger(n) || k < 1 || k > n || n > MAX_FRAGMENT_COUNT) {
    throw new PalmError({ code: 'bad-argument', reason: 'fragment-counts', max: MAX_FRAGMENT_COUNT });
  }
  if (k === 1 && !mirror) {
    throw new PalmError({ code: 'bad-argument', reason: 'not-a-mirror' });
  }
  if (segmentCountOf(geometry) > MAX_SEGMENT_COUNT) {
    throw new PalmError({ code: 'bad-argument', reason: 'large-file', size, k });
  }
}

/** Plaintext bytes of a full segment. */
export function segmentBytesOf(geometry: Geometry): number {
  return geometry.k * geometry.blockBytes - GCM_TAG_BYTES;
}

/** At least 1: an empty file is one empty segment. */
export function segmentCountOf(geometry: Geometry): number {
  return Math.max(1, Math.ceil(geometry.size / segmentBytesOf(geometry)));
}

/** Plaintext bytes of segment `segment`. */
export function plainBytesOf(geometry: Geometry, segment: number): number {
  const full = segmentBytesOf(geometry);
  return Math.min(full, geometry.size - segment * full);
}

/**
 * Segments that have `blockCount` data blocks together, but no fewer than `atLeast`: what is under way at a
 * time is counted in blocks, because a segment of a mirror is one block, and one of 4 of 8 four.
 */
export function segmentsWith(blockCount: number, { k }: Pick<Geometry, 'k'>, atLeast: number): number {
  return Math.max(atLeast, Math.ceil(blockCount / k));
}

/** Bytes of each block of segment `segment`. */
export function blockBytesOf(geometry: Geometry, segment: number): number {
  return sealedBlockBytes(plainBytesOf(geometry, segment), geometry.k);
}

/** Bytes of each block that a segment of `plainBytes` is sealed into. */
export function sealedBlockBytes(plainBytes: number, k: number): number {
  return Math.ceil((plainBytes + GCM_TAG_BYTES) / k);
}

/** Bytes of all blocks of one fragment. */
export function fragmentBytesOf(geometry: Geometry): number {
  const last = segmentCountOf(geometry) - 1;
  return last * geometry.blockBytes + blockBytesOf(geometry, last);
}

/** Bytes that a fragment takes on its holder: all its blocks, and a little more than its index can have. */
export function heldBytesOf(geometry: Geometry): number {
  return fragmentBytesOf(geometry) + INDEX_BYTES + INDEX_BYTES_PER_BLOCK * segmentCountOf(geometry);
}

/** Whether the blocks are worth their indexes, which holders keep and readers fetch first. */
export function hasBlocksWorthIndexing(geometry: Geometry): boolean {
  return geometry.blockBytes >= MIN_BLOCK_BYTES || segmentCountOf(geometry) === 1;
}

/**
 * k and n of a new file in a pool with an anchor and `otherCount` devices besides: k - 1 fragments for the
 * anchor and one for each of the others, and k small enough for the others to bring the file back without it
 * when two of them are lost as well. That takes four others. With three it is one of them, with two none. Of
 * more than MAX_ANCHORED_OTHERS not each gets one.
 */
export function anchoredCounts(otherCount: number): { readonly k: number; readonly n: number } {
  const ofOthers = Math.max(2, Math.min(otherCount, MAX_ANCHORED_OTHERS));
  const k = Math.max(2, ofOthers - 2);
  return { k, n: k - 1 + ofOthers };
}

/** The geometry of a new file. */
export function geometryOf(size: number, k: number, n: number): Geometry {
  return { size, k, n, blockBytes: k === DEFAULT_K ? USUAL_BLOCK_BYTES : BLOCK_BYTES };
}

/** k + ceil((n - k) / 2): how many fragments must be durable on devices before a 'quorum' store resolves. */
export function quorumOf({ k, n }: Pick<Geometry, 'k' | 'n'>): number {
  return k + Math.ceil((n - k) / 2);
}
