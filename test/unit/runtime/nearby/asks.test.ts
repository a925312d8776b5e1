// An ask to join that ends in the middle of a step: what is under way then must not bring it back.

import { expect, test } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { PalmError } from '../../../../src/core/model/errors.ts';
import type { LobbyEvents, NearbyPorts } from '../../../../src/core/nearby/nearby-port.ts';
import { decodeNearbyLetter } from '../../../../src/core/nearby/nearby-letter.ts';
import type { Cryptography } from '../../../../src/core/ports.ts';
import { connectionIdOf, type ConnectionId } from '../../../../src/core/wire/relay-protocol.ts';
import { Asking } from '../../../../src/runtime/nearby/asking.ts';
import { Listing } from '../../../../src/runtime/nearby/listing.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';

const MEMBER = connectionIdOf(new Uint8Array(16).fill(1));
const NEWCOMER = connectionIdOf(new Uint8Array(16).fill(2));
const POOLS = [{ id: MEMBER, name: 'Home' }];

/** A member that lists, and a newcomer that looks: the lobby hands on all that they write. */
class Room {
  readonly clock = new ManualClock();
  readonly written: string[] = [];
  withdrawnCount = 0;
  givenUpCount = 0;
  /** Called in the middle of these steps. */
  onSeal = (): void => undefined;
  onNamed = (): void => undefined;
  readonly #events = new Map<string, LobbyEvents>();
  readonly listing = new Listing({
    clock: this.clock,
    ports: async () => ({ ...this.#lobby(MEMBER, NEWCOMER), cryptography: this.#cryptography() }),
    listedName: () => 'Home',
    mayInvite: () => true,
    invite: async () => ({
      url: 'https://palm.example/#/join/x',
      admitted: () => [],
      withdraw: async () => {
        this.withdrawnCount += 1;
      },
    }),
    changed: () => undefined,
    background: (work) => void work,
  });
  readonly asking = new Asking({
    clock: this.clock,
    ports: async () => ({
      ...this.#lobby(NEWCOMER, MEMBER),
      cryptography: webCryptography,
      random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    }),
    named: async () => {
      this.onNamed();
      return 'phone';
    },
    join: () =>
      new Promise((_resolve, reject) => {
        this.#rejectJoin = reject;
      }),
    giveUpJoin: async () => {
      this.givenUpCount += 1;
      this.#rejectJoin(new PalmError({ code: 'cancelled', reason: 'not-wanted' }));
    },
    changed: () => undefined,
  });
  #rejectJoin = (_reason: unknown): void => undefined;

  async look(): Promise<void> {
    const looked = this.asking.look();
    await expect.poll(() => this.#events.has(NEWCOMER)).toBe(true);
    this.#events.get(NEWCOMER)?.pools(POOLS);
    await looked;
  }

  /** Both screens show their codes. */
  async shown() {
    await this.listing.set(true);
    await this.look();
    const outcome = this.asking.ask(MEMBER, undefined).catch((error: unknown) => error);
    await expect.poll(() => this.asks.length).toBe(1);
    const id = this.asks[0]?.id ?? '';
    await this.listing.compare(id);
    await expect.poll(() => this.asks[0]?.step).toBe('comparing');
    await expect.poll(() => this.asking.status?.digits).toMatch(/^\d{6}$/);
    return { id, digits: this.asking.status?.digits ?? '', outcome };
  }

  get asks() {
    return this.listing.status?.asks ?? [];
  }

  #cryptography(): Cryptography {
    return {
      ...webCryptography,
      seal: async (...given) => {
        const sealed = await webCryptography.seal(...given);
        this.onSeal();
        return sealed;
      },
    };
  }

  #lobby(own: ConnectionId, other: ConnectionId): NearbyPorts {
    return {
      enter: (_entry, events) => {
        this.#events.set(own, events);
        return {
          write: (_to, letter) => {
            this.written.push(decodeNearbyLetter(letter).kind);
            this.#events.get(other)?.letter(own, letter.slice());
            return true;
          },
          close: () => this.#events.delete(own),
        };
      },
    };
  }
}

test.each(['refuse', 'stop', 'lost'] as const)(
  'an invite that is being sealed is not handed over once the ask ended: %s',
  async (how) => {
    const room = new Room();
    const { id, digits } = await room.shown();
    room.onSeal = () => {
      if (how === 'refuse') room.listing.refuse(id);
      else if (how === 'stop') room.listing.stop();
      else room.asking.cancel();
    };
    await expect(room.listing.allow(id, digits)).rejects.toMatchObject({ failure: { reason: 'over' } });
    expect(room.written).not.toContain('invite');
    expect(room.withdrawnCount).toBe(1);
    expect(room.asks.map(({ step }) => step)).toEqual(how === 'lost' ? ['failed'] : []);
  },
);

test('an ask whose list is closed before it goes out does not begin', async () => {
  const room = new Room();
  await room.look();
  room.onNamed = () => room.asking.stop();
  await expect(room.asking.ask(MEMBER, undefined)).rejects.toMatchObject({
    failure: { reason: 'not-listed' },
  });
  expect(room.asking.status).toBeUndefined();
  expect(room.written).toEqual([]);
});

test('who gives up while the device is being let in gives that up, too', async () => {
  const room = new Room();
  const { id, digits, outcome } = await room.shown();
  await room.listing.allow(id, digits);
  await room.asking.confirm(room.asks[0]?.signs ?? []);
  await expect.poll(() => room.asking.status?.step).toBe('joining');
  await room.asking.giveUp();
  expect(await outcome).toMatchObject({ code: 'cancelled' });
  expect(room.givenUpCount).toBe(1);
  // Before that there is nothing to give up but the ask.
  await room.asking.giveUp();
  expect(room.givenUpCount).toBe(1);
});

test('a device that is locked while it is being let in goes on with that later', async () => {
  const room = new Room();
  const { id, digits } = await room.shown();
  await room.listing.allow(id, digits);
  await room.asking.confirm(room.asks[0]?.signs ?? []);
  await expect.poll(() => room.asking.status?.step).toBe('joining');
  room.asking.stop();
  expect(room.givenUpCount).toBe(0);
});
