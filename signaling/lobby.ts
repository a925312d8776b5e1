// The relay's one room for devices that are not of one pool: some list their pool by name, others look at the
// list and write to who listed (FORMATS.md, nearby pools). Without sockets, as rooms.ts.
//
// Invariants: nobody is listed who did not ask for it, nor longer than its socket is open; those who look see
// names, and no device that looks sees another; everything is bounded, by part and by address.

import type { ConnectionId } from '../src/core/wire/relay-protocol.ts';
import { type Candidate, whoGivesWay } from './give-way.ts';
import type { RelayLimits } from './relay-limits.ts';
import type { AddressKey } from './remote-address.ts';
import { TokenBucket } from './token-bucket.ts';

/** What a client is in the lobby for. */
export type LobbyEntry = { readonly kind: 'list'; readonly name: string } | { readonly kind: 'look' };

interface LobbyClient extends Candidate {
  readonly id: ConnectionId;
}

interface Guest<Client> {
  readonly client: Client;
  readonly entry: LobbyEntry;
  readonly letters: TokenBucket;
  /** Who of the other kind it wrote to, and is to be told when it goes. */
  readonly wroteTo: Set<ConnectionId>;
}

/** 'instead': there is room once that client is closed. */
type LobbyWay<Client> =
  | { readonly kind: 'free' }
  | { readonly kind: 'instead'; readonly of: Client; readonly isOverOwn: boolean }
  | { readonly kind: 'refused'; readonly isOverOwn: boolean };

export class Lobby<Client extends LobbyClient> {
  readonly #limits: RelayLimits;
  readonly #guests = new Map<ConnectionId, Guest<Client>>();

  constructor(limits: RelayLimits) {
    this.#limits = limits;
  }

  wayFor(kind: LobbyEntry['kind'], address: AddressKey): LobbyWay<Client> {
    const { listings, listingsPerAddress, roomClients, roomClientsPerAddress } = this.#limits;
    const most = kind === 'list' ? listings : roomClients;
    const mostOfOne = kind === 'list' ? listingsPerAddress : roomClientsPerAddress;
    const all = this.#of(kind).map(({ client }) => client);
    const own = all.filter((client) => client.address === address);
    const isOverOwn = own.length >= mostOfOne;
    if (!isOverOwn && all.length < most) return { kind: 'free' };
    const of = whoGivesWay(isOverOwn ? own : all, address);
    return of === undefined ? { kind: 'refused', isOverOwn } : { kind: 'instead', of, isOverOwn };
  }

  enter(client: Client, entry: LobbyEntry, nowMs: number): void {
    const { letterBurst, lettersPerSecond } = this.#limits;
    const letters = new TokenBucket(letterBurst, lettersPerSecond, nowMs);
    this.#guests.set(client.id, { client, entry, letters, wroteTo: new Set() });
  }

  /** Returns who is to be told. */
  leave(id: ConnectionId): ConnectionId[] {
    const guest = this.#guests.get(id);
    this.#guests.delete(id);
    if (guest === undefined) return [];
    for (const { wroteTo } of this.#guests.values()) wroteTo.delete(id);
    return guest.entry.kind === 'list' ? this.lookers() : [...guest.wroteTo];
  }

  listed(): { readonly id: ConnectionId; readonly name: string }[] {
    return [...this.#guests.values()].flatMap(({ client: { id }, entry }) =>
      entry.kind === 'list' ? [{ id, name: entry.name }] : [],
    );
  }

  lookers(): ConnectionId[] {
    return this.#of('look').map(({ client }) => client.id);
  }

  /** Whether a letter of `from` may go out now; undefined to somebody of its own kind, or who is gone. */
  writes(from: ConnectionId, to: ConnectionId, nowMs: number): 'carried' | 'too-fast' | undefined {
    const [guest, other] = [this.#guests.get(from), this.#guests.get(to)];
    if (guest?.letters.take(nowMs, 1) !== true) return 'too-fast';
    if (other === undefined || other.entry.kind === guest.entry.kind) return undefined;
    guest.wroteTo.add(to);
    return 'carried';
  }

  #of(kind: LobbyEntry['kind']): Guest<Client>[] {
    return [...this.#guests.values()].filter(({ entry }) => entry.kind === kind);
  }
}
