// The platform's cryptographic random source, as core's Random.

import type { Random } from '../../core/ports.ts';

/** `getRandomValues` fills at most this many bytes per call (W3C Web Cryptography, section 10.1.1). */
const MAX_BYTES_AT_ONCE = 65_536;

export const systemRandom: Random = {
  bytes(length) {
    const bytes = new Uint8Array(length);
    for (let start = 0; start < length; start += MAX_BYTES_AT_ONCE) {
      globalThis.crypto.getRandomValues(bytes.subarray(start, start + MAX_BYTES_AT_ONCE));
    }
    return bytes;
  },
};
