// The cryptography of simulated devices: each call is done when it returns.

import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createPublicKey,
  verify,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { concatBytes, hexOf } from '../../src/core/model/bytes.ts';
import { parseExchangeKey, type ExchangePair } from '../../src/core/model/exchange-key.ts';
import type { Cryptography } from '../../src/core/ports.ts';
import { identityFrom, PUBLIC_KEY_DER } from '../fixtures/seeded-identity.ts';

export const synchronousCryptography: Cryptography = {
  async verify(publicKey, message, signature) {
    return verifyOnce(publicKey, message, signature);
  },
  async sha256(bytes) {
    return new Uint8Array(createHash('sha256').update(bytes).digest());
  },
  async newSigningPair() {
    pairCount += 1;
    const privateKey = new Uint8Array(createHash('sha256').update(`signing ${pairCount}`).digest());
    return { privateKey, publicKey: Uint8Array.from(identityFrom(privateKey).publicKey) };
  },
  async signerOf({ privateKey }) {
    return identityFrom(privateKey);
  },
  async seal(key, nonce, aad, plain) {
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
    return concatBytes(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  },
  async open(...given) {
    return openNow(...given);
  },
  async newExchangePair() {
    pairCount += 1;
    return exchangePairOf(createHash('sha256').update(`pair ${pairCount}`).digest());
  },
  async agree(own, other) {
    const exchange = createECDH('prime256v1');
    exchange.setPrivateKey(own.privateKey);
    return new Uint8Array(exchange.computeSecret(other));
  },
};

/** Nothing that is compared between two runs depends on which pair it was. */
let pairCount = 0;

function exchangePairOf(privateKey: Uint8Array): ExchangePair {
  const exchange = createECDH('prime256v1');
  exchange.setPrivateKey(privateKey);
  return { privateKey, publicKey: parseExchangeKey(new Uint8Array(exchange.getPublicKey())) };
}

/** By message, key and signature: each device of a pool checks what all others check. */
const verified = new Map<string, boolean>();
const MAX_VERIFIED = 10_000;

function verifyOnce(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const name = [message, publicKey, signature]
    .map((bytes) => Buffer.from(bytes).toString('latin1'))
    .join('|');
  const known = verified.get(name);
  if (known !== undefined) return known;
  const isRight = verify(null, message, keyOf(publicKey), signature);
  if (verified.size >= MAX_VERIFIED) verified.clear();
  verified.set(name, isRight);
  return isRight;
}

/** Keys by their bytes: making one takes as long as using it. */
const knownKeys = new Map<string, KeyObject>();
const MAX_KNOWN_KEYS = 1_000;

function keyOf(publicKey: Uint8Array): KeyObject {
  const name = hexOf(publicKey);
  const known = knownKeys.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({
    key: Buffer.concat([PUBLIC_KEY_DER, publicKey]),
    format: 'der',
    type: 'spki',
  });
  if (knownKeys.size >= MAX_KNOWN_KEYS) knownKeys.clear();
  knownKeys.set(name, key);
  return key;
}

/** As the port's `open`, at once. */
export function openNow(
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  try {
    return concatBytes(decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final());
  } catch {
    return undefined; // the tag does not fit: the port's answer for it
  }
}
