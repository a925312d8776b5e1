// How bytes fall into segments and blocks: checked against slicing them one by one.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFragmentIndex } from '../../../../src/core/coding/fragment-index.ts';
import {
  blockBytesOf,
  checkGeometry,
  fragmentBytesOf,
  geometryOf,
  heldBytesOf,
  plainBytesOf,
  segmentBytesOf,
  segmentCountOf,
  type Geometry,
} from '../../../../src/core/model/geometry.ts';
import { parseBlockHash } from '../../../../src/core/model/ids.ts';
import {
  BLOCK_BYTES,
  fragmentCap,
  MAX_SEGMENT_COUNT,
  USUAL_BLOCK_BYTES,
} from '../../../../src/core/model/limits.ts';
import { expectThrows } from '../../../fixtures/pool-fixture.ts';

const geometries: fc.Arbitrary<Geometry> = fc
  .record({ k: fc.integer({ min: 1, max: 255 }), blockBytes: fc.integer({ min: 17, max: BLOCK_BYTES }) })
  .chain(({ k, blockBytes }) => {
    const full = k * blockBytes - 16;
    // A few segments, and sizes around their ends.
    const size = fc
      .tuple(fc.nat(4), fc.integer({ min: -2, max: 2 }), fc.nat(full))
      .map(([segments, offset, rest]) => Math.max(0, segments * full + (rest % 3 === 0 ? rest : offset)));
    return fc.record({
      size,
      k: fc.constant(k),
      n: fc.integer({ min: k, max: 255 }),
      blockBytes: fc.constant(blockBytes),
    });
  });

describe('segments', () => {
  it('cover the file without a gap: each is full but the last, and none is empty except in an empty file', () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        const lengths = Array.from({ length: segmentCountOf(geometry) }, (_, segment) =>
          plainBytesOf(geometry, segment),
        );
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(geometry.size);
        expect(lengths.slice(0, -1).every((length) => length === segmentBytesOf(geometry))).toBe(true);
        expect(lengths.at(-1)).toBeGreaterThanOrEqual(geometry.size === 0 ? 0 : 1);
        expect(lengths.at(-1)).toBeLessThanOrEqual(segmentBytesOf(geometry));
      }),
    );
  });

  it('sealed and padded are k equal blocks, with less than k bytes of padding', () => {
    fc.assert(
      fc.property(geometries, (geometry) => {
        let fragmentBytes = 0;
        for (let segment = 0; segment < segmentCountOf(geometry); segment++) {
          const blockBytes = blockBytesOf(geometry, segment);
          const padding = geometry.k * blockBytes - plainBytesOf(geometry, segment) - 16;
          expect(padding).toBeGreaterThanOrEqual(0);
          expect(padding).toBeLessThan(geometry.k);
          expect(blockBytes).toBeLessThanOrEqual(geometry.blockBytes);
          fragmentBytes += blockBytes;
        }
        expect(fragmentBytesOf(geometry)).toBe(fragmentBytes);
      }),
    );
  });

  it.each([
    [0, 1, 4],
    [1, 1, 5],
    [966_640, 1, 241_664],
    [966_641, 2, 241_664 + 5],
  ])('of a file of %i bytes at k = 4: %i, with fragments of %i bytes', (size, count, fragmentBytes) => {
    const geometry = geometryOf(size, 4, 8);
    expect(segmentCountOf(geometry)).toBe(count);
    expect(fragmentBytesOf(geometry)).toBe(fragmentBytes);
  });
});

describe('a new file', () => {
  it('has the largest possible blocks, but with the usual k keeps segments below 1 MiB', () => {
    const blockBytes = [1, 2, 3, 4, 5, 12, 255].map((k) => geometryOf(1_000, k, 255).blockBytes);
    expect(blockBytes).toEqual([1, 1, 1, 236 / 256, 1, 1, 1].map((part) => part * BLOCK_BYTES));
  });
});

describe('checkGeometry', () => {
  it.each<[string, Partial<Geometry>]>([
    ['k = 0', { k: 0 }],
    ['k > n', { k: 9 }],
    ['n = 256', { n: 256 }],
    ['a fractional k', { k: 2.5 }],
    ['n that is no number', { n: Number.NaN }],
    ['k = 1 that was not asked for as a mirror', { k: 1 }],
    ['a file of too many segments', { size: MAX_SEGMENT_COUNT * (4 * USUAL_BLOCK_BYTES - 16) + 1 }],
  ])('refuses %s', (_, change) => {
    expectThrows('bad-argument', () => checkGeometry({ ...geometryOf(1_000, 4, 8), ...change }, false));
  });

  it('takes the largest file, a mirror, and k = n', () => {
    checkGeometry(geometryOf(MAX_SEGMENT_COUNT * (4 * USUAL_BLOCK_BYTES - 16), 4, 8), false);
    checkGeometry(geometryOf(1, 1, 255), true);
    checkGeometry(geometryOf(1, 255, 255), false);
  });
});

describe('fragmentCap', () => {
  it('keeps any one device below k, where k allows it', () => {
    expect([1, 2, 3, 4, 255].map(fragmentCap)).toEqual([1, 1, 2, 3, 254]);
  });
});

describe('the space of a fragment', () => {
  it('is that of its blocks and its index, and little more', () => {
    for (const segmentCount of [1, 2, 23, 24, 255, 256, 5_000, MAX_SEGMENT_COUNT]) {
      const geometry = { size: segmentCount * (4 * BLOCK_BYTES - 16), k: 4, n: 8, blockBytes: BLOCK_BYTES };
      expect(segmentCountOf(geometry)).toBe(segmentCount);
      const blocks = Array.from({ length: segmentCount }, () => parseBlockHash(new Uint8Array(32)));
      const index = encodeFragmentIndex({ fragment: 254, share: new Uint8Array(32), blocks });
      const taken = heldBytesOf(geometry) - fragmentBytesOf(geometry);
      expect(taken).toBeGreaterThanOrEqual(index.length);
      expect(taken).toBeLessThanOrEqual(index.length + 10);
    }
  });
});
