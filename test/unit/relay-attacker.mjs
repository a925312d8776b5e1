// An attacker of the relay, as a process of its own: `node relay-attacker.mjs KIND PORT SIZE ADDRESS...`
//
// It attacks 127.0.0.1:PORT from the given addresses in turn, in SIZE pieces, prints `at full size` once all pieces were
// begun, and keeps what it took until it is killed. What the relay cuts it opens again, a bounded number of times.
// Nothing but node:net: what it sends is bytes.

import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

/** @typedef {import('node:net').Socket} Socket */

const [kind = '', port = '', size = '', ...addresses] = process.argv.slice(2);
const LARGE_FILE = '/assets/large-1a2b3c.js';
/** A room's name that others know: see `ROOM_A` of the tests. */
const KNOWN_ROOM = 'a'.repeat(32);
/** Beyond so many connections at once a machine has no ports or descriptors left. */
const MAX_AT_ONCE = 200;

let opened = 0;

/** @type {Record<string, () => Promise<unknown>>} */
const ATTACKS = {
  // Requests without end on one connection, none of whose answers is read; cut as soon as they are sent.
  'pipelined, then closed': async () => {
    const socket = await open();
    socket.pause();
    await written(socket, pipelined(500));
    socket.destroy();
  },
  'pipelined, never read': async () => {
    const socket = await open();
    socket.pause();
    await written(socket, pipelined(500));
  },
  'one answer each, never read, over TLS': async () => {
    const socket = await openTls();
    socket.pause();
    await written(socket, pipelined(1));
  },
  // Headers that begin and do not end.
  'half a request': async () => {
    const socket = await open();
    await written(socket, `GET / HTTP/1.1\r\nHost: localhost:${port}\r\nX-Slow: ${'a'.repeat(8_000)}`);
    stayOpen(socket, 2);
  },
  'silence instead of a TLS handshake': async () => {
    stayOpen(await open(), 2);
  },
  'a TLS handshake that stops after its first message': async () => {
    const socket = await open();
    await written(socket, await clientHello());
    socket.resume();
    stayOpen(socket, 2);
  },
  // A message whose parts never end: empty ones, which `maxPayload` does not see.
  'endless parts': async () => {
    const socket = await openWebSocket();
    const parts = Buffer.concat(Array.from({ length: 8_192 }, () => frame(0x00, Buffer.alloc(0))));
    await written(socket, frame(0x02, Buffer.alloc(1)));
    for (let round = 0; round < 4 && !socket.destroyed; round += 1) await written(socket, parts);
  },
  // Parts of one byte, each in a packet with 60 kB of pings that are done with.
  'parts in large packets': async () => {
    const socket = await openWebSocket();
    const pings = Buffer.concat(Array.from({ length: 400 }, () => frame(0x89, Buffer.alloc(125))));
    await written(socket, frame(0x02, Buffer.alloc(1)));
    for (let round = 0; round < 64 && !socket.destroyed; round += 1) {
      await written(socket, Buffer.concat([pings, frame(0x00, Buffer.alloc(1))]));
    }
  },
  'messages that stop before their end': async () => {
    const socket = await openWebSocket();
    const whole = frame(0x82, Buffer.alloc(40_000));
    for (let at = 0; at + 500 < whole.length; at += 500) await written(socket, whole.subarray(at, at + 500));
  },
  // Two clients that write to each other, of which one does not read.
  'a client that is written to and does not read': async () => {
    const room = randomBytes(16).toString('hex');
    const deaf = await enter(room);
    deaf.pause();
    const talker = await enter(room);
    const envelope = frame(0x82, cbor({ v: 1, kind: 'forward', to: null, envelope: Buffer.alloc(30_000) }));
    for (let sent = 0; sent < 200 && !talker.destroyed; sent += 1) await written(talker, envelope);
  },
  'pings without end': async () => {
    const socket = await enter(randomBytes(16).toString('hex'));
    const pings = Buffer.concat(
      Array.from({ length: 1_000 }, () => frame(0x82, cbor({ v: 1, kind: 'ping' }))),
    );
    for (let round = 0; round < 20 && !socket.destroyed; round += 1) await written(socket, pings);
    reopen('pings without end', 1);
  },
  'a room each': async () => {
    const socket = await enter(randomBytes(16).toString('hex'));
    socket.once('close', () => reopen('a room each', 2));
  },
  'a room whose name it knows': async () => {
    const socket = await enter(KNOWN_ROOM);
    socket.once('close', () => reopen('a room whose name it knows', 2));
  },
};

await main();

async function main() {
  const attack = ATTACKS[kind];
  if (attack === undefined) throw new Error(`There is no attack "${kind}".`);
  let begun = 0;
  const next = async () => {
    while (begun < Number(size)) {
      begun += 1;
      await attack().catch(() => undefined); // refused or cut: what the relay should do
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_AT_ONCE, Number(size)) }, next));
  console.log('at full size');
  setInterval(() => undefined, 1_000_000); // until it is killed
}

/** Begins one more piece, as long as there were at most `factor` times as many as the attack's size. */
function reopen(/** @type {string} */ again, /** @type {number} */ factor) {
  if (opened < factor * Number(size)) ATTACKS[again]?.().catch(() => undefined);
}

function stayOpen(/** @type {Socket} */ socket, /** @type {number} */ factor) {
  socket.once('close', () => reopen(kind, factor));
}

function address() {
  opened += 1;
  return addresses[opened % addresses.length] ?? '127.0.0.1';
}

/** @returns {Promise<Socket>} */
function open() {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress: address() });
    socket.once('connect', () => resolve(socket));
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('cut')));
  });
}

/** @returns {Promise<Socket>} */
function openTls() {
  return new Promise((resolve, reject) => {
    const raw = connect({ host: '127.0.0.1', port: Number(port), localAddress: address() });
    raw.on('error', reject);
    const socket = connectTls({ socket: raw, rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(socket));
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('cut')));
  });
}

/** @returns {Promise<Buffer>} */
function clientHello() {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write(bytes, _encoding, done) {
        resolve(bytes);
        done();
      },
    });
    connectTls({ socket: wire, rejectUnauthorized: false }).on('error', () => undefined);
  });
}

/** @returns {Promise<Socket>} */
async function openWebSocket() {
  const socket = await open();
  await written(
    socket,
    `GET /relay HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Protocol: palm.2\r\n' +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  await new Promise((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('close', () => reject(new Error('cut')));
  });
  socket.resume();
  return socket;
}

async function enter(/** @type {string} */ room) {
  const socket = await openWebSocket();
  await written(socket, frame(0x82, cbor({ v: 1, kind: 'enter', room })));
  return socket;
}

/** Resolves when the system has taken the bytes, or the connection is gone, or nobody takes them for a second. */
function written(/** @type {Socket} */ socket, /** @type {string | Buffer} */ bytes) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 1_000);
    const done = () => {
      clearTimeout(timer);
      socket.off('close', done);
      resolve(undefined);
    };
    socket.once('close', done);
    socket.write(bytes, done);
  });
}

function pipelined(/** @type {number} */ count) {
  return `GET ${LARGE_FILE} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`.repeat(count);
}

/** A WebSocket frame with an all-zero mask (RFC 6455, section 5.2). */
function frame(/** @type {number} */ first, /** @type {Buffer} */ payload) {
  const { length } = payload;
  const header = length < 126 ? [first, 0x80 | length] : [first, 0xfe, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(...header, 0, 0, 0, 0), payload]);
}

/** As much of DAG-CBOR as the frames need: keys in its order, by length and then by byte. */
function cbor(/** @type {Record<string, string | number | null | Buffer>} */ fields) {
  const keys = Object.keys(fields).toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const parts = keys.flatMap((key) => [cborText(key), cborValue(fields[key] ?? null)]);
  return Buffer.concat([Buffer.of(0xa0 | keys.length), ...parts]);
}

function cborValue(/** @type {string | number | null | Buffer} */ value) {
  if (value === null) return Buffer.of(0xf6);
  if (typeof value === 'number') return Buffer.of(value);
  if (typeof value === 'string') return cborText(value);
  return Buffer.concat([Buffer.of(0x59, value.length >> 8, value.length & 0xff), value]);
}

function cborText(/** @type {string} */ text) {
  const head = text.length < 24 ? [0x60 | text.length] : [0x78, text.length];
  return Buffer.concat([Buffer.of(...head), Buffer.from(text)]);
}
