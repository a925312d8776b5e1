// The rooms alone: which client hears what, every bound, and the heartbeat, on a clock that the test moves.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from '../../../signaling/relay-limits.ts';
import { type AddressKey, addressKeyOf } from '../../../signaling/remote-address.ts';
import { Rooms, type RoomsEffect } from '../../../signaling/rooms.ts';
import { TokenBucket } from '../../../signaling/token-bucket.ts';
import { parsePoolId, type PoolId } from '../../../src/core/model/ids.ts';
import { MAX_ENVELOPE_BYTES, MAX_ROOM_CLIENTS } from '../../../src/core/model/limits.ts';
import {
  type ClientFrame,
  type ConnectionId,
  encodeClientFrame,
  parseConnectionId,
  RELAY_CLOSE,
} from '../../../src/core/wire/relay-protocol.ts';
import { SCHOOL } from '../../fixtures/relay-school.ts';

const ROOM = parsePoolId('a'.repeat(32));
const OTHER_ROOM = parsePoolId('b'.repeat(32));
const ENVELOPE = Uint8Array.of(1, 2, 3);

function idOf(index: number): ConnectionId {
  return parseConnectionId(index.toString(16).padStart(32, '0'));
}

const [a, b, c, d] = [idOf(1), idOf(2), idOf(3), idOf(4)];

/** For a client whose address does not matter: one of its own. */
function ownAddress(id: ConnectionId): AddressKey {
  return addressKeyOf(`10.0.0.${Number.parseInt(id.slice(-2), 16)}`);
}

/** Rooms with a clock and short words for the inputs. */
function desk(limits: Partial<RelayLimits> = {}) {
  const rooms = new Rooms({ ...DEFAULT_RELAY_LIMITS, ...limits });
  const clock = { nowMs: 1_000 };
  const raw = (id: ConnectionId, bytes: Uint8Array, binary = true) =>
    rooms.handle(clock.nowMs, { kind: 'message', id, bytes, binary });
  const send = (id: ConnectionId, frame: ClientFrame) => raw(id, encodeClientFrame(frame));
  const connect = (id: ConnectionId, address = ownAddress(id)) =>
    rooms.handle(clock.nowMs, { kind: 'connected', id, address });
  return {
    rooms,
    clock,
    raw,
    send,
    connect,
    enter: (id: ConnectionId, room: PoolId = ROOM, address?: AddressKey) => {
      connect(id, address);
      return send(id, { kind: 'enter', room });
    },
    /** Two clients of a room write to each other. */
    link: (one: ConnectionId, other: ConnectionId) => {
      send(one, { kind: 'forward', to: other, envelope: ENVELOPE });
      send(other, { kind: 'forward', to: one, envelope: ENVELOPE });
    },
    alive: (id: ConnectionId) => rooms.handle(clock.nowMs, { kind: 'alive', id }),
    leave: (id: ConnectionId) => rooms.handle(clock.nowMs, { kind: 'disconnected', id }),
    /** Moves the clock to the rooms' own deadline and tells them. */
    deadline: () => {
      clock.nowMs = rooms.nextDeadlineMs();
      return rooms.handle(clock.nowMs, { kind: 'deadline' });
    },
  };
}

function closes(id: ConnectionId, close: keyof typeof RELAY_CLOSE): RoomsEffect {
  return { kind: 'close', id, close: RELAY_CLOSE[close] };
}

describe('entering and leaving', () => {
  test('a newcomer is told who is there, and the others are told about it', () => {
    const { enter } = desk();
    expect(enter(a)).toEqual([{ kind: 'send', to: [a], frame: { kind: 'entered', you: a, others: [] } }]);
    expect(enter(b)).toEqual([
      { kind: 'send', to: [b], frame: { kind: 'entered', you: b, others: [a] } },
      { kind: 'send', to: [a], frame: { kind: 'arrived', id: b } },
    ]);
  });

  test('a departure is announced, and the last one takes the room along', () => {
    const { enter, leave, rooms } = desk();
    enter(a);
    enter(b);
    expect(leave(b)).toEqual([{ kind: 'send', to: [a], frame: { kind: 'departed', id: b } }]);
    expect(leave(a)).toEqual([]);
    expect(rooms.snapshot()).toEqual({ clients: 0, rooms: 0 });
    expect(rooms.nextDeadlineMs()).toBe(Infinity);
  });

  test('entering twice is a bad message, even into the same room', () => {
    const { enter, send } = desk();
    enter(a);
    enter(b);
    expect(send(a, { kind: 'enter', room: ROOM })).toEqual([
      closes(a, 'badMessage'),
      { kind: 'send', to: [b], frame: { kind: 'departed', id: a } },
    ]);
  });

  test('a client that never connected, or is gone, has no effect', () => {
    const { send, enter, leave, alive } = desk();
    expect(send(a, { kind: 'ping' })).toEqual([]);
    enter(a);
    leave(a);
    expect(send(a, { kind: 'ping' })).toEqual([]);
    expect(alive(a)).toEqual([]);
    expect(leave(a)).toEqual([]);
  });
});

describe('forwarding', () => {
  test('to everyone else in the room, and nobody in another', () => {
    const { enter, send } = desk();
    for (const id of [a, b, c]) enter(id);
    enter(d, OTHER_ROOM);
    expect(send(a, { kind: 'forward', to: null, envelope: ENVELOPE })).toEqual([
      { kind: 'send', to: [b, c], frame: { kind: 'envelope', from: a, envelope: ENVELOPE } },
    ]);
  });

  test('to one', () => {
    const { enter, send } = desk();
    for (const id of [a, b, c]) enter(id);
    expect(send(a, { kind: 'forward', to: c, envelope: ENVELOPE })).toEqual([
      { kind: 'send', to: [c], frame: { kind: 'envelope', from: a, envelope: ENVELOPE } },
    ]);
  });

  test.each([
    ['someone in another room', d],
    ['itself', a],
    ['nobody', idOf(99)],
  ])('to %s: nothing, and no complaint', (_who, to) => {
    const { enter, send } = desk();
    enter(a);
    enter(b);
    enter(d, OTHER_ROOM);
    expect(send(a, { kind: 'forward', to, envelope: ENVELOPE })).toEqual([]);
  });

  test('before entering is a bad message', () => {
    const { connect, send } = desk();
    connect(a);
    expect(send(a, { kind: 'forward', to: null, envelope: ENVELOPE })).toEqual([closes(a, 'badMessage')]);
  });

  test('a ping is answered, inside a room and outside', () => {
    const { connect, send } = desk();
    connect(a);
    const pong = [{ kind: 'send', to: [a], frame: { kind: 'pong' } }];
    expect(send(a, { kind: 'ping' })).toEqual(pong);
    send(a, { kind: 'enter', room: ROOM });
    expect(send(a, { kind: 'ping' })).toEqual(pong);
  });
});

describe('misbehaviour closes its sender alone', () => {
  test('garbage and text', () => {
    const { enter, raw, send } = desk();
    for (const id of [a, b, c]) enter(id);
    expect(raw(a, Uint8Array.of(0xff))[0]).toEqual(closes(a, 'badMessage'));
    expect(raw(b, encodeClientFrame({ kind: 'ping' }), false)[0]).toEqual(closes(b, 'badMessage'));
    expect(send(c, { kind: 'ping' })).toHaveLength(1);
  });

  test('a closing client is neither heard nor spoken to, and takes nobody’s place', () => {
    const { enter, raw, send, leave, connect, rooms } = desk({ clients: 2 });
    enter(a);
    enter(b);
    raw(a, Uint8Array.of(0xff));
    expect(send(a, { kind: 'forward', to: b, envelope: ENVELOPE })).toEqual([]);
    expect(send(a, { kind: 'enter', room: ROOM })).toEqual([]);
    expect(raw(a, Uint8Array.of(0xff))).toEqual([]);
    expect(send(b, { kind: 'forward', to: null, envelope: ENVELOPE })).toEqual([]);
    expect(rooms.snapshot().clients).toBe(2);
    expect(connect(c)).toEqual([]);
    expect(leave(a)).toEqual([]);
    expect(rooms.snapshot().clients).toBe(2);
  });

  test('a client that does not read', () => {
    const { enter, rooms, clock } = desk();
    enter(a);
    enter(b);
    expect(rooms.handle(clock.nowMs, { kind: 'rejected', id: a, close: RELAY_CLOSE.tooSlow })).toEqual([
      closes(a, 'tooSlow'),
      { kind: 'send', to: [b], frame: { kind: 'departed', id: a } },
    ]);
  });
});

describe('bounds', () => {
  test('clients in a room', () => {
    const { enter, leave, link } = desk({ roomClients: 2 });
    enter(a);
    enter(b);
    link(a, b);
    expect(enter(c)).toEqual([closes(c, 'roomFull')]);
    expect(enter(d, OTHER_ROOM)).toHaveLength(1);
    leave(a);
    expect(enter(idOf(5))).toHaveLength(2);
  });

  test('rooms', () => {
    const { enter, leave, link } = desk({ rooms: 1 });
    enter(a);
    enter(c);
    link(a, c);
    expect(enter(b, OTHER_ROOM)).toEqual([closes(b, 'tooManyRooms')]);
    leave(a);
    leave(c);
    expect(enter(d, OTHER_ROOM)).toHaveLength(1);
  });

  test('frames a second: the burst, then the rate', () => {
    const { enter, send, clock } = desk({ frameBurst: 5, framesPerSecond: 2 });
    enter(a); // the first of the five
    for (let sent = 0; sent < 4; sent += 1) expect(send(a, { kind: 'ping' })).toHaveLength(1);
    clock.nowMs += 1_000;
    expect(send(a, { kind: 'ping' })).toHaveLength(1);
    expect(send(a, { kind: 'ping' })).toHaveLength(1);
    expect(send(a, { kind: 'ping' })).toEqual([closes(a, 'tooFast')]);
  });

  test('pings and pongs of WebSocket count as frames', () => {
    const { enter, alive } = desk({ frameBurst: 3 });
    enter(a);
    expect(alive(a)).toEqual([]);
    expect(alive(a)).toEqual([]);
    expect(alive(a)).toEqual([closes(a, 'tooFast')]);
  });

  test('bytes count once for each that gets them', () => {
    const envelope = new Uint8Array(1_000);
    const { enter, send } = desk({ byteBurst: 5_000, bytesPerSecond: 1 });
    for (const id of [a, b, c, d]) enter(id);
    expect(send(a, { kind: 'forward', to: b, envelope })).toHaveLength(1);
    expect(send(a, { kind: 'forward', to: null, envelope })).toHaveLength(1);
    expect(send(a, { kind: 'forward', to: null, envelope })[0]).toEqual(closes(a, 'tooFast'));
    expect(send(b, { kind: 'forward', to: null, envelope })).toHaveLength(1);
  });

  test('the standard limits let the largest envelope go to everyone in a full room', () => {
    const { enter, send } = desk();
    for (let index = 0; index < MAX_ROOM_CLIENTS; index += 1) {
      expect(enter(idOf(index))).toContainEqual(expect.objectContaining({ to: [idOf(index)] }));
    }
    const envelope = new Uint8Array(MAX_ENVELOPE_BYTES);
    const [effect] = send(idOf(0), { kind: 'forward', to: null, envelope });
    expect(effect).toMatchObject({ kind: 'send', frame: { kind: 'envelope' } });
  });
});

describe('one address', () => {
  const attacker = addressKeyOf('10.0.0.66');
  const ids = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => idOf(from + index));
  const room = (index: number) => parsePoolId(index.toString(16).padStart(32, '0'));

  test('cannot fill a room alone, and linked clients stay', () => {
    const { enter, link } = desk({ roomClients: 6, roomClientsPerAddress: 3 });
    for (const id of ids(10, 3)) enter(id, ROOM, attacker);
    const [over = a, more = b] = ids(20, 2);
    // Its fourth takes the place of its first: it proved nothing either.
    expect(enter(over, ROOM, attacker)[0]).toEqual(closes(idOf(10), 'addressFull'));
    enter(a);
    enter(b);
    link(a, b);
    expect(enter(more, ROOM, attacker)[0]).toEqual(closes(idOf(11), 'addressFull'));
    expect(enter(c)).toHaveLength(2);
  });

  test('gives up its places in a full room to addresses with fewer, even if linked with itself', () => {
    const { enter, link } = desk({ roomClients: 6, roomClientsPerAddress: 6 });
    const own = ids(10, 6);
    for (const id of own) enter(id, ROOM, attacker);
    for (const id of own) link(id, own.find((other) => other !== id) ?? id);
    expect(enter(a)[0]).toEqual(closes(idOf(10), 'roomFull'));
    expect(enter(b)[0]).toEqual(closes(idOf(11), 'roomFull'));
    link(a, b);
    // No client gives way to an address with more.
    expect(enter(idOf(30), ROOM, attacker)).toEqual([closes(idOf(30), 'roomFull')]);
  });

  test('has a bounded number of rooms, and its unlinked ones give way when all are taken', () => {
    const { enter, link, rooms } = desk({ rooms: 5, roomsPerAddress: 3 });
    ids(10, 3).forEach((id, index) => enter(id, room(index), attacker));
    expect(enter(idOf(20), room(20), attacker)[0]).toEqual(closes(idOf(10), 'addressFull'));
    enter(a, room(30));
    enter(b, room(30));
    link(a, b);
    enter(c, room(31));
    expect(rooms.snapshot().rooms).toBe(5);
    expect(enter(d, room(32))[0]).toEqual(closes(idOf(11), 'tooManyRooms'));
    expect(rooms.snapshot().rooms).toBe(5);
  });

  test('has a bounded number of clients, and gives way when all are taken', () => {
    const { connect } = desk({ clients: 4, clientsPerAddress: 3 });
    for (const id of ids(10, 3)) expect(connect(id, attacker)).toEqual([]);
    expect(connect(idOf(20), attacker)).toEqual([closes(idOf(10), 'addressFull')]);
    expect(connect(a)).toEqual([]);
    expect(connect(b)).toEqual([closes(idOf(11), 'relayFull')]);
  });

  test('has frames and bytes for all its clients together', () => {
    const { enter, send } = desk({ addressFrameBurst: 5, addressFramesPerSecond: 1 });
    const [one = a, other = b] = ids(10, 2);
    enter(one, ROOM, attacker);
    enter(other, ROOM, attacker);
    for (let sent = 0; sent < 3; sent += 1) expect(send(one, { kind: 'ping' })).toHaveLength(1);
    expect(send(other, { kind: 'ping' })[0]).toEqual(closes(other, 'tooFast'));
    expect(enter(a)).toHaveLength(2);
    const heavy = desk({ addressByteBurst: 3_000, addressBytesPerSecond: 1 });
    heavy.enter(one, ROOM, attacker);
    heavy.enter(other, ROOM, attacker);
    const envelope = new Uint8Array(2_000);
    expect(heavy.send(one, { kind: 'forward', to: other, envelope })).toHaveLength(1);
    expect(heavy.send(other, { kind: 'forward', to: one, envelope })[0]).toEqual(closes(other, 'tooFast'));
  });

  test('does not get its frames back by reconnecting', () => {
    const { enter, leave, send, clock } = desk({ addressFrameBurst: 4, addressFramesPerSecond: 1 });
    enter(a);
    for (let sent = 0; sent < 3; sent += 1) send(a, { kind: 'ping' });
    leave(a);
    clock.nowMs += 1_000;
    expect(enter(a)).toHaveLength(1);
    expect(send(a, { kind: 'ping' })).toEqual([closes(a, 'tooFast')]);
  });

  test('of a school has room for 60 devices with two pages each, in one pool or in one each', () => {
    const { enter, link } = desk();
    const pages = ids(0, SCHOOL.sockets);
    for (const id of pages) expect(enter(id, ROOM, attacker)[0]).toMatchObject({ kind: 'send', to: [id] });
    for (const [index, id] of pages.entries()) link(id, pages[(index + 1) % pages.length] ?? id);
    const apart = desk();
    pages.forEach((id, index) => {
      expect(apart.enter(id, room(index), attacker)[0]).toMatchObject({ kind: 'send', to: [id] });
    });
  });
});

describe('heartbeat', () => {
  test('a client that misses two probes is closed at the third; one that answers stays', () => {
    const { enter, alive, deadline } = desk();
    enter(a);
    enter(b);
    const probes = [a, b].map((id) => ({ kind: 'probe', id }));
    expect(deadline()).toEqual(probes);
    alive(b);
    expect(deadline()).toEqual(probes);
    alive(b);
    expect(deadline()).toEqual([
      closes(a, 'idle'),
      { kind: 'send', to: [b], frame: { kind: 'departed', id: a } },
      { kind: 'probe', id: b },
    ]);
  });

  test('any message is a sign of life', () => {
    const { enter, send, deadline } = desk();
    enter(a);
    for (let beat = 0; beat < 5; beat += 1) {
      expect(deadline()).toEqual([{ kind: 'probe', id: a }]);
      send(a, { kind: 'ping' });
    }
  });

  test('a client that never enters a room is closed, however active', () => {
    const { connect, alive, deadline } = desk({ heartbeatMs: 100, enterMs: 150 });
    connect(a);
    expect(deadline()).toEqual([{ kind: 'probe', id: a }]);
    alive(a);
    expect(deadline()).toEqual([closes(a, 'idle')]);
  });

  test('a call that is too early changes nothing', () => {
    const { enter, rooms, clock } = desk();
    enter(a);
    expect(rooms.handle(clock.nowMs + 1, { kind: 'deadline' })).toEqual([]);
    expect(rooms.nextDeadlineMs()).toBe(clock.nowMs + DEFAULT_RELAY_LIMITS.heartbeatMs);
  });
});

test('a token bucket never holds more than its capacity, and a clock that is set back fills nothing', () => {
  const bucket = new TokenBucket(10, 5, 0);
  expect(bucket.take(1_000_000, 11)).toBe(false);
  expect(bucket.take(1_000_000, 10)).toBe(true);
  expect(bucket.take(1_000_200, 1)).toBe(true);
  expect(bucket.take(0, 1)).toBe(false);
});

test('whatever clients do: bounds hold, rooms do not hear each other, and nothing is left behind', () => {
  const limits = { rooms: 2, roomClients: 3, clients: 6, frameBurst: 8, framesPerSecond: 1 };
  const names = [ROOM, OTHER_ROOM, parsePoolId('c'.repeat(32))];
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(addressKeyOf);
  const client = fc.nat(7).map(idOf);
  const message: fc.Arbitrary<ClientFrame | 'garbage'> = fc.oneof(
    fc.constantFrom(...names).map((room) => ({ kind: 'enter' as const, room })),
    fc.option(client, { nil: null }).map((to) => ({ kind: 'forward' as const, to, envelope: ENVELOPE })),
    fc.constant({ kind: 'ping' as const }),
    fc.constant('garbage' as const),
  );
  const step = fc.record({
    id: client,
    act: fc.oneof(message, fc.constantFrom('connect' as const, 'leave' as const, 'deadline' as const)),
    waitMs: fc.nat(20_000),
  });

  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { rooms, clock, raw, send, connect, leave } = desk(limits);
      const open = new Set<ConnectionId>();
      const inRoom = new Map<ConnectionId, PoolId>();

      for (const { id, act, waitMs } of steps) {
        clock.nowMs += waitMs;
        let effects: RoomsEffect[] = [];
        if (act === 'connect') {
          // The sockets never give one id to two connections.
          if (!open.has(id)) effects = connect(id, addresses[Number.parseInt(id.slice(-2), 16) % 3]);
          open.add(id);
        } else if (act === 'leave') {
          effects = leave(id);
          open.delete(id);
          inRoom.delete(id);
        } else if (act === 'deadline') effects = rooms.handle(clock.nowMs, { kind: 'deadline' });
        else if (act === 'garbage') effects = raw(id, Uint8Array.of(0xff));
        else effects = send(id, act);

        for (const effect of effects) {
          if (effect.kind === 'close') inRoom.delete(effect.id);
          if (effect.kind !== 'send') continue;
          const { frame, to } = effect;
          if (frame.kind === 'entered' && typeof act === 'object' && act.kind === 'enter')
            inRoom.set(id, act.room);
          if (frame.kind === 'envelope') {
            for (const receiver of to) expect(inRoom.get(receiver)).toBe(inRoom.get(frame.from));
            expect(to).not.toContain(frame.from);
          }
          for (const receiver of to) expect(open).toContain(receiver);
        }

        const sizes = names.map((name) => [...inRoom.values()].filter((room) => room === name).length);
        expect(Math.max(...sizes)).toBeLessThanOrEqual(limits.roomClients);
        expect(rooms.snapshot()).toEqual({
          clients: open.size,
          rooms: sizes.filter((size) => size > 0).length,
        });
        expect(rooms.snapshot().rooms).toBeLessThanOrEqual(limits.rooms);
      }
      for (const id of open) leave(id);
      expect(rooms.snapshot()).toEqual({ clients: 0, rooms: 0 });
    }),
    { numRuns: 300 },
  );
});
