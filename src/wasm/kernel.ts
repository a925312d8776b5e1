// The erasure kernel: sums of products over GF(2^8). AssemblyScript, compiled by build.mjs to two modules
// that differ in one instruction (`lookUp`).
//
//   output[row] = sum over all sources of coefficient[row][source] * source        byte by byte; `+` is xor
//
// With the right coefficients this is all of Reed-Solomon, whether it encodes, decodes or rebuilds one
// fragment. The caller chooses the coefficients and the field: it fills PRODUCTS and MATRIX. The most
// frequent case, four sources at 0..3, has a shorter way: `extrapolateFour`.
//
// Why it is fast: the product of a byte and a constant is the xor of two look-ups in tables of 16, one for
// each half of the byte, and `swizzle` looks up 16 bytes at a time (Plank, Greenan and Miller, "Screaming
// Fast Galois Field Arithmetic Using Intel SIMD Instructions", FAST '13). Four outputs share one pass over
// the sources, so that a source is loaded and cut in halves once for four rows; and 32 bytes share each load
// of a table. That is eight sums, four halves, one table pair and the mask: as much as an engine on x86-64
// can keep in its 15 registers.
//
// Memory is fixed and laid out here; there is no allocator. Sources and outputs lie in ARENA, `strideBytes`
// apart: source s at s * strideBytes, output r at (sourceCount + r) * strideBytes. A stride is a multiple of
// STEP_BYTES. Lengths are rounded up to one; the bytes between a length and the next step are computed too,
// and mean nothing.

const TABLE_BYTES: usize = 32;

/** For each constant 0..255: its products with 0..15, then with 0, 16, 32 … 240. The caller fills it once. */
export const PRODUCTS: usize = 0;

/** Coefficients for the next `prepare`, row by row. */
export const MATRIX: usize = PRODUCTS + 256 * TABLE_BYTES;
/** Enough for any 255 shards: at most 127 sources and 128 rows, in whole STEP_BYTES. */
const MATRIX_BYTES: usize = 254 * 64;

/** Table pairs of the prepared matrix, in the order in which `combine` reads them. */
const TABLES: usize = MATRIX + MATRIX_BYTES;

export const ARENA: usize = TABLES + MATRIX_BYTES * TABLE_BYTES;
/** Sources and outputs of one call: at most a quarter of a usual processor's second-level cache. */
export const ARENA_BYTES: usize = 256 * 1024;

export const STEP_BYTES: usize = 64;

/** Lays out the tables for MATRIX: for each pass of `combine`, for each source, for each row of the pass. */
export function prepare(rowCount: usize, sourceCount: usize): void {
  let table = TABLES;
  for (let first: usize = 0; first < rowCount; first += rowsInPass(rowCount - first)) {
    const end = first + rowsInPass(rowCount - first);
    for (let source: usize = 0; source < sourceCount; source++) {
      for (let row = first; row < end; row++) {
        const coefficient = <usize>load<u8>(MATRIX + row * sourceCount + source);
        const products = PRODUCTS + coefficient * TABLE_BYTES;
        v128.store(table, v128.load(products));
        v128.store(table, v128.load(products, 16), 16);
        table += TABLE_BYTES;
      }
    }
  }
}

/** Computes `lengthBytes` of each output from the sources and the prepared matrix, which has these counts. */
export function combine(rowCount: usize, sourceCount: usize, strideBytes: usize, lengthBytes: usize): void {
  const sourcesEnd = ARENA + sourceCount * strideBytes;
  let tables = TABLES;
  let output = sourcesEnd;
  for (let left = rowCount; left > 0; left -= rowsInPass(left)) {
    const rows = rowsInPass(left);
    if (rows === 4) fourRows(tables, sourcesEnd, strideBytes, lengthBytes, output);
    else if (rows === 2) twoRows(tables, sourcesEnd, strideBytes, lengthBytes, output);
    else oneRow(tables, sourcesEnd, strideBytes, lengthBytes, output);
    tables += rows * sourceCount * TABLE_BYTES;
    output += rows * strideBytes;
  }
}

/**
 * Computes outputs firstOutput..firstOutput+3 from four sources, which are the values at 0..3 of a polynomial
 * of degree below 4. The outputs are its values at base..base+3, where base is a multiple of 4 and `level` is
 * s(base), below. No matrix is used.
 *
 * This takes 5 products a byte instead of 16, by the transform of Lin, Chung and Han ("Novel Polynomial Basis
 * and Its Application to Reed-Solomon Erasure Codes", FOCS 2014). Let s(x) = x (x + 1) / 6. It is additive.
 * At 0..3 it is 0, 0, 1, 1, so at base..base+3 it is level, level, level + 1, level + 1. Written p(x) = c0 +
 * c1 x + s(x) (c2 + c3 x), the polynomial is linear on each pair of points on which s is constant.
 */
export function extrapolateFour(
  firstOutput: usize,
  base: usize,
  level: usize,
  strideBytes: usize,
  lengthBytes: usize,
): void {
  const output = ARENA + (4 + firstOutput) * strideBytes;
  const byTwo = PRODUCTS + 2 * TABLE_BYTES;
  const byLevel = PRODUCTS + level * TABLE_BYTES;
  const byBase = PRODUCTS + base * TABLE_BYTES;
  const byBasePlusTwo = PRODUCTS + (base ^ 2) * TABLE_BYTES;
  for (let at: usize = 0; at < lengthBytes; at += 16) {
    let source = ARENA + at;
    const y0 = v128.load(source);
    source += strideBytes;
    const y1 = v128.load(source);
    source += strideBytes;
    const y2 = v128.load(source);
    source += strideBytes;
    const y3 = v128.load(source);

    // Slopes and heights at x = 0 of the lines through (0, y0), (1, y1) and (2, y2), (3, y3), then of p.
    const c1 = v128.xor(y0, y1);
    const secondSlope = v128.xor(y2, y3);
    const c2 = v128.xor(y0, plusProduct(y2, byTwo, secondSlope));
    const c3 = v128.xor(c1, secondSlope);
    const height = plusProduct(y0, byLevel, c2);
    const slope = plusProduct(c1, byLevel, c3);
    const farHeight = v128.xor(height, c2);
    const farSlope = v128.xor(slope, c3);

    const z0 = plusProduct(height, byBase, slope);
    const z2 = plusProduct(farHeight, byBasePlusTwo, farSlope);
    let to = output + at;
    v128.store(to, z0);
    to += strideBytes;
    v128.store(to, v128.xor(z0, slope));
    to += strideBytes;
    v128.store(to, z2);
    to += strideBytes;
    v128.store(to, v128.xor(z2, farSlope));
  }
}

/** Three rows take two passes, of two and of one. */
function rowsInPass(rowsLeft: usize): usize {
  return rowsLeft >= 4 ? 4 : rowsLeft >= 2 ? 2 : 1;
}

/** Bytes of `table` at `indices`, each 0..15: for those, both instructions are defined to do the same. */
function lookUp(table: v128, indices: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, indices);
  return i8x16.swizzle(table, indices);
}

function lowHalves(bytes: v128): v128 {
  return v128.and(bytes, i8x16.splat(0x0f));
}

function highHalves(bytes: v128): v128 {
  return v128.and(i32x4.shr_u(bytes, 4), i8x16.splat(0x0f));
}

/** `sum` plus the products of bytes, given in halves, and the constant whose tables these are. */
function plusProducts(sum: v128, lowTable: v128, highTable: v128, low: v128, high: v128): v128 {
  return v128.xor(v128.xor(sum, lookUp(lowTable, low)), lookUp(highTable, high));
}

/** `sum` plus the products of bytes and the constant whose tables lie at `table`. */
function plusProduct(sum: v128, table: usize, bytes: v128): v128 {
  return plusProducts(sum, v128.load(table), v128.load(table, 16), lowHalves(bytes), highHalves(bytes));
}

/** Computes 32 bytes of four outputs at a time: sums a, b, c and d of two vectors each. */
function fourRows(tables: usize, sourcesEnd: usize, stride: usize, length: usize, output: usize): void {
  for (let at: usize = 0; at < length; at += 32) {
    let a0 = i64x2.splat(0);
    let a1 = i64x2.splat(0);
    let b0 = i64x2.splat(0);
    let b1 = i64x2.splat(0);
    let c0 = i64x2.splat(0);
    let c1 = i64x2.splat(0);
    let d0 = i64x2.splat(0);
    let d1 = i64x2.splat(0);
    let table = tables;
    for (let source = ARENA + at; source < sourcesEnd; source += stride) {
      const bytes0 = v128.load(source);
      const bytes1 = v128.load(source, 16);
      const low0 = lowHalves(bytes0);
      const low1 = lowHalves(bytes1);
      const high0 = highHalves(bytes0);
      const high1 = highHalves(bytes1);

      let lowTable = v128.load(table);
      let highTable = v128.load(table, 16);
      a0 = plusProducts(a0, lowTable, highTable, low0, high0);
      a1 = plusProducts(a1, lowTable, highTable, low1, high1);
      lowTable = v128.load(table, 32);
      highTable = v128.load(table, 48);
      b0 = plusProducts(b0, lowTable, highTable, low0, high0);
      b1 = plusProducts(b1, lowTable, highTable, low1, high1);
      lowTable = v128.load(table, 64);
      highTable = v128.load(table, 80);
      c0 = plusProducts(c0, lowTable, highTable, low0, high0);
      c1 = plusProducts(c1, lowTable, highTable, low1, high1);
      lowTable = v128.load(table, 96);
      highTable = v128.load(table, 112);
      d0 = plusProducts(d0, lowTable, highTable, low0, high0);
      d1 = plusProducts(d1, lowTable, highTable, low1, high1);
      table += 4 * TABLE_BYTES;
    }
    let to = output + at;
    v128.store(to, a0);
    v128.store(to, a1, 16);
    to += stride;
    v128.store(to, b0);
    v128.store(to, b1, 16);
    to += stride;
    v128.store(to, c0);
    v128.store(to, c1, 16);
    to += stride;
    v128.store(to, d0);
    v128.store(to, d1, 16);
  }
}

/** Computes 64 bytes of two outputs at a time: again eight sums. */
function twoRows(tables: usize, sourcesEnd: usize, stride: usize, length: usize, output: usize): void {
  for (let at: usize = 0; at < length; at += 64) {
    let a0 = i64x2.splat(0);
    let a1 = i64x2.splat(0);
    let a2 = i64x2.splat(0);
    let a3 = i64x2.splat(0);
    let b0 = i64x2.splat(0);
    let b1 = i64x2.splat(0);
    let b2 = i64x2.splat(0);
    let b3 = i64x2.splat(0);
    let table = tables;
    for (let source = ARENA + at; source < sourcesEnd; source += stride) {
      const aLowTable = v128.load(table);
      const aHighTable = v128.load(table, 16);
      const bLowTable = v128.load(table, 32);
      const bHighTable = v128.load(table, 48);
      let bytes = v128.load(source);
      let low = lowHalves(bytes);
      let high = highHalves(bytes);
      a0 = plusProducts(a0, aLowTable, aHighTable, low, high);
      b0 = plusProducts(b0, bLowTable, bHighTable, low, high);
      bytes = v128.load(source, 16);
      low = lowHalves(bytes);
      high = highHalves(bytes);
      a1 = plusProducts(a1, aLowTable, aHighTable, low, high);
      b1 = plusProducts(b1, bLowTable, bHighTable, low, high);
      bytes = v128.load(source, 32);
      low = lowHalves(bytes);
      high = highHalves(bytes);
      a2 = plusProducts(a2, aLowTable, aHighTable, low, high);
      b2 = plusProducts(b2, bLowTable, bHighTable, low, high);
      bytes = v128.load(source, 48);
      low = lowHalves(bytes);
      high = highHalves(bytes);
      a3 = plusProducts(a3, aLowTable, aHighTable, low, high);
      b3 = plusProducts(b3, bLowTable, bHighTable, low, high);
      table += 2 * TABLE_BYTES;
    }
    let to = output + at;
    v128.store(to, a0);
    v128.store(to, a1, 16);
    v128.store(to, a2, 32);
    v128.store(to, a3, 48);
    to += stride;
    v128.store(to, b0);
    v128.store(to, b1, 16);
    v128.store(to, b2, 32);
    v128.store(to, b3, 48);
  }
}

/** Computes 64 bytes of one output at a time. */
function oneRow(tables: usize, sourcesEnd: usize, stride: usize, length: usize, output: usize): void {
  for (let at: usize = 0; at < length; at += 64) {
    let sum0 = i64x2.splat(0);
    let sum1 = i64x2.splat(0);
    let sum2 = i64x2.splat(0);
    let sum3 = i64x2.splat(0);
    let table = tables;
    for (let source = ARENA + at; source < sourcesEnd; source += stride) {
      const lowTable = v128.load(table);
      const highTable = v128.load(table, 16);
      let bytes = v128.load(source);
      sum0 = plusProducts(sum0, lowTable, highTable, lowHalves(bytes), highHalves(bytes));
      bytes = v128.load(source, 16);
      sum1 = plusProducts(sum1, lowTable, highTable, lowHalves(bytes), highHalves(bytes));
      bytes = v128.load(source, 32);
      sum2 = plusProducts(sum2, lowTable, highTable, lowHalves(bytes), highHalves(bytes));
      bytes = v128.load(source, 48);
      sum3 = plusProducts(sum3, lowTable, highTable, lowHalves(bytes), highHalves(bytes));
      table += TABLE_BYTES;
    }
    v128.store(output + at, sum0);
    v128.store(output + at, sum1, 16);
    v128.store(output + at, sum2, 32);
    v128.store(output + at, sum3, 48);
  }
}
