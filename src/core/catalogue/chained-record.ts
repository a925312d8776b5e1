// What log entries and acts have in common: records of one device, each signed, and bound to a pool and to
// the writer's record before it. Each kind has its own label to sign under, bounds and bodies.

import { decodeSigned, PUBLIC_KEY_BYTES, type SignedRecord } from '../encoding/signed-record.ts';
import {
  bad,
  bytesOf,
  decodeCbor,
  encodeCbor,
  fieldsOf,
  linkOf,
  tupleOf,
  uintOf,
} from '../encoding/decode.ts';
import { cidOf, parseEntryId, parsePoolId, type EntryId, type PoolId } from '../model/ids.ts';
import { MAX_HYBRID_COUNT, MAX_HYBRID_MS, type HybridTime } from './clock.ts';

export interface ChainedPayload<Body> {
  /** Binds the record to one pool. */
  readonly pool: PoolId;
  /** The writer's Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 1 for the first of its kind. */
  readonly seq: number;
  /** The writer's record before this one; undefined exactly when seq is 1. */
  readonly prev: EntryId | undefined;
  readonly at: HybridTime;
  readonly body: Body;
}

/** What tells a kind of records from others. */
export interface ChainedKind<Body> {
  /** With its article, for errors. */
  readonly what: string;
  readonly maxBytes: number;
  readonly maxSeq: number;
  readonly decodeBody: (value: unknown) => Body;
}

const VERSION = 1;

/** `body`: as it is written. */
export function encodeChained(payload: ChainedPayload<unknown>): Uint8Array<ArrayBuffer> {
  return encodeCbor({
    v: VERSION,
    pool: payload.pool,
    key: payload.publicKey,
    seq: payload.seq,
    prev: payload.prev === undefined ? null : cidOf(payload.prev),
    at: [payload.at.ms, payload.at.count],
    body: payload.body,
  });
}

/** Checks shape, lengths and limits, not the signature. @throws PalmError 'bad-message'. */
export function decodeChained<Body>(
  bytes: Uint8Array,
  { what, maxBytes, maxSeq, decodeBody }: ChainedKind<Body>,
): ChainedPayload<Body> & SignedRecord {
  const { payload, signature } = decodeSigned(bytes, maxBytes);
  const names = ['v', 'pool', 'key', 'seq', 'prev', 'at', 'body'];
  const fields = fieldsOf(decodeCbor(payload, maxBytes), names);
  if (fields['v'] !== VERSION) throw bad(`${what} of an unknown version`);
  const publicKey = bytesOf(fields['key'], PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES);
  const seq = uintOf(fields['seq'], maxSeq);
  const prev = fields['prev'] === null ? undefined : parseEntryId(linkOf(fields['prev']));
  if (seq === 0 || (seq === 1) !== (prev === undefined)) throw bad(`${what} out of its chain`);
  const [ms, count] = tupleOf(fields['at'], 2);
  return {
    pool: parsePoolId(fields['pool']),
    publicKey,
    seq,
    prev,
    at: { ms: uintOf(ms, MAX_HYBRID_MS), count: uintOf(count, MAX_HYBRID_COUNT) },
    body: decodeBody(fields['body']),
    payload,
    signature,
  };
}
