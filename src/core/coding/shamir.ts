// Shamir's secret sharing of a 32-byte secret, byte by byte over GF(2^8) (Shamir, "How to share a secret",
// CACM 1979).
//
// Share i is the value at x = i + 1 of 32 polynomials of degree k - 1 whose constant terms are the secret.
// Any k shares give the secret. Fewer than k shares fit every secret equally well, whatever the computing
// power. This holds only if all other coefficients are uniformly random, zero included: a coefficient is
// never redrawn. With k = 1 there is nothing to draw and every share is the secret itself (a mirror).
//
// As far as JavaScript can guarantee it, timing depends only on k, n and the indices, which are public, and
// not on secret bytes.

import { PalmError } from '../model/errors.ts';
import { MAX_FRAGMENT_COUNT } from '../model/limits.ts';
import { invert, multiply } from './gf256.ts';

/** Bytes of the secret and of each share. */
export const SHARE_BYTES = 32;

/** Share `index` (0..254) of a secret: the polynomials' values at x = index + 1. */
export interface IndexedShare {
  readonly index: number;
  /** SHARE_BYTES bytes. */
  readonly share: Uint8Array;
}

/**
 * Splits `secret` (32 bytes) into n shares of 32 bytes. Any k of them bring it back; 1 <= k <= n <= 255.
 * `randomBytes` is called once, for (k - 1) * 32 bytes, unless k is 1. Byte b of coefficient j (1..k-1) is at
 * (j - 1) * 32 + b.
 * @throws PalmError 'bad-argument' when a length, k or n is out of range.
 */
export function splitSecret(
  secret: Uint8Array,
  k: number,
  n: number,
  randomBytes: (length: number) => Uint8Array,
): Uint8Array<ArrayBuffer>[] {
  checkBytes(secret, SHARE_BYTES, 'A secret');
  if (!Number.isInteger(k) || !Number.isInteger(n) || k < 1 || k > n || n > MAX_FRAGMENT_COUNT) {
    throw new PalmError({
      code: 'bad-argument',
      reason: 'internal',
      detail: `shares with k = ${k}, n = ${n}`,
    });
  }
  const coefficientBytes = (k - 1) * SHARE_BYTES;
  const coefficients = k === 1 ? new Uint8Array(0) : randomBytes(coefficientBytes);
  checkBytes(coefficients, coefficientBytes, 'The random source');

  const shares: Uint8Array<ArrayBuffer>[] = [];
  for (let index = 0; index < n; index++) shares.push(evaluate(secret, coefficients, k, index + 1));
  return shares;
}

/**
 * Restores the secret from exactly k shares with distinct indices; the caller knows k. More, fewer or altered
 * shares give other bytes without any error, so whatever the secret opens must be authenticated.
 * @throws PalmError 'bad-argument' when an index or a length is out of range or an index occurs twice.
 */
export function combineShares(shares: readonly IndexedShare[]): Uint8Array<ArrayBuffer> {
  checkShares(shares);
  return interpolate(shares, 0);
}

/**
 * Computes share `index` from exactly k others with distinct indices, for a rebuilt fragment. It has the same
 * bytes as the lost share.
 * @throws PalmError 'bad-argument' when there are not exactly k shares, or an index or a length is out of
 * range.
 */
export function interpolateShare(
  shares: readonly IndexedShare[],
  k: number,
  index: number,
): Uint8Array<ArrayBuffer> {
  checkShares(shares);
  if (shares.length !== k) {
    throw new PalmError({
      code: 'bad-argument',
      reason: 'internal',
      detail: `${shares.length} shares instead of ${k}`,
    });
  }
  checkIndex(index);
  return interpolate(shares, index + 1);
}

/** The polynomials at `x`, by Horner's rule. */
function evaluate(
  secret: Uint8Array,
  coefficients: Uint8Array,
  k: number,
  x: number,
): Uint8Array<ArrayBuffer> {
  const share = new Uint8Array(SHARE_BYTES);
  for (let term = k - 1; term >= 0; term--) {
    const addend = term === 0 ? secret : coefficients.subarray((term - 1) * SHARE_BYTES, term * SHARE_BYTES);
    for (const [at, byte] of addend.entries()) share[at] = multiply(share[at] ?? 0, x) ^ byte;
  }
  return share;
}

/** The polynomials through `shares`, at `x` (Lagrange); subtraction is `^`. */
function interpolate(shares: readonly IndexedShare[], x: number): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(SHARE_BYTES);
  for (const { index, share } of shares) {
    let numerator = 1;
    let denominator = 1;
    for (const other of shares) {
      if (other.index === index) continue;
      numerator = multiply(numerator, x ^ (other.index + 1));
      denominator = multiply(denominator, (index + 1) ^ (other.index + 1));
    }
    const weight = multiply(numerator, invert(denominator));
    for (const [at, byte] of share.entries()) values[at] = (values[at] ?? 0) ^ multiply(weight, byte);
  }
  return values;
}

function checkShares(shares: readonly IndexedShare[]): void {
  if (shares.length === 0)
    throw new PalmError({ code: 'bad-argument', reason: 'internal', detail: 'no share' });
  const indices = new Set<number>();
  for (const { index, share } of shares) {
    checkIndex(index);
    checkBytes(share, SHARE_BYTES, 'A share');
    indices.add(index);
  }
  if (indices.size !== shares.length)
    throw new PalmError({ code: 'bad-argument', reason: 'internal', detail: 'the same share twice' });
}

function checkIndex(index: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= MAX_FRAGMENT_COUNT) {
    throw new PalmError({ code: 'bad-argument', reason: 'internal', detail: `share ${index}` });
  }
}

function checkBytes(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) {
    throw new PalmError({
      code: 'bad-argument',
      reason: 'internal',
      detail: `${what} of ${bytes.length} bytes instead of ${length}`,
    });
  }
}
