// Core's Cryptography over the platform's WebCrypto: the same code in browsers, workers and Node. Invariants:
// results depend on the arguments alone; a malformed key, signature or sealed box is a result (false,
// undefined), never an exception, while a key of the wrong length given to seal or open is a bug and throws.

import { base64UrlOf, bytesOfBase64Url, bytesOfHex, concatBytes, hexOf } from '../../core/model/bytes.ts';
import { parseExchangeKey, type ExchangeKey, type ExchangePair } from '../../core/model/exchange-key.ts';
import { GCM_TAG_BYTES } from '../../core/model/limits.ts';
import type { Cryptography } from '../../core/ports.ts';

const ED25519_KEY_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;
/** DER before a raw Ed25519 private key (RFC 8410, section 7). */
const ED25519_PKCS8 = bytesOfHex('302e020100300506032b657004220420');
const AES_KEY_BYTES = 32;
/** Engines disagree about other curves. */
const ECDH = { name: 'ECDH', namedCurve: 'P-256' } as const;
/** SEC 1, 2.3.3. */
const UNCOMPRESSED = 4;
/** The nonce length that GCM takes as it is (NIST SP 800-38D, section 5.2.1.1). */
const GCM_NONCE_BYTES = 12;

/**
 * The points of small order, as any of their encodings with the sign bit cleared: under such a key one
 * signature fits many messages. Web Cryptography Level 2 (Ed25519, verify) refuses them; engines do not yet.
 * Values: the blocklist of libsodium's ed25519_ref10, each seen here to verify forgeries.
 */
const SMALL_ORDER_KEYS: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
]);

export const webCryptography: Cryptography = {
  async verify(publicKey, message, signature) {
    if (publicKey.length !== ED25519_KEY_BYTES) return false;
    if (signature.length !== ED25519_SIGNATURE_BYTES) return false;
    const key = await verifyKeyOf(publicKey);
    if (key === undefined) return false;
    return crypto.subtle.verify('Ed25519', key, shareable(signature), shareable(message));
  },

  async sha256(bytes) {
    return new Uint8Array(await crypto.subtle.digest('SHA-256', shareable(bytes)));
  },

  async newSigningPair() {
    const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
    if (!('privateKey' in pair)) throw new Error('the engine made no key pair');
    const pkcs8 = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey));
    const privateKey = pkcs8.slice(ED25519_PKCS8.length, ED25519_PKCS8.length + ED25519_KEY_BYTES);
    pkcs8.fill(0);
    return { privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)) };
  },

  async signerOf({ privateKey, publicKey }) {
    if (privateKey.length !== ED25519_KEY_BYTES) throw new RangeError('an Ed25519 key is 32 bytes');
    const pkcs8 = concatBytes(ED25519_PKCS8, privateKey);
    const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']);
    pkcs8.fill(0);
    return {
      publicKey,
      sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, shareable(message))),
    };
  },

  async seal(key, nonce, aad, plain) {
    const aesKey = await importAesKey(key, 'encrypt');
    return new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, aad), aesKey, shareable(plain)));
  },

  async open(key, nonce, aad, sealed) {
    const aesKey = await importAesKey(key, 'decrypt');
    const parameters = gcm(nonce, aad);
    // Shorter than its tag: engines disagree on which error that is, so they never see it.
    if (sealed.length < GCM_TAG_BYTES) return undefined;
    try {
      return new Uint8Array(await crypto.subtle.decrypt(parameters, aesKey, shareable(sealed)));
    } catch (error) {
      // A tag that does not match is an OperationError (W3C Web Cryptography, AES-GCM decrypt, step 8).
      if (isNamed(error, 'OperationError')) return undefined;
      throw error;
    }
  },

  async newExchangePair() {
    const { privateKey } = await crypto.subtle.generateKey(ECDH, true, ['deriveBits']);
    const { d, x, y } = await crypto.subtle.exportKey('jwk', privateKey);
    const point = [Uint8Array.of(UNCOMPRESSED), coordinateOf(x), coordinateOf(y)];
    return { publicKey: parseExchangeKey(concatBytes(...point)), privateKey: coordinateOf(d) };
  },

  async agree(own, other) {
    const [privateKey, publicKey] = await Promise.all([importOwnPair(own), importPoint(other)]);
    const algorithm = { name: ECDH.name, public: publicKey };
    return new Uint8Array(await crypto.subtle.deriveBits(algorithm, privateKey, 256));
  },
};

async function importOwnPair({ publicKey, privateKey }: ExchangePair): Promise<CryptoKey> {
  const key: JsonWebKey = {
    kty: 'EC',
    crv: ECDH.namedCurve,
    x: base64UrlOf(publicKey.subarray(1, 33)),
    y: base64UrlOf(publicKey.subarray(33)),
    d: base64UrlOf(privateKey),
  };
  return crypto.subtle.importKey('jwk', key, ECDH, false, ['deriveBits']);
}

async function importPoint(point: ExchangeKey): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', shareable(point), ECDH, false, []);
}

/** 32 bytes, as RFC 7518 (6.2.1.2) has them for this curve. */
function coordinateOf(text: string | undefined): Uint8Array {
  if (text === undefined) throw new Error('the engine exported a key without one of its parts');
  return bytesOfBase64Url(text);
}

function isOfSmallOrder(publicKey: Uint8Array): boolean {
  const unsigned = Uint8Array.from(publicKey);
  unsigned[ED25519_KEY_BYTES - 1] = (unsigned[ED25519_KEY_BYTES - 1] ?? 0) & 0x7f;
  return SMALL_ORDER_KEYS.has(hexOf(unsigned));
}

/**
 * The keys of the devices that signed last, by their bytes. A pool's records come from a few devices, and
 * engines import a key in a task of another thread, which takes as long as checking a signature.
 */
const verifyKeys = new Map<string, Promise<CryptoKey | undefined>>();
/** More than the devices of most pools. */
const MAX_VERIFY_KEYS = 64;

/** Undefined for a key that signs nothing. */
function verifyKeyOf(publicKey: Uint8Array): Promise<CryptoKey | undefined> {
  const name = hexOf(publicKey);
  const known = verifyKeys.get(name);
  // The last used is the last to go.
  verifyKeys.delete(name);
  const key = known ?? (isOfSmallOrder(publicKey) ? Promise.resolve(undefined) : importVerifyKey(publicKey));
  verifyKeys.set(name, key);
  // What an engine could not do now, it may do later.
  key.catch(() => verifyKeys.delete(name));
  for (const oldest of verifyKeys.keys()) {
    if (verifyKeys.size <= MAX_VERIFY_KEYS) break;
    verifyKeys.delete(oldest);
  }
  return key;
}

/**
 * Undefined when the 32 bytes are not a point that the engine accepts; engines disagree on when they notice.
 */
async function importVerifyKey(publicKey: Uint8Array): Promise<CryptoKey | undefined> {
  try {
    return await crypto.subtle.importKey('raw', shareable(publicKey), 'Ed25519', false, ['verify']);
  } catch (error) {
    if (isNamed(error, 'DataError')) return undefined;
    throw error;
  }
}

async function importAesKey(key: Uint8Array, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  if (key.length !== AES_KEY_BYTES) throw new RangeError('an AES-256 key is 32 bytes');
  return crypto.subtle.importKey('raw', shareable(key), 'AES-GCM', false, [usage]);
}

function gcm(nonce: Uint8Array, aad: Uint8Array): AesGcmParams {
  if (nonce.length !== GCM_NONCE_BYTES) throw new RangeError('a GCM nonce is 12 bytes');
  return {
    name: 'AES-GCM',
    iv: shareable(nonce),
    additionalData: shareable(aad),
    tagLength: GCM_TAG_BYTES * 8,
  };
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

/** WebCrypto refuses views of a SharedArrayBuffer; those, and only those, are copied. */
function shareable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}
