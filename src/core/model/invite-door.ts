// Where an invite leads: a room of its own on the relay, so that the pool's room stays unknown to whoever
// has nothing but an invite (FORMATS.md, invites).

import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf, utf8 } from './bytes.ts';
import { parsePoolId, type PoolId } from './ids.ts';

/** What a transport needs in order to meet others: a room, and the key of its envelopes. */
export interface RoomKeys {
  /** The room. */
  readonly poolId: PoolId;
  /** 32 bytes. */
  readonly signalingKey: Uint8Array<ArrayBuffer>;
}

/** Bytes of an invite's private key, and of what is derived from it for those who wait. */
export const INVITE_SEED_BYTES = 32;

/** What members need in order to wait at an invite's door. It does not give the invite's private key away. */
export function waitingKeyOf(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  return derive(seed, 'palm/v1/invite-wait', 32);
}

export function doorOf(waitingKey: Uint8Array): RoomKeys {
  return {
    poolId: parsePoolId(hexOf(derive(waitingKey, 'palm/v1/invite-room', 16))),
    signalingKey: derive(waitingKey, 'palm/v1/invite-signaling', 32),
  };
}

function derive(key: Uint8Array, label: string, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdf(sha256, key, undefined, utf8(label), length));
}
