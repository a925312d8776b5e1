// The coefficients by which shards follow from other shards.
//
// The matrix of FORMATS.md, Vandermonde(n, k) times the inverse of its first k rows, says this: the k data
// shards are the values at 0..k-1 of a polynomial of degree below k over GF(2^8), and shard i is its value at
// i. So any shard is an interpolation through any k others (Lagrange), and no matrix is ever inverted:
//
//   value at t = sum over sources s of  value at s * product over other sources o of (t - o) / (s - o)
//
// Shards' indices are public: tables of logarithms may be looked up by them, unlike in core/coding, where
// secrets pass.

import { multiply } from '../../core/coding/gf256.ts';

/**
 * Loss patterns to remember. A pool meets a few at a time; each takes some 16 KiB at most, usually below 1
 * KiB.
 */
const MAX_KNOWN_PATTERNS = 64;

/** The order of the field's multiplicative group: logarithms count modulo this. */
const GROUP_ORDER = 255;

const { exponentials, logarithms } = tabulate();

/** Coefficients of targets (rows) in terms of sources (columns), row by row. */
export type CodingMatrix = Uint8Array<ArrayBuffer>;

interface Indexed {
  readonly index: number;
}

/** Matrices by pattern; the least recently used is forgotten first. */
export class CodingMatrices {
  readonly #known = new Map<string, CodingMatrix>();

  /** The matrix from shards `sources` to shards `targets`, whose indices are all distinct. */
  from(sources: readonly Indexed[], targets: readonly Indexed[]): CodingMatrix {
    const from = indicesOf(sources);
    const to = indicesOf(targets);
    const pattern = `${from.join()}>${to.join()}`;
    const matrix = this.#known.get(pattern) ?? interpolation(from, to);
    this.#known.delete(pattern);
    this.#known.set(pattern, matrix); // a Map keeps the order in which its keys came
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_KNOWN_PATTERNS) break;
      this.#known.delete(oldest);
    }
    return matrix;
  }
}

function interpolation(sources: readonly number[], targets: readonly number[]): CodingMatrix {
  // Both products over "other sources" are taken over all sources; logarithms turn products into sums.
  const denominators = sources.map((source) =>
    sources.reduce((sum, other) => (other === source ? sum : sum + logarithmOf(source ^ other)), 0),
  );
  const matrix = new Uint8Array(targets.length * sources.length);
  let at = 0;
  for (const target of targets) {
    const numerator = sources.reduce((sum, source) => sum + logarithmOf(target ^ source), 0);
    for (const [column, source] of sources.entries()) {
      const exponent = numerator - logarithmOf(target ^ source) - (denominators[column] ?? 0);
      matrix[at++] = exponentials[((exponent % GROUP_ORDER) + GROUP_ORDER) % GROUP_ORDER] ?? 0;
    }
  }
  return matrix;
}

function indicesOf(shards: readonly Indexed[]): number[] {
  return shards.map((shard) => shard.index);
}

/** Of a non-zero byte, to base 2, which generates the group. */
function logarithmOf(byte: number): number {
  return logarithms[byte] ?? 0;
}

function tabulate(): { exponentials: Uint8Array; logarithms: Uint8Array } {
  const powers = new Uint8Array(GROUP_ORDER);
  const inverse = new Uint8Array(GROUP_ORDER + 1);
  for (let exponent = 0, power = 1; exponent < GROUP_ORDER; exponent++) {
    powers[exponent] = power;
    inverse[power] = exponent;
    power = multiply(power, 2);
  }
  return { exponentials: powers, logarithms: inverse };
}
