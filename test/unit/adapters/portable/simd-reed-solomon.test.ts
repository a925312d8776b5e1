// Both builds of the erasure kernel: shards equal to a slow oracle's, to the npm wasm build's and to the
// golden ones; any k of them enough, for the data and for any single shard. Rebuilding single shards is
// compared with the npm build too.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadReedSolomon } from '../../../../src/adapters/portable/reed-solomon.ts';
import { loadSimdReedSolomon } from '../../../../src/adapters/portable/simd-reed-solomon.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import type { ErasureCode, IndexedBlock } from '../../../../src/core/coding/erasure-code.ts';
import vectors from '../../../vectors/erasure.json' with { type: 'json' };
import {
  bytesOfHex,
  encodeSlowly,
  indicesOf,
  seededBytes,
  subsetsOf,
} from '../../../fixtures/erasure-oracle.ts';
import { parityOf, rebuiltOf } from '../../../fixtures/erasure-coding.ts';
import { dirtyMemory } from '../../../fixtures/dirty-memory.ts';
import { enableRelaxedSimd, kernelWasm } from '../../../fixtures/kernel-modules.ts';
import { reedSolomonWasm } from '../../../fixtures/node-codec.ts';

await enableRelaxedSimd();
const portable = await loadReedSolomon(reedSolomonWasm());
const codes = [
  { build: 'simd', code: await loadSimdReedSolomon(kernelWasm('simd')) },
  { build: 'relaxed', code: await loadSimdReedSolomon(kernelWasm('relaxed')) },
];

/**
 * The stride of 8 shards in the kernel's arena: blocks at and around it end one stripe and begin the next.
 */
const STRIPE_BYTES_OF_8 = 32_704;
const LENGTHS = [
  ...indicesOf(100).map((index) => index + 1),
  ...[128, 192, 256, 1024, STRIPE_BYTES_OF_8, 2 * STRIPE_BYTES_OF_8].flatMap((length) => [
    length - 1,
    length,
    length + 1,
  ]),
  262_143,
  262_144,
];

describe.each(codes)('$build: shards', ({ code }) => {
  it('equal the slow oracle for all k <= n <= 8', () => {
    for (let n = 1; n <= 8; n++) {
      for (let k = 1; k <= n; k++) {
        for (const shardBytes of [1, 16, 33]) {
          const data = seededBytes(k * shardBytes, n * 100 + k);
          expect(shardsOf(code, data, k, n)).toEqual(encodeSlowly(cut(data, k), n));
        }
      }
    }
  });

  it("equal the npm build's for every length", () => {
    for (const shardBytes of LENGTHS) {
      for (const [k, n] of [
        [4, 8],
        [3, 4],
        [2, 9],
      ] as const) {
        const data = seededBytes(k * shardBytes, shardBytes);
        expectSame(parityOf(code, data, k, n), parityOf(portable, data, k, n));
      }
    }
  });

  it("equal the npm build's for k and n to 255", () => {
    const geometries = [
      [4, 12],
      [4, 252],
      [4, 255],
      [1, 255],
      [2, 255],
      [30, 255],
      [100, 200],
      [127, 255],
      [128, 255],
      [254, 255],
      [255, 255],
    ] as const;
    for (const [k, n] of geometries) {
      // Longer than one stripe of 255 shards.
      const data = seededBytes(k * 1100, k);
      expectSame(parityOf(code, data, k, n), parityOf(portable, data, k, n));
    }
  });

  it("equal the npm build's: random geometries to n = 30", () => {
    fc.assert(
      fc.property(geometry(30), fc.integer({ min: 1, max: 700 }), fc.nat(), ({ k, n }, shardBytes, seed) => {
        const data = seededBytes(k * shardBytes, seed);
        expectSame(parityOf(code, data, k, n), parityOf(portable, data, k, n));
      }),
      { numRuns: 200 },
    );
  });

  it.each(vectors.cases)('equal the golden ones for k = $k, n = $n', ({ k, n, data, parity }) => {
    expect(hexOf(parityOf(code, bytesOfHex(data), k, n))).toBe(parity);
  });

  it('of a mirror are all the same, and of k = n the data alone', () => {
    const data = seededBytes(1000, 1);
    for (const shard of shardsOf(code, data, 1, 5)) expect(shard).toEqual(data);
    expect(parityOf(code, data, 4, 4)).toHaveLength(0);
  });
});

describe.each(codes)('$build: any k shards', ({ code }) => {
  it('give the data back: every subset, in any order, for all k <= n <= 8', () => {
    for (let n = 1; n <= 8; n++) {
      for (let k = 1; k <= n; k++) {
        const data = seededBytes(k * 37, n * 10 + k);
        const shards = shardsOf(code, data, k, n);
        for (const indices of subsetsOf(indicesOf(n), k)) {
          expectSame(code.decode(pick(shards, indices), k, n), data);
          const into = dirtyMemory.take(data.length);
          expectSame(code.decode(pick(shards, indices.toReversed()), k, n, into), data);
          expectSame(into, data);
        }
      }
    }
  });

  it('give the data back: every length', () => {
    for (const shardBytes of LENGTHS) {
      const data = seededBytes(4 * shardBytes, shardBytes);
      const shards = shardsOf(code, data, 4, 8);
      for (const indices of [
        [7, 1, 5, 4],
        [0, 1, 2, 3],
        [3, 0, 7, 2],
      ]) {
        expectSame(code.decode(pick(shards, indices), 4, 8), data);
      }
    }
  });

  it('give the data back: random subsets to n = 30', () => {
    fc.assert(
      fc.property(subset(30), fc.integer({ min: 1, max: 700 }), ({ n, chosen }, shardBytes) => {
        const k = chosen.length;
        const data = seededBytes(k * shardBytes, shardBytes);
        expectSame(code.decode(pick(shardsOf(portable, data, k, n), chosen), k, n), data);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    [1, 255],
    [2, 255],
    [127, 255],
    [128, 255],
    [254, 255],
    [255, 255],
  ])('give the data back: the last k = %i of %i', (k, n) => {
    const data = seededBytes(k * 1100, k);
    const shards = shardsOf(code, data, k, n);
    expectSame(code.decode(pick(shards, indicesOf(n).slice(n - k)), k, n), data);
  });
});

describe.each([...codes, { build: 'npm', code: portable }])('$build: any single shard', ({ code }) => {
  it('is rebuilt from every k others, for all k <= n <= 8', () => {
    for (let n = 1; n <= 8; n++) {
      for (let k = 1; k <= n; k++) {
        const shards = shardsOf(portable, seededBytes(k * 33, n * 10 + k), k, n);
        for (const indices of subsetsOf(indicesOf(n), k)) {
          for (const index of indicesOf(n)) {
            expectSame(rebuiltOf(code, pick(shards, indices.toReversed()), index), shards[index]);
          }
        }
      }
    }
  });

  it('is rebuilt: random subsets to n = 30 and every length', () => {
    const lengths = fc.constantFrom(...LENGTHS.filter((length) => length < 2000));
    fc.assert(
      fc.property(subset(30), lengths, fc.nat(), ({ n, chosen }, shardBytes, seed) => {
        const k = chosen.length;
        const shards = shardsOf(portable, seededBytes(k * shardBytes, seed), k, n);
        const index = seed % n;
        expectSame(rebuiltOf(code, pick(shards, chosen), index), shards[index]);
      }),
      { numRuns: 200 },
    );
  });

  it('is rebuilt: blocks of 256 KiB, and 127 of 255', () => {
    const shards = shardsOf(portable, seededBytes(4 * 262_144, 3), 4, 8);
    for (const index of [0, 6]) expectSame(rebuiltOf(code, pick(shards, [7, 1, 5, 4]), index), shards[index]);
    const many = shardsOf(portable, seededBytes(127 * 1100, 3), 127, 255);
    expectSame(rebuiltOf(code, pick(many, indicesOf(255).slice(128)), 3), many[3]);
  });

  it.each([-1, 255, 0.5, Number.NaN])('that does not exist (%d) is refused', (index) => {
    const shards = shardsOf(portable, seededBytes(40, 3), 2, 4);
    expectRefused(() => code.derive(pick(shards, [0, 3]), [{ index, bytes: new Uint8Array(20) }]));
  });
});

describe.each([...codes, { build: 'npm', code: portable }])('$build: shards derived in place', ({ code }) => {
  it('are right: random sources and targets to n = 30, wherever they lie', () => {
    fc.assert(
      fc.property(
        subset(30),
        fc.integer({ min: 1, max: 300 }),
        fc.nat(),
        ({ n, chosen }, shardBytes, seed) => {
          const k = chosen.length;
          const shards = shardsOf(portable, seededBytes(k * shardBytes, seed), k, n);
          const room = new Uint8Array((n + 1) * (shardBytes + 1)).fill(0xee);
          const targets = indicesOf(n)
            .filter((index) => !chosen.includes(index) && ((seed >> (index % 8)) & 1) === 0)
            .map((index) => {
              const at = 1 + index * (shardBytes + 1);
              return { index, bytes: room.subarray(at, at + shardBytes) };
            });
          code.derive(pick(shards, chosen), targets.toReversed());
          for (const { index, bytes } of targets) expectSame(bytes, shards[index]);
          // The bytes between them are left alone.
          for (let at = 0; at < room.length; at += shardBytes + 1) expect(room[at]).toBe(0xee);
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    [[8, 9, 10, 11]],
    [[12, 13, 14, 15, 4, 5, 6, 7]],
    [[4, 5, 7, 6]],
    [[5, 6, 7, 8]],
    [[4, 5, 6, 8]],
    [[4, 5, 6]],
  ])('are right from shards 0 to 3: %j', (indices) => {
    const shards = shardsOf(portable, seededBytes(400, 1), 4, 16);
    const targets = indices.map((index) => ({ index, bytes: new Uint8Array(100) }));
    code.derive(pick(shards, [3, 1, 0, 2]), targets);
    for (const { index, bytes } of targets) expectSame(bytes, shards[index]);
  });

  it.each<[string, number[], number[], number]>([
    ['no sources', [], [0], 4],
    ['no shards at all', [], [], 4],
    ['a target among the sources', [0, 1], [2, 1], 4],
    ['a target twice', [0, 1], [2, 2], 4],
    ['an index of 255', [0, 1], [255], 4],
    ['empty shards', [0, 1], [2], 0],
    ['shards beyond the limit', [0, 1], [2], 262_145],
  ])('are refused: %s', (_, sources, targets, shardBytes) => {
    const shards = (indices: number[]) =>
      indices.map((index) => ({ index, bytes: new Uint8Array(shardBytes) }));
    expectRefused(() => code.derive(shards(sources), shards(targets)));
    expectRefused(() => code.derive(shards([0, 1]), [{ index: 2, bytes: new Uint8Array(shardBytes + 1) }]));
  });

  it('may be none', () => {
    code.derive([{ index: 0, bytes: new Uint8Array(4) }], []);
  });
});

describe.each(codes)('$build: the instance', ({ build, code }) => {
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

  it('takes shards that lie anywhere in larger buffers, and does not change them', () => {
    const room = seededBytes(1000, 5);
    const before = room.slice();
    const data = room.subarray(7, 7 + 400);
    expectSame(parityOf(code, data, 4, 8), parityOf(portable, data.slice(), 4, 8));
    const shards = [5, 2, 7, 0].map((index, place) => ({
      index,
      bytes: room.subarray(place * 101 + 3, place * 101 + 103),
    }));
    expectSame(code.decode(shards, 4, 8), portable.decode(shards, 4, 8));
    expect(room).toEqual(before);
  });

  it('is right about more loss patterns than it remembers, each met again', () => {
    const data = seededBytes(5 * 64, 1);
    const shards = shardsOf(portable, data, 5, 9);
    const patterns = subsetsOf(indicesOf(9), 5);
    expect(patterns.length).toBeGreaterThan(100);
    for (const indices of [...patterns, ...patterns.toReversed()]) {
      expectSame(code.decode(pick(shards, indices), 5, 9), data);
    }
  });

  it('keeps to the memory that the kernel lays out', async () => {
    const { exports } = await instantiate(kernelWasm(build === 'simd' ? 'simd' : 'relaxed'));
    const { memory, ARENA, ARENA_BYTES } = exports;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error('The kernel exports its memory.');
    expect(memory.buffer.byteLength).toBeLessThan(2 ** 20);
    expect(memory.buffer.byteLength).toBeGreaterThanOrEqual(valueOf(ARENA) + valueOf(ARENA_BYTES));
    expect(() => memory.grow(1)).toThrow(RangeError);
  });
});

describe.each(codes)('$build: bad arguments', ({ code }) => {
  const shard = (index: number, length = 4): IndexedBlock => ({ index, bytes: new Uint8Array(length) });

  it.each<[string, () => unknown]>([
    ['nothing to derive from', () => code.derive([], [shard(0)])],
    ['memory that is too short', () => code.decode([shard(0), shard(1)], 2, 3, new Uint8Array(7))],
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
    ['memory of another length', () => code.decode([shard(0), shard(1)], 2, 3, new Uint8Array(9))],
    ['an index of n', () => code.decode([shard(0), shard(3)], 2, 3)],
    ['a negative index', () => code.decode([shard(0), shard(-1)], 2, 3)],
    ['shards of two lengths', () => code.decode([shard(0), shard(1, 5)], 2, 3)],
    ['empty shards', () => code.decode([shard(0, 0), shard(1, 0)], 2, 3)],
  ])('%s: refused, and the next call works', (_, call) => {
    expectRefused(call);
    expect(shardsOf(code, seededBytes(8, 1), 2, 3)).toEqual(encodeSlowly(cut(seededBytes(8, 1), 2), 3));
  });
});

it('bytes that are not the kernel are refused when loading', async () => {
  const emptyModule = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  for (const bytes of [new Uint8Array([1, 2, 3]), emptyModule, reedSolomonWasm()]) {
    await expect(loadSimdReedSolomon(bytes)).rejects.toSatisfy((error) => isPalmError(error, 'unsupported'));
  }
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

/** Equality of bytes; fast with long arrays, even if they differ. */
function expectSame(actual: Uint8Array, expected: Uint8Array | undefined): void {
  if (expected === undefined) throw new Error('There is no such shard.');
  if (Buffer.compare(actual, expected) === 0) return;
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  throw new Error(`Byte ${at} of ${actual.length} (${expected.length}) is not as expected.`);
}

function expectRefused(call: () => unknown): void {
  expect(call).toThrow(expect.toSatisfy((error: unknown) => isPalmError(error, 'bad-argument')));
}

function geometry(mostShards: number): fc.Arbitrary<{ readonly k: number; readonly n: number }> {
  return fc
    .integer({ min: 1, max: mostShards })
    .chain((n) => fc.integer({ min: 1, max: n }).map((k) => ({ k, n })));
}

function subset(mostShards: number): fc.Arbitrary<{ readonly n: number; readonly chosen: number[] }> {
  return fc
    .integer({ min: 1, max: mostShards })
    .chain((n) => fc.shuffledSubarray(indicesOf(n), { minLength: 1 }).map((chosen) => ({ n, chosen })));
}

async function instantiate(wasm: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Instance> {
  const { instance } = await WebAssembly.instantiate(wasm);
  return instance;
}

function valueOf(exported: WebAssembly.ExportValue | undefined): number {
  const value: unknown = exported instanceof WebAssembly.Global ? exported.value : undefined;
  if (typeof value !== 'number') throw new Error('The kernel exports where its parts lie.');
  return value;
}
