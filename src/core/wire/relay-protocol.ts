// What clients and the relay send each other: DAG-CBOR maps, one in each binary WebSocket message, at
// RELAY_PATH.
//
// A client enters one room, once, or the lobby; then it forwards envelopes, which the relay passes on
// unopened. Invariants: a decoder returns a frame with exactly the documented keys and within limits.ts, or
// throws PalmError 'bad-message' and nothing else. The other side's decoder accepts whatever an encoder makes
// of such a frame.

import { decode, encode } from '@ipld/dag-cbor';
import { concatBytes } from '../model/bytes.ts';
import { PalmError } from '../model/errors.ts';
import { parsePoolId, type PoolId } from '../model/ids.ts';
import {
  MAX_ENVELOPE_BYTES,
  MAX_LISTED_POOLS,
  MAX_POOL_NAME_BYTES,
  MAX_RELAY_FRAME_BYTES,
  MAX_ROOM_CLIENTS,
} from '../model/limits.ts';
import { fieldsOf, utf8Length } from '../encoding/decode.ts';

/** Where the relay accepts WebSockets. */
export const RELAY_PATH = '/relay';

/** Without a WebSocket: where the relay's frames come as server-sent events, and where frames are posted. */
export const RELAY_EVENTS_PATH = '/relay/events';
export const RELAY_FRAMES_PATH = '/relay/frames';
/** Of one request. */
export const MAX_FRAMES_BYTES = 4 * (4 + MAX_RELAY_FRAME_BYTES);

/**
 * The WebSocket subprotocol that clients offer: the version of Palm that their page runs. Pages of protocol 1
 * offered none; a relay tells them to reload, in words that those pages show.
 */
export const RELAY_SUBPROTOCOL = 'palm.2';

/**
 * Offered beside it by clients that understand the frame `ice`, and chosen by relays that send it. Without a
 * WebSocket, the query `ice` of the stream's address says so.
 */
export const RELAY_ICE_SUBPROTOCOL = 'palm.2+ice';
export const RELAY_ICE_QUERY = 'ice=1';

const VERSION = 1;

declare const brand: unique symbol;

/**
 * One WebSocket's name in its room: 16 random bytes as lower-case hex, new for each connection, never reused.
 */
export type ConnectionId = string & { readonly [brand]: 'ConnectionId' };

/** Client to relay. */
export type ClientFrame =
  /** First, and once, one of these three: before it only `ping` is accepted. */
  | EntryFrame
  /** `to: null` is everyone else in the room. An envelope to an id that has departed is just dropped. */
  | { readonly kind: 'forward'; readonly to: ConnectionId | null; readonly envelope: Uint8Array }
  | { readonly kind: 'ping' };

/** Where a client goes: into a room, or into the lobby, to list its pool there or to look at the list. */
export type EntryFrame =
  | { readonly kind: 'enter'; readonly room: PoolId }
  | { readonly kind: 'list'; readonly name: string }
  | { readonly kind: 'look' };

/** A pool that a device of it lists. Both are what that device and the relay say: they prove nothing. */
export interface ListedPool {
  /** Of the device that lists it. */
  readonly id: ConnectionId;
  /** 1 to MAX_POOL_NAME_BYTES bytes of UTF-8, and any characters. */
  readonly name: string;
}

/** Relay to client. */
export type RelayFrame =
  /**
   * Answers `enter` and `list`. `others` are in the room now; later arrivals and departures are reported. A
   * device that lists hears of departures of those who wrote to it.
   */
  | { readonly kind: 'entered'; readonly you: ConnectionId; readonly others: readonly ConnectionId[] }
  /** Answers `look`; later listings are reported, and their ends as departures. */
  | { readonly kind: 'pools'; readonly pools: readonly ListedPool[] }
  | ({ readonly kind: 'listed' } & ListedPool)
  | { readonly kind: 'arrived'; readonly id: ConnectionId }
  | { readonly kind: 'departed'; readonly id: ConnectionId }
  /** `from` is written by the relay and proves nothing: the envelope carries its own signature. */
  | { readonly kind: 'envelope'; readonly from: ConnectionId; readonly envelope: Uint8Array }
  /**
   * At `port` (UDP), at the address at which this client reached the relay, the relay says where datagrams
   * come from (STUN), and is a TURN server if `turn` is not null. A later one replaces it.
   */
  | { readonly kind: 'ice'; readonly port: number; readonly turn: TurnCredential | null }
  | { readonly kind: 'pong' };

/** For one client; good to begin allocations for `lifeMs`, and only from the client's own address. */
export interface TurnCredential {
  readonly username: string;
  readonly credential: string;
  readonly lifeMs: number;
}

export type IceOffer = Extract<RelayFrame, { kind: 'ice' }>;

/** Close codes from here on are the relay's own reasons (RFC 6455, section 7.4.2: private use). */
export const FIRST_RELAY_CODE = 4_000;

/** Why the relay closes a socket: WebSocket close codes (RFC 6455 section 7.4), each with its reason. */
export const RELAY_CLOSE = {
  goingAway: { code: 1001, reason: 'the relay is stopping' },
  badMessage: { code: 4000, reason: 'bad message' },
  tooFast: { code: 4001, reason: 'too many messages or bytes a second' },
  roomFull: { code: 4002, reason: 'the room is full' },
  tooManyRooms: { code: 4003, reason: 'the relay has too many rooms' },
  messageTooLarge: { code: 4004, reason: 'message too large' },
  idle: { code: 4005, reason: 'no sign of life' },
  relayFull: { code: 4006, reason: 'the relay has too many clients' },
  tooSlow: { code: 4007, reason: 'the client does not read what it is sent' },
  outdated: { code: 4008, reason: 'this page runs an older version of Palm; reload it to update' },
  addressFull: { code: 4009, reason: 'too many clients or rooms from one address' },
  unfinished: { code: 4010, reason: 'a message in too many parts, or not finished in time' },
  relayBusy: { code: 4011, reason: 'too many bytes wait in the relay' },
} as const satisfies Record<string, { readonly code: number; readonly reason: string }>;

export type RelayClose = (typeof RELAY_CLOSE)[keyof typeof RELAY_CLOSE];

/** @throws PalmError 'bad-message' when `value` is not 32 lower-case hex digits. */
export function parseConnectionId(value: unknown): ConnectionId {
  if (!isConnectionId(value)) {
    throw new PalmError({
      code: 'bad-message',
      what: 'relay-frame',
      detail: 'a connection id is 32 hexadecimal digits',
    });
  }
  return value;
}

/** A connection's name from 16 random bytes. @throws PalmError 'bad-message' when they are not 16. */
export function connectionIdOf(random: Uint8Array): ConnectionId {
  let text = '';
  for (const byte of random) text += byte.toString(16).padStart(2, '0');
  return parseConnectionId(text);
}

/** The caller owns the result; `frame.envelope` is copied. */
export function encodeClientFrame(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encode({ v: VERSION, ...frame }));
}

/** The caller owns the result; `frame.envelope` is copied. */
export function encodeRelayFrame(frame: RelayFrame): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encode({ v: VERSION, ...frame }));
}

/** A frame from a client; its envelope is a copy. @throws PalmError only 'bad-message'. */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  const fields = decodeFields(bytes);
  const kind = fields.get('kind');
  switch (kind) {
    case 'enter':
      requireKeys(fields, ['room']);
      return { kind, room: parsePoolId(fields.get('room')) };
    case 'list':
      requireKeys(fields, ['name']);
      return { kind, name: parseName(fields.get('name')) };
    case 'look':
      requireKeys(fields, []);
      return { kind };
    case 'forward': {
      requireKeys(fields, ['to', 'envelope']);
      const to = fields.get('to');
      return {
        kind,
        to: to === null ? null : parseConnectionId(to),
        envelope: parseEnvelope(fields.get('envelope')),
      };
    }
    case 'ping':
      requireKeys(fields, []);
      return { kind };
    default:
      throw new PalmError({
        code: 'bad-message',
        what: 'relay-frame',
        detail: 'the relay does not know its kind',
      });
  }
}

/** A frame from the relay; its envelope is a copy. @throws PalmError only 'bad-message'. */
export function decodeRelayFrame(bytes: Uint8Array): RelayFrame {
  const fields = decodeFields(bytes);
  const kind = fields.get('kind');
  switch (kind) {
    case 'entered': {
      requireKeys(fields, ['you', 'others']);
      const you = parseConnectionId(fields.get('you'));
      return { kind, you, others: parseOthers(fields.get('others'), you) };
    }
    case 'pools':
      requireKeys(fields, ['pools']);
      return { kind, pools: parsePools(fields.get('pools')) };
    case 'listed':
      requireKeys(fields, ['id', 'name']);
      return { kind, id: parseConnectionId(fields.get('id')), name: parseName(fields.get('name')) };
    case 'arrived':
    case 'departed':
      requireKeys(fields, ['id']);
      return { kind, id: parseConnectionId(fields.get('id')) };
    case 'envelope':
      requireKeys(fields, ['from', 'envelope']);
      return {
        kind,
        from: parseConnectionId(fields.get('from')),
        envelope: parseEnvelope(fields.get('envelope')),
      };
    case 'ice':
      requireKeys(fields, ['port', 'turn']);
      return { kind, port: parsePort(fields.get('port')), turn: parseTurn(fields.get('turn')) };
    case 'pong':
      requireKeys(fields, []);
      return { kind };
    default:
      throw new PalmError({
        code: 'bad-message',
        what: 'relay-frame',
        detail: 'Palm does not know its kind',
      });
  }
}

/** The body of a request with frames: each behind its length, 4 bytes, big-endian. The caller owns it. */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concatBytes(
    ...frames.flatMap((frame) => {
      const length = new Uint8Array(4);
      new DataView(length.buffer).setUint32(0, frame.length);
      return [length, frame];
    }),
  );
}

/** Views of the frames in such a body; undefined when it is cut short, or a frame too long. */
export function splitFrames(body: Uint8Array): Uint8Array[] | undefined {
  const frames: Uint8Array[] = [];
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = 0; at < body.length;) {
    if (at + 4 > body.length) return undefined;
    const length = view.getUint32(at);
    const end = at + 4 + length;
    if (length > MAX_RELAY_FRAME_BYTES || end > body.length) return undefined;
    frames.push(body.subarray(at + 4, end));
    at = end;
  }
  return frames;
}

function decodeFields(bytes: Uint8Array): ReadonlyMap<string, unknown> {
  if (bytes.length > MAX_RELAY_FRAME_BYTES) {
    throw new PalmError({
      code: 'bad-message',
      what: 'relay-frame',
      detail: `it has more than ${MAX_RELAY_FRAME_BYTES} bytes`,
    });
  }
  let value: unknown;
  try {
    value = decode(bytes);
  } catch (cause) {
    throw new PalmError(
      { code: 'bad-message', what: 'relay-frame', detail: 'it is not DAG-CBOR' },
      { cause },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new PalmError({ code: 'bad-message', what: 'relay-frame', detail: 'it is not a map' });
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  if (fields.get('v') !== VERSION) {
    throw new PalmError({ code: 'bad-message', what: 'relay-frame', detail: 'it is of another version' });
  }
  return fields;
}

/** Exactly `v`, `kind` and `names`. */
function requireKeys(fields: ReadonlyMap<string, unknown>, names: readonly string[]): void {
  if (fields.size !== names.length + 2 || !names.every((name) => fields.has(name))) {
    throw new PalmError({
      code: 'bad-message',
      what: 'relay-frame',
      detail: 'a field is missing or unknown',
    });
  }
}

function parseEnvelope(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length === 0 || value.length > MAX_ENVELOPE_BYTES) {
    throw new PalmError({
      code: 'bad-message',
      what: 'relay-frame',
      detail: `an envelope is 1 to ${MAX_ENVELOPE_BYTES} bytes`,
    });
  }
  return value;
}

function parseName(value: unknown): string {
  const isName = typeof value === 'string' && value !== '' && utf8Length(value) <= MAX_POOL_NAME_BYTES;
  if (!isName) {
    throw new PalmError({
      code: 'bad-message',
      what: 'relay-frame',
      detail: `a pool's name is 1 to ${MAX_POOL_NAME_BYTES} bytes`,
    });
  }
  return value;
}

/** Bounded, and each client once. */
function parsePools(value: unknown): ListedPool[] {
  const pools = Array.isArray(value) ? value.map((pool: unknown) => parsePool(pool)) : undefined;
  if (
    pools === undefined ||
    pools.length > MAX_LISTED_POOLS ||
    new Set(pools.map(({ id }) => id)).size < pools.length
  ) {
    throw new PalmError({
      code: 'bad-message',
      what: 'relay-frame',
      detail: `a list has at most ${MAX_LISTED_POOLS} pools, each once`,
    });
  }
  return pools;
}

function parsePool(value: unknown): ListedPool {
  const { id, name } = fieldsOf(value, ['id', 'name']);
  return { id: parseConnectionId(id), name: parseName(name) };
}

function parsePort(value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535) return value;
  throw new PalmError({ code: 'bad-message', what: 'relay-frame', detail: 'a port is 1 to 65535' });
}

/** Its texts become parts of a URL in Node: they have no character that ends one there. */
function parseTurn(value: unknown): TurnCredential | null {
  if (value === null) return null;
  const fields = new Map<string, unknown>(typeof value === 'object' ? Object.entries(value) : []);
  const [username, credential, lifeMs] = ['username', 'credential', 'lifeMs'].map((key) => fields.get(key));
  const isSound =
    fields.size === 3 &&
    typeof username === 'string' &&
    /^[0-9A-Za-z.]{1,100}$/.test(username) &&
    typeof credential === 'string' &&
    /^[0-9A-Za-z+/=]{1,100}$/.test(credential) &&
    typeof lifeMs === 'number' &&
    Number.isInteger(lifeMs) &&
    lifeMs >= 0;
  if (isSound) return { username, credential, lifeMs };
  throw new PalmError({ code: 'bad-message', what: 'relay-frame', detail: 'no credential has this form' });
}

/** The others in a room: bounded, distinct, and without `you`. */
function parseOthers(value: unknown, you: ConnectionId): ConnectionId[] {
  if (!Array.isArray(value) || value.length >= MAX_ROOM_CLIENTS) {
    throw new PalmError({
      code: 'bad-message',
      what: 'relay-frame',
      detail: `a room has at most ${MAX_ROOM_CLIENTS} clients`,
    });
  }
  const others = value.map((item: unknown) => parseConnectionId(item));
  if (new Set([...others, you]).size !== others.length + 1) {
    throw new PalmError({
      code: 'bad-message',
      what: 'relay-frame',
      detail: 'a room names each client once',
    });
  }
  return others;
}

function isConnectionId(value: unknown): value is ConnectionId {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
}
