// Secrets of epochs and exchange pairs come back from the secrets as they were, or not at all.

import { expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { utf8 } from '../../../../src/core/model/bytes.ts';
import { entryIdOf } from '../../../../src/core/model/ids.ts';
import type { SecretStore } from '../../../../src/core/ports.ts';
import {
  loadEpochSecrets,
  loadExchangePairs,
  ownExchangePair,
  saveEpochSecrets,
} from '../../../../src/runtime/epochs/epoch-secrets.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { expectRejects } from '../../../fixtures/pool-fixture.ts';

function secretsInMemory(): SecretStore {
  const rows = new Map<string, Uint8Array>();
  return {
    get: async (name) => rows.get(name),
    put: async (name, secret) => void rows.set(name, secret),
    clear: async () => rows.clear(),
  };
}

it('keeps the secrets of epochs with their numbers', async () => {
  const secrets = secretsInMemory();
  expect(await loadEpochSecrets(secrets)).toEqual([]);
  const known = [1, 2].map((number) => ({
    epoch: entryIdOf(utf8(`epoch ${number}`)),
    number,
    secret: seededBytes(32, number),
  }));
  await saveEpochSecrets(secrets, known);
  expect(await loadEpochSecrets(secrets)).toEqual(known);
});

it('makes one pair, and returns it ever after', async () => {
  const secrets = secretsInMemory();
  const made = await ownExchangePair(secrets, webCryptography);
  expect(await ownExchangePair(secrets, webCryptography)).toEqual(made);
  expect(await loadExchangePairs(secrets)).toEqual([made]);
  const other = await webCryptography.newExchangePair();
  expect(await webCryptography.agree(made, other.publicKey)).toEqual(
    await webCryptography.agree(other, made.publicKey),
  );
});

it('says that damaged ones are damaged, and makes no new pair in their place', async () => {
  const secrets = secretsInMemory();
  await secrets.put('epoch-secrets', Uint8Array.of(1, 2, 3));
  await secrets.put('exchange-pairs', Uint8Array.of(0x81, 0x80));
  await expectRejects('storage-failed', loadEpochSecrets(secrets));
  await expectRejects('storage-failed', ownExchangePair(secrets, webCryptography));
});
