// A device's own word that it is alive (FORMATS.md, alive records). Only the device itself can write one; the
// others pass it on. It has no time in it: whose clock is wrong does not matter.

import { decodeSigned, PUBLIC_KEY_BYTES, type SignedRecord } from '../encoding/signed-record.ts';
import { bad, bytesOf, decodeCbor, encodeCbor, fieldsOf, oneOf, uintOf } from '../encoding/decode.ts';
import { concatBytes, utf8 } from '../model/bytes.ts';
import { DEVICE_CLASSES, type DeviceClass } from '../model/device-class.ts';
import { deviceIdOf, parsePoolId, type DeviceId, type PoolId } from '../model/ids.ts';
import { MAX_ALIVE_BYTES } from '../model/limits.ts';
import type { MemberState } from './member-state.ts';

/** One moment of a device's lives. A later one has a higher incarnation, or the same and a higher beat. */
export interface LifeSign {
  /** Counts the device's starts, and its answers to those who believed it gone; 0: nothing is known. */
  readonly incarnation: number;
  /** Counts the records of one incarnation. */
  readonly beat: number;
}

export interface AliveClaim extends LifeSign {
  /** Binds the record to one pool. */
  readonly pool: PoolId;
  /** The writer's Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly class: DeviceClass;
}

/** A record whose shape was checked. Whether its signature was depends on where it comes from. */
export interface AliveRecord extends AliveClaim, SignedRecord {
  readonly device: DeviceId;
  /** The whole record as it is stored and sent. */
  readonly bytes: Uint8Array;
}

/** What a device believes of another, told to find out more or to be refuted. */
export interface Belief extends LifeSign {
  readonly device: DeviceId;
  readonly state: MemberState;
}

export const NO_SIGN: LifeSign = { incarnation: 0, beat: 0 };

const VERSION = 1;

export function isLater(sign: LifeSign, than: LifeSign): boolean {
  return (
    sign.incarnation > than.incarnation || (sign.incarnation === than.incarnation && sign.beat > than.beat)
  );
}

export function encodeAlivePayload(claim: AliveClaim): Uint8Array<ArrayBuffer> {
  return encodeCbor({
    v: VERSION,
    pool: claim.pool,
    key: claim.publicKey,
    incarnation: claim.incarnation,
    beat: claim.beat,
    class: claim.class,
  });
}

/** What the device signs: the payload under a label of its own. */
export function signedBytesOfAlive(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(utf8('palm/v1/alive'), payload);
}

/** Checks shape, lengths and limits. The bytes are kept. @throws PalmError 'bad-message'. */
export function decodeAlive(bytes: Uint8Array): AliveRecord {
  const { payload, signature } = decodeSigned(bytes, MAX_ALIVE_BYTES);
  const fields = fieldsOf(decodeCbor(payload, MAX_ALIVE_BYTES), [
    'v',
    'pool',
    'key',
    'incarnation',
    'beat',
    'class',
  ]);
  if (fields['v'] !== VERSION) throw bad('an alive record of an unknown version');
  const publicKey = bytesOf(fields['key'], PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES);
  const incarnation = uintOf(fields['incarnation'], Number.MAX_SAFE_INTEGER);
  if (incarnation === 0) throw bad('an alive record without a life');
  return {
    pool: parsePoolId(fields['pool']),
    publicKey,
    incarnation,
    beat: uintOf(fields['beat'], Number.MAX_SAFE_INTEGER),
    class: oneOf(fields['class'], DEVICE_CLASSES),
    device: deviceIdOf(publicKey),
    payload,
    signature,
    bytes,
  };
}
