// Pseudo-random bytes that are the same in the page and in the test: only the seed and the length cross over.

import { createHash } from 'node:crypto';

/**
 * `length` bytes of Marsaglia's xorshift32 from `seed` (not 0), little-endian. It is also sent into pages as
 * source text, so it refers to nothing outside itself.
 */
export function seededBytes(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed | 0;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** What `Device.read` returns when bytes start..end-1 of the seeded file arrive correctly. */
export function expectedBytes(seed: number, length: number, start = 0, end = length): ReadBytes {
  const bytes = seededBytes(seed, length).subarray(start, end);
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** A summary of a read, small enough to cross from the page to the test. */
export interface ReadBytes {
  readonly length: number;
  readonly sha256: string;
}
