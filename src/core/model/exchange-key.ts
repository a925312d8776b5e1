// Exchange keys: points of the curve P-256 (NIST SP 800-186, 3.2.1.3), to which secrets are sealed; a
// device's Ed25519 key can only sign. Invariant: an ExchangeKey is a point of the curve. What arrives is
// checked here, once, and no engine's own check is relied upon.

import { PalmError } from './errors.ts';

declare const brand: unique symbol;
/** 65 bytes: 4, then x and y. */
export type ExchangeKey = Uint8Array & { readonly [brand]: 'ExchangeKey' };

/** An exchange key with what opens things sealed to it. */
export interface ExchangePair {
  readonly publicKey: ExchangeKey;
  /** 32 bytes: the scalar. */
  readonly privateKey: Uint8Array;
}

export const EXCHANGE_KEY_BYTES = 65;
export const EXCHANGE_SECRET_BYTES = 32;
/** The one form that is accepted (SEC 1, 2.3.3): uncompressed. Compressed ones would be second names. */
const UNCOMPRESSED = 4;

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const A = P - 3n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/**
 * Copies the bytes. The curve's order is prime, so a point of it has no small subgroup to fall into.
 * @throws PalmError 'bad-message' when `value` is not a point of the curve in its uncompressed form.
 */
export function parseExchangeKey(value: unknown): ExchangeKey {
  if (!(value instanceof Uint8Array) || value.length !== EXCHANGE_KEY_BYTES || value[0] !== UNCOMPRESSED) {
    throw refusal(`an exchange key is ${EXCHANGE_KEY_BYTES} bytes`);
  }
  const [x, y] = [numberOf(value.subarray(1, 33)), numberOf(value.subarray(33))];
  const isOnCurve = x < P && y < P && (y * y - (x * x * x + A * x + B)) % P === 0n;
  if (!isOnCurve) throw refusal('an exchange key is no point of its curve');
  return Uint8Array.from(value) as ExchangeKey; // checked above
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function refusal(detail: string): PalmError {
  return new PalmError({ code: 'bad-message', what: 'record', detail });
}
