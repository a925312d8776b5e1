// What the tests of core share: devices with real Ed25519 keys made from seeds, their log entries, manifests that have
// the shape of real ones, and the ways in which a decoder is attacked.

import fc from 'fast-check';
import { expect } from 'vitest';
import type { Catalogue, EntryPlace } from '../../src/core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../src/core/catalogue/check.ts';
import {
  decodeEntry,
  encodeEntry,
  encodeEntryPayload,
  signedBytesOf,
  type EntryBody,
} from '../../src/core/catalogue/entry.ts';
import type { Manifest } from '../../src/core/catalogue/manifest.ts';
import { isPalmError, type PalmErrorCode } from '../../src/core/model/errors.ts';
import { fileIdOf, fragmentIdOf, type DeviceId, type FileId, type PoolId } from '../../src/core/model/ids.ts';
import { derivePoolKeys } from '../../src/core/model/pool-keys.ts';
import type { Identity } from '../../src/core/ports.ts';
import { encodeCbor } from '../../src/core/encoding/decode.ts';
import { identityFrom } from '../seeded-identity.ts';
import { seededBytes } from './erasure-oracle.ts';

export const POOL_KEYS = derivePoolKeys(seededBytes(32, 1), 0);
export const OTHER_POOL_KEYS = derivePoolKeys(seededBytes(32, 2), 0);

/** Some devices whose ids are in ascending order, so that "first" and "last" mean what they say. */
const DEVICES: readonly Identity[] = Array.from({ length: 8 }, (_, index) =>
  identityFrom(seededBytes(32, 100 + index)),
).toSorted((a, b) => (a.deviceId < b.deviceId ? -1 : 1));

export function deviceAt(index: number): Identity {
  return itemAt(DEVICES, index);
}

export function fileIdAt(index: number): FileId {
  return fileIdOf(seededBytes(40, 1_000 + index));
}

/** A record as its device would write it, signed. */
export async function signedRecord(
  identity: Identity,
  place: EntryPlace,
  body: EntryBody,
  pool: PoolId = POOL_KEYS.poolId,
): Promise<Uint8Array<ArrayBuffer>> {
  const payload = encodeEntryPayload({ pool, publicKey: identity.publicKey, ...place, body });
  return encodeEntry(payload, await identity.sign(signedBytesOf(payload)));
}

/** An entry that counts as checked: what it says is real, its signature is not. For tests of what comes after check.ts. */
export function uncheckedEntry(
  identity: Pick<Identity, 'publicKey'>,
  place: EntryPlace,
  body: EntryBody,
  manifest?: Manifest,
): CheckedEntry {
  const payload = encodeEntryPayload({
    pool: POOL_KEYS.poolId,
    publicKey: identity.publicKey,
    ...place,
    body,
  });
  const entry = decodeEntry(encodeEntry(payload, new Uint8Array(64)));
  if (body.kind !== 'file' || manifest === undefined) return { entry };
  return { entry, file: { fileId: fileIdOf(body.manifest), manifest } };
}

/** Writes the next entry of a device's log and adds it. */
export function write(
  catalogue: Catalogue,
  identity: Pick<Identity, 'deviceId' | 'publicKey'>,
  nowMs: number,
  body: EntryBody,
  manifest?: Manifest,
): CheckedEntry {
  const entry = uncheckedEntry(identity, catalogue.placeOf(identity.deviceId, nowMs), body, manifest);
  catalogue.add([entry]);
  return entry;
}

/** A file's entry and its id; the sealed manifest is bytes that stand for one. */
export function fileBody(label: string): { body: EntryBody; fileId: FileId } {
  const manifest = encodeCbor({ sealed: label });
  return { body: { kind: 'file', manifest }, fileId: fileIdOf(manifest) };
}

export function manifestOf(by: DeviceId, changes: Partial<Manifest> = {}): Manifest {
  const n = changes.n ?? 8;
  return {
    size: 5_000_000,
    k: 4,
    n,
    blockBytes: 262_144,
    modifiedMs: 1_700_000_000_000,
    salt: seededBytes(32, 3),
    fragments: Array.from({ length: n }, (_, index) => fragmentIdOf(seededBytes(50, 2_000 + index))),
    by,
    atMs: 1_760_000_000_000,
    access: {
      kind: 'pool',
      details: { name: 'holiday.jpg', path: 'pictures/2026', mime: 'image/jpeg' },
      linkKey: seededBytes(32, 4),
      contentTag: seededBytes(32, 5),
    },
    ...changes,
  };
}

/** Whatever `act` does, it answers, or throws a PalmError of this code and nothing else. */
export function expectOnly(code: PalmErrorCode, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!isPalmError(error, code))
      expect.fail(`PalmError '${code}' was expected; thrown was ${String(error)}`);
  }
}

export function expectThrows(code: PalmErrorCode, act: () => unknown): void {
  let thrown: unknown = 'nothing';
  try {
    act();
  } catch (error) {
    thrown = error;
  }
  if (!isPalmError(thrown, code))
    expect.fail(`PalmError '${code}' was expected; thrown was ${String(thrown)}`);
}

export async function expectRejects(code: PalmErrorCode, promise: Promise<unknown>): Promise<void> {
  await expect(promise).rejects.toSatisfy((error) => isPalmError(error, code));
}

/** `valid` with some bytes changed, cut out or put in. */
export function mutationsOf(valid: Uint8Array): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const edit = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.uint8Array({ maxLength: 4 }) });
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
    const bytes = [...valid];
    for (const { at, remove, insert } of edits) bytes.splice(at % (bytes.length + 1), remove, ...insert);
    return Uint8Array.from(bytes);
  });
}

/** A map that multiformats' `CID.asCID` takes for a CID once its first key is '/', though its bytes are no CID's. */
export const FALSE_CID = {
  '!': 'x',
  bytes: 'x',
  version: 1,
  code: 0x55,
  multihash: { code: 0x12, bytes: new Uint8Array(34), digest: new Uint8Array(32) },
};

/** A record with FALSE_CID in it as a peer could send it. dag-cbor itself does not encode such a map. */
export function encodeWithFalseCid(value: unknown): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    Buffer.from(Buffer.from(encodeCbor(value)).toString('hex').replaceAll('6121', '612f'), 'hex'),
  );
}

export function itemAt<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`There is no item ${index} of ${items.length}.`);
  return item;
}
