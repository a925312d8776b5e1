// The gate of the catalogue, with real signatures and seals: what an honest device writes passes, and nothing
// else.

import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { encodeSigned } from '../../../../src/core/encoding/signed-record.ts';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import { checkEntry } from '../../../../src/core/catalogue/check.ts';
import type { EntryPosition } from '../../../../src/core/catalogue/log-head.ts';
import { encodeEntryPayload, signedBytesOf, type EntryBody } from '../../../../src/core/catalogue/entry.ts';
import { sealManifest, type Manifest } from '../../../../src/core/catalogue/manifest.ts';
import { fileIdOf } from '../../../../src/core/model/ids.ts';
import type { Identity } from '../../../../src/core/ports.ts';
import { encodeCbor } from '../../../../src/core/encoding/decode.ts';
import vectors from '../../../vectors/entry.json' with { type: 'json' };
import { derivePoolKeys } from '../../../../src/core/model/pool-keys.ts';
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import {
  deviceAt,
  encodeWithFalseCid,
  expectRejects,
  FALSE_CID,
  fileIdAt,
  manifestOf,
  OTHER_POOL_KEYS,
  POOL_KEYS,
  signedRecord,
} from '../../../fixtures/pool-fixture.ts';
import { KeyRing } from '../../../../src/core/model/key-ring.ts';

const FIRST: EntryPosition = { seq: 1, prev: undefined, at: { ms: 1_760_000_000_000, count: 0 } };
const WRITER = deviceAt(0);
const OTHER = deviceAt(1);

describe('an honest entry passes', () => {
  it.each<[string, EntryBody]>([
    ['profile', { kind: 'profile', name: 'Ada’s phone' }],
    ['pool', { kind: 'pool', name: 'Home' }],
    ['remove', { kind: 'remove', file: fileIdAt(0) }],
    ['leave', { kind: 'leave' }],
  ])('%s', async (_, body) => {
    const checked = await check(await signedRecord(WRITER, FIRST, body));
    expect(checked.entry).toMatchObject({ deviceId: WRITER.deviceId, seq: 1, body });
    expect(checked.file).toBeUndefined();
  });

  it('file, with its manifest opened', async () => {
    const manifest = manifestOf(WRITER.deviceId);
    const sealed = await seal(manifest);
    const checked = await check(await signedRecord(WRITER, FIRST, { kind: 'file', manifest: sealed }));
    expect(checked.file).toEqual({ fileId: fileIdOf(sealed), manifest });
  });

  it.each<[string, Partial<Manifest>, boolean]>([
    ['of blocks of 256 KiB', { blockBytes: 262_144 }, true],
    ['of blocks of 236 KiB', { blockBytes: 241_664 }, true],
    ['of several blocks of 64 KiB', { blockBytes: 65_536 }, true],
    ['of one small block', { blockBytes: 1_024, size: 4_000 }, true],
    ['of several blocks that are too small for their indexes', { blockBytes: 65_535 }, false],
    ['of thousands of blocks of seventeen bytes', { blockBytes: 17, k: 1, size: 60_000 }, false],
  ])('file %s', async (_, changes, counts) => {
    const sealed = await seal(manifestOf(WRITER.deviceId, changes));
    const checked = await check(await signedRecord(WRITER, FIRST, { kind: 'file', manifest: sealed }));
    expect(checked.file !== undefined).toBe(counts);
  });

  it('and entries after a file that is not kept count', async () => {
    const sealed = await seal(manifestOf(WRITER.deviceId, { blockBytes: 1_024 }));
    const wasteful = await check(await signedRecord(WRITER, FIRST, { kind: 'file', manifest: sealed }));
    const catalogue = new Catalogue();
    catalogue.add([wasteful]);
    expect(catalogue.files().size).toBe(0);
    const honest = await seal(manifestOf(WRITER.deviceId));
    const position = catalogue.positionOf(WRITER.deviceId, 1);
    expect(position.prev).toBe(wasteful.entry.entryId);
    catalogue.add([await check(await signedRecord(WRITER, position, { kind: 'file', manifest: honest }))]);
    expect([...catalogue.files().keys()]).toEqual([fileIdOf(honest)]);
  });

  it('and so do the golden entries', async () => {
    const keys = derivePoolKeys(bytesOfHex(vectors.poolSecret), vectors.epoch);
    for (const { record, entryId } of vectors.entries) {
      expect((await checkEntry(bytesOfHex(record), new KeyRing(keys), webCryptography)).entry.entryId).toBe(
        entryId,
      );
    }
  });
});

describe('refused is', () => {
  it('a signature that does not fit, for any changed byte of it or of the payload', async () => {
    const payload = encodeEntryPayload(payloadOf(WRITER, { kind: 'leave' }));
    const signature = await WRITER.sign(signedBytesOf(payload));
    for (let at = 0; at < signature.length; at += 7)
      await refused(encodeSigned(payload, flipped(signature, at)));
    for (let at = 0; at < payload.length; at += 7)
      await refused(encodeSigned(flipped(payload, at), signature));
    await refused(encodeSigned(payload, new Uint8Array(64)));
  });

  it('another device’s signature', async () => {
    const payload = encodeEntryPayload(payloadOf(WRITER, { kind: 'leave' }));
    await refused(encodeSigned(payload, await OTHER.sign(signedBytesOf(payload))));
  });

  it('a signature over the payload without its label', async () => {
    const payload = encodeEntryPayload(payloadOf(WRITER, { kind: 'leave' }));
    await refused(encodeSigned(payload, await WRITER.sign(payload)));
  });

  it('a public key that is no point of the curve', async () => {
    const publicKey = new Uint8Array(32).fill(0xff);
    const payload = encodeEntryPayload({ ...payloadOf(WRITER, { kind: 'leave' }), publicKey });
    await refused(encodeSigned(payload, await WRITER.sign(signedBytesOf(payload))));
  });

  it('an entry of another pool', async () => {
    await refused(await signedRecord(WRITER, FIRST, { kind: 'leave' }, OTHER_POOL_KEYS.poolId));
  });

  it('a well-signed entry of a wrong shape: version, extra key, oversized', async () => {
    const fields = {
      v: 1,
      pool: POOL_KEYS.poolId,
      key: WRITER.publicKey,
      seq: 1,
      prev: null,
      at: [1, 0],
      body: { kind: 'leave' },
    };
    await check(await signed(encodeCbor(fields)));
    await refused(await signed(encodeCbor({ ...fields, v: 2 })));
    await refused(await signed(encodeCbor({ ...fields, more: null })));
    await refused(
      await signed(encodeCbor({ ...fields, body: { kind: 'file', manifest: new Uint8Array(66_000) } })),
    );
    await refused(await signed(encodeWithFalseCid({ ...fields, body: { kind: 'remove', file: FALSE_CID } })));
  });

  it.each<[string, () => Promise<Uint8Array>]>([
    ['by another device', () => seal(manifestOf(OTHER.deviceId))],
    ['sealed with another key', () => seal(manifestOf(WRITER.deviceId), OTHER_POOL_KEYS.catalogueKey)],
    [
      'sealed for another pool',
      () => seal(manifestOf(WRITER.deviceId), POOL_KEYS.catalogueKey, OTHER_POOL_KEYS.poolId),
    ],
    ['of n fragments that names one less', () => seal(withFragments((all) => all.slice(1)))],
    [
      'that names a fragment twice',
      () => seal(withFragments((all) => [...all.slice(1), ...all.slice(1, 2)])),
    ],
    ['of impossible geometry', () => seal(manifestOf(WRITER.deviceId, { k: 5, n: 4 }))],
    ['of too many segments', () => seal(manifestOf(WRITER.deviceId, { size: 2 ** 50 }))],
    ['that is nothing', async () => Uint8Array.of(0)],
  ])('a manifest %s', async (_, make) => {
    await refused(await signedRecord(WRITER, FIRST, { kind: 'file', manifest: await make() }));
  });

  it('a manifest copied unchanged from another device', async () => {
    const theirs = await seal(manifestOf(OTHER.deviceId));
    await check(await signedRecord(OTHER, FIRST, { kind: 'file', manifest: theirs }));
    await refused(await signedRecord(WRITER, FIRST, { kind: 'file', manifest: theirs }));
  });
});

function check(record: Uint8Array): ReturnType<typeof checkEntry> {
  return checkEntry(record, new KeyRing(POOL_KEYS), webCryptography);
}

function refused(record: Uint8Array): Promise<void> {
  return expectRejects('bad-message', check(record));
}

function seal(
  manifest: Manifest,
  key = POOL_KEYS.catalogueKey,
  pool = POOL_KEYS.poolId,
): Promise<Uint8Array<ArrayBuffer>> {
  return sealManifest(manifest, key, pool, seededBytes(12, 9), webCryptography);
}

function withFragments(change: (all: Manifest['fragments']) => Manifest['fragments']): Manifest {
  const manifest = manifestOf(WRITER.deviceId);
  return { ...manifest, fragments: change(manifest.fragments) };
}

function payloadOf(identity: Identity, body: EntryBody): Parameters<typeof encodeEntryPayload>[0] {
  return { pool: POOL_KEYS.poolId, publicKey: identity.publicKey, ...FIRST, body };
}

async function signed(payload: Uint8Array): Promise<Uint8Array> {
  return encodeSigned(payload, await WRITER.sign(signedBytesOf(payload)));
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

describe('a name that no known key opens', () => {
  it('is refused while keys are still to come, so that it is asked for again, and kept when none are', async () => {
    const sealed = seededBytes(80, 5);
    const record = await signedRecord(WRITER, FIRST, { kind: 'name', sealed });
    const ring = new KeyRing(POOL_KEYS);
    expect((await checkEntry(record, ring, webCryptography)).named).toBeUndefined();
    ring.isComplete = false;
    await expectRejects('bad-message', checkEntry(record, ring, webCryptography));
  });
});
