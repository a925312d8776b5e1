// Rebuilding lost blocks and fragments: from any k others, byte by byte what was lost, in every kernel.

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadReedSolomon } from '../../../../src/adapters/portable/reed-solomon.ts';
import { createSegmentCodec } from '../../../../src/adapters/portable/segment-codec.ts';
import { loadSimdReedSolomon } from '../../../../src/adapters/portable/simd-reed-solomon.ts';
import {
  decodeFragmentIndex,
  encodeFragmentIndex,
  rebuiltIndexOf,
} from '../../../../src/core/coding/fragment-index.ts';
import { splitSecret } from '../../../../src/core/coding/shamir.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { fragmentIdOf, parseBlockHash } from '../../../../src/core/model/ids.ts';
import type { ArrivedBlock, SealedSegment } from '../../../../src/core/ports.ts';
import { dirtyMemory } from '../../../fixtures/dirty-memory.ts';
import { bytesOfHex, indicesOf, seededBytes, subsetsOf } from '../../../fixtures/erasure-oracle.ts';
import { enableRelaxedSimd, kernelWasm } from '../../../fixtures/kernel-modules.ts';
import { reedSolomonWasm } from '../../../fixtures/node-codec.ts';
import { expectThrows, itemAt } from '../../../fixtures/pool-fixture.ts';
import segments from '../../../vectors/segment.json' with { type: 'json' };

await enableRelaxedSimd();
const codecs = [
  { kernel: 'plain', codec: createSegmentCodec(await loadReedSolomon(reedSolomonWasm()), dirtyMemory) },
  { kernel: 'simd', codec: createSegmentCodec(await loadSimdReedSolomon(kernelWasm('simd')), dirtyMemory) },
  {
    kernel: 'relaxed',
    codec: createSegmentCodec(await loadSimdReedSolomon(kernelWasm('relaxed')), dirtyMemory),
  },
];

describe.each(codecs)('the codec over the $kernel kernel', ({ codec }) => {
  it('rebuilds all other blocks from every k of them, for n <= 8', async () => {
    for (let n = 1; n <= 8; n++) {
      for (let k = 1; k <= n; k++) {
        const sealed = await sealedSegment(k, n, 100 + k);
        for (const chosen of subsetsOf(indicesOf(n), k)) await expectRebuilt(sealed, chosen, n);
      }
    }
  });

  it('rebuilds from random blocks in any order, up to n = 30', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 2, max: 30 })
          .chain((n) => fc.tuple(fc.constant(n), fc.shuffledSubarray(indicesOf(n), { minLength: 1 }))),
        fc.integer({ min: 0, max: 3_000 }),
        async ([n, chosen], plainBytes) => {
          await expectRebuilt(await sealedSegment(chosen.length, n, plainBytes), chosen, n);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('rebuilds the golden blocks', async () => {
    for (const { blocks, hashes, k, n } of segments.cases) {
      const arrived = blocks.map((block, index) => ({ index, bytes: bytesOfHex(block) })).slice(n - k);
      const rebuilt = await codec.rebuild(arrived, indicesOf(n - k));
      if (rebuilt.kind !== 'rebuilt') throw new Error('every block is sound');
      expect(rebuilt.blocks.map(({ bytes }) => hexOf(bytes))).toEqual(blocks.slice(0, n - k));
      expect(rebuilt.blocks.map(({ hash }) => hexOf(hash))).toEqual(hashes.slice(0, n - k));
    }
  });

  it('computes nothing from a block that does not match its hash, and gives the sound ones back', async () => {
    const sealed = await sealedSegment(3, 5, 500);
    const arrived = arrivedOf(sealed, [4, 0, 2]);
    const damaged = itemAt(arrived, 1);
    damaged.bytes[7] = (damaged.bytes[7] ?? 0) ^ 1;
    expect(await codec.rebuild(arrived, [1, 3])).toEqual({
      kind: 'unsound',
      sound: [4, 2].map((index) => ({ index, bytes: itemAt(sealed.blocks, index) })),
    });
  });

  async function expectRebuilt(sealed: SealedSegment, chosen: readonly number[], n: number): Promise<void> {
    const wanted = indicesOf(n).filter((index) => !chosen.includes(index));
    const expected = wanted.map((index) => ({
      index,
      bytes: itemAt(sealed.blocks, index),
      hash: itemAt(sealed.hashes, index),
    }));
    await useScratch(n, itemAt(sealed.blocks, 0).length);
    const rebuilt = await codec.rebuild(arrivedOf(sealed, chosen), wanted);
    expect(rebuilt).toEqual({ kind: 'rebuilt', blocks: expected });
  }

  /** Another segment of the same size: what a kernel's memory still has of it must not come back. */
  async function useScratch(n: number, blockBytes: number): Promise<void> {
    const others = [{ index: 0, bytes: seededBytes(blockBytes, 77) }];
    await codec.rebuild(others, indicesOf(n).slice(1));
  }

  function sealedSegment(k: number, n: number, plainBytes: number): Promise<SealedSegment> {
    const place = { segmentIndex: 0, segmentCount: 1, k, n };
    const keys = { key: seededBytes(32, 1), salt: seededBytes(32, 2) };
    return codec.seal({ ...keys, ...place }, seededBytes(plainBytes, plainBytes), undefined);
  }
});

describe('a rebuilt fragment index', () => {
  const [k, n] = [3, 7];
  const shares = splitSecret(seededBytes(32, 1), k, n, (length) => seededBytes(length, 2));
  const hashes = indicesOf(n).map((index) => [hashOf(index), hashOf(index + 100)]);
  const originals = shares.map((share, fragment) =>
    encodeFragmentIndex({ fragment, share, blocks: itemAt(hashes, fragment) }),
  );
  const file = { size: 300_000, k, n, blockBytes: 65_536, fragments: originals.map(fragmentIdOf) };

  it('has the bytes and the id of the lost one, from any k others', () => {
    for (const chosen of subsetsOf(indicesOf(n), k)) {
      const indexes = chosen.map((index) => decodeFragmentIndex(itemAt(originals, index)));
      for (const fragment of indicesOf(n)) {
        const rebuilt = rebuiltIndexOf(indexes, file, fragment, itemAt(hashes, fragment));
        expect(hexOf(rebuilt)).toBe(hexOf(itemAt(originals, fragment)));
      }
    }
  });

  it('is refused when a block or a share is another', () => {
    const indexes = [0, 1, 2].map((index) => decodeFragmentIndex(itemAt(originals, index)));
    expectThrows('corrupt', () => rebuiltIndexOf(indexes, file, 5, itemAt(hashes, 6)));
    const [first, ...rest] = indexes;
    if (first === undefined) throw new Error('there are three');
    const forged = [{ ...first, share: seededBytes(32, 9) }, ...rest];
    expectThrows('corrupt', () => rebuiltIndexOf(forged, file, 5, itemAt(hashes, 5)));
  });
});

function hashOf(seed: number): SealedSegment['hashes'][number] {
  return parseBlockHash(new Uint8Array(createHash('sha256').update(seededBytes(8, seed)).digest()));
}

function arrivedOf(sealed: SealedSegment, chosen: readonly number[]): ArrivedBlock[] {
  return chosen.map((index) => ({
    index,
    bytes: itemAt(sealed.blocks, index).slice(),
    hash: itemAt(sealed.hashes, index),
  }));
}
