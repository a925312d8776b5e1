// The record as JSON lines, for whoever keeps it elsewhere: the signed bytes of each entry and of each act,
// and what they say in a form that people and programs read. docs/verify-record.mjs checks such a file
// without Palm (FORMATS.md, "The exported record").

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { ActSet } from '../../core/catalogue/grants/act-set.ts';
import type { CheckedAct } from '../../core/catalogue/grants/act.ts';
import { decodeEntry } from '../../core/catalogue/entry.ts';
import { compareEntries } from '../../core/catalogue/latest-entry.ts';
import type { PackedEntry } from '../../core/catalogue/packed-entry.ts';
import { base64UrlOf, concatBytes, hexOf, utf8 } from '../../core/model/bytes.ts';
import type { PoolId } from '../../core/model/ids.ts';
import type { WallMs } from '../../core/model/time.ts';
import type { Cryptography, Identity } from '../../core/ports.ts';
import type { Slices } from '../slices.ts';
import { actSays } from './act-item.ts';
import { saidBy } from './record-item.ts';

interface ExportPorts {
  readonly catalogue: Catalogue;
  /** None in a pool without a charter. */
  readonly acts: Pick<ActSet, 'acts' | 'standings'>;
  readonly cryptography: Pick<Cryptography, 'sha256'>;
  /** Signs the whole, so that nobody else can leave lines out. */
  readonly identity: Identity;
  readonly poolId: PoolId;
  readonly nowMs: WallMs;
  readonly slices: Pick<Slices, 'next'>;
}

const LABEL = 'palm/v1/record-export';

/**
 * The lines, each with its line feed: a head, all entries in the order of the record, all acts, each after
 * those that it has seen, and an end.
 */
export async function exportLines(ports: ExportPorts): Promise<string[]> {
  const { catalogue, cryptography, identity, poolId, nowMs, slices } = ports;
  const acts = ports.acts.acts();
  const entries = [...catalogue.missingFor([])].toSorted(compareEntries);
  // Programs of before know no acts: they say that this is another version.
  const palmRecord = acts.length === 0 ? 1 : 2;
  const head = { palmRecord, pool: poolId, exportedBy: identity.deviceId, exportedAtMs: nowMs };
  const counts = { entries: entries.length, ...(acts.length === 0 ? {} : { acts: acts.length }) };
  const lines = [lineOf({ ...head, ...counts })];
  for (const entry of entries) {
    await slices.next();
    lines.push(lineOf(fieldsOf(entry, catalogue)));
  }
  for (const act of acts) {
    await slices.next();
    lines.push(lineOf(fieldsOfAct(act, ports)));
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

/** Everything but `counts` follows from the record and from the device's entries. */
function fieldsOfAct(act: CheckedAct, { catalogue, acts }: Pick<ExportPorts, 'catalogue' | 'acts'>): object {
  const { id, by, seq, prev, at, bytes } = act.record;
  return {
    act: id,
    device: by,
    deviceName: catalogue.deviceName(by),
    seq,
    prev: prev ?? null,
    at: [at.ms, at.count],
    ...actSays(act),
    counts: acts.standings.counts(id),
    record: base64UrlOf(bytes),
  };
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
