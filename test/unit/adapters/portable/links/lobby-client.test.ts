// A device in the relay's lobby: the list as it changes, and what ends it.

import { expect, test } from 'vitest';
import { enterLobby } from '../../../../../src/adapters/portable/links/lobby-client.ts';
import type { RelaySocket } from '../../../../../src/adapters/portable/links/relay-client.ts';
import type { LobbyEntry } from '../../../../../src/core/nearby/nearby-port.ts';
import { MAX_LISTED_POOLS } from '../../../../../src/core/model/limits.ts';
import {
  decodeClientFrame,
  encodeRelayFrame,
  parseConnectionId,
  RELAY_CLOSE,
  type ConnectionId,
  type RelayFrame,
} from '../../../../../src/core/wire/relay-protocol.ts';
import { ManualClock } from '../../../../fixtures/manual-clock.ts';

class FakeSocket implements RelaySocket {
  static opened: FakeSocket[] = [];
  binaryType = 'blob';
  readyState = 1;
  readonly bufferedAmount = 0;
  readonly sent: unknown[] = [];
  readonly #listeners = new Map<string, (event: never) => void>();

  constructor() {
    FakeSocket.opened.push(this);
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, listener);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.sent.push(decodeClientFrame(data));
  }

  close(): void {
    this.readyState = 3;
  }

  tell(type: string, event: unknown): void {
    this.#listeners.get(type)?.(event as never); // as the overloads say
  }

  says(frame: RelayFrame): void {
    this.tell('message', { data: encodeRelayFrame(frame).buffer });
  }
}

function idOf(index: number): ConnectionId {
  return parseConnectionId(index.toString(16).padStart(32, '0'));
}

async function enter(entry: LobbyEntry) {
  FakeSocket.opened = [];
  const clock = new ManualClock();
  const log: string[] = [];
  const random = { bytes: (length: number) => new Uint8Array(length) };
  const options = { url: 'wss://relay.invalid/relay', clock, random, WebSocket: FakeSocket };
  const socket = enterLobby(options, entry, {
    state: (state) => log.push(state),
    pools: (pools) => log.push(pools.map(({ name }) => name).join(' ')),
    departed: () => log.push('departed'),
    letter: (_from, letter) => log.push(`letter of ${letter.length}`),
    refused: (detail) => log.push(`refused: ${detail}`),
  });
  // Nothing is told before the caller has the socket.
  expect(log).toEqual([]);
  await Promise.resolve();
  const [relay] = FakeSocket.opened;
  if (relay === undefined) throw new Error('it connects');
  relay.tell('open', {});
  return { clock, log, socket, relay };
}

test('the list follows the relay, and is empty while that is lost', async () => {
  const { log, relay, clock } = await enter({ kind: 'look' });
  expect(relay.sent).toEqual([{ kind: 'look' }]);
  relay.says({ kind: 'pools', pools: [{ id: idOf(1), name: 'Home' }] });
  relay.says({ kind: 'listed', id: idOf(2), name: 'Work' });
  relay.says({ kind: 'listed', id: idOf(1), name: 'Home2' });
  relay.says({ kind: 'departed', id: idOf(2) });
  relay.says({ kind: 'envelope', from: idOf(1), envelope: Uint8Array.of(1, 2) });
  relay.tell('close', { code: 1006, reason: '' });
  const lists = ['Home', 'Home Work', 'Work Home2', 'Home2'];
  expect(log).toEqual(['connecting', 'connected', ...lists, 'departed', 'letter of 2', '', 'lost']);
  clock.advance(1_000);
  expect(FakeSocket.opened).toHaveLength(2);
});

test('a relay that lists without end makes no endless list', async () => {
  const { log, relay } = await enter({ kind: 'look' });
  relay.says({ kind: 'pools', pools: [] });
  for (let index = 0; index < 3 * MAX_LISTED_POOLS; index += 1) {
    relay.says({ kind: 'listed', id: idOf(index), name: `P${index}` });
  }
  expect(log.at(-1)?.split(' ')).toHaveLength(MAX_LISTED_POOLS);
});

test.each(['badMessage', 'roomFull'] as const)(
  'a relay that closes the door (%s) is not asked again',
  async (why) => {
    const { log, relay, clock } = await enter({ kind: 'list', name: 'Home' });
    expect(relay.sent).toEqual([{ kind: 'list', name: 'Home' }]);
    relay.tell('close', RELAY_CLOSE[why]);
    clock.advance(120_000);
    expect(log).toEqual(['connecting', `refused: ${RELAY_CLOSE[why].reason}`]);
    expect(FakeSocket.opened).toHaveLength(1);
  },
);

test.each(['idle', 'tooSlow'] as const)(
  'a relay that gave a sleeping device up (%s) is asked again once it wakes',
  async (why) => {
    const { log, relay, clock } = await enter({ kind: 'list', name: 'Home' });
    relay.says({ kind: 'entered', you: idOf(1), others: [] });
    relay.tell('close', RELAY_CLOSE[why]);
    clock.advance(1_000);
    expect(log).toEqual(['connecting', 'connected', 'lost', 'connecting']);
    FakeSocket.opened[1]?.tell('open', {});
    expect(FakeSocket.opened[1]?.sent).toEqual([{ kind: 'list', name: 'Home' }]);
  },
);

test('who has closed it hears nothing more, also if it did at once', async () => {
  const { log, relay, socket, clock } = await enter({ kind: 'look' });
  socket.close();
  relay.says({ kind: 'pools', pools: [{ id: idOf(1), name: 'Home' }] });
  relay.tell('close', { code: 1006, reason: '' });
  clock.advance(60_000);
  expect(log).toEqual(['connecting']);
  expect(socket.write(idOf(1), Uint8Array.of(1))).toBe(false);
});
