// Further names of contents: golden bytes, refusals, and entries that devices of the first builds keep.

import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { encodeSigned } from '../../../../src/core/encoding/signed-record.ts';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import { checkEntry } from '../../../../src/core/catalogue/check.ts';
import {
  decodeEntry,
  encodeEntryPayload,
  signedBytesOf,
  type EntryBody,
} from '../../../../src/core/catalogue/entry.ts';
import { openFileName, sealFileName, type FileName } from '../../../../src/core/catalogue/file-name.ts';
import { PackedEntry, packEntry, unpackEntries } from '../../../../src/core/catalogue/packed-entry.ts';
import { decodeCbor, encodeCbor } from '../../../../src/core/encoding/decode.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import {
  fileIdOf,
  parseDeviceId,
  parseEntryId,
  parseFileId,
  parsePoolId,
} from '../../../../src/core/model/ids.ts';
import { derivePoolKeys } from '../../../../src/core/model/pool-keys.ts';
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import {
  deviceAt,
  expectRejects,
  fileIdAt,
  itemAt,
  mutationsOf,
  POOL_KEYS,
  signedRecord,
} from '../../../fixtures/pool-fixture.ts';
import { identityFrom } from '../../../fixtures/seeded-identity.ts';
import fc from 'fast-check';
import log from '../../../vectors/entry.json' with { type: 'json' };
import vectors from '../../../vectors/file-name.json' with { type: 'json' };
import { KeyRing } from '../../../../src/core/model/key-ring.ts';

const KEY = bytesOfHex(vectors.catalogueKey);
const POOL = parsePoolId(vectors.poolId);
const KEYS = derivePoolKeys(bytesOfHex(vectors.poolSecret), vectors.epoch);
const NAME: FileName = {
  ...vectors.name,
  content: parseFileId(vectors.name.content),
  by: parseDeviceId(vectors.name.by),
};
const FIRST_PLACE = { seq: 1, prev: undefined, at: { ms: 1, count: 0 } };

function bodyOf({ kind, sealed, file }: { kind: string; sealed?: string; file?: string }): EntryBody {
  if (kind === 'name') return { kind, sealed: bytesOfHex(sealed ?? '') };
  return { kind: 'unname', file: parseFileId(file) };
}

describe('golden vectors', () => {
  it('of a name', async () => {
    const made = await sealFileName(NAME, KEY, POOL, bytesOfHex(vectors.nonce), webCryptography);
    expect(hexOf(made)).toBe(vectors.sealed);
    expect(fileIdOf(made)).toBe(vectors.nameId);
    expect(await openFileName(made, [KEY], POOL, webCryptography)).toEqual(NAME);
  });

  it.each(vectors.entries)('of entry $seq', async (vector) => {
    const identity = identityFrom(bytesOfHex(vectors.deviceSeed));
    const payload = encodeEntryPayload({
      pool: POOL,
      publicKey: identity.publicKey,
      seq: vector.seq,
      prev: parseEntryId(vector.prev),
      at: vector.at,
      body: bodyOf(vector.body),
    });
    expect(hexOf(payload)).toBe(vector.payload);
    const record = encodeSigned(payload, await identity.sign(signedBytesOf(payload)));
    expect(hexOf(record)).toBe(vector.record);
    const checked = await checkEntry(record, new KeyRing(KEYS), webCryptography);
    expect(checked.entry.body).toEqual(bodyOf(vector.body));
    expect(hexOf(packEntry(checked))).toBe(vector.packed);
    const [packed] = unpackEntries(bytesOfHex(vector.packed));
    expect(packed?.kind).toBe(vector.body.kind);
    expect(packed?.entryId).toBe(vector.entryId);
    expect(packed?.fileId).toBe(vector.body.kind === 'name' ? vectors.nameId : vectors.name.content);
  });

  it('take the manifest’s name away and keep its content under the other', async () => {
    const records = [...log.entries, ...vectors.entries].map(({ record }) => bytesOfHex(record));
    const entries = await Promise.all(
      records.map((record) => checkEntry(record, new KeyRing(KEYS), webCryptography)),
    );
    const catalogue = new Catalogue();
    catalogue.add(entries);
    const listed = catalogue.listedFile(parseFileId(vectors.nameId));
    expect(listed?.details()).toEqual(vectors.name.details);
    expect(listed).toMatchObject({ contentId: NAME.content, by: NAME.by, atMs: NAME.atMs });
    expect(catalogue.listedFile(NAME.content)).toBeUndefined();
    expect(catalogue.files().has(NAME.content)).toBe(true);
  });
});

describe('a name that does not open', () => {
  const seal = (name: object): Promise<Uint8Array<ArrayBuffer>> =>
    sealFileName({ ...NAME, ...name }, KEY, POOL, seededBytes(12, 1), webCryptography);

  it('is refused: of another pool, cut, or with other bytes', async () => {
    const sealed = bytesOfHex(vectors.sealed);
    await expectRejects('bad-message', openFileName(sealed, [KEY], POOL_KEYS.poolId, webCryptography));
    await expectRejects('bad-message', openFileName(sealed.subarray(0, 12), [KEY], POOL, webCryptography));
    await fc.assert(
      fc.asyncProperty(mutationsOf(sealed), async (mutant) => {
        fc.pre(hexOf(mutant) !== vectors.sealed);
        await expectRejects('bad-message', openFileName(mutant, [KEY], POOL, webCryptography));
      }),
    );
  });

  it.each([
    ['without a name', { details: { name: '', path: '', mime: '' } }],
    ['in too long a path', { details: { name: 'x', path: 'p'.repeat(4097), mime: '' } }],
    ['dated beyond the end of time', { atMs: 253_402_300_800_000 }],
  ])('is refused: %s', async (_, change) => {
    await expectRejects('bad-message', openFileName(await seal(change), [KEY], POOL, webCryptography));
  });
});

describe('an entry that gives no name', () => {
  const sealedBy = (by: number): Promise<Uint8Array<ArrayBuffer>> =>
    sealFileName(
      { ...NAME, by: deviceAt(by).deviceId },
      POOL_KEYS.catalogueKey,
      POOL_KEYS.poolId,
      seededBytes(12, 1),
      webCryptography,
    );

  it('is kept without effect: older devices keep it, and later entries depend on it', async () => {
    const others = await sealedBy(1);
    const bodies: EntryBody[] = [
      { kind: 'name', sealed: others },
      { kind: 'name', sealed: seededBytes(60, 7) },
      { kind: 'unknown', fields: { kind: 'name', sealed: 'text' } },
      { kind: 'unknown', fields: { kind: 'name', sealed: others, more: 1 } },
      { kind: 'unknown', fields: { kind: 'unname', file: 7 } },
    ];
    for (const body of bodies) {
      const record = await signedRecord(deviceAt(0), FIRST_PLACE, body);
      const checked = await checkEntry(record, new KeyRing(POOL_KEYS), webCryptography);
      expect(checked.named).toBeUndefined();
      const packed = new PackedEntry(packEntry(checked), 0);
      expect(packed.kind).toBe('unknown');
      const catalogue = new Catalogue();
      expect(catalogue.add([checked]).added).toHaveLength(1);
      expect(hexOf(decodeEntry(record).bytes)).toBe(hexOf(record));
    }
  });

  it('has the kind that the first builds do not know, with its body whole', () => {
    const vector = itemAt(vectors.entries, 0);
    const [payload] = decodeCbor(bytesOfHex(vector.record), 70_000) as [Uint8Array];
    const { body } = decodeCbor(payload, 70_000) as { body: object };
    // What a build without these kinds keeps and passes on.
    expect(encodeCbor(body)).toEqual(encodeCbor({ kind: 'name', sealed: bytesOfHex(vectors.sealed) }));
    expect(fileIdAt(0)).not.toBe(vectors.nameId);
  });
});
