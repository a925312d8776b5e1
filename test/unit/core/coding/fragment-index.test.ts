// The fragment index: golden bytes and ids, round trips, and refusals.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFragmentIndex, encodeFragmentIndex } from '../../../../src/core/coding/fragment-index.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { fragmentIdOf, parseBlockHash } from '../../../../src/core/model/ids.ts';
import { MAX_MESSAGE_BYTES, MAX_SEGMENT_COUNT } from '../../../../src/core/model/limits.ts';
import { encodeCbor } from '../../../../src/core/encoding/decode.ts';
import vectors from '../../../vectors/fragment-index.json' with { type: 'json' };
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { expectOnly, expectThrows, itemAt, mutationsOf } from '../../../fixtures/pool-fixture.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const SHARE = seededBytes(32, 1);
const BLOCKS = [seededBytes(32, 2), seededBytes(32, 3)];

describe('golden vectors', () => {
  it.each(vectors.cases)('fragment $fragment', ({ fragment, share, blocks, bytes, fragmentId }) => {
    const index = {
      fragment,
      share: bytesOfHex(share),
      blocks: blocks.map((block) => parseBlockHash(bytesOfHex(block))),
    };
    expect(hexOf(encodeFragmentIndex(index))).toBe(bytes);
    expect(decodeFragmentIndex(bytesOfHex(bytes))).toEqual(index);
    expect(fragmentIdOf(bytesOfHex(bytes))).toBe(fragmentId);
  });
});

describe('a fragment index', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.nat(254), hash, fc.array(hash, { maxLength: 40 }), (fragment, share, hashes) => {
        const index = { fragment, share, blocks: hashes.map(parseBlockHash) };
        expect(decodeFragmentIndex(encodeFragmentIndex(index))).toEqual(index);
      }),
    );
  });

  it('of the largest file fits a message', () => {
    const block = parseBlockHash(seededBytes(32, 4));
    const blocks = Array.from({ length: MAX_SEGMENT_COUNT }, () => block);
    const bytes = encodeFragmentIndex({ fragment: 254, share: SHARE, blocks });
    expect(bytes.length).toBeLessThan(MAX_MESSAGE_BYTES - 1_000);
    expect(decodeFragmentIndex(bytes).blocks).toHaveLength(MAX_SEGMENT_COUNT);
    const more = encodeFragmentIndex({ fragment: 254, share: SHARE, blocks: [...blocks, block] });
    expectThrows('bad-message', () => decodeFragmentIndex(more));
  });
});

describe('refused is', () => {
  it.each<[string, Record<string, unknown>]>([
    ['another version', { v: 2 }],
    ['an extra key', { more: 1 }],
    ['fragment 255', { i: 255 }],
    ['a negative fragment', { i: -1 }],
    ['a fragment in text', { i: '1' }],
    ['a short share', { share: SHARE.subarray(1) }],
    ['a long block hash', { blocks: [new Uint8Array(33)] }],
    ['blocks that are no list', { blocks: { 0: BLOCKS[0] } }],
  ])('%s', (_, change) => {
    const bytes = encodeCbor({ v: 1, i: 1, share: SHARE, blocks: BLOCKS, ...change });
    expectThrows('bad-message', () => decodeFragmentIndex(bytes));
  });

  it('a missing key', () => {
    expectThrows('bad-message', () => decodeFragmentIndex(encodeCbor({ v: 1, i: 1, share: SHARE })));
  });

  it('any garbage, with nothing worse happening', () => {
    const valid = bytesOfHex(itemAt(vectors.cases, 1).bytes);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutationsOf(valid)), (bytes) =>
        expectOnly('bad-message', () => decodeFragmentIndex(bytes)),
      ),
      { numRuns: 1_000 },
    );
  });
});
