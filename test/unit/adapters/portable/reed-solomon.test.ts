// The erasure code: shards equal to a slow oracle's, to the npm package's own and to the golden ones, and any
// k of them enough.

import { ReedSolomonErasure } from '@subspace/reed-solomon-erasure.wasm';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { loadReedSolomon } from '../../../../src/adapters/portable/reed-solomon.ts';
import { concatBytes, hexOf } from '../../../../src/core/model/bytes.ts';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import type { ErasureCode, IndexedBlock } from '../../../../src/core/coding/erasure-code.ts';
import vectors from '../../../vectors/erasure.json' with { type: 'json' };
import {
  bytesOfHex,
  decodeSlowly,
  encodeSlowly,
  indicesOf,
  seededBytes,
  subsetsOf,
} from '../../../fixtures/erasure-oracle.ts';
import { parityOf } from '../../../fixtures/erasure-coding.ts';
import { reedSolomonWasm } from '../../../fixtures/node-codec.ts';

const wasmBytes = reedSolomonWasm();
const code = await loadReedSolomon(wasmBytes);

describe('shards', () => {
  it('equal the slow oracle for all k <= n <= 8 and all lengths from 1 to 40', () => {
    for (let n = 1; n <= 8; n++) {
      for (let k = 1; k <= n; k++) {
        for (let shardBytes = 1; shardBytes <= 40; shardBytes += k === 4 ? 1 : 13) {
          const data = seededBytes(k * shardBytes, n * 100 + k);
          expect(shardsOf(code, data, k, n)).toEqual(encodeSlowly(cut(data, k), n));
        }
      }
    }
  });

  it.each([
    [1, 255, 2],
    [30, 255, 2],
    [100, 200, 1],
    [127, 255, 1],
  ])('equal the slow oracle for k = %i, n = %i', (k, n, shardBytes) => {
    const data = seededBytes(k * shardBytes, k);
    expect(shardsOf(code, data, k, n)).toEqual(encodeSlowly(cut(data, k), n));
  });

  it.each([
    [4, 8, 262_144],
    [1, 3, 262_144],
    [20, 30, 65_537],
    [3, 7, 1],
  ])("equal the npm package's for k = %i, n = %i and shards of %i bytes", (k, n, shardBytes) => {
    const data = seededBytes(k * shardBytes, shardBytes);
    const whole = new Uint8Array(n * shardBytes);
    whole.set(data);
    const result = ReedSolomonErasure.fromBytes(wasmBytes).encode(whole, k, n - k);
    expect(result).toBe(0);
    expect(hexOf(parityOf(code, data, k, n)) === hexOf(whole.subarray(k * shardBytes))).toBe(true);
  });

  it.each(vectors.cases)('equal the golden ones for k = $k, n = $n', ({ k, n, data, parity }) => {
    expect(hexOf(parityOf(code, bytesOfHex(data), k, n))).toBe(parity);
  });

  it('of a mirror are all the same', () => {
    const data = seededBytes(1000, 1);
    for (const shard of shardsOf(code, data, 1, 5)) expect(shard).toEqual(data);
  });

  it('of k = n are the data alone', () => {
    expect(parityOf(code, seededBytes(40, 1), 4, 4)).toHaveLength(0);
  });
});

describe('any k shards', () => {
  it('give the data back: every subset, for all k <= n <= 8', () => {
    for (let n = 1; n <= 8; n++) {
      for (let k = 1; k <= n; k++) {
        const data = seededBytes(k * 3, n * 10 + k);
        const shards = shardsOf(code, data, k, n);
        for (const indices of subsetsOf(indicesOf(n), k)) {
          expect(code.decode(pick(shards, indices), k, n)).toEqual(data);
          expect(code.decode(pick(shards, indices.toReversed()), k, n)).toEqual(data);
        }
      }
    }
  });

  it('give the data back: every length from 1 to 40', () => {
    for (let shardBytes = 1; shardBytes <= 40; shardBytes++) {
      const data = seededBytes(4 * shardBytes, shardBytes);
      const shards = shardsOf(code, data, 4, 8);
      expect(code.decode(pick(shards, [7, 1, 5, 4]), 4, 8)).toEqual(data);
    }
  });

  it('give the data back: random subsets, to n = 30', () => {
    fc.assert(
      fc.property(subsetArbitrary(30), fc.integer({ min: 1, max: 300 }), ({ n, chosen }, shardBytes) => {
        const k = chosen.length;
        const data = seededBytes(k * shardBytes, shardBytes);
        expect(code.decode(pick(shardsOf(code, data, k, n), chosen), k, n)).toEqual(data);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [1, 255],
    [2, 255],
    [128, 255],
    [254, 255],
    [255, 255],
  ])('give the data back: the last k = %i of %i', (k, n) => {
    const data = seededBytes(k * 17, k);
    const shards = shardsOf(code, data, k, n);
    expect(code.decode(pick(shards, indicesOf(n).slice(n - k)), k, n)).toEqual(data);
  });

  it('give the data back: blocks of 256 KiB', () => {
    const data = seededBytes(4 * 262_144, 3);
    const shards = shardsOf(code, data, 4, 8);
    for (const indices of [
      [4, 5, 6, 7],
      [0, 1, 2, 3],
      [3, 0, 7, 5],
    ]) {
      expect(Buffer.compare(code.decode(pick(shards, indices), 4, 8), data)).toBe(0);
    }
  });

  it('can be decoded by the slow oracle too', () => {
    const data = seededBytes(5 * 11, 9);
    const shards = pick(shardsOf(code, data, 5, 12), [11, 2, 6, 9, 0]);
    expect(concatBytes(...decodeSlowly(shards, 12))).toEqual(data);
  });
});

describe('the instance', () => {
  it('returns buffers of its own that later calls leave alone', () => {
    const decoded = (shardBytes: number, seed: number): Uint8Array =>
      code.decode(pick(shardsOf(code, seededBytes(4 * shardBytes, seed), 4, 8), [4, 5, 6, 7]), 4, 8);
    const first = decoded(100, 1);
    const copy = first.slice();
    decoded(200_000, 2);
    decoded(100, 3);
    expect(first).toEqual(copy);
    expect(first.buffer.byteLength).toBe(400);
  });

  it('does not change its arguments', () => {
    const data = seededBytes(400, 1);
    const shards = shardsOf(code, data, 4, 8);
    const before = shards.map((shard) => shard.slice());
    code.decode(pick(shards, [4, 5, 6, 7]), 4, 8);
    expect(data).toEqual(seededBytes(400, 1));
    expect(shards).toEqual(before);
  });

  it('keeps its memory over thousands of segments of changing sizes', async () => {
    const instantiate = vi.spyOn(WebAssembly, 'instantiate');
    const observed = await loadReedSolomon(wasmBytes);
    const instance: unknown = await instantiate.mock.results[0]?.value;
    instantiate.mockRestore();
    if (!(instance instanceof WebAssembly.Instance)) throw new Error('The instance was not observed.');
    const { memory } = instance.exports;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error('The memory was not observed.');

    parityOf(observed, seededBytes(4 * 262_144, 1), 4, 8);
    let settledBytes = 0;
    for (let round = 0; round < 2000; round++) {
      const shardBytes = 1 + ((round * 7919) % 20_000);
      const data = new Uint8Array(4 * shardBytes).fill(round);
      const parity = parityOf(observed, data, 4, 8);
      const shards = [0, 1, 2, 3].map((at) => ({
        index: 4 + at,
        bytes: parity.subarray(at * shardBytes, (at + 1) * shardBytes),
      }));
      expect(Buffer.compare(observed.decode(shards, 4, 8), data)).toBe(0);
      if (round === 50) settledBytes = memory.buffer.byteLength;
    }
    expect(settledBytes).toBeGreaterThan(2 ** 21);
    expect(memory.buffer.byteLength).toBe(settledBytes);
  });

  it('is replaced after an abort, so that the next call works', async () => {
    const fragile = await loadReedSolomon(moduleThatAbortsOnItsSecondUse());
    const encode = (): Uint8Array => parityOf(fragile, new Uint8Array(8), 2, 3);
    expect(encode()).toHaveLength(4);
    expect(encode).toThrow(expect.toSatisfy((error: unknown) => isPalmError(error, 'worker-failed')));
    expect(encode()).toHaveLength(4);
  });
});

describe('bad arguments', () => {
  const shard = (index: number, length = 4): IndexedBlock => ({ index, bytes: new Uint8Array(length) });

  it.each<[string, () => unknown]>([
    ['nothing to derive from', () => code.derive([], [shard(0)])],
    ['memory of another length', () => code.decode([shard(0), shard(1)], 2, 3, new Uint8Array(9))],
    ['shards beyond the limit', () => code.decode([shard(0, 262_145), shard(1, 262_145)], 2, 3)],
    ['k = 0', () => code.decode([], 0, 8)],
    [
      'k > n',
      () =>
        code.decode(
          [0, 1, 2, 3].map((index) => shard(index)),
          4,
          3,
        ),
    ],
    [
      'n = 256',
      () =>
        code.decode(
          [0, 1, 2, 3].map((index) => shard(index)),
          4,
          256,
        ),
    ],
    ['too few shards', () => code.decode([shard(0)], 2, 3)],
    ['too many shards', () => code.decode([shard(0), shard(1), shard(2)], 2, 3)],
    ['a shard twice', () => code.decode([shard(1), shard(1)], 2, 3)],
    ['an index of n', () => code.decode([shard(0), shard(3)], 2, 3)],
    ['a negative index', () => code.decode([shard(0), shard(-1)], 2, 3)],
    ['shards of two lengths', () => code.decode([shard(0), shard(1, 5)], 2, 3)],
    ['empty shards', () => code.decode([shard(0, 0), shard(1, 0)], 2, 3)],
  ])('%s: refused, and the next call works', (_, call) => {
    expect(call).toThrow(expect.toSatisfy((error: unknown) => isPalmError(error, 'bad-argument')));
    expect(shardsOf(code, seededBytes(8, 1), 2, 3)).toEqual(encodeSlowly(cut(seededBytes(8, 1), 2), 3));
  });

  it('bytes that are not the wasm are refused when loading', async () => {
    const notWasm = loadReedSolomon(new Uint8Array([1, 2, 3]));
    await expect(notWasm).rejects.toSatisfy((error) => isPalmError(error, 'unsupported'));
    const emptyModule = loadReedSolomon(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    await expect(emptyModule).rejects.toSatisfy((error) => isPalmError(error, 'unsupported'));
  });
});

function shardsOf(erasureCode: ErasureCode, data: Uint8Array, k: number, n: number): Uint8Array[] {
  const parity = parityOf(erasureCode, data, k, n);
  return [...cut(data, k), ...(n > k ? cut(parity, n - k) : [])];
}

function cut(bytes: Uint8Array, count: number): Uint8Array[] {
  const length = bytes.length / count;
  return indicesOf(count).map((index) => bytes.slice(index * length, (index + 1) * length));
}

function pick(shards: readonly Uint8Array[], indices: readonly number[]): IndexedBlock[] {
  return indices.map((index) => ({ index, bytes: shards[index] ?? new Uint8Array(0) }));
}

function subsetArbitrary(
  mostShards: number,
): fc.Arbitrary<{ readonly n: number; readonly chosen: number[] }> {
  return fc
    .integer({ min: 1, max: mostShards })
    .chain((n) => fc.shuffledSubarray(indicesOf(n), { minLength: 1 }).map((chosen) => ({ n, chosen })));
}

/**
 * A module with the kernel's exports. Its `encode` returns 0 once and then traps, until it is instantiated
 * again.
 */
function moduleThatAbortsOnItsSecondUse(): Uint8Array<ArrayBuffer> {
  const I32 = 0x7f;
  const section = (id: number, ...entries: number[][]): number[] => {
    const body = [entries.length, ...entries.flat()];
    return [id, body.length, ...body];
  };
  const name = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
  const body = (...instructions: number[]): number[] => [instructions.length + 2, 0, ...instructions, 0x0b];
  const takes = (count: number, ...results: number[]): number[] => [
    0x60,
    count,
    ...Array.from({ length: count }, () => I32),
    results.length,
    ...results,
  ];
  const version1 = [1, 0, 0, 0];
  return Uint8Array.from([
    ...new TextEncoder().encode('\0asm'),
    ...version1,
    ...section(1, takes(4, I32), takes(6, I32), takes(1, I32), takes(2)),
    ...section(3, [0], [1], [2], [3]),
    ...section(5, [0, 1]), // one page of memory
    ...section(6, [I32, 1, 0x41, 0, 0x0b]), // a mutable global, 0
    ...section(
      7,
      [...name('memory'), 2, 0],
      [...name('encode'), 0, 0],
      [...name('reconstruct'), 0, 1],
      [...name('__wbindgen_malloc'), 0, 2],
      [...name('__wbindgen_free'), 0, 3],
    ),
    ...section(
      10,
      // if (global) unreachable; global = 1; return 0
      body(0x23, 0, 0x04, 0x40, 0x00, 0x0b, 0x41, 1, 0x24, 0, 0x41, 0),
      body(0x41, 0),
      body(0x41, 0),
      body(),
    ),
  ]);
}
