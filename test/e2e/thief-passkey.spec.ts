// What a thief finds in the profile of a device that a passkey locks: no key, no name, and not the secret
// that the passkey told.

import { keyNeedles, traces } from '../thief/needles.ts';
import { Keeper } from './passkey-keeper.ts';
import { findingsIn, NOTHING, rob } from './theft.ts';
import { expect, test } from './thief-fixture.ts';

const NOTES = { seed: 111, length: 21_000 };
const NAME = 'letters-to-the-notary.txt';
const DEVICE_NAME = 'Grandfather’s typewriter';

test('a thief of a device that a passkey locks finds nothing', async ({ newVictim }) => {
  const victim = await newVictim(DEVICE_NAME);
  const { device } = victim;
  await Keeper.of(device.page);
  await device.createPool('Home');
  await device.store(NOTES, { name: NAME });
  const stores = await victim.storeSecrets();
  const invite = await device.invite();
  const told = await device.page.evaluate(async () => {
    const secrets: string[] = [];
    const { credentials } = navigator;
    const get = credentials.get.bind(credentials);
    credentials.get = async (options) => {
      const credential = await get(options);
      const { prf } = (credential as PublicKeyCredential).getClientExtensionResults();
      const secret = new Uint8Array(prf?.results?.first as ArrayBuffer);
      secrets.push(Array.from(secret, (byte) => byte.toString(16).padStart(2, '0')).join(''));
      return credential;
    };
    await window.palm.lockWithPasskey();
    return secrets;
  });
  expect(told).toHaveLength(1);
  expect((await device.status()).lockWays).toEqual(['passkey']);
  await victim.end('killed');

  const haul = rob(victim);
  expect(haul.loot.poolSecrets).toEqual([]);
  expect(haul.loot.deviceKeys).toEqual([]);
  expect(haul.files).toEqual([]);
  const secrets = { stores, invite, names: [NAME, DEVICE_NAME], contents: [NOTES] };
  expect(findingsIn(haul, secrets)).toEqual(NOTHING);
  const needles = told.flatMap((secret) =>
    keyNeedles('the secret of the passkey', Buffer.from(secret, 'hex')),
  );
  expect(traces(haul.layers, needles)).toEqual([]);
});
