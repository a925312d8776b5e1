// Derives a pool's keys from its secret. HKDF-SHA256 (RFC 5869) with versioned labels and the epoch number,
// so that a later epoch has unrelated keys and unrelated uses never share one.

import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf, utf8 } from './bytes.ts';
import { parsePoolId, type PoolId } from './ids.ts';

/** Bytes of a pool secret. */
export const POOL_SECRET_BYTES = 32;
/** The epoch of a new pool. */
export const FIRST_EPOCH = 0;
/** Epochs fit 16 bits in the invite. */
export const MAX_EPOCH = 0xffff;

export interface PoolKeys {
  readonly epoch: number;
  /** The relay's room name: reveals nothing about the secret. */
  readonly poolId: PoolId;
  /** 32 bytes: seals signaling envelopes. */
  readonly signalingKey: Uint8Array<ArrayBuffer>;
  /** 32 bytes: seals manifests. */
  readonly catalogueKey: Uint8Array<ArrayBuffer>;
  /** 32 bytes: keys content tags. */
  readonly contentTagKey: Uint8Array<ArrayBuffer>;
}

/** What devices find each other by. */
export type RoomKeys = Pick<PoolKeys, 'poolId' | 'signalingKey'>;

/** The key that seals checked entries on the disks of the pool's devices. */
export function deriveBundleKey({ catalogueKey }: PoolKeys): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdf(sha256, catalogueKey, undefined, utf8('palm/v1/checked-entries'), 32));
}

/** The key that seals the acts of a pool on the disks of its devices. */
export function deriveActsKey({ catalogueKey }: PoolKeys): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdf(sha256, catalogueKey, undefined, utf8('palm/v1/acts'), 32));
}

export interface RecordRowKeys {
  /** 32 bytes: seals records that are rows of their own. */
  readonly sealing: Uint8Array<ArrayBuffer>;
  /**
   * The nonce for a record: 12 bytes that follow from all of it, so that no two records have one, and the
   * same record makes the same row.
   */
  readonly nonceOf: (record: Uint8Array) => Uint8Array<ArrayBuffer>;
}

export function deriveRecordRowKeys({ catalogueKey }: PoolKeys): RecordRowKeys {
  const keys = new Uint8Array(hkdf(sha256, catalogueKey, undefined, utf8('palm/v1/record-row'), 64));
  const [sealing, nonces] = [keys.slice(0, 32), keys.slice(32)];
  return { sealing, nonceOf: (record) => new Uint8Array(hmac(sha256, nonces, record).slice(0, 12)) };
}

/** @param secret 32 bytes, uniformly random. */
export function derivePoolKeys(secret: Uint8Array, epoch: number): PoolKeys {
  const derive = (label: string, length: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(hkdf(sha256, secret, undefined, utf8(`palm/v1/${label}/${epoch}`), length));
  return {
    epoch,
    poolId: parsePoolId(hexOf(derive('pool-id', 16))),
    signalingKey: derive('signaling', 32),
    catalogueKey: derive('catalogue', 32),
    contentTagKey: derive('content-tag', 32),
  };
}
