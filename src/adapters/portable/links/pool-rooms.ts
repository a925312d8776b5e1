// The rooms of a pool on the relay: that of the current epoch, and those of earlier ones, where this device
// listens for devices that slept through a change of keys. It speaks there only to those, and once when it
// enters, in case one of them was there before.
//
// Invariants: one connection for each room; the state of the relay is that of the current room.

import type { EnvelopeKeys } from '../../../core/links/envelope.ts';
import type { Rejection } from '../../../core/model/failures.ts';
import type { PoolId } from '../../../core/model/ids.ts';
import type { RelayState } from '../../../core/transport-port.ts';
import type { ConnectionId, IceOffer } from '../../../core/wire/relay-protocol.ts';
import { RelayClient, type RelayClientOptions } from './relay-client.ts';

export interface PoolRoomsEvents {
  /** Of the current room. */
  state(state: RelayState): void;
  /** A connection left one of the rooms. */
  departed(connection: ConnectionId): void;
  /** The callee owns `envelope`. */
  envelope(from: ConnectionId, envelope: Uint8Array, keys: EnvelopeKeys): void;
  /** This device entered an earlier room, and is not alone there. */
  enteredEarlier(keys: EnvelopeKeys): void;
  rejected(rejection: Rejection): void;
  /** What the relay offers links of the current room. */
  ice(offer: IceOffer): void;
}

interface Room {
  readonly keys: EnvelopeKeys;
  readonly client: RelayClient;
  state: RelayState;
  others: Set<ConnectionId>;
  offer: IceOffer | undefined;
}

export class PoolRooms {
  readonly #options: Omit<RelayClientOptions, 'entry'>;
  readonly #rooms = new Map<PoolId, Room>();
  #currentKeys: EnvelopeKeys;
  #events: PoolRoomsEvents | undefined;

  constructor(options: Omit<RelayClientOptions, 'entry'>, keys: EnvelopeKeys) {
    this.#options = options;
    this.#currentKeys = keys;
    this.#add(keys);
  }

  /** The keys of all rooms, the current one's first. */
  get keys(): readonly [EnvelopeKeys, ...EnvelopeKeys[]] {
    const earlier = [...this.#rooms.values()].map(({ keys }) => keys);
    return [this.#currentKeys, ...earlier.filter(({ poolId }) => poolId !== this.#currentKeys.poolId)];
  }

  /** The other connections in the current room. */
  get others(): Iterable<ConnectionId> {
    return this.#rooms.get(this.#currentKeys.poolId)?.others ?? [];
  }

  get otherCount(): number {
    return this.#rooms.get(this.#currentKeys.poolId)?.others.size ?? 0;
  }

  /** Enters the rooms. May be called once. */
  open(events: PoolRoomsEvents): void {
    this.#events = events;
    for (const room of this.#rooms.values()) this.#enter(room);
  }

  /** From now on `current` counts, and of the earlier rooms only these. */
  move(current: EnvelopeKeys, earlier: readonly EnvelopeKeys[]): void {
    this.#currentKeys = current;
    const wanted = new Map([current, ...earlier].map((keys) => [keys.poolId, keys]));
    for (const [poolId, { client }] of this.#rooms) {
      if (wanted.has(poolId)) continue;
      this.#rooms.delete(poolId);
      client.close();
    }
    for (const keys of wanted.values()) {
      if (this.#rooms.has(keys.poolId)) continue;
      const room = this.#add(keys);
      if (this.#events !== undefined) this.#enter(room);
    }
    const room = this.#rooms.get(current.poolId);
    if (room?.offer !== undefined) this.#events?.ice(room.offer);
    if (room !== undefined) this.#events?.state(room.state);
  }

  /** To one connection, or to everyone in the room of `keys`. */
  forward(to: ConnectionId | null, envelope: Uint8Array, keys: EnvelopeKeys): void {
    this.#rooms.get(keys.poolId)?.client.forward(to, envelope);
  }

  wake(): void {
    for (const { client } of this.#rooms.values()) client.wake();
  }

  close(): void {
    for (const { client } of this.#rooms.values()) client.close();
  }

  #add(keys: EnvelopeKeys): Room {
    const client = new RelayClient({ ...this.#options, entry: { kind: 'enter', room: keys.poolId } });
    const room: Room = { keys, client, state: 'connecting', others: new Set(), offer: undefined };
    this.#rooms.set(keys.poolId, room);
    return room;
  }

  #enter(room: Room): void {
    const { keys, client } = room;
    const isCurrent = (): boolean => keys.poolId === this.#currentKeys.poolId;
    client.open({
      state: (state) => {
        room.state = state;
        if (state !== 'connected') room.others.clear();
        if (isCurrent()) this.#events?.state(state);
      },
      entered: (others) => {
        room.others = new Set(others);
        if (!isCurrent() && others.length > 0) this.#events?.enteredEarlier(keys);
      },
      arrived: (connection) => room.others.add(connection),
      departed: (connection) => {
        room.others.delete(connection);
        this.#events?.departed(connection);
      },
      envelope: (from, envelope) => this.#events?.envelope(from, envelope, keys),
      ice: (offer) => {
        room.offer = offer;
        if (isCurrent()) this.#events?.ice(offer);
      },
      rejected: (rejection) => {
        if (isCurrent()) this.#events?.rejected(rejection);
      },
    });
  }
}
