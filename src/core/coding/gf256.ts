// Arithmetic in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1 (0x11D), the field of the erasure code.
//
// No tables and no branches on the operands: key shares pass through here, and a table lookup would leave its
// index in the cache. The inputs are tiny (32-byte secrets), so eight steps for each product do not matter.

const REDUCTION = 0x1d; // 0x11D without x^8, which has just been shifted out

/** The product of two bytes. Addition in this field is `^`. */
export function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = a;
  for (let bit = 0; bit < 8; bit++) {
    product ^= shifted & -((b >> bit) & 1);
    shifted = ((shifted << 1) & 0xff) ^ (REDUCTION & -(shifted >> 7));
  }
  return product;
}

/** The inverse of a non-zero byte, a^254 (Fermat); 0 for 0. */
export function invert(a: number): number {
  // 254 = 0b11111110: the product of the squares a^2, a^4 … a^128.
  let power = a;
  let inverse = 1;
  for (let bit = 1; bit < 8; bit++) {
    power = multiply(power, power);
    inverse = multiply(inverse, power);
  }
  return inverse;
}
