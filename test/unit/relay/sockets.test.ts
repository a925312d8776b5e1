// The real relay over real sockets: joining, forwarding, every way of misbehaving, and stopping.

import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { encode } from '@ipld/dag-cbor';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import type { Relay } from '../../../signaling/relay.ts';
import { MAX_ENVELOPE_BYTES, MAX_RELAY_FRAME_BYTES } from '../../../src/core/model/limits.ts';
import { encodeClientFrame, RELAY_CLOSE, RELAY_SUBPROTOCOL } from '../../../src/core/wire/relay-protocol.ts';
import { authorityOf, link, RelayClient, ROOM_A, ROOM_B, testRelay } from '../../fixtures/relay-fixture.ts';

const ENVELOPE = Uint8Array.of(1, 2, 3);

describe('a room', () => {
  test('entering, forwarding to all and to one, departing', async () => {
    const relay = await testRelay();
    const first = await RelayClient.enter(relay, ROOM_A);
    const second = await RelayClient.enter(relay, ROOM_A);
    const third = await RelayClient.enter(relay, ROOM_A);
    expect(first.others).toEqual([]);
    expect(second.others).toEqual([first.id]);
    expect(third.others).toEqual([first.id, second.id]);
    expect(await first.heardSoFar()).toEqual([
      { kind: 'arrived', id: second.id },
      { kind: 'arrived', id: third.id },
    ]);
    expect(await second.next()).toEqual({ kind: 'arrived', id: third.id });

    first.send({ kind: 'forward', to: null, envelope: ENVELOPE });
    const fromFirst = { kind: 'envelope', from: first.id, envelope: ENVELOPE };
    expect(await second.next()).toEqual(fromFirst);
    expect(await third.next()).toEqual(fromFirst);

    const large = new Uint8Array(randomBytes(MAX_ENVELOPE_BYTES));
    second.send({ kind: 'forward', to: third.id, envelope: large });
    expect(await third.next()).toEqual({ kind: 'envelope', from: second.id, envelope: large });

    third.socket.close();
    expect(await first.next()).toEqual({ kind: 'departed', id: third.id });
    expect(await second.next()).toEqual({ kind: 'departed', id: third.id });
    expect(await first.heardSoFar()).toEqual([]);
  });

  test('hears nothing of another room, even by connection id', async () => {
    const relay = await testRelay();
    const inside = await RelayClient.enter(relay, ROOM_A);
    const stranger = await RelayClient.enter(relay, ROOM_B);
    expect(stranger.others).toEqual([]);
    stranger.send({ kind: 'forward', to: null, envelope: ENVELOPE });
    stranger.send({ kind: 'forward', to: inside.id, envelope: ENVELOPE });
    await stranger.heardSoFar(); // the relay has seen both by now
    stranger.socket.terminate();
    await stranger.closed;
    expect(await inside.heardSoFar()).toEqual([]);
  });

  test('a page of an older version is told to reload, and does not enter', async () => {
    const relay = await testRelay();
    const inside = await RelayClient.enter(relay, ROOM_A);
    for (const subprotocols of [[], ['palm.1'], ['palm.3']]) {
      const url = `ws://localhost:${relay.httpPort}/relay`;
      const old = new RelayClient(url, { family: 4 }, subprotocols);
      // A client whose subprotocols are all refused ends the handshake.
      old.socket.on('error', () => undefined);
      const { code, reason } = await old.closed;
      if (subprotocols.length === 0) expect({ code, reason }).toEqual(RELAY_CLOSE.outdated);
    }
    expect(RELAY_CLOSE.outdated.reason).toContain('reload it to update');
    const both = new RelayClient(`ws://localhost:${relay.httpPort}/relay`, { family: 4 }, [
      'palm.3',
      RELAY_SUBPROTOCOL,
    ]);
    await both.opened();
    expect(await inside.heardSoFar()).toEqual([]);
  });

  test('a broken connection is a departure', async () => {
    const relay = await testRelay();
    const witness = await RelayClient.enter(relay, ROOM_A);
    const raw = await rawSocket(relay);
    raw.write(masked(0x82, encodeClientFrame({ kind: 'enter', room: ROOM_A })));
    const arrived = await witness.next();
    raw.write(Buffer.of(0x82, 0xfe)); // half a frame header
    raw.resetAndDestroy();
    expect(await witness.next()).toEqual({ ...arrived, kind: 'departed' });
  });

  test('over TLS, for every name that the certificate carries', async () => {
    const relay = await testRelay();
    const ca = await authorityOf(relay);
    const first = new RelayClient(`wss://127.0.0.1:${relay.httpsPort}/relay`, { ca });
    await first.opened();
    first.send({ kind: 'enter', room: ROOM_A });
    expect(await first.next()).toMatchObject({ kind: 'entered', others: [] });
    const second = new RelayClient(`wss://localhost:${relay.httpsPort}/relay`, { ca, family: 4 });
    await second.opened();
    second.send({ kind: 'enter', room: ROOM_A });
    expect(await first.next()).toMatchObject({ kind: 'arrived' });

    const distrustful = new RelayClient(`wss://127.0.0.1:${relay.httpsPort}/relay`);
    await expect(distrustful.opened()).rejects.toThrow(/certificate/);
  });
});

describe('a malformed message closes its sender, with a code and a reason, and nobody else', () => {
  const { badMessage, messageTooLarge } = RELAY_CLOSE;
  const text = (socket: WebSocket) => socket.send('{"v":1,"kind":"ping"}');
  const cbor = (value: unknown) => (socket: WebSocket) => socket.send(encode(value));
  const bytes = (value: Uint8Array) => (socket: WebSocket) => socket.send(value);

  test.each([
    ['text', badMessage, text],
    ['nothing at all', badMessage, bytes(new Uint8Array())],
    ['random bytes', badMessage, bytes(randomBytes(200))],
    ['a cut frame', badMessage, bytes(encodeClientFrame({ kind: 'ping' }).subarray(0, 6))],
    [
      'two frames in one',
      badMessage,
      bytes(Buffer.concat([encodeClientFrame({ kind: 'ping' }), Buffer.of(0)])),
    ],
    ['a list', badMessage, cbor([1, 'ping'])],
    ['an unknown kind', badMessage, cbor({ v: 1, kind: 'shout' })],
    ["the relay's own kind", badMessage, cbor({ v: 1, kind: 'arrived', id: 'a'.repeat(32) })],
    ['another version', badMessage, cbor({ v: 2, kind: 'ping' })],
    ['one key too many', badMessage, cbor({ v: 1, kind: 'ping', x: 1 })],
    ['an empty envelope', badMessage, cbor({ v: 1, kind: 'forward', to: null, envelope: new Uint8Array() })],
    ['a second room', badMessage, cbor({ v: 1, kind: 'enter', room: ROOM_B })],
    ['a map that sets its prototype', badMessage, cbor({ v: 1, kind: 'ping', ['__proto__']: { x: 1 } })],
    ['nesting to the limit', badMessage, bytes(new Uint8Array(MAX_RELAY_FRAME_BYTES).fill(0x81))],
    ['one byte over the limit', messageTooLarge, bytes(new Uint8Array(MAX_RELAY_FRAME_BYTES + 1))],
    ['megabytes', messageTooLarge, bytes(new Uint8Array(5_000_000))],
  ])('%s', async (_what, expected, misbehave) => {
    const relay = await testRelay();
    const witness = await RelayClient.enter(relay, ROOM_A);
    const friend = await RelayClient.enter(relay, ROOM_A);
    const culprit = await RelayClient.enter(relay, ROOM_A);
    await witness.heardSoFar();
    misbehave(culprit.socket);
    expect(await culprit.closed).toEqual(expected);
    expect(await witness.next()).toEqual({ kind: 'departed', id: culprit.id });
    friend.send({ kind: 'forward', to: witness.id, envelope: ENVELOPE });
    expect(await witness.next()).toEqual({ kind: 'envelope', from: friend.id, envelope: ENVELOPE });
  });

  test('a message before entering', async () => {
    const relay = await testRelay();
    const client = await RelayClient.open(relay);
    client.send({ kind: 'forward', to: null, envelope: ENVELOPE });
    expect(await client.closed).toEqual(badMessage);
  });

  test.each([
    ['an unmasked frame', Buffer.of(0x82, 0x01, 0x00), 1002],
    ['a reserved opcode', masked(0x83, Buffer.of(1)), 1002],
    ['a reserved bit', masked(0xc2, Buffer.of(1)), 1002],
    ['a fragmented ping', masked(0x09, Buffer.of(1)), 1002],
    ['a continuation of nothing', masked(0x80, Buffer.of(1)), 1002],
    ['text that is not UTF-8', masked(0x81, Buffer.of(0xff, 0xfe)), 1007],
    ['a frame of 2^62 bytes', Buffer.of(0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 1009],
  ])('bytes that are no WebSocket message: %s', async (_what, sent, code) => {
    const relay = await testRelay();
    const witness = await RelayClient.enter(relay, ROOM_A);
    const raw = await rawSocket(relay);
    raw.write(sent);
    const close = await closeFrame(raw);
    expect(close.code).toBe(code === 1009 ? messageTooLarge.code : code);
    expect(close.reason).not.toBe('');
    expect(await witness.heardSoFar()).toEqual([]);
  });
});

describe('bounds', () => {
  test('too many messages a second', async () => {
    const relay = await testRelay({ limits: { frameBurst: 50, framesPerSecond: 1 } });
    const witness = await RelayClient.enter(relay, ROOM_A);
    const flooder = await RelayClient.enter(relay, ROOM_A);
    for (let sent = 0; sent < 100; sent += 1) flooder.send({ kind: 'ping' });
    expect(await flooder.closed).toEqual(RELAY_CLOSE.tooFast);
    expect(await witness.next()).toEqual({ kind: 'arrived', id: flooder.id });
    expect(await witness.next()).toEqual({ kind: 'departed', id: flooder.id });
  });

  test('too many bytes a second, and too many WebSocket pings', async () => {
    const relay = await testRelay({
      limits: { frameBurst: 50, framesPerSecond: 1, byteBurst: 100_000, bytesPerSecond: 1 },
    });
    const heavy = await RelayClient.enter(relay, ROOM_A);
    const pinging = await RelayClient.enter(relay, ROOM_A);
    const envelope = new Uint8Array(MAX_ENVELOPE_BYTES);
    for (let sent = 0; sent < 4; sent += 1) heavy.send({ kind: 'forward', to: null, envelope });
    expect(await heavy.closed).toEqual(RELAY_CLOSE.tooFast);
    for (let sent = 0; sent < 60; sent += 1) pinging.socket.ping();
    expect(await pinging.closed).toEqual(RELAY_CLOSE.tooFast);
  });

  test('a WebSocket ping is answered, once', async () => {
    const relay = await testRelay();
    const client = await RelayClient.open(relay);
    const answers: string[] = [];
    client.socket.on('pong', (data) => answers.push(data.toString()));
    client.socket.ping('hello');
    await client.heardSoFar();
    expect(answers).toEqual(['hello']);
  });

  test('clients in a room, rooms, and clients altogether', async () => {
    const relay = await testRelay({ limits: { roomClients: 2, rooms: 1, clients: 3 } });
    const first = await RelayClient.enter(relay, ROOM_A);
    const second = await RelayClient.enter(relay, ROOM_A);
    await link(first, second);
    const third = await RelayClient.open(relay);
    third.send({ kind: 'enter', room: ROOM_A });
    expect(await third.closed).toEqual(RELAY_CLOSE.roomFull);

    const stranger = await RelayClient.open(relay);
    stranger.send({ kind: 'enter', room: ROOM_B });
    expect(await stranger.closed).toEqual(RELAY_CLOSE.tooManyRooms);

    const unproved = await RelayClient.open(relay);
    const next = await RelayClient.open(relay);
    expect(await unproved.closed).toEqual(RELAY_CLOSE.relayFull);
    next.socket.close();

    second.socket.close();
    await second.closed;
    expect((await RelayClient.enter(relay, ROOM_A)).others).toHaveLength(1);
  });

  test('no sign of life', async () => {
    const relay = await testRelay({ limits: { heartbeatMs: 150 } });
    const lively = await RelayClient.enter(relay, ROOM_A);
    const dead = await RelayClient.enter(relay, ROOM_A, { autoPong: false });
    expect(await dead.closed).toEqual(RELAY_CLOSE.idle);
    expect(await lively.heardSoFar()).toEqual([
      { kind: 'arrived', id: dead.id },
      { kind: 'departed', id: dead.id },
    ]);
  });

  test('never entering a room', async () => {
    const relay = await testRelay({ limits: { heartbeatMs: 50, enterMs: 80 } });
    const client = await RelayClient.open(relay);
    expect(await client.closed).toEqual(RELAY_CLOSE.idle);
  });

  test('a client that does not read', async () => {
    const relay = await testRelay({
      limits: { bufferedBytes: 500_000, byteBurst: 1e12, frameBurst: 1e9 },
    });
    const talker = await RelayClient.enter(relay, ROOM_A);
    const deaf = await RelayClient.enter(relay, ROOM_A);
    expect(await talker.next()).toEqual({ kind: 'arrived', id: deaf.id });
    deaf.socket.pause();
    const envelope = new Uint8Array(MAX_ENVELOPE_BYTES);
    const heard = [];
    // The system's own buffers take some megabytes first; each round waits until the relay has taken it.
    while (heard.length === 0) {
      for (let sent = 0; sent < 16; sent += 1) talker.send({ kind: 'forward', to: null, envelope });
      heard.push(...(await talker.heardSoFar()));
    }
    expect(heard).toEqual([{ kind: 'departed', id: deaf.id }]);
    deaf.socket.resume();
    // 1006: cut before it caught up.
    expect([RELAY_CLOSE.tooSlow.code, 1006]).toContain((await deaf.closed).code);
  });
});

describe('unfinished messages', () => {
  const { unfinished, relayBusy } = RELAY_CLOSE;

  test('a message in too many parts, even empty ones', async () => {
    const relay = await testRelay();
    const witness = await RelayClient.enter(relay, ROOM_A);
    const raw = await rawSocket(relay);
    raw.write(Buffer.concat([masked(0x02, Buffer.of(1)), ...Array(100).fill(masked(0x00, Buffer.alloc(0)))]));
    expect(await closeFrame(raw)).toEqual(unfinished);
    expect(await witness.heardSoFar()).toEqual([]);
  });

  test('a message in the most parts allowed is accepted', async () => {
    const relay = await testRelay({ limits: { messageFragments: 4 } });
    const raw = await rawSocket(relay);
    const witness = await RelayClient.enter(relay, ROOM_A);
    const bytes = encodeClientFrame({ kind: 'enter', room: ROOM_A });
    const parts = [0, 1, 2, 3].map((index) =>
      masked(
        index === 0 ? 0x02 : index === 3 ? 0x80 : 0x00,
        bytes.subarray(index * 20, index === 3 ? undefined : (index + 1) * 20),
      ),
    );
    raw.write(Buffer.concat(parts));
    expect(await witness.next()).toMatchObject({ kind: 'arrived' });
  });

  test('a message that does not end in time is cut; one that does, and pings, stay', async () => {
    const relay = await testRelay({ limits: { messageMs: 100 } });
    const lively = await RelayClient.enter(relay, ROOM_A);
    const raw = await rawSocket(relay);
    raw.write(masked(0x89, Buffer.of(1)));
    raw.write(masked(0x02, Buffer.of(1)));
    expect(await closeFrame(raw, 0x8a)).toEqual(unfinished);
    lively.socket.ping();
    expect(await lively.heardSoFar()).toEqual([]);
  });

  test('messages that cost too much', async () => {
    const relay = await testRelay({ limits: { messageBytes: 20_000 } });
    const raw = await rawSocket(relay);
    raw.write(Buffer.concat([Buffer.of(0x82, 0xfe, 0x90, 0, 0, 0, 0, 0), Buffer.alloc(30_000)]));
    expect(await closeFrame(raw)).toEqual(unfinished);
  });

  test('when all together cost too much, the largest of the address with most goes first', async () => {
    const relay = await testRelay({ limits: { heldBytes: 100_000 } });
    const honest = await RelayClient.enter(relay, ROOM_A, { localAddress: '127.0.0.2' });
    const half = Buffer.concat([Buffer.of(0x82, 0xfe, 0x90, 0, 0, 0, 0, 0), Buffer.alloc(30_000)]);
    const attackers = await Promise.all([1, 2, 3, 4].map(() => rawSocket(relay)));
    const ends = attackers.map((raw) => closeFrame(raw).catch(() => undefined));
    for (const raw of attackers) raw.write(half);
    expect(
      await Promise.any(ends.map(async (end) => (await end) ?? Promise.reject(new Error('cut')))),
    ).toEqual(relayBusy);
    expect(await honest.heardSoFar()).toEqual([]);
  });
});

describe('who may open a socket', () => {
  const refused = (relay: Relay, headers: Record<string, string>, path = '/relay') =>
    expect(new RelayClient(`ws://127.0.0.1:${relay.httpPort}${path}`, { headers }).opened()).rejects;

  test('pages of the relay itself, and programs', async () => {
    const relay = await testRelay();
    const own = `http://localhost:${relay.httpPort}`;
    await RelayClient.enter(relay, ROOM_A);
    await RelayClient.enter(relay, ROOM_A, { headers: { Origin: own } });
    const ca = await authorityOf(relay);
    const secure = new RelayClient(`wss://127.0.0.1:${relay.httpsPort}/relay`, {
      ca,
      headers: { Origin: `https://127.0.0.1:${relay.httpsPort}` },
    });
    await secure.opened();
  });

  test('no page of another origin', async () => {
    const relay = await testRelay();
    const { httpPort, httpsPort } = relay;
    for (const origin of [
      'https://evil.example',
      `https://127.0.0.1:${httpPort}`,
      `http://127.0.0.1:${httpsPort}`,
      `http://localhost:${httpPort}`,
      'http://127.0.0.1',
      'null',
      'nonsense',
      '',
    ]) {
      await refused(relay, { Origin: origin }).toThrow('403');
    }
  });

  test('no page that points a name of its own at this machine', async () => {
    const relay = await testRelay();
    const host = `evil.example:${relay.httpPort}`;
    await refused(relay, { Host: host, Origin: `http://${host}` }).toThrow('421');
    await refused(relay, { Host: 'localhost@evil.example' }).toThrow('421');
  });

  test('nobody from elsewhere without TLS, and nobody on another path', async () => {
    const relay = await testRelay();
    await refused(relay, { Host: `192.168.7.7:${relay.httpPort}` }).toThrow('403');
    await refused(relay, {}, '/').toThrow('404');
    await refused(relay, {}, '/relay/').toThrow('404');
  });
});

describe('stopping', () => {
  test('tells everyone why, and ends half-made connections', async () => {
    const relay = await testRelay();
    const client = await RelayClient.enter(relay, ROOM_A);
    const idle = await RelayClient.open(relay);
    const halfMade = connectTls({ host: '127.0.0.1', port: relay.httpsPort, rejectUnauthorized: false });
    const isCut = new Promise((resolve) => halfMade.once('close', resolve));
    halfMade.on('error', () => undefined);
    await new Promise((resolve) => halfMade.once('secureConnect', resolve));
    await Promise.all([relay.close(), relay.close()]);
    expect(await client.closed).toEqual(RELAY_CLOSE.goingAway);
    expect(await idle.closed).toEqual(RELAY_CLOSE.goingAway);
    await isCut;
    await expect(RelayClient.open(relay)).rejects.toThrow('ECONNREFUSED');
  });

  test('does not wait for a client that does not answer', async () => {
    const relay = await testRelay();
    const raw = await rawSocket(relay);
    raw.pause();
    await relay.close();
    raw.destroy();
  });
});

/** A WebSocket whose handshake is done and whose bytes are the test's to write. */
function rawSocket(relay: Relay): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Protocol': RELAY_SUBPROTOCOL,
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    };
    const opening = request({ host: '127.0.0.1', port: relay.httpPort, path: '/relay', headers });
    opening.on('upgrade', (_response, socket) => {
      socket.on('error', () => undefined); // a reset by the relay is one of the ends that tests look for
      resolve(socket);
    });
    opening.on('error', reject);
    opening.end();
  });
}

/** A short WebSocket frame with an all-zero mask (RFC 6455, section 5.2). */
function masked(first: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(first, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

/**
 * The first frame that the relay sends on `socket`, which must be a close frame; one with `before` may
 * precede it.
 */
async function closeFrame(socket: Socket, before?: number): Promise<{ code: number; reason: string }> {
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk]);
    if (received[0] === before) received = received.subarray(2 + (received[1] ?? 0));
    const length = received[1];
    if (length === undefined || received.length < length + 2) continue;
    expect(received[0]).toBe(0x88);
    return { code: received.readUInt16BE(2), reason: received.toString('utf8', 4, 2 + length) };
  }
  throw new Error('The relay cut the connection without a close frame.');
}
