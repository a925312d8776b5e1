// One act: a signed record that changes who may what. The acts of one writer form a chain, and each names the
// acts of all writers that its own had seen (FORMATS.md, acts).

import {
  bad,
  bytesOf,
  decodeCbor,
  encodeCbor,
  fieldsOf,
  linkOf,
  tupleOf,
  uintOf,
} from '../../encoding/decode.ts';
import { decodeSigned, PUBLIC_KEY_BYTES, type SignedRecord } from '../../encoding/signed-record.ts';
import { concatBytes, hexOf, utf8 } from '../../model/bytes.ts';
import {
  cidOf,
  deviceIdOf,
  entryIdOf,
  parseEntryId,
  parsePoolId,
  type DeviceId,
  type EntryId,
  type PoolId,
} from '../../model/ids.ts';
import { ACT_UNIT_BYTES, INVITE_TOLERANCE_MS, MAX_ACT_BYTES, MAX_ACTS_OF_ADMIN } from '../../model/limits.ts';
import { decodeTicket } from '../../model/ticket.ts';
import type { Cryptography } from '../../ports.ts';
import { MAX_HYBRID_COUNT, MAX_HYBRID_MS, type HybridTime } from '../clock.ts';
import type { ActBody, AdmitTerms } from './act-body.ts';
import { decodeActBody, encodeActBody } from './act-body-codec.ts';
import { checkAdmit } from './ticket.ts';

export interface ActPayload {
  /** Binds the act to one pool: the id of its first epoch. */
  readonly pool: PoolId;
  /** The writer's Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 1 for the writer's first act. */
  readonly seq: number;
  /** The writer's act before this one; undefined exactly when seq is 1. */
  readonly prev: EntryId | undefined;
  readonly at: HybridTime;
  readonly body: ActBody;
}

/** An act whose shape was checked. Its signature was not; see checkAct. */
export interface ActRecord extends ActPayload, SignedRecord {
  readonly id: EntryId;
  readonly by: DeviceId;
  /** The whole record as it is stored and sent. */
  readonly bytes: Uint8Array;
}

/** An act that passed checkAct. */
export interface CheckedAct {
  readonly record: ActRecord;
  /** Set only for an admit whose ticket and signatures are right. */
  readonly terms?: AdmitTerms;
}

const VERSION = 1;

export function encodeActPayload(payload: ActPayload): Uint8Array<ArrayBuffer> {
  return encodeCbor({
    v: VERSION,
    pool: payload.pool,
    key: payload.publicKey,
    seq: payload.seq,
    prev: payload.prev === undefined ? null : cidOf(payload.prev),
    at: [payload.at.ms, payload.at.count],
    body: encodeActBody(payload.body),
  });
}

/** What the device signs: the payload under a label of its own. */
export function signedBytesOfAct(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(utf8('palm/v1/act'), payload);
}

/** Checks shape, lengths and limits. The bytes are kept. @throws PalmError 'bad-message'. */
export function decodeAct(bytes: Uint8Array): ActRecord {
  const { payload, signature } = decodeSigned(bytes, MAX_ACT_BYTES);
  const fields = fieldsOf(decodeCbor(payload, MAX_ACT_BYTES), [
    'v',
    'pool',
    'key',
    'seq',
    'prev',
    'at',
    'body',
  ]);
  if (fields['v'] !== VERSION) throw bad('an act of an unknown version');
  const publicKey = bytesOf(fields['key'], PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES);
  const seq = uintOf(fields['seq'], MAX_ACTS_OF_ADMIN);
  const prev = fields['prev'] === null ? undefined : parseEntryId(linkOf(fields['prev']));
  if (seq === 0 || (seq === 1) !== (prev === undefined)) throw bad('an act out of its chain');
  const [ms, count] = tupleOf(fields['at'], 2);
  return {
    pool: parsePoolId(fields['pool']),
    publicKey,
    seq,
    prev,
    at: { ms: uintOf(ms, MAX_HYBRID_MS), count: uintOf(count, MAX_HYBRID_COUNT) },
    body: decodeActBody(fields['body']),
    id: entryIdOf(payload),
    by: deviceIdOf(publicKey),
    payload,
    signature,
    bytes,
  };
}

/** @throws PalmError 'bad-message' saying what is wrong with the record. */
export async function checkAct(
  bytes: Uint8Array,
  pool: PoolId,
  cryptography: Cryptography,
): Promise<CheckedAct> {
  const record = decodeAct(bytes);
  if (record.pool !== pool) throw bad('an act of another pool');
  if (!(await cryptography.verify(record.publicKey, signedBytesOfAct(record.payload), record.signature))) {
    throw bad('an act whose signature does not fit');
  }
  const { body, by } = record;
  // One that admits nobody is kept all the same: later acts may have seen it.
  const isRight = body.kind === 'admit' && (await checkAdmit(body, by, cryptography)) !== undefined;
  return isRight ? restoreAct(record) : { record };
}

/** An act whose signatures were checked before, those of an admit's ticket included. */
export function restoreAct(record: ActRecord): CheckedAct {
  const { body, at } = record;
  if (body.kind !== 'admit') return { record };
  const { role, issuer, charter, inviteKey, uses, expiresMs } = decodeTicket(body.ticket);
  const isInTime = at.ms <= expiresMs + INVITE_TOLERANCE_MS;
  const device = deviceIdOf(body.key);
  return { record, terms: { device, role, issuer, charter, invite: hexOf(inviteKey), uses, isInTime } };
}

/** What an act counts for against the bounds: one for each 8 KiB that it begins. */
export function unitsOf({ bytes }: ActRecord): number {
  return Math.ceil(bytes.length / ACT_UNIT_BYTES);
}
