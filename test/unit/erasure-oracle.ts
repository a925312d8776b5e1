// A slow, plain Reed-Solomon to hold the real one against, written from the description in Backblaze's and klauspost's
// code and sharing nothing with ours: long multiplication, search for inverses, Gauss-Jordan. And the small
// combinatorics that the coding tests need.
//
//   matrix (n x k) = Vandermonde(n, k) x Vandermonde(first k rows)^-1, Vandermonde[r][c] = r^c, 0^0 = 1

type Matrix = readonly (readonly number[])[];

/** All n shards (data first) of k data shards. */
export function encodeSlowly(data: readonly Uint8Array[], n: number): Uint8Array[] {
  const k = data.length;
  return codingMatrix(k, n).map((row) => combine(row, data));
}

/** The k data shards from any k shards. */
export function decodeSlowly(
  shards: readonly { readonly index: number; readonly bytes: Uint8Array }[],
  n: number,
): Uint8Array[] {
  const k = shards.length;
  const rows = codingMatrix(k, n);
  const chosen = shards.map(({ index }) => at(rows, index));
  const bytes = shards.map((shard) => shard.bytes);
  return inverse(chosen).map((row) => combine(row, bytes));
}

export function indicesOf(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** All subsets of `count` items, in order. */
export function subsetsOf<Item>(items: readonly Item[], count: number): Item[][] {
  if (count === 0) return [[]];
  return items.flatMap((item, index) =>
    subsetsOf(items.slice(index + 1), count - 1).map((rest) => [item, ...rest]),
  );
}

export function bytesOfHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

/** `length` bytes that look random and are the same on every run (xorshift32). */
export function seededBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed * 2_654_435_761 + 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

const matrices = new Map<string, Matrix>();

function codingMatrix(k: number, n: number): Matrix {
  const name = `${k}/${n}`;
  const known = matrices.get(name);
  if (known !== undefined) return known;
  const vandermonde = indicesOf(n).map((row) => indicesOf(k).map((column) => power(row, column)));
  const matrix = product(vandermonde, inverse(vandermonde.slice(0, k)));
  matrices.set(name, matrix);
  return matrix;
}

function combine(weights: readonly number[], shards: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint8Array(at(shards, 0).length);
  for (const [index, shard] of shards.entries()) {
    for (const [offset, byte] of shard.entries()) {
      sum[offset] = at(sum, offset) ^ multiply(at(weights, index), byte);
    }
  }
  return sum;
}

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) =>
    indicesOf(at(b, 0).length).map((column) =>
      row.reduce((sum, value, index) => sum ^ multiply(value, at(at(b, index), column)), 0),
    ),
  );
}

function inverse(matrix: Matrix): Matrix {
  const size = matrix.length;
  let rows = matrix.map((row, index) => [
    ...row,
    ...indicesOf(size).map((column) => Number(column === index)),
  ]);
  for (let column = 0; column < size; column++) {
    const pivotAt = rows.findIndex((row, index) => index >= column && at(row, column) !== 0);
    const pivot = at(rows, pivotAt);
    rows[pivotAt] = at(rows, column);
    const scale = reciprocal(at(pivot, column));
    const unit = pivot.map((value) => multiply(value, scale));
    rows = rows.map((row, index) =>
      index === column
        ? unit
        : row.map((value, position) => value ^ multiply(at(row, column), at(unit, position))),
    );
  }
  return rows.map((row) => row.slice(size));
}

function power(base: number, exponent: number): number {
  return indicesOf(exponent).reduce((value) => multiply(value, base), 1);
}

function reciprocal(value: number): number {
  return indicesOf(256).findIndex((candidate) => multiply(candidate, value) === 1);
}

/** Polynomial product over GF(2), then the remainder by 0x11D. */
export function multiply(a: number, b: number): number {
  let result = 0;
  for (let bit = 0; bit < 8; bit++) if ((b >> bit) & 1) result ^= a << bit;
  for (let bit = 15; bit >= 8; bit--) if ((result >> bit) & 1) result ^= 0x11d << (bit - 8);
  return result;
}

function at<Item>(list: { readonly [index: number]: Item; readonly length: number }, index: number): Item {
  const item = list[index];
  if (item === undefined) throw new Error(`There is no item ${index} of ${list.length}.`);
  return item;
}
