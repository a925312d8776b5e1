// What two devices tell each other over the connection that their codes made (FORMATS.md, the wire of a
// pairing): who they are, an invite, and sealed envelopes.

import { sha256 } from '@noble/hashes/sha2.js';
import { bad, bytesOf, decodeCbor, encodeCbor, fieldsOf, kindOf, oneOf, textOf } from '../encoding/decode.ts';
import { utf8 } from '../model/bytes.ts';
import { parseDeviceId, type DeviceId, type PoolId } from '../model/ids.ts';
import { MAX_ENVELOPE_BYTES } from '../model/limits.ts';

/** Why a device in a pool gives no invite. */
const PAIR_REFUSALS = ['may-not-invite'] as const;
type PairRefusal = (typeof PAIR_REFUSALS)[number];

export type PairMessage =
  /** The first message of each side. `device` is only a claim: envelopes prove who somebody is. */
  | { readonly kind: 'hello'; readonly device: DeviceId }
  /** For a device in no pool, from one that is in one. */
  | { readonly kind: 'invite'; readonly invite: string }
  | { readonly kind: 'refused'; readonly reason: PairRefusal }
  /** `room`: which keys sealed it (`roomTag`). */
  | { readonly kind: 'envelope'; readonly room: Uint8Array; readonly envelope: Uint8Array }
  /** This side is linked, and needs the connection no longer. */
  | { readonly kind: 'done' };

const TAG_BYTES = 8;
/** A device id has 59 characters. */
const MAX_DEVICE_ID_BYTES = 64;
/** A link with the longest ticket has some 500 characters, behind the address of the app. */
const MAX_INVITE_BYTES = 2_048;
/** An envelope, and a few bytes around it. */
export const MAX_PAIR_MESSAGE_BYTES = MAX_ENVELOPE_BYTES + 128;

/** The caller owns the result. */
export function encodePairMessage(message: PairMessage): Uint8Array<ArrayBuffer> {
  return encodeCbor(message);
}

/** @throws PalmError 'bad-message'. */
export function decodePairMessage(bytes: Uint8Array): PairMessage {
  const value = decodeCbor(bytes, MAX_PAIR_MESSAGE_BYTES);
  const kind = kindOf(value);
  switch (kind) {
    case 'hello': {
      const { device } = fieldsOf(value, ['kind', 'device']);
      return { kind, device: parseDeviceId(textOf(device, MAX_DEVICE_ID_BYTES)) };
    }
    case 'invite':
      return { kind, invite: textOf(fieldsOf(value, ['kind', 'invite'])['invite'], MAX_INVITE_BYTES) };
    case 'refused':
      return { kind, reason: oneOf(fieldsOf(value, ['kind', 'reason'])['reason'], PAIR_REFUSALS) };
    case 'envelope': {
      const fields = fieldsOf(value, ['kind', 'room', 'envelope']);
      return {
        kind,
        room: bytesOf(fields['room'], TAG_BYTES, TAG_BYTES),
        envelope: bytesOf(fields['envelope'], 1, MAX_ENVELOPE_BYTES),
      };
    }
    case 'done':
      fieldsOf(value, ['kind']);
      return { kind };
    default:
      throw bad('a message that no pairing knows');
  }
}

/** Names a room to those who know it: the room of a pool stays unknown to a newcomer at a door. */
export function roomTag(room: PoolId): Uint8Array {
  return sha256(utf8(`palm/v1/wire-room/${room}`)).subarray(0, TAG_BYTES);
}
