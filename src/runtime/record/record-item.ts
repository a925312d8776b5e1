// What an entry of the catalogue says, as plain data, and whether it is genuine. It was checked when it came;
// for the record it is checked again, because that is what people ask the record for.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { decodeEntry, signedBytesOf, type Entry } from '../../core/catalogue/entry.ts';
import type { PackedEntry } from '../../core/catalogue/packed-entry.ts';
import { policyFields } from '../../core/catalogue/policy-fields.ts';
import type { Fields } from '../../core/encoding/decode.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { fileIdOf, type FileId } from '../../core/model/ids.ts';
import type { PolicyParts } from '../../core/model/policy.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { Cryptography } from '../../core/ports.ts';
import type { RecordItem, RecordState } from '../record-api.ts';
import { quotedDevice } from '../quoted-device.ts';
import type { WordlessRecordItem } from '../worded-record.ts';

interface RecordItemPorts {
  readonly catalogue: Catalogue;
  readonly cryptography: Pick<Cryptography, 'verify'>;
  readonly keys: Pick<KeyRing, 'poolId'>;
  /** The first number that the device wrote twice. */
  readonly splitAt: number | undefined;
}

export async function recordItem(packed: PackedEntry, ports: RecordItemPorts): Promise<WordlessRecordItem> {
  const { entryId, deviceId, seq, at } = packed;
  const entry = decoded(packed.bytes);
  const said: Said = entry === undefined ? { kind: 'unreadable' } : saidBy(entry, ports.catalogue);
  return {
    entryId,
    deviceId,
    by: quotedDevice(ports.catalogue, deviceId),
    seq,
    atMs: at.ms,
    state: await stateOf(packed, entry, ports),
    ...said,
  };
}

export type Said = Pick<RecordItem, 'kind' | 'name' | 'fileId' | 'fileName' | 'policy'>;

export function saidBy({ body }: Entry, catalogue: Pick<Catalogue, 'nameOf'>): Said {
  switch (body.kind) {
    case 'profile':
    case 'pool':
      return { kind: body.kind, name: body.name };
    case 'file':
      return withFile(body.kind, fileIdOf(body.manifest), catalogue);
    case 'name':
      return withFile(body.kind, fileIdOf(body.sealed), catalogue);
    case 'remove':
    case 'unname':
      return withFile(body.kind, body.file, catalogue);
    case 'policy':
      return { kind: body.kind, policy: policyAsText(body.parts) };
    case 'live-invite':
    case 'leave':
      return { kind: body.kind };
    case 'unknown':
      return { kind: String(body.fields['kind']) };
  }
}

/** Devices as the ids by which the record names them elsewhere. */
function policyAsText({ anchors, ...numbers }: PolicyParts): Fields {
  return { ...policyFields(numbers), ...(anchors === undefined ? {} : { anchors }) };
}

/** A private file has no name that its pool can read. */
function withFile(kind: string, fileId: FileId, catalogue: Pick<Catalogue, 'nameOf'>): Said {
  const fileName = catalogue.nameOf(fileId)?.details()?.name;
  return { kind, fileId, ...(fileName === undefined ? {} : { fileName }) };
}

async function stateOf(
  packed: PackedEntry,
  entry: Entry | undefined,
  { catalogue, cryptography, keys, splitAt }: RecordItemPorts,
): Promise<RecordState> {
  if (entry?.pool !== keys.poolId || entry.entryId !== packed.entryId) return 'invalid';
  const { publicKey, payload, signature, prev, deviceId } = entry;
  if (!(await cryptography.verify(publicKey, signedBytesOf(payload), signature))) return 'invalid';
  if (prev !== undefined && catalogue.find(deviceId, prev) === undefined) return 'invalid';
  return splitAt !== undefined && packed.seq >= splitAt ? 'forked' : 'verified';
}

function decoded(bytes: Uint8Array): Entry | undefined {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return undefined;
    throw error;
  }
}
