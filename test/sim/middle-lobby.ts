// A relay that stands between those who list and those who look: it hands on what it likes, changed as it
// likes, and as often as it likes.

import { hexOf } from '../../src/core/model/bytes.ts';
import {
  decodeNearbyLetter,
  encodeNearbyLetter,
  type NearbyLetter,
} from '../../src/core/nearby/nearby-letter.ts';
import type { LobbyEvents, NearbyPorts } from '../../src/core/nearby/nearby-port.ts';
import { connectionIdOf, type ConnectionId } from '../../src/core/wire/relay-protocol.ts';
import type { World } from './world.ts';

export interface Guest {
  readonly id: ConnectionId;
  readonly name: string | undefined;
  readonly events: LobbyEvents;
}

/** What becomes of a letter: others in its place, to whom the hostile relay likes. */
type Meddle = (from: Guest, to: Guest, letter: NearbyLetter) => Promise<readonly Sent[]> | readonly Sent[];

interface Sent {
  /** Who it seems to be from. */
  readonly from: Guest;
  readonly to: Guest;
  readonly letter: NearbyLetter;
}

export class MiddleLobby implements NearbyPorts {
  readonly #world: World;
  readonly #guests = new Map<ConnectionId, Guest>();
  /** Every letter that was written, as text. */
  readonly heard: string[] = [];
  meddle: Meddle = (from, to, letter) => [{ from, to, letter }];

  constructor(world: World) {
    this.#world = world;
  }

  guest(name: string | undefined): Guest {
    const found = [...this.#guests.values()].find((guest) => guest.name === name);
    if (found === undefined) throw new Error('such a guest is there');
    return found;
  }

  /** One more who asks, and is no device. */
  stranger(events: Partial<LobbyEvents> = {}): Guest {
    const silent: LobbyEvents = {
      state: () => undefined,
      pools: () => undefined,
      departed: () => undefined,
      letter: () => undefined,
      refused: () => undefined,
    };
    const id = connectionIdOf(this.#world.random.bytes(16));
    const guest = { id, name: undefined, events: { ...silent, ...events } };
    this.#guests.set(id, guest);
    return guest;
  }

  send({ from, to, letter }: Sent): void {
    this.#world.after(1, () => to.events.letter(from.id, encodeNearbyLetter(letter)));
  }

  readonly enter: NearbyPorts['enter'] = (entry, events) => {
    const id = connectionIdOf(this.#world.random.bytes(16));
    const guest: Guest = { id, name: entry.kind === 'list' ? entry.name : undefined, events };
    this.#guests.set(id, guest);
    this.#world.after(1, () => {
      events.state('connected');
      this.#show();
    });
    return {
      write: (to, letter) => {
        const other = this.#guests.get(to);
        if (other !== undefined) this.#carry(guest, other, letter.slice());
        return true;
      },
      close: () => {
        if (!this.#guests.delete(id)) return;
        for (const other of this.#guests.values()) this.#world.after(1, () => other.events.departed(id));
        this.#show();
      },
    };
  };

  #carry(from: Guest, to: Guest, bytes: Uint8Array): void {
    this.heard.push(hexOf(bytes));
    void Promise.resolve(this.meddle(from, to, decodeNearbyLetter(bytes))).then((sent) =>
      sent.forEach((each) => this.send(each)),
    );
  }

  #show(): void {
    const pools = [...this.#guests.values()].flatMap(({ id, name }) =>
      name === undefined ? [] : [{ id, name }],
    );
    for (const { name, events } of this.#guests.values()) if (name === undefined) events.pools(pools);
  }
}
