// A device's identity from 32 bytes, the same on every run: for tests and simulations, where a device must be itself again.

import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { deviceIdOf } from '../src/core/model/ids.ts';
import type { Identity } from '../src/core/ports.ts';

/** DER before a raw Ed25519 private key (RFC 8410, section 7). */
const PRIVATE_KEY_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
/** DER before a raw Ed25519 public key (RFC 8410, section 4). */
export const PUBLIC_KEY_DER = Buffer.from('302a300506032b6570032100', 'hex');

export function identityFrom(seed: Uint8Array): Identity {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PRIVATE_KEY_DER, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const publicKey = new Uint8Array(spki.subarray(PUBLIC_KEY_DER.length));
  return {
    deviceId: deviceIdOf(publicKey),
    publicKey,
    sign: async (message) => new Uint8Array(sign(null, message, privateKey)),
  };
}
