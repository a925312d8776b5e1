// The keys of several epochs: what is sealed, and what opens it.

import { expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { openManifest, sealManifest } from '../../../../src/core/catalogue/manifest.ts';
import { entryIdOf } from '../../../../src/core/model/ids.ts';
import { KeyRing } from '../../../../src/core/model/key-ring.ts';
import { derivePoolKeys } from '../../../../src/core/model/pool-keys.ts';
import { RecordRows } from '../../../../src/runtime/peer/record-rows.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, expectRejects, manifestOf } from '../../../fixtures/pool-fixture.ts';

const [FIRST, SECOND, OTHER_SECOND, THIRD] = [
  derivePoolKeys(seededBytes(32, 1), 0),
  derivePoolKeys(seededBytes(32, 2), 1),
  derivePoolKeys(seededBytes(32, 3), 1),
  derivePoolKeys(seededBytes(32, 4), 2),
];

it('seals with the current epoch, names the pool as in the first, and knows each epoch once', () => {
  const ring = new KeyRing(FIRST);
  expect(ring.current).toBe(FIRST);
  ring.add(THIRD);
  ring.add(SECOND);
  ring.add(OTHER_SECOND);
  ring.add(derivePoolKeys(seededBytes(32, 2), 1));
  expect(ring.current).toBe(FIRST);
  expect(ring.newestFirst).toEqual([THIRD, SECOND, OTHER_SECOND, FIRST]);
  ring.use(SECOND);
  expect(ring.current).toBe(SECOND);
  expect(ring.poolId).toBe(FIRST.poolId);
  ring.use(derivePoolKeys(seededBytes(32, 5), 3));
  expect(ring.newestFirst).toHaveLength(5);
});

it('opens manifests of every epoch that it knows, and of no other', async () => {
  const manifest = manifestOf(deviceAt(1).deviceId);
  const ring = new KeyRing(FIRST);
  const seal = ({ catalogueKey }: typeof FIRST): Promise<Uint8Array<ArrayBuffer>> =>
    sealManifest(manifest, catalogueKey, ring.poolId, new Uint8Array(12), webCryptography);
  const open = (sealed: Uint8Array): Promise<unknown> =>
    openManifest(sealed, ring.catalogueKeys, ring.poolId, webCryptography);
  const [old, fresh] = [await seal(FIRST), await seal(SECOND)];
  expect(await open(old)).toEqual(manifest);
  await expectRejects('bad-message', open(fresh));
  ring.use(SECOND);
  expect(await open(fresh)).toEqual(manifest);
  expect(await open(old)).toEqual(manifest);
});

it('keeps rows on the disk readable, and seals new ones so that the keys of before do not open them', async () => {
  const bytes = seededBytes(100, 9);
  const row = { entryId: entryIdOf(bytes), deviceId: deviceAt(1).deviceId, seq: 1, bytes };
  const ring = new KeyRing(FIRST);
  const rows = new RecordRows({ cryptography: webCryptography, keys: ring });
  const [before] = await rows.seal([row]);
  ring.use(SECOND);
  const [after] = await rows.seal([row]);
  if (before === undefined || after === undefined) throw new Error('no rows');
  expect(await rows.open(before)).toEqual({ bytes, isSealed: true });
  expect(await rows.open(after)).toEqual({ bytes, isSealed: true });
  const thief = new RecordRows({ cryptography: webCryptography, keys: new KeyRing(FIRST) });
  expect((await thief.open(before)).isSealed).toBe(true);
  expect((await thief.open(after)).isSealed).toBe(false);
});
