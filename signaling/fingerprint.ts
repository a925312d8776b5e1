// A certificate's SHA-256 as people compare it.
//
// To pass off another certificate, an attacker needs one whose hash begins with the same digits. 128 bits are
// too many to find by trying (2^128), and few enough to read aloud.

import { X509Certificate } from 'node:crypto';

/** How many bits of the hash are compared. */
export const FINGERPRINT_BITS = 128;

const DIGITS = FINGERPRINT_BITS / 4;

/** The first FINGERPRINT_BITS of a certificate's SHA-256: hex digits in groups of four. */
export function fingerprintOf(certificatePem: string): string {
  const digits = new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '').slice(0, DIGITS);
  return digits.replaceAll(/(.{4})(?=.)/g, '$1 ');
}
