// Who is in which room, and what each frame causes: the relay without its sockets.
//
// Invariants: a client is in one room at most, or in the lobby (lobby.ts), and hears only about clients in
// it; a room exists while someone is in it; what one client sends can close only that client, unless it needs
// room that another has less right to (give-way.ts); a client that was told to close no longer sends,
// receives or counts. Envelopes are neither kept nor read.

import type { PoolId } from '../src/core/model/ids.ts';
import { isPalmError } from '../src/core/model/errors.ts';
import { MAX_NEARBY_BYTES } from '../src/core/model/limits.ts';
import {
  type ClientFrame,
  type ConnectionId,
  decodeClientFrame,
  RELAY_CLOSE,
  type RelayClose,
  type RelayFrame,
} from '../src/core/wire/relay-protocol.ts';
import { type Candidate, type Rank, whoGivesWay } from './give-way.ts';
import { Lobby, type LobbyEntry } from './lobby.ts';
import { type AddressEntry, PerAddress } from './per-address.ts';
import { MAX_KNOWN_ADDRESSES, type RelayLimits } from './relay-limits.ts';
import type { AddressKey } from './remote-address.ts';
import { TokenBucket } from './token-bucket.ts';

/** What it costs to tell one client of a listing, bytes: a frame with the longest name. */
const LISTING_BYTES = 160;

/** A client that does not answer this many probes in a row is closed. */
const MAX_MISSED_PROBES = 2;

export type RoomsInput =
  /** A socket is open. `id` was never used before. */
  | { readonly kind: 'connected'; readonly id: ConnectionId; readonly address: AddressKey }
  /** One complete WebSocket message; `binary` is false for a text message. */
  | {
      readonly kind: 'message';
      readonly id: ConnectionId;
      readonly bytes: Uint8Array;
      readonly binary: boolean;
    }
  /** A WebSocket ping or pong came: a sign of life, and counted like a message. */
  | { readonly kind: 'alive'; readonly id: ConnectionId }
  /** The client's socket holds too much, or its message does not end. */
  | { readonly kind: 'rejected'; readonly id: ConnectionId; readonly close: RelayClose }
  /** The socket is closed; comes once for every 'connected'. */
  | { readonly kind: 'disconnected'; readonly id: ConnectionId }
  /** `nextDeadlineMs` has been reached. */
  | { readonly kind: 'deadline' };

export type RoomsEffect =
  | { readonly kind: 'send'; readonly to: readonly ConnectionId[]; readonly frame: RelayFrame }
  /** Ask for a sign of life: an 'alive' input, or any message. */
  | { readonly kind: 'probe'; readonly id: ConnectionId }
  | { readonly kind: 'close'; readonly id: ConnectionId; readonly close: RelayClose };

/**
 * What a client has proved. 0: nothing. 1: it and another client in its room wrote to each other; a stranger
 * who merely knows the room's name does not achieve that with its members. 2: the other had another address.
 */
const RANK = { unknown: 0, answered: 1, answeredAcross: 2 } as const;

type Phase =
  | { readonly kind: 'waiting'; readonly sinceMs: number }
  | { readonly kind: 'inside'; readonly room: Room }
  | { readonly kind: 'lobby' }
  | { readonly kind: 'closing' };

interface Client extends Candidate {
  readonly id: ConnectionId;
  readonly frames: TokenBucket;
  readonly bytes: TokenBucket;
  /** Clients still in the room that this client wrote to, without a reply. */
  readonly wroteTo: Set<Client>;
  rank: Rank;
  phase: Phase;
  missedProbes: number;
}

/** Its address is that of the client that opened it, its rank the highest that any client reached in it. */
interface Room extends Candidate {
  readonly name: PoolId;
  rank: Rank;
  readonly clients: Map<ConnectionId, Client>;
}

/** Whether there is room for a newcomer, and the effects that made it. */
type Way =
  | { readonly kind: 'made'; readonly effects: readonly RoomsEffect[] }
  | { readonly kind: 'refused'; readonly close: RelayClose };

const FREE: Way = { kind: 'made', effects: [] };

/** What all clients of one address use together. */
class Usage implements AddressEntry {
  clients = 0;
  rooms = 0;
  readonly frames: TokenBucket;
  readonly bytes: TokenBucket;

  constructor(limits: RelayLimits, nowMs: number) {
    this.frames = new TokenBucket(limits.addressFrameBurst, limits.addressFramesPerSecond, nowMs);
    this.bytes = new TokenBucket(limits.addressByteBurst, limits.addressBytesPerSecond, nowMs);
  }

  isUsed(): boolean {
    return this.clients > 0 || this.rooms > 0;
  }

  isSpent(nowMs: number): boolean {
    return this.frames.isFull(nowMs) && this.bytes.isFull(nowMs);
  }
}

export class Rooms {
  readonly #limits: RelayLimits;
  readonly #clients = new Map<ConnectionId, Client>();
  readonly #rooms = new Map<PoolId, Room>();
  readonly #lobby: Lobby<Client>;
  readonly #usage: PerAddress<Usage>;
  /** Clients that are not closing. */
  #openCount = 0;
  #nextSweepMs = Infinity;

  constructor(limits: RelayLimits) {
    this.#limits = limits;
    this.#lobby = new Lobby(limits);
    this.#usage = new PerAddress(MAX_KNOWN_ADDRESSES, (nowMs) => new Usage(limits, nowMs));
  }

  /** Handles one input. `nowMs` is monotonic, with any origin. Effects must be performed in order. */
  handle(nowMs: number, input: RoomsInput): RoomsEffect[] {
    if (input.kind === 'connected') return this.#connect(nowMs, input.id, input.address);
    if (input.kind === 'deadline') return this.#sweep(nowMs);
    const client = this.#clients.get(input.id);
    if (client === undefined) return [];
    if (input.kind === 'disconnected') return this.#disconnect(nowMs, client);
    if (client.phase.kind === 'closing') return [];
    if (input.kind === 'rejected') return this.#close(nowMs, client, input.close);
    client.missedProbes = 0;
    const isAllowed =
      client.frames.take(nowMs, 1) && this.#usage.get(client.address, nowMs).frames.take(nowMs, 1);
    if (!isAllowed) return this.#close(nowMs, client, RELAY_CLOSE.tooFast);
    return input.kind === 'message' ? this.#receive(nowMs, client, input.bytes, input.binary) : [];
  }

  /** When `handle` needs a 'deadline' input; Infinity while there is no client. */
  nextDeadlineMs(): number {
    return this.#nextSweepMs;
  }

  /** The room that a client is in. */
  roomOf(id: ConnectionId): PoolId | undefined {
    const phase = this.#clients.get(id)?.phase;
    return phase?.kind === 'inside' ? phase.room.name : undefined;
  }

  /** The sizes of everything, for tests and bounds. */
  snapshot(): { readonly clients: number; readonly rooms: number } {
    return { clients: this.#clients.size, rooms: this.#rooms.size };
  }

  #connect(nowMs: number, id: ConnectionId, address: AddressKey): RoomsEffect[] {
    const limits = this.#limits;
    const usage = this.#usage.get(address, nowMs);
    const client: Client = {
      id,
      address,
      sinceMs: nowMs,
      rank: RANK.unknown,
      frames: new TokenBucket(limits.frameBurst, limits.framesPerSecond, nowMs),
      bytes: new TokenBucket(limits.byteBurst, limits.bytesPerSecond, nowMs),
      wroteTo: new Set(),
      phase: { kind: 'waiting', sinceMs: nowMs },
      missedProbes: 0,
    };
    const isOverOwn = usage.clients >= limits.clientsPerAddress;
    const isFull = isOverOwn || this.#openCount >= limits.clients;
    const displaced = isFull
      ? whoGivesWay(this.#openClients(isOverOwn ? address : undefined), address)
      : undefined;
    this.#clients.set(id, client);
    this.#openCount += 1;
    usage.clients += 1;
    if (this.#nextSweepMs === Infinity) this.#nextSweepMs = nowMs + limits.heartbeatMs;
    if (!isFull) return [];
    return this.#close(
      nowMs,
      displaced ?? client,
      isOverOwn ? RELAY_CLOSE.addressFull : RELAY_CLOSE.relayFull,
    );
  }

  #disconnect(nowMs: number, client: Client): RoomsEffect[] {
    const effects = this.#leave(nowMs, client);
    this.#clients.delete(client.id);
    if (this.#clients.size === 0) this.#nextSweepMs = Infinity;
    return effects;
  }

  #receive(nowMs: number, client: Client, bytes: Uint8Array, binary: boolean): RoomsEffect[] {
    if (!this.#pay(nowMs, client, bytes.length)) return this.#close(nowMs, client, RELAY_CLOSE.tooFast);
    const frame = binary ? decodeFrame(bytes) : undefined;
    if (frame === undefined) return this.#close(nowMs, client, RELAY_CLOSE.badMessage);
    if (frame.kind === 'enter') return this.#enter(nowMs, client, frame.room);
    if (frame.kind === 'list' || frame.kind === 'look') return this.#enterLobby(nowMs, client, frame);
    if (frame.kind === 'forward') return this.#forward(nowMs, client, frame);
    return [{ kind: 'send', to: [client.id], frame: { kind: 'pong' } }];
  }

  #pay(nowMs: number, client: Client, bytes: number): boolean {
    return client.bytes.take(nowMs, bytes) && this.#usage.get(client.address, nowMs).bytes.take(nowMs, bytes);
  }

  #enter(nowMs: number, client: Client, name: PoolId): RoomsEffect[] {
    if (client.phase.kind !== 'waiting') return this.#close(nowMs, client, RELAY_CLOSE.badMessage);
    const existing = this.#rooms.get(name);
    const made =
      existing === undefined
        ? this.#makeWayForRoom(nowMs, client.address)
        : this.#makeWayInRoom(nowMs, client.address, existing);
    if (made.kind === 'refused') return this.#close(nowMs, client, made.close);
    const room = this.#rooms.get(name) ?? this.#openRoom(nowMs, client.address, name);
    const others = [...room.clients.keys()];
    room.clients.set(client.id, client);
    client.phase = { kind: 'inside', room };
    return [
      ...made.effects,
      { kind: 'send', to: [client.id], frame: { kind: 'entered', you: client.id, others } },
      ...tell(others, { kind: 'arrived', id: client.id }),
    ];
  }

  #openRoom(nowMs: number, address: AddressKey, name: PoolId): Room {
    const room: Room = { name, address, sinceMs: nowMs, rank: RANK.unknown, clients: new Map() };
    this.#rooms.set(name, room);
    this.#usage.get(address, nowMs).rooms += 1;
    return room;
  }

  #makeWayForRoom(nowMs: number, address: AddressKey): Way {
    const isOverOwn = this.#usage.get(address, nowMs).rooms >= this.#limits.roomsPerAddress;
    if (!isOverOwn && this.#rooms.size < this.#limits.rooms) return FREE;
    const candidates = [...this.#rooms.values()].filter((room) => !isOverOwn || room.address === address);
    const displaced = whoGivesWay(candidates, address);
    const close = isOverOwn ? RELAY_CLOSE.addressFull : RELAY_CLOSE.tooManyRooms;
    if (displaced === undefined) return { kind: 'refused', close };
    const clients = [...displaced.clients.values()];
    return { kind: 'made', effects: clients.flatMap((client) => this.#close(nowMs, client, close)) };
  }

  #makeWayInRoom(nowMs: number, address: AddressKey, room: Room): Way {
    const own = [...room.clients.values()].filter((client) => client.address === address);
    const isOverOwn = own.length >= this.#limits.roomClientsPerAddress;
    if (!isOverOwn && room.clients.size < this.#limits.roomClients) return FREE;
    const displaced = whoGivesWay(isOverOwn ? own : room.clients.values(), address);
    const close = isOverOwn ? RELAY_CLOSE.addressFull : RELAY_CLOSE.roomFull;
    if (displaced === undefined) return { kind: 'refused', close };
    return { kind: 'made', effects: this.#close(nowMs, displaced, close) };
  }

  #enterLobby(nowMs: number, client: Client, entry: LobbyEntry): RoomsEffect[] {
    if (client.phase.kind !== 'waiting') return this.#close(nowMs, client, RELAY_CLOSE.badMessage);
    const way = this.#lobby.wayFor(entry.kind, client.address);
    const close = way.kind !== 'free' && way.isOverOwn ? RELAY_CLOSE.addressFull : RELAY_CLOSE.roomFull;
    if (way.kind === 'refused') return this.#close(nowMs, client, close);
    const { id } = client;
    const lookers = this.#lobby.lookers();
    // What it makes the relay send is charged to it, as an envelope to everyone is.
    const cost = entry.kind === 'list' ? LISTING_BYTES * lookers.length : 0;
    if (!this.#pay(nowMs, client, cost)) return this.#close(nowMs, client, RELAY_CLOSE.tooFast);
    const made = way.kind === 'instead' ? this.#close(nowMs, way.of, close) : [];
    this.#lobby.enter(client, entry, nowMs);
    client.phase = { kind: 'lobby' };
    if (entry.kind === 'list') {
      const entered: RoomsEffect = {
        kind: 'send',
        to: [id],
        frame: { kind: 'entered', you: id, others: [] },
      };
      return [...made, entered, ...tell(lookers, { kind: 'listed', id, name: entry.name })];
    }
    return [...made, { kind: 'send', to: [id], frame: { kind: 'pools', pools: this.#lobby.listed() } }];
  }

  #write(nowMs: number, client: Client, frame: ClientFrame & { kind: 'forward' }): RoomsEffect[] {
    const { to, envelope } = frame;
    if (to === null || envelope.length > MAX_NEARBY_BYTES)
      return this.#close(nowMs, client, RELAY_CLOSE.badMessage);
    const written = this.#lobby.writes(client.id, to, nowMs);
    if (written === 'too-fast') return this.#close(nowMs, client, RELAY_CLOSE.tooFast);
    return written === undefined ? [] : tell([to], { kind: 'envelope', from: client.id, envelope });
  }

  #forward(nowMs: number, client: Client, frame: ClientFrame & { kind: 'forward' }): RoomsEffect[] {
    if (client.phase.kind === 'lobby') return this.#write(nowMs, client, frame);
    if (client.phase.kind !== 'inside') return this.#close(nowMs, client, RELAY_CLOSE.badMessage);
    const { room } = client.phase;
    const to = frame.to === null ? othersIn(room, client.id) : [room.clients.get(frame.to)].flatMap(idOf);
    const addressed = to.filter((id) => id !== client.id);
    // The first copy was charged when it came in; an envelope to everyone costs what the relay sends for it.
    if (!this.#pay(nowMs, client, frame.envelope.length * Math.max(0, addressed.length - 1))) {
      return this.#close(nowMs, client, RELAY_CLOSE.tooFast);
    }
    if (frame.to !== null) noteWriting(room, client, room.clients.get(frame.to));
    return tell(addressed, { kind: 'envelope', from: client.id, envelope: frame.envelope });
  }

  /** Asks everyone for a sign of life, and closes those that gave none or never entered a room. */
  #sweep(nowMs: number): RoomsEffect[] {
    if (nowMs < this.#nextSweepMs) return [];
    this.#nextSweepMs = this.#clients.size === 0 ? Infinity : nowMs + this.#limits.heartbeatMs;
    this.#usage.sweep(nowMs);
    return [...this.#clients.values()].flatMap((client) => this.#watch(nowMs, client));
  }

  #watch(nowMs: number, client: Client): RoomsEffect[] {
    if (client.phase.kind === 'closing') return [];
    const isLate = client.phase.kind === 'waiting' && nowMs - client.phase.sinceMs >= this.#limits.enterMs;
    const isIdle = isLate || client.missedProbes >= MAX_MISSED_PROBES;
    if (isIdle) return this.#close(nowMs, client, RELAY_CLOSE.idle);
    client.missedProbes += 1;
    return [{ kind: 'probe', id: client.id }];
  }

  #close(nowMs: number, client: Client, close: RelayClose): RoomsEffect[] {
    return [{ kind: 'close', id: client.id, close }, ...this.#leave(nowMs, client)];
  }

  /** From now on the client no longer counts; called once for each. */
  #leave(nowMs: number, client: Client): RoomsEffect[] {
    const { phase } = client;
    if (phase.kind === 'closing') return [];
    client.phase = { kind: 'closing' };
    client.wroteTo.clear();
    this.#openCount -= 1;
    this.#usage.get(client.address, nowMs).clients -= 1;
    if (phase.kind === 'waiting') return [];
    if (phase.kind === 'lobby')
      return tell(this.#lobby.leave(client.id), { kind: 'departed', id: client.id });
    const { room } = phase;
    room.clients.delete(client.id);
    for (const other of room.clients.values()) other.wroteTo.delete(client);
    if (room.clients.size === 0) {
      this.#rooms.delete(room.name);
      this.#usage.get(room.address, nowMs).rooms -= 1;
    }
    return tell([...room.clients.keys()], { kind: 'departed', id: client.id });
  }

  #openClients(address: AddressKey | undefined): Client[] {
    return [...this.#clients.values()].filter(
      (client) => client.phase.kind !== 'closing' && (address === undefined || client.address === address),
    );
  }
}

function othersIn(room: Room, id: ConnectionId): ConnectionId[] {
  return [...room.clients.keys()].filter((other) => other !== id);
}

function idOf(client: Client | undefined): ConnectionId[] {
  return client === undefined ? [] : [client.id];
}

/** Once two clients have written to each other, both have proved more, and so has their room. */
function noteWriting(room: Room, from: Client, to: Client | undefined): void {
  if (to === undefined || to === from) return;
  const rank = from.address === to.address ? RANK.answered : RANK.answeredAcross;
  if (from.rank >= rank && to.rank >= rank) return;
  if (!to.wroteTo.has(from)) {
    from.wroteTo.add(to);
    return;
  }
  to.wroteTo.delete(from);
  for (const shown of [from, to, room]) {
    if (shown.rank < rank) shown.rank = rank;
  }
}

/** Undefined if it is not a frame: the sender is closed with a reason, so the details are not needed. */
function decodeFrame(bytes: Uint8Array): ClientFrame | undefined {
  try {
    return decodeClientFrame(bytes);
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return undefined;
    throw error;
  }
}

function tell(to: readonly ConnectionId[], frame: RelayFrame): RoomsEffect[] {
  return to.length === 0 ? [] : [{ kind: 'send', to, frame }];
}
