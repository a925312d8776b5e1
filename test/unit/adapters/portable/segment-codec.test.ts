// Sealing and opening segments: golden bytes, any k of n, all tampering noticed, and what fewer than k
// fragments reveal.

import { createDecipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSegmentCodec } from '../../../../src/adapters/portable/segment-codec.ts';
import { deriveFileKey } from '../../../../src/core/coding/file-key.ts';
import { combineShares, splitSecret } from '../../../../src/core/coding/shamir.ts';
import { concatBytes, hexOf } from '../../../../src/core/model/bytes.ts';
import { isPalmError, type PalmErrorCode } from '../../../../src/core/model/errors.ts';
import type { BlockHash } from '../../../../src/core/model/ids.ts';
import { BLOCK_BYTES, GCM_TAG_BYTES } from '../../../../src/core/model/limits.ts';
import type { ArrivedBlock, SegmentParameters } from '../../../../src/core/ports.ts';
import vectors from '../../../vectors/segment.json' with { type: 'json' };
import { bytesOfHex, indicesOf, seededBytes, subsetsOf } from '../../../fixtures/erasure-oracle.ts';
import { dirtyMemory } from '../../../fixtures/dirty-memory.ts';
import { loadNodeCodec } from '../../../fixtures/node-codec.ts';

const codec = await loadNodeCodec();

const PARAMETERS: SegmentParameters = {
  key: seededBytes(32, 1),
  salt: seededBytes(32, 2),
  segmentIndex: 3,
  segmentCount: 9,
  k: 4,
  n: 8,
};
const FULL_SEGMENT_BYTES = 4 * BLOCK_BYTES - GCM_TAG_BYTES;

describe('golden vectors', () => {
  it.each(vectors.cases)(
    'segment $segmentIndex of $segmentCount, k = $k, n = $n',
    async ({ key, salt, plain, blocks, hashes, segmentIndex, segmentCount, k, n }) => {
      const parameters = { key: bytesOfHex(key), salt: bytesOfHex(salt), segmentIndex, segmentCount, k, n };
      const sealed = await codec.seal(parameters, bytesOfHex(plain), sha256(bytesOfHex(plain)));
      expect(sealed.blocks.map(hexOf)).toEqual(blocks);
      expect(sealed.hashes.map(hexOf)).toEqual(hashes);

      const last = blocks.map((block, index) => ({ index, bytes: bytesOfHex(block) })).slice(n - k);
      expect(await codec.open(parameters, last, plain.length / 2)).toEqual(opened(bytesOfHex(plain)));
    },
  );
});

describe('seal and open', () => {
  it.each([0, 1, 15, 16, 17, 1000, FULL_SEGMENT_BYTES - 1, FULL_SEGMENT_BYTES])(
    'a segment of %i bytes comes back',
    async (plainBytes) => {
      const plain = seededBytes(plainBytes, 5);
      const { blocks, hashes } = await codec.seal(PARAMETERS, plain.slice(), sha256(plain));
      expect(blocks.map((block) => block.length)).toEqual(
        Array.from({ length: 8 }, () => Math.ceil((plainBytes + GCM_TAG_BYTES) / 4)),
      );
      expect(hashes.map(hexOf)).toEqual(blocks.map((block) => hexOf(sha256(block))));
      const opening = await codec.open(PARAMETERS, pick(blocks, [6, 1, 4, 3], hashes), plainBytes);
      if (opening.kind !== 'opened') throw new Error('every block is sound');
      expect(Buffer.compare(opening.plain, plain)).toBe(0);
    },
  );

  it('the blocks are the same in reused memory, however much of it the segment fills', async () => {
    for (const plainBytes of [0, 1, 20, 1000]) {
      const plain = seededBytes(plainBytes, 5);
      const blockBytes = Math.ceil((plainBytes + GCM_TAG_BYTES) / 4);
      const into = indicesOf(8).map(() => dirtyMemory.take(blockBytes));
      const sealed = await codec.seal(PARAMETERS, plain.slice(), undefined, undefined, into);
      expect(sealed).toEqual(await codec.seal(PARAMETERS, plain.slice(), undefined));
      expect(sealed.blocks.map(({ buffer }) => buffer)).toEqual(into.map(({ buffer }) => buffer));
    }
  });

  it('the hash of the plaintext comes with the blocks', async () => {
    const plain = seededBytes(1000, 5);
    expect((await codec.seal(PARAMETERS, plain.slice(), undefined)).plainHash).toEqual(sha256(plain));
  });

  it('any k of the n blocks will do, and k = 1 and k = n as well', async () => {
    for (const [k, n] of [
      [1, 1],
      [1, 3],
      [2, 4],
      [3, 3],
      [3, 6],
    ] as const) {
      const parameters = { ...PARAMETERS, k, n };
      const plain = seededBytes(100, k);
      const { blocks } = await codec.seal(parameters, plain.slice(), sha256(plain));
      for (const indices of subsetsOf(indicesOf(n), k)) {
        expect(await codec.open(parameters, pick(blocks, indices), 100)).toEqual(opened(plain));
      }
    }
  });

  it('the blocks of a mirror are the segment, each in memory of its own; no code computes them', async () => {
    const never = (): never => {
      throw new Error('there is nothing to compute');
    };
    const taken: Uint8Array[] = [];
    const memory = {
      take: (byteCount: number) => dirtyMemory.take(byteCount),
      give: (b: Uint8Array) => void taken.push(b),
    };
    const copying = createSegmentCodec({ decode: never, derive: never }, memory);
    const parameters = { ...PARAMETERS, k: 1, n: 3 };
    const plain = seededBytes(1_000, 9);
    const into = indicesOf(3).map(() => dirtyMemory.take(plain.length + GCM_TAG_BYTES));
    const { blocks, hashes } = await copying.seal(parameters, plain.slice(), undefined, undefined, into);
    expect(new Set(blocks.map(hexOf)).size).toBe(1);
    expect(new Set(blocks.map(({ buffer }) => buffer)).size).toBe(3);
    expect(hashes.map(hexOf)).toEqual(blocks.map((block) => hexOf(sha256(block))));
    for (const index of indicesOf(3)) {
      const given = pick(blocks, [index], hashes);
      expect(await copying.open(parameters, given, plain.length)).toEqual(opened(plain));
      expect(
        given.map(({ bytes }) => hexOf(bytes)),
        'it is not written to',
      ).toEqual([hexOf(blocks[0] ?? plain)]);
    }
    expect(taken, 'the block stays with whoever gave it').toEqual([]);
    await expect(codec.open(parameters, pick([...blocks, plain], [3]), plain.length)).rejects.toThrow();
  });

  it('if some blocks do not match their hashes, the others are given back', async () => {
    const plain = seededBytes(1_000, 8);
    const { blocks, hashes } = await codec.seal(PARAMETERS, plain.slice(), sha256(plain));
    const given = pick(blocks, [6, 1, 4, 3], hashes).map((block) => ({
      ...block,
      bytes: block.bytes.slice(),
    }));
    for (const at of [1, 3]) given[at]?.bytes.fill(0, 10, 20);
    const sound = [0, 2].map((at) => ({ index: given[at]?.index, bytes: given[at]?.bytes.slice() }));
    const opening = await codec.open(PARAMETERS, given, plain.length);
    expect(opening).toEqual({ kind: 'unsound', sound });
    if (opening.kind !== 'unsound') return;
    const again = [...opening.sound, ...pick(blocks, [0, 7], hashes)];
    expect(await codec.open(PARAMETERS, again, plain.length)).toEqual(opened(plain));
  });

  it('every block has a buffer of its own', async () => {
    const plain = seededBytes(100, 1);
    const { blocks } = await codec.seal(PARAMETERS, plain.slice(), sha256(plain));
    for (const block of blocks) expect(block.buffer.byteLength).toBe(block.length);
  });

  it('hash is SHA-256', async () => {
    expect(await codec.hash(seededBytes(1000, 1))).toEqual(sha256(seededBytes(1000, 1)));
  });
});

describe('a segment that changed since its hash was taken', () => {
  it('is not sealed', async () => {
    const plain = seededBytes(100, 1);
    const hash = sha256(plain);
    plain[50] = (plain[50] ?? 0) ^ 1;
    await expectCode(codec.seal(PARAMETERS, plain, hash), 'source-changed');
    await expectCode(codec.seal(PARAMETERS, seededBytes(99, 1), hash), 'source-changed');
  });
});

describe('tampering', () => {
  it('any flipped bit in any block used is noticed', async () => {
    const plain = seededBytes(50, 1);
    const { blocks } = await codec.seal(PARAMETERS, plain.slice(), sha256(plain));
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(indicesOf(8), { minLength: 4, maxLength: 4 }),
        fc.nat(3),
        fc.nat(),
        async (indices, victim, bit) => {
          const given = pick(blocks, indices).map(({ index, bytes }) => ({ index, bytes: bytes.slice() }));
          const bytes = given[victim]?.bytes ?? new Uint8Array(1);
          const at = (bit >> 3) % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
          await expectCode(codec.open(PARAMETERS, given, 50), 'corrupt');
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each<[string, Partial<SegmentParameters>]>([
    ['another key', { key: seededBytes(32, 9) }],
    ['another salt', { salt: seededBytes(32, 9) }],
    ['another segment index', { segmentIndex: 4 }],
    ['another segment count', { segmentCount: 10 }],
    ['another n', { n: 9 }],
  ])('%s does not open it', async (_, change) => {
    const plain = seededBytes(50, 1);
    const { blocks } = await codec.seal(PARAMETERS, plain.slice(), sha256(plain));
    const opening = codec.open({ ...PARAMETERS, ...change }, pick(blocks, [0, 1, 2, 3]), 50);
    await expectCode(opening, 'corrupt');
  });

  it('a segment of a wrong length, or with blocks of one, does not open', async () => {
    const plain = seededBytes(50, 1);
    const { blocks } = await codec.seal(PARAMETERS, plain.slice(), sha256(plain));
    await expectCode(codec.open(PARAMETERS, pick(blocks, [0, 1, 2, 3]), 49), 'corrupt');
    await expectCode(codec.open(PARAMETERS, pick(blocks, [0, 1, 2, 3]), 500), 'corrupt');
    const short = pick(blocks, [0, 1, 2, 3]).map(({ index, bytes }) => ({ index, bytes: bytes.slice(1) }));
    await expectCode(codec.open(PARAMETERS, short, 50), 'corrupt');
  });

  it('a segment with non-zero padding does not open', async () => {
    const plain = seededBytes(49, 1); // 65 sealed bytes in 4 blocks of 17: three bytes of padding
    const { blocks } = await codec.seal(PARAMETERS, plain.slice(), sha256(plain));
    const given = pick(blocks, [0, 1, 2, 3]);
    expect(await codec.open(PARAMETERS, given, 49)).toEqual(opened(plain));
    given[3]?.bytes.fill(1, 16);
    await expectCode(codec.open(PARAMETERS, given, 49), 'corrupt');
  });
});

describe('secrecy', () => {
  // A member has the pool's keys, so Kc; the plaintext is recognisable at a glance.
  const poolHalf = seededBytes(32, 10);
  const sharedHalf = seededBytes(32, 11);
  const key = deriveFileKey(poolHalf, sharedHalf, PARAMETERS.salt);
  const plain = new TextEncoder().encode('The safe is behind the painting. '.repeat(40));

  it('k - 1 fragments and every pool key give no byte of a systematic block', async () => {
    const shares = splitSecret(sharedHalf, 4, 8, (length) => crypto.getRandomValues(new Uint8Array(length)));
    const { blocks } = await codec.seal({ ...PARAMETERS, key }, plain.slice(), sha256(plain));
    const [slice] = blocks;
    if (slice === undefined) throw new Error('There is no block 0.');

    // The reason for the threshold: with the key, block 0 alone is the first plaintext slice. The tag
    // protects nothing here.
    expect(new TextDecoder().decode(decipherUnchecked(key, 3, slice))).toMatch(/^The safe is behind/);

    // Without k shares every candidate key is as likely as any other; those that a member can compute all
    // fail.
    const candidates = [1, 2, 3].map((count) =>
      combineShares(shares.slice(0, count).map((share, index) => ({ index, share }))),
    );
    for (const candidate of [...candidates, new Uint8Array(32), ...shares.slice(0, 3)]) {
      const guess = deriveFileKey(poolHalf, candidate, PARAMETERS.salt);
      expect(longestCommonRun(decipherUnchecked(guess, 3, slice), plain)).toBeLessThan(5);
    }
    for (const block of blocks.slice(0, 3)) expect(longestCommonRun(block, plain)).toBeLessThan(5);
  });

  it('k fragments without the pool key open nothing', async () => {
    const { blocks } = await codec.seal({ ...PARAMETERS, key }, plain.slice(), sha256(plain));
    for (const otherHalf of [new Uint8Array(32), sharedHalf, seededBytes(32, 12)]) {
      const guess = deriveFileKey(otherHalf, sharedHalf, PARAMETERS.salt);
      const opening = codec.open({ ...PARAMETERS, key: guess }, pick(blocks, [0, 1, 2, 3]), plain.length);
      await expectCode(opening, 'corrupt');
    }
    expect(longestCommonRun(concatBytes(...blocks), plain)).toBeLessThan(5);
  });

  it('equal segments of one file are sealed differently', async () => {
    const first = await codec.seal(PARAMETERS, plain.slice(), sha256(plain));
    const second = await codec.seal({ ...PARAMETERS, segmentIndex: 4 }, plain.slice(), sha256(plain));
    const hashes = new Set([...first.hashes, ...second.hashes].map(hexOf));
    expect(hashes.size).toBe(16);
  });
});

describe('bad arguments and aborts', () => {
  it.each<[string, Partial<SegmentParameters>]>([
    ['a short key', { key: new Uint8Array(16) }],
    ['a short salt', { salt: new Uint8Array(16) }],
    ['an index of the count', { segmentIndex: 9 }],
    ['a negative index', { segmentIndex: -1 }],
    ['a fractional index', { segmentIndex: 0.5 }],
    ['too many segments', { segmentCount: 65_537 }],
    ['k = 0', { k: 0 }],
    ['k > n', { k: 9 }],
    ['n = 256', { n: 256 }],
  ])('%s is refused', async (_, change) => {
    const plain = seededBytes(10, 1);
    const parameters = { ...PARAMETERS, ...change };
    await expectCode(codec.seal(parameters, plain, sha256(plain)), 'bad-argument');
    await expectCode(codec.open(parameters, [], 10), 'bad-argument');
  });

  it('a segment beyond k blocks is refused', async () => {
    const plain = new Uint8Array(FULL_SEGMENT_BYTES + 1);
    await expectCode(codec.seal(PARAMETERS, plain, sha256(plain)), 'bad-argument');
  });

  it('too few blocks, or one twice, are refused', async () => {
    const { blocks } = await codec.seal(PARAMETERS, seededBytes(10, 1), sha256(seededBytes(10, 1)));
    await expectCode(codec.open(PARAMETERS, pick(blocks, [0, 1, 2]), 10), 'bad-argument');
    await expectCode(codec.open(PARAMETERS, pick(blocks, [0, 1, 2, 2]), 10), 'bad-argument');
  });

  it('an aborted call is cancelled', async () => {
    const plain = seededBytes(10, 1);
    const aborted = AbortSignal.abort();
    await expectCode(codec.hash(plain, aborted), 'cancelled');
    await expectCode(codec.seal(PARAMETERS, plain, sha256(plain), aborted), 'cancelled');
    await expectCode(codec.open(PARAMETERS, [], 10, aborted), 'cancelled');
  });
});

async function expectCode(promise: Promise<unknown>, code: PalmErrorCode): Promise<void> {
  await expect(promise).rejects.toSatisfy((error) => isPalmError(error, code));
}

/** With their hashes if these are given, as for blocks from elsewhere. */
function pick(
  blocks: readonly Uint8Array<ArrayBuffer>[],
  indices: readonly number[],
  hashes?: readonly BlockHash[],
): ArrivedBlock[] {
  return indices.map((index) => ({
    index,
    bytes: blocks[index] ?? new Uint8Array(0),
    hash: hashes?.[index],
  }));
}

function opened(plain: Uint8Array): object {
  return { kind: 'opened', plain };
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

/** AES-256-GCM's keystream without its tag: what an attacker does with a slice and a key. */
function decipherUnchecked(key: Uint8Array, segmentIndex: number, slice: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(12);
  nonce[11] = segmentIndex;
  return createDecipheriv('aes-256-gcm', key, nonce).update(slice);
}

/** Length of the longest run of bytes of `text` in `bytes`. */
function longestCommonRun(bytes: Uint8Array, text: Uint8Array): number {
  const haystack = Buffer.from(bytes);
  let length = 0;
  for (let start = 0; start + length < text.length; start++) {
    while (
      start + length < text.length &&
      haystack.includes(Buffer.from(text.subarray(start, start + length + 1)))
    )
      length++;
  }
  return length;
}
