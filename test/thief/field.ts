// Arithmetic over GF(2^8) with the polynomial 0x11D, and Palm's uses of it: Shamir's shares and Reed-Solomon
// blocks (FORMATS.md, "Shares of Kq" and "Blocks"). Slow and plain.

const EXP = new Uint8Array(510);
const LOG = new Uint8Array(256);
for (let power = 0, value = 1; power < 255; power++) {
  EXP[power] = value;
  EXP[power + 255] = value;
  LOG[value] = power;
  value = value << 1;
  if (value > 255) value ^= 0x11d;
}

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : (EXP[(LOG[a] ?? 0) + (LOG[b] ?? 0)] ?? 0);
}

function divide(a: number, b: number): number {
  return a === 0 ? 0 : (EXP[(LOG[a] ?? 0) + 255 - (LOG[b] ?? 0)] ?? 0);
}

/**
 * The secret behind `shares` (at least k, by fragment number, all of one length): Lagrange's formula at 0.
 */
export function combine(shares: ReadonlyMap<number, Uint8Array>): Buffer {
  const xs = [...shares.keys()].map((fragment) => fragment + 1);
  const secret = Buffer.alloc([...shares.values()][0]?.length ?? 0);
  for (const [fragment, share] of shares) {
    const x = fragment + 1;
    const weight = xs
      .filter((other) => other !== x)
      .reduce((product, other) => multiply(product, divide(other, other ^ x)), 1);
    share.forEach((byte, at) => {
      secret[at] = (secret[at] ?? 0) ^ multiply(weight, byte);
    });
  }
  return secret;
}

/** Share `fragment` of `secret` under the random bytes of the coefficients, those of a_1 first. */
export function shareOf(secret: Uint8Array, coefficients: Uint8Array, fragment: number): Buffer {
  const x = fragment + 1;
  return Buffer.from(
    secret.map((byte, at) => {
      let share = byte;
      for (let start = 0, power = x; start < coefficients.length; start += secret.length) {
        share ^= multiply(coefficients[start + at] ?? 0, power);
        power = multiply(power, x);
      }
      return share;
    }),
  );
}

/** The k data blocks of a segment, concatenated, from k of its blocks by fragment number. */
export function dataBlocks(blocks: ReadonlyMap<number, Uint8Array>, k: number): Buffer {
  const present = [...blocks].slice(0, k);
  const matrix = codingMatrix(Math.max(...present.map(([fragment]) => fragment)) + 1, k);
  const decoder = invert(present.map(([fragment]) => matrix[fragment] ?? []));
  const blockBytes = present[0]?.[1].length ?? 0;
  const data = Buffer.alloc(k * blockBytes);
  decoder.forEach((row, target) => {
    row.forEach((factor, source) => {
      const block = present[source]?.[1];
      if (factor === 0 || block === undefined) return;
      const table = Uint8Array.from({ length: 256 }, (_, byte) => multiply(factor, byte));
      const start = target * blockBytes;
      for (let at = 0; at < blockBytes; at++)
        data[start + at] = (data[start + at] ?? 0) ^ (table[block[at] ?? 0] ?? 0);
    });
  });
  return data;
}

function codingMatrix(n: number, k: number): number[][] {
  const vandermonde = Array.from({ length: n }, (_, row) => {
    const powers = [1];
    while (powers.length < k) powers.push(multiply(powers.at(-1) ?? 0, row));
    return powers;
  });
  const inverse = invert(vandermonde.slice(0, k));
  return vandermonde.map((row) =>
    inverse.map((_, column) =>
      row.reduce((sum, factor, at) => sum ^ multiply(factor, inverse[at]?.[column] ?? 0), 0),
    ),
  );
}

/** Gauss-Jordan elimination. */
function invert(matrix: readonly (readonly number[])[]): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, at) => [...row, ...Array.from({ length: size }, (_, to) => +(to === at))]);
  for (let column = 0; column < size; column++) {
    const pivotAt = rows.findIndex((row, at) => at >= column && row[column] !== 0);
    const pivot = rows[pivotAt];
    const displaced = rows[column];
    if (pivot === undefined || displaced === undefined)
      throw new Error('A matrix that Palm uses has an inverse.');
    rows[pivotAt] = displaced;
    const scale = pivot[column] ?? 1;
    const scaled = pivot.map((value) => divide(value, scale));
    rows[column] = scaled;
    rows.forEach((row, at) => {
      const factor = row[column] ?? 0;
      if (at !== column && factor !== 0)
        rows[at] = row.map((value, to) => value ^ multiply(factor, scaled[to] ?? 0));
    });
  }
  return rows.map((row) => row.slice(size));
}
