// Checks sealed secrets of epochs against golden vectors, in this engine's WebCrypto and in the simulator's
// cryptography, and that nothing opens for another device, act, link or key.

import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../../src/adapters/portable/webcrypto.ts';
import {
  epochCheckOf,
  openEpochKey,
  openKeys,
  sealEpochKey,
  sealKeys,
} from '../../../../../src/core/catalogue/grants/epoch-keys.ts';
import { bytesOfHex, hexOf } from '../../../../../src/core/model/bytes.ts';
import { parseExchangeKey, type ExchangePair } from '../../../../../src/core/model/exchange-key.ts';
import { parseDeviceId, parseEntryId } from '../../../../../src/core/model/ids.ts';
import { expectRejects } from '../../../../fixtures/pool-fixture.ts';
import { synchronousCryptography } from '../../../../sim/synchronous-cryptography.ts';
import vectors from '../../../../vectors/epoch-keys.json' with { type: 'json' };

const CHARTER = parseEntryId(vectors.charter);
const DEVICE = parseDeviceId(vectors.device);
const GIVER = parseDeviceId(vectors.giver);
const OWN = pairOf(vectors.receiverPrivate, vectors.receiver);

function pairOf(privateKey: string, publicKey: string): ExchangePair {
  return {
    privateKey: bytesOfHex(privateKey),
    publicKey: parseExchangeKey(bytesOfHex(publicKey)),
  };
}

describe.each([
  ['WebCrypto', webCryptography],
  ['the simulator’s cryptography', synchronousCryptography],
])('with %s', (_name, cryptography) => {
  it.each(vectors.items)('seals and opens the key of an epoch as written down, $check', async (vector) => {
    const sender = pairOf(vector.senderPrivate, vector.sender);
    const secret = bytesOfHex(vector.secret);
    const binding = {
      charter: CHARTER,
      parents: vector.parents.map(parseEntryId),
      check: epochCheckOf(secret),
    };
    expect(hexOf(binding.check)).toBe(vector.check);
    const sealed = await sealEpochKey(secret, binding, DEVICE, OWN.publicKey, sender, cryptography);
    expect(hexOf(sealed)).toBe(vector.sealed);
    const opened = await openEpochKey(sealed, binding, DEVICE, OWN, sender.publicKey, cryptography);
    expect(opened).toEqual(secret);
  });

  it.each(vectors.messages)('seals and opens a message of keys as written down', async (vector) => {
    const secrets = vector.secrets.map(({ epoch, secret }) => ({
      epoch: epoch === null ? null : parseEntryId(epoch),
      secret: bytesOfHex(secret),
    }));
    const binding = { charter: CHARTER, from: GIVER, to: DEVICE };
    const newExchangePair = async (): Promise<ExchangePair> => pairOf(vector.senderPrivate, vector.sender);
    const sealed = await sealKeys(secrets, binding, OWN.publicKey, { ...cryptography, newExchangePair });
    expect(hexOf(sealed)).toBe(vector.sealed);
    expect(await openKeys(sealed, binding, OWN, cryptography)).toEqual(secrets);
  });

  it('makes pairs that agree with each other', async () => {
    const [one, other] = [await cryptography.newExchangePair(), await cryptography.newExchangePair()];
    expect(one.publicKey).not.toEqual(other.publicKey);
    const shared = await cryptography.agree(one, other.publicKey);
    expect(shared).toHaveLength(32);
    expect(await cryptography.agree(other, one.publicKey)).toEqual(shared);
  });
});

describe('the key of an epoch', () => {
  const secret = bytesOfHex('5a'.repeat(32));
  const [a, b] = [parseEntryId(vectors.messages[2]?.secrets[1]?.epoch), CHARTER];
  const binding = { charter: CHARTER, parents: [a], check: epochCheckOf(secret) };

  it('opens for nothing but what it was sealed for', async () => {
    const sender = await webCryptography.newExchangePair();
    const sealed = await sealEpochKey(secret, binding, DEVICE, OWN.publicKey, sender, webCryptography);
    const stranger = await webCryptography.newExchangePair();
    const open = (bound: typeof binding, device = DEVICE, own = OWN): Promise<unknown> =>
      openEpochKey(sealed, bound, device, own, sender.publicKey, webCryptography);
    expect(await open(binding)).toEqual(secret);
    expect(await open({ ...binding, charter: a })).toBeUndefined();
    expect(await open({ ...binding, parents: [a, b] })).toBeUndefined();
    expect(await open({ ...binding, parents: [] })).toBeUndefined();
    expect(await open({ ...binding, check: epochCheckOf(sealed) })).toBeUndefined();
    expect(await open(binding, GIVER)).toBeUndefined();
    expect(await open(binding, DEVICE, stranger)).toBeUndefined();
  });

  it('counts as missing when it is not the one that the check stands for', async () => {
    const sender = await webCryptography.newExchangePair();
    const other = bytesOfHex('a5'.repeat(32));
    const sealed = await sealEpochKey(other, binding, DEVICE, OWN.publicKey, sender, webCryptography);
    expect(
      await openEpochKey(sealed, binding, DEVICE, OWN, sender.publicKey, webCryptography),
    ).toBeUndefined();
  });
});

describe('a message of keys', () => {
  const binding = { charter: CHARTER, from: GIVER, to: DEVICE };
  const secrets = [{ epoch: null, secret: bytesOfHex('5a'.repeat(32)) }];

  it('opens for nothing but what it was sealed for', async () => {
    const sealed = await sealKeys(secrets, binding, OWN.publicKey, webCryptography);
    const stranger = await webCryptography.newExchangePair();
    const refused: [typeof binding, ExchangePair][] = [
      [{ ...binding, from: DEVICE }, OWN],
      [{ ...binding, to: GIVER }, OWN],
      [binding, stranger],
    ];
    for (const [bound, own] of refused) {
      await expectRejects('bad-message', openKeys(sealed, bound, own, webCryptography));
    }
  });

  it('is refused as a bad message when it is cut, changed or nothing at all', async () => {
    const sealed = await sealKeys(secrets, binding, OWN.publicKey, webCryptography);
    for (let length = 0; length < sealed.length; length++) {
      const cut = sealed.subarray(0, length);
      await expectRejects('bad-message', openKeys(cut, binding, OWN, webCryptography));
    }
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.map((byte, index) => (index === at ? byte ^ 1 : byte));
      await expectRejects('bad-message', openKeys(changed, binding, OWN, webCryptography));
    }
  });
});
