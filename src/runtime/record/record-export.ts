// The record as JSON lines, for whoever keeps it elsewhere: each entry's signed bytes, and what they say in a
// form that people and programs read. docs/verify-record.mjs checks such a file without Palm (FORMATS.md,
// "The exported record").

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { decodeEntry } from '../../core/catalogue/entry.ts';
import { compareEntries } from '../../core/catalogue/latest-entry.ts';
import type { PackedEntry } from '../../core/catalogue/packed-entry.ts';
import { base64UrlOf, concatBytes, hexOf, utf8 } from '../../core/model/bytes.ts';
import type { PoolId } from '../../core/model/ids.ts';
import type { WallMs } from '../../core/model/time.ts';
import type { Cryptography, Identity } from '../../core/ports.ts';
import type { Slices } from '../slices.ts';
import { saidBy } from './record-item.ts';

interface ExportPorts {
  readonly catalogue: Catalogue;
  readonly cryptography: Pick<Cryptography, 'sha256'>;
  /** Signs the whole, so that nobody else can leave lines out. */
  readonly identity: Identity;
  readonly poolId: PoolId;
  readonly nowMs: WallMs;
  readonly slices: Pick<Slices, 'next'>;
}

const LABEL = 'palm/v1/record-export';

/** The lines, each with its line feed: a head, all entries in the order of the record, and an end. */
export async function exportLines(ports: ExportPorts): Promise<string[]> {
  const { catalogue, cryptography, identity, poolId, nowMs, slices } = ports;
  const entries = [...catalogue.missingFor([])].toSorted(compareEntries);
  const head = { palmRecord: 1, pool: poolId, exportedBy: identity.deviceId, exportedAtMs: nowMs };
  const lines = [lineOf({ ...head, entries: entries.length })];
  for (const entry of entries) {
    await slices.next();
    lines.push(lineOf(fieldsOf(entry, catalogue)));
  }
  const hash = await cryptography.sha256(utf8(lines.join('')));
  const signature = await identity.sign(concatBytes(utf8(LABEL), hash));
  const { publicKey } = identity;
  const seal = { sha256: hexOf(hash), key: base64UrlOf(publicKey), signature: base64UrlOf(signature) };
  lines.push(lineOf({ end: true, ...seal }));
  return lines;
}

/** Everything but `fileName` follows from the record and from the device's other ones. */
function fieldsOf(packed: PackedEntry, catalogue: Catalogue): object {
  const entry = decodeEntry(packed.bytes);
  const { kind, name, fileId, fileName, policy } = saidBy(entry, catalogue);
  const { ms, count } = entry.at;
  return {
    entry: packed.entryId,
    device: packed.deviceId,
    deviceName: catalogue.deviceName(packed.deviceId),
    seq: packed.seq,
    prev: entry.prev ?? null,
    at: [ms, count],
    kind,
    ...(name === undefined ? {} : { name }),
    ...(fileId === undefined ? {} : { file: fileId }),
    ...(fileName === undefined ? {} : { fileName }),
    ...(policy === undefined ? {} : { policy }),
    record: base64UrlOf(packed.bytes),
  };
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
