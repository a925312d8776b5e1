// What a device signs: a payload with its Ed25519 signature, as one CBOR list. Log entries, alive records and
// envelopes are such records, each with a payload of its own, signed under a label of its own, so that none
// can pass for another.

import { bytesOf, decodeCbor, encodeCbor, tupleOf } from './decode.ts';

/** Of Ed25519. */
export const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

export interface SignedRecord {
  /** What the signature covers, without its label. */
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

export function encodeSigned(payload: Uint8Array, signature: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCbor([payload, signature]);
}

/** Checks shape and lengths; the signature is not checked. @throws PalmError 'bad-message'. */
export function decodeSigned(bytes: Uint8Array, maxBytes: number): SignedRecord {
  const [payload, signature] = tupleOf(decodeCbor(bytes, maxBytes), 2);
  return {
    payload: bytesOf(payload, 1, maxBytes),
    signature: bytesOf(signature, SIGNATURE_BYTES, SIGNATURE_BYTES),
  };
}
