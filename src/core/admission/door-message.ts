// The few messages of a door: the links between a newcomer and a member in an invite's room (FORMATS.md,
// invites).

import type { Application } from '../catalogue/grants/ticket.ts';
import { bad, bytesOf, decodeCbor, encodeCbor, fieldsOf, kindOf, listOf, oneOf } from '../encoding/decode.ts';
import { EXCHANGE_KEY_BYTES } from '../model/exchange-key.ts';
import { MAX_ACT_BYTES, MAX_ENTRIES_PER_MESSAGE, MAX_SEALED_KEYS_BYTES } from '../model/limits.ts';
import { MAX_TICKET_BYTES } from '../model/ticket.ts';
import { MAX_ENTRIES_BYTES } from '../wire/messages.ts';

/**
 * Why a member admits nobody by this invite. 'unknown': as far as it knows, this pool has no such invite.
 * 'shut-out': an admin took the device out of this pool.
 */
export const ADMISSION_REFUSALS = ['expired', 'used', 'withdrawn', 'shut-out', 'unknown', 'busy'] as const;
export type AdmissionRefusal = (typeof ADMISSION_REFUSALS)[number];

export type DoorMessage =
  | ({ readonly kind: 'admission-wanted' } & Application)
  | { readonly kind: 'admission-refused'; readonly reason: AdmissionRefusal }
  /** Some of the pool's acts, each after those that it has seen. */
  | { readonly kind: 'acts'; readonly acts: readonly Uint8Array[] }
  /** After all acts: the secrets of the pool's epochs, sealed for the newcomer's exchange key. */
  | { readonly kind: 'keys'; readonly sealed: Uint8Array };

/** The largest message, bytes: acts, and a few bytes around each. */
export const MAX_DOOR_MESSAGE_BYTES = MAX_ENTRIES_BYTES + MAX_ACT_BYTES;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** The caller owns the result. */
export function encodeDoorMessage(message: DoorMessage): Uint8Array<ArrayBuffer> {
  return encodeCbor(message);
}

/** @throws PalmError 'bad-message'. */
export function decodeDoorMessage(bytes: Uint8Array): DoorMessage {
  const value = decodeCbor(bytes, MAX_DOOR_MESSAGE_BYTES);
  const kind = kindOf(value);
  switch (kind) {
    case 'admission-wanted': {
      const fields = fieldsOf(value, ['kind', 'ticket', 'key', 'exchange', 'proof', 'consent']);
      return {
        kind,
        ticket: bytesOf(fields['ticket'], 1, MAX_TICKET_BYTES),
        key: bytesOf(fields['key'], KEY_BYTES, KEY_BYTES),
        exchange: bytesOf(fields['exchange'], EXCHANGE_KEY_BYTES, EXCHANGE_KEY_BYTES),
        proof: bytesOf(fields['proof'], SIGNATURE_BYTES, SIGNATURE_BYTES),
        consent: bytesOf(fields['consent'], SIGNATURE_BYTES, SIGNATURE_BYTES),
      };
    }
    case 'admission-refused':
      return { kind, reason: oneOf(fieldsOf(value, ['kind', 'reason'])['reason'], ADMISSION_REFUSALS) };
    case 'acts':
      return {
        kind,
        acts: listOf(fieldsOf(value, ['kind', 'acts'])['acts'], MAX_ENTRIES_PER_MESSAGE, (act) =>
          bytesOf(act, 1, MAX_ACT_BYTES),
        ),
      };
    case 'keys':
      return {
        kind,
        sealed: bytesOf(fieldsOf(value, ['kind', 'sealed'])['sealed'], 1, MAX_SEALED_KEYS_BYTES),
      };
    default:
      throw bad('a message that no door knows');
  }
}

/** Acts in as many messages as they take. */
export function* actMessages(acts: readonly Uint8Array[]): Generator<DoorMessage> {
  let together: Uint8Array[] = [];
  let byteCount = 0;
  for (const act of acts) {
    const isFull = together.length >= MAX_ENTRIES_PER_MESSAGE || byteCount + act.length > MAX_ENTRIES_BYTES;
    if (isFull && together.length > 0) {
      yield { kind: 'acts', acts: together };
      [together, byteCount] = [[], 0];
    }
    together.push(act);
    byteCount += act.length;
  }
  if (together.length > 0) yield { kind: 'acts', acts: together };
}
