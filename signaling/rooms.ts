// Who is in which room, and what each frame leads to: the relay without its sockets.
//
// Invariants: a client is in one room at most, and hears only of clients in its own; a room exists while someone is in
// it; what one client sends can close that client only; a client that was told to close neither sends nor receives
// again, but counts until its socket is gone. Nothing of an envelope is kept or looked into.

import type { PoolId } from '../src/core/model/ids.ts';
import { isPalmError } from '../src/core/model/errors.ts';
import {
  type ClientFrame,
  type ConnectionId,
  decodeClientFrame,
  RELAY_CLOSE,
  type RelayClose,
  type RelayFrame,
} from '../src/core/wire/relay-protocol.ts';
import type { RelayLimits } from './relay-limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** A client that does not answer this many probes in a row is closed. */
const MAX_MISSED_PROBES = 2;

export type RoomsInput =
  /** A socket is open. `id` was never used before. */
  | { readonly kind: 'connected'; readonly id: ConnectionId }
  /** One whole WebSocket message; `binary` is false for a text message. */
  | {
      readonly kind: 'message';
      readonly id: ConnectionId;
      readonly bytes: Uint8Array;
      readonly binary: boolean;
    }
  /** A WebSocket ping or pong came: a sign of life, and counted like a message. */
  | { readonly kind: 'alive'; readonly id: ConnectionId }
  /** More than the allowed bytes wait in the client's socket. */
  | { readonly kind: 'congested'; readonly id: ConnectionId }
  /** The socket is gone; comes once for every 'connected'. */
  | { readonly kind: 'disconnected'; readonly id: ConnectionId }
  /** The time of `nextDeadlineMs` has come. */
  | { readonly kind: 'deadline' };

export type RoomsEffect =
  | { readonly kind: 'send'; readonly to: readonly ConnectionId[]; readonly frame: RelayFrame }
  /** Ask for a sign of life: an 'alive' input, or any message. */
  | { readonly kind: 'probe'; readonly id: ConnectionId }
  | { readonly kind: 'close'; readonly id: ConnectionId; readonly close: RelayClose };

type Place =
  | { readonly kind: 'waiting'; readonly sinceMs: number }
  | { readonly kind: 'inside'; readonly room: PoolId }
  | { readonly kind: 'closing' };

interface Client {
  readonly id: ConnectionId;
  readonly frames: TokenBucket;
  readonly bytes: TokenBucket;
  place: Place;
  missedProbes: number;
}

export class Rooms {
  readonly #limits: RelayLimits;
  readonly #clients = new Map<ConnectionId, Client>();
  readonly #rooms = new Map<PoolId, Set<ConnectionId>>();
  #nextSweepMs = Infinity;

  constructor(limits: RelayLimits) {
    this.#limits = limits;
  }

  /** Decides about one input. `nowMs` is monotonic, from any origin. Effects are to be done in order. */
  handle(nowMs: number, input: RoomsInput): RoomsEffect[] {
    if (input.kind === 'connected') return this.#connect(nowMs, input.id);
    if (input.kind === 'deadline') return this.#sweep(nowMs);
    const client = this.#clients.get(input.id);
    if (client === undefined) return [];
    if (input.kind === 'disconnected') return this.#disconnect(client);
    if (client.place.kind === 'closing') return [];
    if (input.kind === 'congested') return this.#close(client, RELAY_CLOSE.tooSlow);
    client.missedProbes = 0;
    if (!client.frames.take(nowMs, 1)) return this.#close(client, RELAY_CLOSE.tooFast);
    return input.kind === 'message' ? this.#receive(nowMs, client, input.bytes, input.binary) : [];
  }

  /** When `handle` wants a 'deadline' input; Infinity while there is nobody to watch. */
  nextDeadlineMs(): number {
    return this.#nextSweepMs;
  }

  /** How much there is of everything, for tests and bounds. */
  snapshot(): { readonly clients: number; readonly rooms: number } {
    return { clients: this.#clients.size, rooms: this.#rooms.size };
  }

  #connect(nowMs: number, id: ConnectionId): RoomsEffect[] {
    const limits = this.#limits;
    const isFull = this.#clients.size >= limits.clients;
    const client: Client = {
      id,
      frames: new TokenBucket(limits.frameBurst, limits.framesPerSecond, nowMs),
      bytes: new TokenBucket(limits.byteBurst, limits.bytesPerSecond, nowMs),
      place: { kind: 'waiting', sinceMs: nowMs },
      missedProbes: 0,
    };
    this.#clients.set(id, client);
    if (this.#nextSweepMs === Infinity) this.#nextSweepMs = nowMs + limits.heartbeatMs;
    return isFull ? this.#close(client, RELAY_CLOSE.relayFull) : [];
  }

  #disconnect(client: Client): RoomsEffect[] {
    const effects = this.#leave(client);
    this.#clients.delete(client.id);
    if (this.#clients.size === 0) this.#nextSweepMs = Infinity;
    return effects;
  }

  #receive(nowMs: number, client: Client, bytes: Uint8Array, binary: boolean): RoomsEffect[] {
    if (!client.bytes.take(nowMs, bytes.length)) return this.#close(client, RELAY_CLOSE.tooFast);
    const frame = binary ? decodeFrame(bytes) : undefined;
    if (frame === undefined) return this.#close(client, RELAY_CLOSE.badMessage);
    if (frame.kind === 'enter') return this.#enter(client, frame.room);
    if (frame.kind === 'forward') return this.#forward(nowMs, client, frame);
    return [{ kind: 'send', to: [client.id], frame: { kind: 'pong' } }];
  }

  #enter(client: Client, name: PoolId): RoomsEffect[] {
    if (client.place.kind !== 'waiting') return this.#close(client, RELAY_CLOSE.badMessage);
    const room = this.#rooms.get(name) ?? new Set();
    if (room.size >= this.#limits.roomClients) return this.#close(client, RELAY_CLOSE.roomFull);
    if (room.size === 0 && this.#rooms.size >= this.#limits.rooms) {
      return this.#close(client, RELAY_CLOSE.tooManyRooms);
    }
    const others = [...room];
    room.add(client.id);
    this.#rooms.set(name, room);
    client.place = { kind: 'inside', room: name };
    return [
      { kind: 'send', to: [client.id], frame: { kind: 'entered', you: client.id, others } },
      ...tell(others, { kind: 'arrived', id: client.id }),
    ];
  }

  #forward(nowMs: number, client: Client, frame: ClientFrame & { kind: 'forward' }): RoomsEffect[] {
    if (client.place.kind !== 'inside') return this.#close(client, RELAY_CLOSE.badMessage);
    const others = this.#others(client.place.room, client.id);
    const to = frame.to === null ? others : others.filter((id) => id === frame.to);
    // The first copy was paid for when it came in; an envelope to everyone costs what it makes the relay send.
    if (!client.bytes.take(nowMs, frame.envelope.length * Math.max(0, to.length - 1))) {
      return this.#close(client, RELAY_CLOSE.tooFast);
    }
    return tell(to, { kind: 'envelope', from: client.id, envelope: frame.envelope });
  }

  /** Asks everyone for a sign of life, and closes those that gave none or never entered a room. */
  #sweep(nowMs: number): RoomsEffect[] {
    if (nowMs < this.#nextSweepMs) return [];
    this.#nextSweepMs = this.#clients.size === 0 ? Infinity : nowMs + this.#limits.heartbeatMs;
    return [...this.#clients.values()].flatMap((client) => this.#watch(nowMs, client));
  }

  #watch(nowMs: number, client: Client): RoomsEffect[] {
    if (client.place.kind === 'closing') return [];
    const isLate = client.place.kind === 'waiting' && nowMs - client.place.sinceMs >= this.#limits.enterMs;
    if (isLate || client.missedProbes >= MAX_MISSED_PROBES) return this.#close(client, RELAY_CLOSE.idle);
    client.missedProbes += 1;
    return [{ kind: 'probe', id: client.id }];
  }

  #close(client: Client, close: RelayClose): RoomsEffect[] {
    const effects = this.#leave(client);
    client.place = { kind: 'closing' };
    return [{ kind: 'close', id: client.id, close }, ...effects];
  }

  #leave(client: Client): RoomsEffect[] {
    if (client.place.kind !== 'inside') return [];
    const name = client.place.room;
    const others = this.#others(name, client.id);
    if (others.length === 0) this.#rooms.delete(name);
    else this.#rooms.get(name)?.delete(client.id);
    return tell(others, { kind: 'departed', id: client.id });
  }

  #others(name: PoolId, id: ConnectionId): ConnectionId[] {
    return [...(this.#rooms.get(name) ?? [])].filter((other) => other !== id);
  }
}

/** Undefined for what is no frame: the sender is closed with a reason, so the details go no further. */
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
