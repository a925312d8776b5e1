// The relay's lobby: who sees which name, who may write to whom, and what a flood of either costs.

import { describe, expect, test } from 'vitest';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from '../../../signaling/relay-limits.ts';
import { type AddressKey, addressKeyOf } from '../../../signaling/remote-address.ts';
import { Rooms, type RoomsEffect } from '../../../signaling/rooms.ts';
import { parsePoolId } from '../../../src/core/model/ids.ts';
import { MAX_NEARBY_BYTES } from '../../../src/core/model/limits.ts';
import {
  type ClientFrame,
  type ConnectionId,
  encodeClientFrame,
  parseConnectionId,
  RELAY_CLOSE,
} from '../../../src/core/wire/relay-protocol.ts';

const LETTER = Uint8Array.of(1, 2, 3);

function idOf(index: number): ConnectionId {
  return parseConnectionId(index.toString(16).padStart(32, '0'));
}

const [host, other, asker, stranger] = [idOf(1), idOf(2), idOf(3), idOf(4)];

function desk(limits: Partial<RelayLimits> = {}) {
  const rooms = new Rooms({ ...DEFAULT_RELAY_LIMITS, ...limits });
  const clock = { nowMs: 1_000 };
  const send = (id: ConnectionId, frame: ClientFrame) =>
    rooms.handle(clock.nowMs, { kind: 'message', id, bytes: encodeClientFrame(frame), binary: true });
  const connect = (id: ConnectionId, address: AddressKey) =>
    rooms.handle(clock.nowMs, { kind: 'connected', id, address });
  const enter = (id: ConnectionId, frame: ClientFrame, address: AddressKey = own(id)) => {
    connect(id, address);
    return send(id, frame);
  };
  return {
    rooms,
    clock,
    list: (id: ConnectionId, name: string, address?: AddressKey) =>
      enter(id, { kind: 'list', name }, address),
    look: (id: ConnectionId, address?: AddressKey) => enter(id, { kind: 'look' }, address),
    enter,
    send,
    write: (from: ConnectionId, to: ConnectionId | null, envelope = LETTER) =>
      send(from, { kind: 'forward', to, envelope }),
    leave: (id: ConnectionId) => rooms.handle(clock.nowMs, { kind: 'disconnected', id }),
  };
}

function own(id: ConnectionId): AddressKey {
  return addressKeyOf(`10.0.${Number.parseInt(id.slice(-4, -2), 16)}.${Number.parseInt(id.slice(-2), 16)}`);
}

const AT_HOME = addressKeyOf('10.1.0.1');

function closes(id: ConnectionId, close: keyof typeof RELAY_CLOSE): RoomsEffect {
  return { kind: 'close', id, close: RELAY_CLOSE[close] };
}

function pools(...listed: (readonly [ConnectionId, string])[]) {
  return { kind: 'pools', pools: listed.map(([id, name]) => ({ id, name })) } as const;
}

describe('the list', () => {
  test('shows who listed its pool, while it is there, to those who look', () => {
    const { list, look, leave } = desk();
    expect(list(host, 'Home')).toEqual([
      { kind: 'send', to: [host], frame: { kind: 'entered', you: host, others: [] } },
    ]);
    expect(look(asker)).toEqual([{ kind: 'send', to: [asker], frame: pools([host, 'Home']) }]);
    expect(list(other, 'Home')).toContainEqual({
      kind: 'send',
      to: [asker],
      frame: { kind: 'listed', id: other, name: 'Home' },
    });
    expect(leave(host)).toEqual([{ kind: 'send', to: [asker], frame: { kind: 'departed', id: host } }]);
    expect(look(stranger)).toEqual([{ kind: 'send', to: [stranger], frame: pools([other, 'Home']) }]);
  });

  test('names nobody who is in a room, and those in rooms hear nothing of it', () => {
    const { list, look, enter } = desk();
    enter(other, { kind: 'enter', room: parsePoolId('a'.repeat(32)) });
    list(host, 'Home');
    expect(look(asker)).toEqual([{ kind: 'send', to: [asker], frame: pools([host, 'Home']) }]);
    expect(enter(stranger, { kind: 'enter', room: parsePoolId('a'.repeat(32)) })).toHaveLength(2);
  });

  test('is entered once, and not from a room', () => {
    const { list, look, send } = desk();
    list(host, 'Home');
    expect(send(host, { kind: 'list', name: 'Another' })).toContainEqual(closes(host, 'badMessage'));
    look(asker);
    expect(send(asker, { kind: 'enter', room: parsePoolId('a'.repeat(32)) })).toEqual([
      closes(asker, 'badMessage'),
    ]);
  });

  test('has no more of one address, and of all, than its limits; who has most gives way', () => {
    const { list, look } = desk({ listings: 3, listingsPerAddress: 2 });
    list(idOf(10), 'a', AT_HOME);
    list(idOf(11), 'b', AT_HOME);
    // A third of the same address takes the place of its oldest.
    expect(list(idOf(12), 'c', AT_HOME)).toContainEqual(closes(idOf(10), 'addressFull'));
    list(idOf(13), 'd');
    expect(list(idOf(14), 'e')).toContainEqual(closes(idOf(11), 'roomFull'));
    expect(look(asker)).toEqual([
      { kind: 'send', to: [asker], frame: pools([idOf(12), 'c'], [idOf(13), 'd'], [idOf(14), 'e']) },
    ]);
  });

  test('charges who lists for everybody who is told', () => {
    const { list, look, rooms } = desk({ byteBurst: 1_000 });
    for (let index = 0; index < 20; index += 1) look(idOf(100 + index));
    expect(list(host, 'Home')).toEqual([closes(host, 'tooFast')]);
    expect(rooms.snapshot().rooms).toBe(0);
  });
});

describe('letters', () => {
  test('go between who lists and who looks only, and never to everybody', () => {
    const { list, look, write } = desk();
    list(host, 'Home');
    list(other, 'Work');
    look(asker);
    look(stranger);
    expect(write(asker, host)).toEqual([
      { kind: 'send', to: [host], frame: { kind: 'envelope', from: asker, envelope: LETTER } },
    ]);
    expect(write(host, asker)).toHaveLength(1);
    expect(write(asker, stranger)).toEqual([]);
    expect(write(host, other)).toEqual([]);
    expect(write(asker, idOf(99))).toEqual([]);
    expect(write(stranger, null)).toContainEqual(closes(stranger, 'badMessage'));
    const large = new Uint8Array(MAX_NEARBY_BYTES + 1);
    expect(write(asker, host, large)).toContainEqual(closes(asker, 'badMessage'));
  });

  test('reach nobody in a room, and nobody in a room reaches the lobby', () => {
    const { list, look, enter, write } = desk();
    enter(other, { kind: 'enter', room: parsePoolId('a'.repeat(32)) });
    list(host, 'Home');
    look(asker);
    expect(write(asker, other)).toEqual([]);
    expect(write(other, host)).toEqual([]);
  });

  test('a device that asks a thousand times is cut off after a few, and slowly gets more', () => {
    const { list, look, write, clock } = desk();
    list(host, 'Home');
    look(asker);
    const carried = (): boolean => write(asker, host).some(({ kind }) => kind === 'send');
    for (let count = 0; count < DEFAULT_RELAY_LIMITS.letterBurst; count += 1) expect(carried()).toBe(true);
    clock.nowMs += 1_000;
    expect(carried()).toBe(true);
    // Who listed is told that it is gone.
    expect(write(asker, host)).toEqual([
      closes(asker, 'tooFast'),
      { kind: 'send', to: [host], frame: { kind: 'departed', id: asker } },
    ]);
    expect(write(asker, host)).toEqual([]);
  });

  test('who listed hears that a device which wrote to it is gone, and of no other', () => {
    const { list, look, write, leave } = desk();
    list(host, 'Home');
    list(other, 'Work');
    look(asker);
    look(stranger);
    write(asker, host);
    expect(leave(asker)).toEqual([{ kind: 'send', to: [host], frame: { kind: 'departed', id: asker } }]);
    expect(leave(stranger)).toEqual([]);
  });
});
