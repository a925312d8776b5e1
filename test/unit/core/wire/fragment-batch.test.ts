// The payload of `fragments`: what it carries, and that any bad bytes are refused and do nothing else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES } from '../../../../src/core/model/limits.ts';
import { encodeCbor } from '../../../../src/core/encoding/decode.ts';
import { MAX_PLACES_PER_MESSAGE } from '../../../../src/core/wire/places.ts';
import {
  decodeSmallFragments,
  encodeSmallFragments,
  hasSmallFragments,
  MAX_TOGETHER_BYTES,
} from '../../../../src/core/wire/fragment-batch.ts';
import vectors from '../../../vectors/messages.json' with { type: 'json' };
import { bytesOfHex, indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { expectOnly, expectThrows } from '../../../fixtures/pool-fixture.ts';

it('is, in the golden vector, a fragment and one that is not sent', () => {
  const vector = vectors.cases.find(({ message }) => message.kind === 'fragments');
  const index = Uint8Array.from(indicesOf(90));
  const block = Uint8Array.from(indicesOf(70), (octet) => 255 - octet);
  expect(decodeSmallFragments(bytesOfHex(vector?.payload ?? ''))).toEqual([{ index, block }, undefined]);
});

it('comes back as it was, each block in a buffer of its own', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 200 });
  const fragment = fc.option(fc.record({ index: bytes, block: bytes }), { nil: undefined });
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 8 }), (fragments) => {
      const decoded = decodeSmallFragments(encodeSmallFragments(fragments));
      expect(decoded).toEqual(fragments);
      for (const small of decoded) expect(small?.block.buffer.byteLength).toBe(small?.block.length);
    }),
  );
});

it('of as many and as long fragments as one answer may have is read', () => {
  const blockBytes = MAX_TOGETHER_BYTES / MAX_PLACES_PER_MESSAGE;
  const fragment = { index: seededBytes(250, 1), block: seededBytes(blockBytes, 2) };
  const fragments = Array.from({ length: MAX_PLACES_PER_MESSAGE }, () => fragment);
  expect(decodeSmallFragments(encodeSmallFragments(fragments))).toEqual(fragments);
});

describe('refused is', () => {
  const [index, block] = [seededBytes(90, 1), seededBytes(70, 2)];
  it.each([
    ['no list', { index, block }],
    ['too many', Array.from({ length: MAX_PLACES_PER_MESSAGE + 1 }, () => [index, block])],
    ['a fragment without a block', [[index]]],
    ['an empty block', [[index, new Uint8Array(0)]]],
    ['a block that is not small', [[index, new Uint8Array(64 * 1024 + 1)]]],
    ['an index that is not small', [[new Uint8Array(257), block]]],
    ['more than one answer may have', Array.from({ length: 3 }, () => [index, new Uint8Array(64 * 1024)])],
  ])('%s', (_, value) => {
    expectThrows('bad-message', () => decodeSmallFragments(encodeCbor(value)));
  });

  it('anything else, with nothing worse happening', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => expectOnly('bad-message', () => decodeSmallFragments(bytes))),
      { numRuns: 500 },
    );
  });
});

it('is for files of one segment with blocks of at most 64 KiB', () => {
  const file = { k: 4, n: 8, blockBytes: BLOCK_BYTES };
  expect(hasSmallFragments({ ...file, size: 0 })).toBe(true);
  expect(hasSmallFragments({ ...file, size: 4 * 64 * 1024 - 16 })).toBe(true);
  expect(hasSmallFragments({ ...file, size: 4 * 64 * 1024 - 15 })).toBe(false);
  expect(hasSmallFragments({ ...file, blockBytes: 1_024, size: 10_000 })).toBe(false);
});
