// The name that a relay has where nobody chose one.

import { createHash, X509Certificate } from 'node:crypto';
import { NAME_DIGIT_COUNT, NAME_DIGITS } from '../src/core/model/relay-name.ts';

/** The name that follows from an authority: as lasting as the trust that devices have in it. */
export function localNameOf(authorityPem: string): string {
  const key = new X509Certificate(authorityPem).publicKey.export({ type: 'spki', format: 'der' });
  const digest = createHash('sha256').update('palm/v1/relay-name').update(key).digest();
  const digits = [...digest.subarray(0, NAME_DIGIT_COUNT)].map(
    (byte) => NAME_DIGITS[byte % NAME_DIGITS.length],
  );
  return `palm-${digits.join('')}.local`;
}
