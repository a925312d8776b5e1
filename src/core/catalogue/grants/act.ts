// One act: a signed record that changes who may what. The acts of one writer form a chain, and each names the
// acts of all writers that its own had seen (FORMATS.md, acts).

import { bad } from '../../encoding/decode.ts';
import type { SignedRecord } from '../../encoding/signed-record.ts';
import { isPalmError } from '../../model/errors.ts';
import { concatBytes, hexOf, utf8 } from '../../model/bytes.ts';
import { deviceIdOf, entryIdOf, type DeviceId, type EntryId, type PoolId } from '../../model/ids.ts';
import { ACT_UNIT_BYTES, INVITE_TOLERANCE_MS, MAX_ACT_BYTES, MAX_ACTS_OF_ADMIN } from '../../model/limits.ts';
import { decodeTicket } from '../../model/ticket.ts';
import type { Cryptography } from '../../ports.ts';
import { decodeChained, encodeChained, type ChainedKind, type ChainedPayload } from '../chained-record.ts';
import type { ActBody, AdmitTerms, TakenPart } from './act-body.ts';
import { decodeActBody, encodeActBody, encodeRecoverOrder } from './act-body-codec.ts';
import { checkAdmit } from './ticket.ts';

export type ActPayload = ChainedPayload<ActBody>;

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
  /** Set only for a take-in whose offer is one, with a right signature. */
  readonly takesIn?: TakenPart;
}

const KIND: ChainedKind<ActBody> = {
  what: 'an act',
  maxBytes: MAX_ACT_BYTES,
  maxSeq: MAX_ACTS_OF_ADMIN,
  decodeBody: decodeActBody,
};

export function encodeActPayload(payload: ActPayload): Uint8Array<ArrayBuffer> {
  return encodeChained({ ...payload, body: encodeActBody(payload.body) });
}

/** What the device signs: the payload under a label of its own. */
export function signedBytesOfAct(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(utf8('palm/v1/act'), payload);
}

/** What a recovery code signs: who writes what. With what was seen, that says of which pool. */
export function signedBytesOfRecover(
  body: Omit<ActBody & { readonly kind: 'recover' }, 'signature'>,
  writer: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concatBytes(utf8('palm/v1/recover'), writer, encodeRecoverOrder(body));
}

/** Checks shape, lengths and limits. The bytes are kept. @throws PalmError 'bad-message'. */
export function decodeAct(bytes: Uint8Array): ActRecord {
  const record = decodeChained(bytes, KIND);
  const { payload, publicKey } = record;
  return { ...record, id: entryIdOf(payload), by: deviceIdOf(publicKey), bytes };
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
  const { body, by, publicKey } = record;
  if (body.kind === 'recover') {
    const order = signedBytesOfRecover(body, publicKey);
    if (!(await cryptography.verify(body.code, order, body.signature)))
      throw bad('a recovery that no code signed');
  }
  // One that admits or takes in nobody is kept all the same: later acts may have seen it.
  const isRight =
    body.kind === 'admit'
      ? (await checkAdmit(body, by, cryptography)) !== undefined
      : body.kind === 'take-in' && (await isOffer(body.offer, pool, cryptography));
  return isRight ? restoreAct(record) : { record };
}

async function isOffer(bytes: Uint8Array, pool: PoolId, cryptography: Cryptography): Promise<boolean> {
  try {
    // Its kind first: take-ins within take-ins would cost a signature each.
    if (decodeAct(bytes).body.kind !== 'offer') return false;
    await checkAct(bytes, pool, cryptography);
    return true;
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return false;
    throw error;
  }
}

/** An act whose signatures were checked before, those of an admit's ticket and a take-in's offer included. */
export function restoreAct(record: ActRecord): CheckedAct {
  const { body, at } = record;
  if (body.kind === 'take-in') {
    const { id, body: offer } = decodeAct(body.offer);
    return offer.kind === 'offer' ? { record, takesIn: { ...offer, offer: id } } : { record };
  }
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
