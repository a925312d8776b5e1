// WebCrypto as core's Cryptography: known answers from the standards, and refusals that are results, not
// exceptions.

import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/adapters/portable/clock.ts';
import { systemRandom } from '../../../../src/adapters/portable/random.ts';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';

const EMPTY = new Uint8Array();

function hex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

describe('Ed25519', () => {
  // RFC 8032, section 7.1, test 2.
  const publicKey = hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
  const message = hex('72');
  const signature = hex(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  );

  it('accepts the signature of RFC 8032', async () => {
    expect(await webCryptography.verify(publicKey, message, signature)).toBe(true);
  });

  it('signs as RFC 8032 does', async () => {
    const privateKey = hex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
    const signer = await webCryptography.signerOf({ privateKey, publicKey });
    expect(await signer.sign(message)).toEqual(signature);
  });

  it('makes pairs whose halves belong together', async () => {
    const [pair, other] = [await webCryptography.newSigningPair(), await webCryptography.newSigningPair()];
    const signed = await (await webCryptography.signerOf(pair)).sign(message);
    expect(await webCryptography.verify(pair.publicKey, message, signed)).toBe(true);
    expect(await webCryptography.verify(other.publicKey, message, signed)).toBe(false);
  });

  it('refuses the same signature over another message', async () => {
    expect(await webCryptography.verify(publicKey, hex('73'), signature)).toBe(false);
  });

  it('tells the keys of many devices apart, also after they were used', async () => {
    const pairs = [];
    for (let at = 0; at < 70; at++) pairs.push(await webCryptography.newSigningPair());
    const [signing] = pairs;
    if (signing === undefined) throw new Error('seventy pairs');
    const signed = await (await webCryptography.signerOf(signing)).sign(message);
    const used = Uint8Array.from(signing.publicKey);
    expect(await webCryptography.verify(used, message, signed)).toBe(true);
    for (const { publicKey: other } of pairs.slice(1))
      expect(await webCryptography.verify(other, message, signed)).toBe(false);
    expect(await webCryptography.verify(used, message, signed)).toBe(true);
    // The same memory with another key in it.
    used.set(pairs[1]?.publicKey ?? EMPTY);
    expect(await webCryptography.verify(used, message, signed)).toBe(false);
  });

  it('refuses a key of small order, under which one signature fits many messages', async () => {
    // The identity point as key and as R, and s = 0: the equation of RFC 8032, section 5.1.7, holds for any
    // message.
    const identity = new Uint8Array(32);
    identity[0] = 1;
    const forged = new Uint8Array(64);
    forged[0] = 1;
    for (const sign of [0, 0x80]) {
      identity[31] = sign;
      expect(await webCryptography.verify(identity, message, forged)).toBe(false);
    }
  });

  it.each([
    ['a short key', publicKey.subarray(1), signature],
    ['an empty signature', publicKey, EMPTY],
    ['a key that is no point', new Uint8Array(32).fill(0xff), signature],
    ['a signature of garbage', publicKey, new Uint8Array(64).fill(0xff)],
  ])('answers false to %s', async (_name, key, sealed) => {
    expect(await webCryptography.verify(key, message, sealed)).toBe(false);
  });
});

describe('AES-256-GCM', () => {
  // McGrew and Viega, The Galois/Counter Mode of Operation, test case 16.
  const key = hex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308');
  const nonce = hex('cafebabefacedbaddecaf888');
  const aad = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
  const plain = hex(
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
      '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  );
  const sealed = hex(
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
      '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
      '76fc6ece0f4e1768cddf8853bb2d551b',
  );

  it('seals and opens the published case', async () => {
    expect(await webCryptography.seal(key, nonce, aad, plain)).toEqual(sealed);
    expect(await webCryptography.open(key, nonce, aad, sealed)).toEqual(plain);
  });

  it('returns undefined for any flipped bit, other AAD and anything shorter than a tag', async () => {
    for (const position of [0, 20, sealed.length - 1]) {
      const bent = Uint8Array.from(sealed);
      bent[position] = (bent[position] ?? 0) ^ 1;
      expect(await webCryptography.open(key, nonce, aad, bent)).toBeUndefined();
    }
    expect(await webCryptography.open(key, nonce, EMPTY, sealed)).toBeUndefined();
    expect(await webCryptography.open(key, nonce, aad, EMPTY)).toBeUndefined();
  });

  it('throws on a key of the wrong length, a bug of the caller', async () => {
    await expect(webCryptography.open(key.subarray(1), nonce, aad, sealed)).rejects.toThrow(RangeError);
  });

  it('takes views into larger and shared buffers', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(plain.length + 7)).subarray(7);
    shared.set(plain);
    expect(await webCryptography.seal(key, nonce, aad, shared)).toEqual(sealed);
  });
});

it('hashes with SHA-256 (FIPS 180-4, "abc")', async () => {
  expect(await webCryptography.sha256(hex('616263'))).toEqual(
    hex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
  );
});

it('draws more random bytes than the platform gives at once', () => {
  const bytes = systemRandom.bytes(200_001);
  expect(bytes.length).toBe(200_001);
  // 64 zero bytes in a row happen once in 2^512 draws: only a stretch that was never filled looks so.
  expect(bytes.subarray(-64).some((byte) => byte !== 0)).toBe(true);
  expect(systemRandom.bytes(0).length).toBe(0);
});

it('fires a timer once, unless it is cancelled first', async () => {
  await new Promise<void>((resolve, reject) => {
    const cancel = systemClock.after(0, () => {
      reject(new Error('cancelled, and fired'));
    });
    cancel();
    systemClock.after(1, resolve);
  });
});
