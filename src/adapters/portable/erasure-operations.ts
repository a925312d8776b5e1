// An ErasureCode from the one thing that a kernel does: deriving shards from k others. Checks of arguments
// and the placement of results are here, the same for every kernel.

import { PalmError } from '../../core/model/errors.ts';
import { BLOCK_BYTES, MAX_FRAGMENT_COUNT } from '../../core/model/limits.ts';
import type { ErasureCode, IndexedBlock } from '../../core/coding/erasure-code.ts';

/**
 * Writes `targets`, at least one, from `sources`, which are in the order of their indices. All indices are
 * distinct and below MAX_FRAGMENT_COUNT, all lengths equal and from 1 to BLOCK_BYTES.
 */
export type Derive = (sources: readonly IndexedBlock[], targets: readonly IndexedBlock[]) => void;

/** `wasm` as a module. @throws WebAssembly.CompileError for bytes that this engine cannot run. */
export async function compiled(wasm: BufferSource | WebAssembly.Module): Promise<WebAssembly.Module> {
  return wasm instanceof WebAssembly.Module ? wasm : WebAssembly.compile(wasm);
}

/** `derive` as an ErasureCode, with the errors of one. */
export function erasureCodeOver(derive: Derive): ErasureCode {
  return {
    decode(shards, k, n, into) {
      const shardBytes = checkShards(shards, k, n);
      const data = into ?? new Uint8Array(k * shardBytes);
      if (data.length !== k * shardBytes)
        throw new PalmError({
          code: 'bad-argument',
          reason: 'internal',
          detail: `${k} shards do not fit ${data.length} bytes`,
        });
      const missing = new Map(shardsIn(data, shardBytes, 0).map((shard) => [shard.index, shard]));
      for (const { index, bytes } of shards) {
        missing.get(index)?.bytes.set(bytes); // a parity shard has no place
        missing.delete(index);
      }
      if (missing.size > 0) derive(inOrder(shards), [...missing.values()]);
      return data;
    },

    derive(sources, targets) {
      checkDistinct([...sources, ...targets], MAX_FRAGMENT_COUNT);
      if (sources.length === 0)
        throw new PalmError({
          code: 'bad-argument',
          reason: 'internal',
          detail: 'shards derived from other shards',
        });
      if (targets.length > 0) derive(inOrder(sources), targets);
    },
  };
}

/** Returns the common length of k shards with distinct indices below n. */
function checkShards(shards: readonly IndexedBlock[], k: number, n: number): number {
  checkCounts(k, n);
  if (shards.length !== k) {
    throw new PalmError({
      code: 'bad-argument',
      reason: 'internal',
      detail: `${shards.length} shards instead of ${k}`,
    });
  }
  return checkDistinct(shards, n);
}

/** Returns the shards' common length. */
function checkDistinct(shards: readonly IndexedBlock[], n: number): number {
  const shardBytes = checkShardBytes(shards[0]?.bytes.length ?? 0);
  const indices = new Set<number>();
  for (const { index, bytes } of shards) {
    checkIndex(index, n);
    if (indices.has(index))
      throw new PalmError({
        code: 'bad-argument',
        reason: 'internal',
        detail: `shard ${index} is there twice`,
      });
    if (bytes.length !== shardBytes)
      throw new PalmError({
        code: 'bad-argument',
        reason: 'internal',
        detail: 'shards of different lengths',
      });
    indices.add(index);
  }
  return shardBytes;
}

function checkIndex(index: number, n: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= n) {
    throw new PalmError({ code: 'bad-argument', reason: 'internal', detail: `shard ${index} of ${n}` });
  }
}

function checkShardBytes(shardBytes: number): number {
  if (shardBytes >= 1 && shardBytes <= BLOCK_BYTES) return shardBytes;
  throw new PalmError({ code: 'bad-argument', reason: 'internal', detail: `shards of ${shardBytes} bytes` });
}

function checkCounts(k: number, n: number): void {
  if (!Number.isInteger(k) || !Number.isInteger(n) || k < 1 || k > n || n > MAX_FRAGMENT_COUNT) {
    throw new PalmError({
      code: 'bad-argument',
      reason: 'internal',
      detail: `coding with k = ${k}, n = ${n}`,
    });
  }
}

/** The shards that lie in a row in `bytes`, as views, numbered from `firstIndex`. */
function shardsIn(bytes: Uint8Array, shardBytes: number, firstIndex: number): IndexedBlock[] {
  return Array.from({ length: bytes.length / shardBytes }, (_, position) => ({
    index: firstIndex + position,
    bytes: bytes.subarray(position * shardBytes, (position + 1) * shardBytes),
  }));
}

/** So that one loss pattern has one matrix, however its shards arrived. */
function inOrder(shards: readonly IndexedBlock[]): readonly IndexedBlock[] {
  return shards.toSorted((a, b) => a.index - b.index);
}
