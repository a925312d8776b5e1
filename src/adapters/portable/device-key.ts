// This device's identity: an Ed25519 key pair made by WebCrypto (RFC 8032). The private half is kept as bytes
// among the secrets (`SecretStore`), where it can be erased and locked; in memory it is a key that even
// Palm's own code can only have sign.

import { concatBytes } from '../../core/model/bytes.ts';
import { PalmError } from '../../core/model/errors.ts';
import { deviceIdOf } from '../../core/model/ids.ts';
import type { Identity, SecretStore } from '../../core/ports.ts';

/** The name of the secret: the public key, then the private one as PKCS #8 (RFC 8410). */
const SECRET = 'device-key';
const ALGORITHM = 'Ed25519';
const PUBLIC_KEY_BYTES = 32;
/** For one pair: five failures in a row are no accident. */
const MAX_TRIES = 5;

/** A device's keys. */
export interface DeviceKey {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly privateKey: CryptoKey;
  /** False of a key of an earlier version, which a lock does not cover. */
  readonly isLockable: boolean;
}

/** @throws PalmError 'corrupt' when what is stored is no longer a key pair; those of `secrets`. */
export async function keyAmong(secrets: SecretStore): Promise<DeviceKey | undefined> {
  const kept = await secrets.get(SECRET);
  return kept === undefined ? undefined : pairOfSecret(kept);
}

/** Makes the device's key and keeps it. @throws PalmError 'unsupported' without Ed25519. */
export async function newKeyAmong(secrets: SecretStore): Promise<DeviceKey> {
  const secret = await newSecret();
  await secrets.put(SECRET, secret);
  return pairOfSecret(secret);
}

export function identityOf({ publicKey, privateKey, isLockable }: DeviceKey): Identity {
  return {
    deviceId: deviceIdOf(publicKey),
    publicKey,
    isLockable,
    async sign(message) {
      // Copied: the caller's bytes may lie in a buffer that WebCrypto does not accept.
      return new Uint8Array(await crypto.subtle.sign(ALGORITHM, privateKey, new Uint8Array(message)));
    },
  };
}

async function pairOfSecret(secret: Uint8Array): Promise<DeviceKey> {
  const [publicKey, pkcs8] = [secret.slice(0, PUBLIC_KEY_BYTES), secret.slice(PUBLIC_KEY_BYTES)];
  try {
    const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, ALGORITHM, false, ['sign']);
    return { publicKey, privateKey, isLockable: true };
  } catch (cause) {
    throw new PalmError({ code: 'corrupt', reason: 'device-key' }, { cause });
  } finally {
    pkcs8.fill(0);
  }
}

async function newSecret(): Promise<Uint8Array<ArrayBuffer>> {
  const pair = await generatePair();
  const [publicKey, pkcs8] = await Promise.all([
    crypto.subtle.exportKey('raw', pair.publicKey),
    crypto.subtle.exportKey('pkcs8', pair.privateKey),
  ]);
  return concatBytes(new Uint8Array(publicKey), new Uint8Array(pkcs8));
}

/** An engine that has Ed25519 may fail to make a pair now and then: one in sixty (WebKitGTK 2.50). */
async function generatePair(): Promise<CryptoKeyPair> {
  for (let tryCount = 1; ; tryCount++) {
    try {
      const pair = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
      if ('privateKey' in pair) return pair;
      throw new TypeError('no key pair from Ed25519');
    } catch (cause) {
      const isLacking = cause instanceof Error && cause.name === 'NotSupportedError';
      if (isLacking || tryCount === MAX_TRIES)
        throw new PalmError({ code: 'unsupported', reason: 'no-ed25519' }, { cause });
    }
  }
}
