// What every erasure code asks of its arguments, and the answers that need no arithmetic.

import { PalmError } from '../../core/model/errors.ts';
import { BLOCK_BYTES, MAX_FRAGMENT_COUNT } from '../../core/model/limits.ts';
import type { IndexedBlock } from '../../core/ports.ts';

/**
 * The common length of the k shards in `data`.
 * @throws PalmError 'bad-argument' when k, n or the length is out of range.
 */
export function checkData(data: Uint8Array, k: number, n: number): number {
  checkCounts(k, n);
  if (data.length === 0 || data.length % k !== 0 || data.length / k > BLOCK_BYTES) {
    throw new PalmError(
      'bad-argument',
      `${data.length} bytes do not make ${k} equal shards of a permitted size.`,
    );
  }
  return data.length / k;
}

/**
 * The common length of k shards with distinct indices below n.
 * @throws PalmError 'bad-argument' when they are anything else.
 */
export function checkShards(shards: readonly IndexedBlock[], k: number, n: number): number {
  checkCounts(k, n);
  const shardBytes = shards[0]?.bytes.length ?? 0;
  const indices = new Set<number>();
  for (const { index, bytes } of shards) {
    checkIndex(index, n);
    if (bytes.length !== shardBytes) {
      throw new PalmError('bad-argument', 'Shards need one common length.');
    }
    indices.add(index);
  }
  if (shards.length !== k || indices.size !== k || shardBytes === 0 || shardBytes > BLOCK_BYTES) {
    throw new PalmError(
      'bad-argument',
      `Decoding needs exactly ${k} different shards of 1 to ${BLOCK_BYTES} bytes.`,
    );
  }
  return shardBytes;
}

/** @throws PalmError 'bad-argument' when `index` is not one of 0..n-1. */
export function checkIndex(index: number, n: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= n) {
    throw new PalmError('bad-argument', `Shards need indices from 0 to ${n - 1}, not ${index}.`);
  }
}

/** A copy of shard `index` where it is among `shards`. */
export function copyOfPresent(
  shards: readonly IndexedBlock[],
  index: number,
): Uint8Array<ArrayBuffer> | undefined {
  const present = shards.find((shard) => shard.index === index);
  return present === undefined ? undefined : new Uint8Array(present.bytes);
}

function checkCounts(k: number, n: number): void {
  if (!Number.isInteger(k) || !Number.isInteger(n) || k < 1 || k > n || n > MAX_FRAGMENT_COUNT) {
    throw new PalmError(
      'bad-argument',
      `Coding needs 1 <= k <= n <= ${MAX_FRAGMENT_COUNT}; k is ${k}, n is ${n}.`,
    );
  }
}
