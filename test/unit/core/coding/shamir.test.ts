// Secret sharing: any k shares suffice, fewer do not, and the bytes are those that other implementations must
// produce.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { invert, multiply } from '../../../../src/core/coding/gf256.ts';
import {
  combineShares,
  interpolateShare,
  SHARE_BYTES,
  splitSecret,
} from '../../../../src/core/coding/shamir.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import vectors from '../../../vectors/shamir.json' with { type: 'json' };
import {
  bytesOfHex,
  indicesOf,
  multiply as multiplySlowly,
  subsetsOf,
} from '../../../fixtures/erasure-oracle.ts';

const secretArbitrary = fc.uint8Array({ minLength: SHARE_BYTES, maxLength: SHARE_BYTES });

describe('the field', () => {
  it('multiplies all pairs as long division by 0x11D does', () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) expect(multiply(a, b)).toBe(multiplySlowly(a, b));
    }
  });

  it('inverts every byte but zero', () => {
    expect(invert(0)).toBe(0);
    for (let a = 1; a < 256; a++) expect(multiply(a, invert(a))).toBe(1);
  });
});

describe('splitSecret', () => {
  it('is undone by every k-subset, in any order, for n <= 8', () => {
    for (let n = 1; n <= 8; n++) {
      for (let k = 1; k <= n; k++) {
        const secret = randomBytes(SHARE_BYTES);
        const shares = splitSecret(secret, k, n, randomBytes);
        expect(shares).toHaveLength(n);
        for (const indices of subsetsOf(indicesOf(n), k)) {
          const chosen = indices.map((index) => ({ index, share: shareAt(shares, index) }));
          expect(combineShares(chosen)).toEqual(secret);
          expect(combineShares(chosen.toReversed())).toEqual(secret);
        }
      }
    }
  });

  it('is undone by random k-subsets up to n = 255', () => {
    fc.assert(
      fc.property(secretArbitrary, geometryArbitrary(255), (secret, { k, n, chosen }) => {
        const shares = splitSecret(secret, k, n, randomBytes);
        const given = chosen.map((index) => ({ index, share: shareAt(shares, index) }));
        expect(combineShares(given)).toEqual(secret);
      }),
      { numRuns: 40 },
    );
  });

  it('takes its randomness in one call, and none for a mirror', () => {
    const lengths: number[] = [];
    const counting = (length: number): Uint8Array => {
      lengths.push(length);
      return randomBytes(length);
    };
    const secret = randomBytes(SHARE_BYTES);
    splitSecret(secret, 4, 8, counting);
    for (const share of splitSecret(secret, 1, 3, counting)) expect(share).toEqual(secret);
    expect(lengths).toEqual([3 * SHARE_BYTES]);
  });

  it('leaves its arguments unchanged and returns no views of them', () => {
    const secret = new Uint8Array(SHARE_BYTES).fill(7);
    const [share] = splitSecret(secret, 1, 1, randomBytes);
    share?.fill(9);
    expect(secret).toEqual(new Uint8Array(SHARE_BYTES).fill(7));
  });
});

describe('k - 1 shares', () => {
  it('fit every other secret: polynomials through both exist', () => {
    fc.assert(
      fc.property(
        secretArbitrary,
        secretArbitrary,
        geometryArbitrary(30).filter(({ k }) => k > 1),
        (secret, otherSecret, { k, n, chosen }) => {
          const shares = splitSecret(secret, k, n, randomBytes);
          const known = chosen.slice(1).map((index) => ({ index, share: shareAt(shares, index) }));
          const unknownIndex = chosen[0] ?? 0;

          // What the missing share would be if the secret were the other one. The secret lies at x = 0.
          const forged = shareFor(otherSecret, known, unknownIndex);

          expect(combineShares([...known, { index: unknownIndex, share: forged }])).toEqual(otherSecret);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('take every value equally often as the secret changes', () => {
    // k = 2, one byte: over all 256 coefficients, share 0 of any secret takes each value exactly once.
    for (const byte of [0, 1, 0x80, 0xff]) {
      const secret = new Uint8Array(SHARE_BYTES).fill(byte);
      const seen = new Set<number>();
      for (let coefficient = 0; coefficient < 256; coefficient++) {
        const [share] = splitSecret(secret, 2, 2, (length) => new Uint8Array(length).fill(coefficient));
        seen.add(share?.[0] ?? -1);
      }
      expect(seen.size).toBe(256);
    }
  });
});

describe('interpolateShare', () => {
  it('returns the exact bytes of each share from any k others', () => {
    fc.assert(
      fc.property(secretArbitrary, geometryArbitrary(30), fc.nat(), (secret, { k, n, chosen }, pick) => {
        const shares = splitSecret(secret, k, n, randomBytes);
        const given = chosen.map((index) => ({ index, share: shareAt(shares, index) }));
        expect(interpolateShare(given, k, pick % n)).toEqual(shareAt(shares, pick % n));
      }),
      { numRuns: 100 },
    );
  });
});

describe('bad arguments', () => {
  const secret = new Uint8Array(SHARE_BYTES);
  const share = { index: 0, share: secret };

  it.each<[string, () => unknown]>([
    ['a short secret', () => splitSecret(new Uint8Array(31), 2, 3, randomBytes)],
    ['k = 0', () => splitSecret(secret, 0, 3, randomBytes)],
    ['k > n', () => splitSecret(secret, 4, 3, randomBytes)],
    ['n = 256', () => splitSecret(secret, 4, 256, randomBytes)],
    ['a fractional k', () => splitSecret(secret, 1.5, 3, randomBytes)],
    ['n that is no number', () => splitSecret(secret, 1, Number.NaN, randomBytes)],
    ['a random source that answers too little', () => splitSecret(secret, 3, 3, () => new Uint8Array(1))],
    ['no shares', () => combineShares([])],
    ['a share twice', () => combineShares([share, share])],
    ['a short share', () => combineShares([{ index: 0, share: new Uint8Array(5) }])],
    ['a share index of 255', () => combineShares([{ index: 255, share: secret }])],
    ['a negative share index', () => combineShares([{ index: -1, share: secret }])],
    ['too few shares to rebuild one', () => interpolateShare([share], 2, 1)],
    ['rebuilding share 255', () => interpolateShare([share], 1, 255)],
  ])('%s is refused', (_, call) => {
    expect(call).toThrow(expect.toSatisfy((error: unknown) => isPalmError(error, 'bad-argument')));
  });
});

describe('golden vectors', () => {
  it.each(vectors.cases)('k = $k, n = $n', ({ k, n, secret, random, shares }) => {
    const made = splitSecret(bytesOfHex(secret), k, n, () => bytesOfHex(random));
    expect(made.map(hexOf)).toEqual(shares);
    const last = shares.slice(n - k).map((share, at) => ({ index: n - k + at, share: bytesOfHex(share) }));
    expect(hexOf(combineShares(last))).toBe(secret);
  });
});

function randomBytes(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

function shareAt(shares: readonly Uint8Array[], index: number): Uint8Array {
  const share = shares[index];
  if (share === undefined) throw new Error(`There is no share ${index}.`);
  return share;
}

/** n, k and k distinct indices below n. */
function geometryArbitrary(
  mostShares: number,
): fc.Arbitrary<{ readonly k: number; readonly n: number; readonly chosen: number[] }> {
  return fc
    .integer({ min: 1, max: mostShares })
    .chain((n) =>
      fc.shuffledSubarray(indicesOf(n), { minLength: 1 }).map((chosen) => ({ k: chosen.length, n, chosen })),
    );
}

/** The value at x = index + 1 of the polynomials through (0, secret) and the known shares. */
function shareFor(
  secret: Uint8Array,
  known: readonly { readonly index: number; readonly share: Uint8Array }[],
  index: number,
): Uint8Array {
  const points = [{ x: 0, y: secret }, ...known.map((share) => ({ x: share.index + 1, y: share.share }))];
  const value = new Uint8Array(SHARE_BYTES);
  for (const point of points) {
    let weight = 1;
    for (const other of points) {
      if (other !== point) {
        weight = multiply(weight, multiply(other.x ^ (index + 1), invert(other.x ^ point.x)));
      }
    }
    point.y.forEach((byte, at) => (value[at] = (value[at] ?? 0) ^ multiply(weight, byte)));
  }
  return value;
}
