// The messages of a link (FORMATS.md, messages): length of the header (4 bytes, big-endian), the header (a
// DAG-CBOR map), and for `block`, `index` and `fragments` the raw payload after it, so that bulk bytes are
// never copied into the header.

import { cidOf, parseBlockHash, parseFileId, parseJobId, type BlockHash, type JobId } from '../model/ids.ts';
import { bytesOfHex } from '../model/bytes.ts';
import {
  MAX_BELIEFS_PER_MESSAGE,
  MAX_DEVICE_COUNT,
  MAX_ENTRIES_PER_MESSAGE,
  MAX_MESSAGE_BYTES,
  MAX_RECORD_BYTES,
  MAX_RECORDS_PER_MESSAGE,
} from '../model/limits.ts';
import type { AliveRecord, Belief } from '../membership/alive-record.ts';
import type { LogCursor, LogHead } from '../catalogue/log-head.ts';
import { decodeFragments, packedBytes } from '../placement/fragment-set.ts';
import type { HoldingsDelta } from '../placement/holdings.ts';
import {
  bad,
  boolOf,
  bytesOf,
  decodeCbor,
  encodeCbor,
  fieldsOf,
  kindOf,
  linkOf,
  listOf,
  oneOf,
  tupleOf,
  uintOf,
} from '../encoding/decode.ts';
import { askToCbor, getBlockOf, getFragmentsOf, getIndexOf, TRACE_FEATURE, type AskMessage } from './asks.ts';
import { aliveOf, beliefOf, beliefToCbor } from './beliefs.ts';
import { digestsOf, type Digests } from './digests.ts';
import {
  actsOf,
  actsSummaryOf,
  featuresOf,
  helloOf,
  keysOf,
  keysWantedOf,
  type Greeting,
} from './greetings.ts';
import { laneOf, type LaneGrant } from './lane-grant.ts';
import { cursorOf, cursorToCbor, headOf, headToCbor } from './log-heads.ts';
import { MAX_PLACES_PER_MESSAGE, placeOf, placeToCbor, requestIdOf, type Place } from './places.ts';

/** Holdings in one message: file ids of 36 bytes and bitmaps, well below a control message's size. */
export const MAX_HOLDINGS_PER_MESSAGE = 1_000;
/** Blocks in one `soon` message: 2 KiB of hashes. */
export const MAX_SOON_PER_MESSAGE = 64;
/** A challenge's salt: long enough to be new each time. */
export const CHALLENGE_SALT_BYTES = 16;
/** A proof of one fragment: SHA-256. */
const PROOF_BYTES = 32;
/** Entries of one message together, bytes. */
export const MAX_ENTRIES_BYTES = 512 * 1024;

/**
 * Sent in `hello`. Devices of different numbers do not speak to each other, and each tells its person which
 * of the two pages to reload. Anything optional is a feature instead.
 */
export const PROTOCOL_VERSION = 2;
/** In pools with a charter. */
export const CHARTERED_PROTOCOL_VERSION = 3;

/**
 * What a device can do beyond its protocol number. A feature is used only if both sides of a link have it.
 */
export const FEATURES = [
  'challenge',
  'membership',
  'repair',
  'moves',
  'vouch',
  'lane',
  TRACE_FEATURE,
] as const;
export const LEAVING_FEATURE = 'leaving'; // named besides by a device that hands everything over

export const FAILURES = ['absent', 'corrupt', 'busy', 'storage'] as const;
/** Why a request could not be answered. */
export type Failure = (typeof FAILURES)[number];

export const REFUSALS = ['unknown-file', 'cap', 'space', 'busy', 'failed'] as const;
/** Why a fragment was not taken. */
export type Refusal = (typeof REFUSALS)[number];

/** A fragment that its holder must prove, and the round's salt: 16 bytes. */
export interface ProofAsk extends Place {
  readonly salt: Uint8Array;
}

export type Message =
  | Greeting
  /**
   * What I have of each log: send me what I lack; with `from`, only what lies after it. `closed`: I keep no
   * other logs.
   */
  | {
      readonly kind: 'sync';
      readonly heads: readonly LogHead[];
      readonly from: LogCursor | undefined;
      readonly closed: boolean;
    }
  /** Log entries, in order within a log. `more`: sync again from the last of these for the rest. */
  | { readonly kind: 'entries'; readonly entries: readonly Uint8Array[]; readonly more: boolean }
  | ({ readonly kind: 'holdings' } & HoldingsDelta)
  /** Your deltas do not add up here: start again. */
  | { readonly kind: 'holdings-wanted' }
  /** What you should have by now: the digest of logs that we both can keep, my holdings' version. */
  | ({ readonly kind: 'pulse' } & Digests)
  /** The same, and a question: do your page, fragment worker and disk work? `vouch`: they do. */
  | ({ readonly kind: 'vouch-wanted' } & Digests)
  | ({ readonly kind: 'vouch' } & Digests)
  /** Please hold these; fetch their index and blocks from me. */
  | { readonly kind: 'place'; readonly places: readonly Place[] }
  | { readonly kind: 'refuse'; readonly place: Place; readonly reason: Refusal }
  /** Another device that you can reach has this fragment too: give up yours to make room for another. */
  | { readonly kind: 'release'; readonly place: Place }
  /** A hint: I shall ask you to hold these blocks once their file is sealed; fetch them from me now. */
  | { readonly kind: 'soon'; readonly job: JobId; readonly blocks: readonly BlockHash[] }
  /** A hint: that store has ended; drop its blocks that no fragment counts. */
  | { readonly kind: 'soon-over'; readonly job: JobId }
  | AskMessage
  /** Payload: the fragment index, the block, or the fragments (fragment-batch.ts). */
  | { readonly kind: 'index'; readonly id: number }
  | { readonly kind: 'block'; readonly id: number }
  | { readonly kind: 'fragments'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: Failure }
  | { readonly kind: 'cancel'; readonly id: number }
  /** What I believe of these members: tell me what you know better, also from themselves. */
  | { readonly kind: 'probe'; readonly beliefs: readonly Belief[] }
  /** Members' own words that they are alive. */
  | { readonly kind: 'alive'; readonly records: readonly AliveRecord[] }
  /** I go, or stop for a while, of my own accord: my link may be lost. */
  | { readonly kind: 'goodbye' }
  | LaneGrant
  /** Prove that you hold these: hash the parts that the salts pick, from your disk. */
  | { readonly kind: 'challenge'; readonly id: number; readonly asks: readonly ProofAsk[] }
  /** The proof for each ask of the challenge; undefined for what is not here. */
  | { readonly kind: 'proof'; readonly id: number; readonly digests: readonly (Uint8Array | undefined)[] };

/** The largest header is that of `entries` or `sync`; a payload of one block fits beside it. */
const MAX_HEADER_BYTES = 768 * 1024;
const LENGTH_BYTES = 4;

const PAYLOAD_KINDS = ['index', 'block', 'fragments'] as const;
/** Messages that carry a payload: answers to requests. */
export type PayloadKind = (typeof PAYLOAD_KINDS)[number];

export interface DecodedMessage {
  readonly message: Message;
  /** Empty except in answers that carry one. A view of the message's bytes. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** The message in parts, to be sent in a row. The payload is not copied. */
export function encodeMessage(message: Message, payload?: Uint8Array): Uint8Array[] {
  const header = encodeCbor(toCbor(message));
  const head = new Uint8Array(LENGTH_BYTES + header.length);
  new DataView(head.buffer).setUint32(0, header.length);
  head.set(header, LENGTH_BYTES);
  return payload === undefined ? [head] : [head, payload];
}

/** @throws PalmError 'bad-message'. */
export function decodeMessage(bytes: Uint8Array<ArrayBuffer>): DecodedMessage {
  if (bytes.length < LENGTH_BYTES || bytes.length > MAX_MESSAGE_BYTES)
    throw bad('a message of impossible length');
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (headerBytes > MAX_HEADER_BYTES || LENGTH_BYTES + headerBytes > bytes.length)
    throw bad('a truncated message');
  const header = bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  const payload = bytes.subarray(LENGTH_BYTES + headerBytes);
  const message = fromCbor(decodeCbor(header, MAX_HEADER_BYTES));
  if (!hasPayload(message.kind) && payload.length > 0) throw bad('a message with bytes behind it');
  return { message, payload };
}

/** Whether messages of this kind carry a payload. */
export function hasPayload(kind: Message['kind']): kind is PayloadKind {
  return PAYLOAD_KINDS.some((carrying) => carrying === kind);
}

function toCbor(message: Message): unknown {
  switch (message.kind) {
    case 'sync':
      return {
        kind: 'sync',
        heads: message.heads.map(headToCbor),
        from: message.from === undefined ? null : cursorToCbor(message.from),
        closed: message.closed,
      };
    case 'holdings':
      return {
        ...message,
        held: message.held.map(({ file, fragments }) => [cidOf(file), packedBytes(fragments)]),
      };
    case 'probe':
      return { ...message, beliefs: message.beliefs.map(beliefToCbor) };
    case 'alive':
      return { ...message, records: message.records.map(({ bytes }) => bytes) };
    case 'proof':
      return { ...message, digests: message.digests.map((digest) => digest ?? null) };
    case 'challenge':
      return { ...message, asks: message.asks.map((ask) => [...placeToCbor(ask), ask.salt]) };
    case 'place':
      return { ...message, places: message.places.map(placeToCbor) };
    case 'refuse':
    case 'release':
      return { ...message, place: placeToCbor(message.place) };
    case 'soon':
    case 'soon-over':
      return { ...message, job: bytesOfHex(message.job) };
    case 'get-index':
    case 'get-block':
    case 'get-fragments':
      return askToCbor(message);
    case 'hello':
    case 'features':
    case 'acts-summary':
    case 'acts':
    case 'keys-wanted':
    case 'keys':
    case 'entries':
    case 'holdings-wanted':
    case 'pulse':
    case 'vouch-wanted':
    case 'vouch':
    case 'index':
    case 'block':
    case 'fragments':
    case 'failed':
    case 'cancel':
    case 'goodbye':
    case 'lane':
      return message;
  }
}

const DECODERS: { readonly [Kind in Message['kind']]: (value: unknown) => Message & { kind: Kind } } = {
  hello: helloOf,
  features: featuresOf,
  'acts-summary': actsSummaryOf,
  acts: actsOf,
  lane: laneOf,
  'keys-wanted': keysWantedOf,
  keys: keysOf,
  sync: (value) => {
    const { heads, from, closed } = fieldsOf(value, ['kind', 'heads', 'from', 'closed']);
    return {
      kind: 'sync',
      heads: listOf(heads, MAX_DEVICE_COUNT, headOf),
      from: from === null ? undefined : cursorOf(from),
      closed: boolOf(closed),
    };
  },
  entries: (value) => {
    const { entries, more } = fieldsOf(value, ['kind', 'entries', 'more']);
    const records = listOf(entries, MAX_ENTRIES_PER_MESSAGE, (entry) => bytesOf(entry, 1, MAX_RECORD_BYTES));
    return { kind: 'entries', entries: records, more: boolOf(more) };
  },
  holdings: (value) => {
    const fields = fieldsOf(value, ['kind', 'base', 'held', 'heldBytes', 'freeBytes']);
    return {
      kind: 'holdings',
      base: uintOf(fields['base'], Number.MAX_SAFE_INTEGER - 1),
      held: listOf(fields['held'], MAX_HOLDINGS_PER_MESSAGE, (item) => {
        const [file, fragments] = tupleOf(item, 2);
        return { file: parseFileId(linkOf(file)), fragments: decodeFragments(fragments) };
      }),
      heldBytes: uintOf(fields['heldBytes'], Number.MAX_SAFE_INTEGER),
      freeBytes: uintOf(fields['freeBytes'], Number.MAX_SAFE_INTEGER),
    };
  },
  'holdings-wanted': (value) => {
    fieldsOf(value, ['kind']);
    return { kind: 'holdings-wanted' };
  },
  pulse: (value) => ({ kind: 'pulse', ...digestsOf(value) }),
  'vouch-wanted': (value) => ({ kind: 'vouch-wanted', ...digestsOf(value) }),
  vouch: (value) => ({ kind: 'vouch', ...digestsOf(value) }),
  place: (value) => ({
    kind: 'place',
    places: listOf(fieldsOf(value, ['kind', 'places'])['places'], MAX_PLACES_PER_MESSAGE, placeOf),
  }),
  refuse: (value) => {
    const { place, reason } = fieldsOf(value, ['kind', 'place', 'reason']);
    return { kind: 'refuse', place: placeOf(place), reason: oneOf(reason, REFUSALS) };
  },
  release: (value) => ({ kind: 'release', place: placeOf(fieldsOf(value, ['kind', 'place'])['place']) }),
  soon: (value) => {
    const { job, blocks } = fieldsOf(value, ['kind', 'job', 'blocks']);
    return {
      kind: 'soon',
      job: parseJobId(job),
      blocks: listOf(blocks, MAX_SOON_PER_MESSAGE, parseBlockHash),
    };
  },
  'soon-over': (value) => ({
    kind: 'soon-over',
    job: parseJobId(fieldsOf(value, ['kind', 'job'])['job']),
  }),
  'get-index': getIndexOf,
  'get-block': getBlockOf,
  'get-fragments': getFragmentsOf,
  index: (value) => ({ kind: 'index', id: requestIdOf(fieldsOf(value, ['kind', 'id'])['id']) }),
  block: (value) => ({ kind: 'block', id: requestIdOf(fieldsOf(value, ['kind', 'id'])['id']) }),
  fragments: (value) => ({
    kind: 'fragments',
    id: requestIdOf(fieldsOf(value, ['kind', 'id'])['id']),
  }),
  failed: (value) => {
    const { id, reason } = fieldsOf(value, ['kind', 'id', 'reason']);
    return { kind: 'failed', id: requestIdOf(id), reason: oneOf(reason, FAILURES) };
  },
  cancel: (value) => ({ kind: 'cancel', id: requestIdOf(fieldsOf(value, ['kind', 'id'])['id']) }),
  probe: (value) => ({
    kind: 'probe',
    beliefs: listOf(fieldsOf(value, ['kind', 'beliefs'])['beliefs'], MAX_BELIEFS_PER_MESSAGE, beliefOf),
  }),
  alive: (value) => ({
    kind: 'alive',
    records: listOf(fieldsOf(value, ['kind', 'records'])['records'], MAX_RECORDS_PER_MESSAGE, aliveOf),
  }),
  goodbye: (value) => {
    fieldsOf(value, ['kind']);
    return { kind: 'goodbye' };
  },
  challenge: (value) => {
    const { id, asks } = fieldsOf(value, ['kind', 'id', 'asks']);
    return {
      kind: 'challenge',
      id: requestIdOf(id),
      asks: listOf(asks, MAX_PLACES_PER_MESSAGE, proofAskOf),
    };
  },
  proof: (value) => {
    const { id, digests } = fieldsOf(value, ['kind', 'id', 'digests']);
    return {
      kind: 'proof',
      id: requestIdOf(id),
      digests: listOf(digests, MAX_PLACES_PER_MESSAGE, (digest) =>
        digest === null ? undefined : bytesOf(digest, PROOF_BYTES, PROOF_BYTES),
      ),
    };
  },
};

function fromCbor(value: unknown): Message {
  const kind = kindOf(value);
  if (!Object.hasOwn(DECODERS, kind)) throw bad('a message of unknown kind');
  return DECODERS[kind as Message['kind']](value); // an own key of DECODERS, checked above
}

function proofAskOf(value: unknown): ProofAsk {
  const [file, fragment, salt] = tupleOf(value, 3);
  const saltBytes = bytesOf(salt, CHALLENGE_SALT_BYTES, CHALLENGE_SALT_BYTES);
  return { ...placeOf([file, fragment]), salt: saltBytes };
}
