// Clients that mean harm, or do not know better: paths that are no paths, connections that do nothing, and
// clients that stop in the middle. Somebody else is served meanwhile.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatewayWorld } from '../../../fixtures/gateway-world.ts';

let world: GatewayWorld;
let token: string;

beforeEach(async () => {
  world = new GatewayWorld();
  await world.open();
  token = world.token('read', 'add');
});

afterEach(() => world.end());

describe('a path', () => {
  it.each([
    '/f/../etc/passwd',
    '/f/%2e%2e/etc/passwd',
    '/f/..%2fetc%2fpasswd',
    '/f/a%2fb',
    '/f/a%2Fb',
    '/f/a%5cb',
    '/f/a\\b',
    '/f/a%00b',
    '/f/a%0d%0ab',
    '/f/%',
    '/f/%ff',
    '/f/%c0%ae%c0%ae/x',
    '/f/.',
    '/f//a',
    '//evil.test/f/a',
    `/f/${'a'.repeat(17_000)}`,
    'http://evil.test/f/',
    '*',
  ])('%.40s names nothing, for reading and for writing', async (path) => {
    world.put('passwd', 'secret', { path: '../etc' });
    for (const method of ['GET', 'PUT']) {
      const told = await world.raw(`${method} ${path} HTTP/1.1\r\n${headers()}Content-Length: 0\r\n\r\n`);
      expect(told).toMatch(/^HTTP\/1\.1 40[04] /u);
      expect(told).not.toContain('secret');
    }
    expect(world.files).toHaveLength(1);
    expect(world.reads).toEqual([]);
  });
});

it('refuses headers that are too long, and goes on', async () => {
  expect(await world.raw(`GET /f/ HTTP/1.1\r\n${headers()}X: ${'x'.repeat(64_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 431 /u,
  );
  expect((await world.ask('/f/', token)).status).toBe(200);
});

it.each([
  ['that is no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 /u],
  ['without a host', 'GET /f/ HTTP/1.1\r\nConnection: close\r\n\r\n', /^HTTP\/1\.1 400 /u],
  ['of HTTP 1.0 without a host', 'GET /f/ HTTP/1.0\r\n\r\n', /^HTTP\/1\.1 421 /u],
  [
    'of two lengths',
    'PUT /f/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    /^HTTP\/1\.1 400 /u,
  ],
])('refuses a request %s', async (_what, request, refusal) => {
  expect(await world.raw(request)).toMatch(refusal);
});

it('takes no body from who may not store, however long it is', async () => {
  const socket = world.socket();
  socket.on('error', () => undefined); // it is cut off while it sends
  socket.write(`PUT /f/a HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nContent-Length: 1000000000000\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 401 [^]*\r\nConnection: close\r\n/u);
  await once(socket, 'close');
  expect(world.spooled()).toEqual([]);
});

it('serves others while a thousand connections do nothing', async () => {
  const { fileId } = world.put('a.txt', 'abc');
  await world.open({ maxConnections: 100 });
  const sockets = Array.from({ length: 1_000 }, () => world.socket());
  const manyClosed = new Promise<void>((resolve) => {
    let closedCount = 0;
    for (const socket of sockets) socket.once('close', () => ++closedCount === 900 && resolve());
  });
  const idle = await Promise.all(sockets.map(connected));
  const { status, body } = await world.ask(`/f/${fileId}/a.txt`, token);
  expect([status, String(body)]).toEqual([200, 'abc']);
  await manyClosed;
  for (const socket of idle) socket.destroy();
});

it('does not give up a file that is being sent for connections that do nothing', async () => {
  const bytes = new Uint8Array(30_000_000).fill(7);
  const { fileId } = world.put('a.bin', bytes);
  await world.open({ maxConnections: 10 });
  const socket = await connected(world.socket());
  socket.write(`GET /f/${fileId}/a.bin HTTP/1.1\r\n${headers()}Connection: close\r\n\r\n`);
  await once(socket, 'readable');
  const idle = await Promise.all(Array.from({ length: 50 }, () => connected(world.socket())));
  let byteCount = 0;
  for await (const chunk of socket) byteCount += (chunk as Buffer).length;
  expect(byteCount).toBeGreaterThan(bytes.length);
  for (const each of idle) each.destroy();
});

it('ends connections that do not finish their headers', async () => {
  await world.open({ headersMs: 100 });
  const socket = world.socket();
  socket.write('GET /f/ HTTP/1.1\r\nHost: ');
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 408 /u);
});

it('cuts off a client that stops reading, and ends its read of the pool', async () => {
  const { fileId } = world.put('a.bin', new Uint8Array(30_000_000));
  await world.open({ stallMs: 100 });
  const cancelled = world.cancelled();
  const socket = await connected(world.socket());
  socket.pause();
  socket.write(`GET /f/${fileId}/a.bin HTTP/1.1\r\n${headers()}\r\n`);
  await cancelled;
  socket.destroy();
});

it('ends the read of a client that goes away', async () => {
  const { fileId } = world.put('a.bin', new Uint8Array(30_000_000));
  const cancelled = world.cancelled();
  const socket = await connected(world.socket());
  socket.write(`GET /f/${fileId}/a.bin HTTP/1.1\r\n${headers()}\r\n`);
  await once(socket, 'readable');
  socket.destroy();
  await cancelled;
});

it('cuts off a client that stops sending, and keeps nothing of it', async () => {
  await world.open({ stallMs: 100 });
  const socket = world.socket();
  socket.write(`PUT /f/a HTTP/1.1\r\n${headers()}Content-Length: 100\r\n\r\nhalf`);
  await once(socket, 'close');
  await expect.poll(() => world.spooled()).toEqual([]);
  expect(world.files).toEqual([]);
});

it('reads no more of the pool than a client takes', async () => {
  const { fileId } = world.put('a.bin', new Uint8Array(30_000_000));
  const socket = await connected(world.socket());
  socket.write(`GET /f/${fileId}/a.bin HTTP/1.1\r\n${headers()}\r\n`);
  await once(socket, 'readable');
  let got = 0;
  while (got < 10_000_000) {
    const chunk: unknown = socket.read();
    if (chunk instanceof Buffer) got += chunk.length;
    else await once(socket, 'readable');
  }
  // What is on its way: two buffers of the system, and the gateway's own.
  expect(world.pulledBytes).toBeLessThan(got + 12_000_000);
  socket.destroy();
});

it('says that it is busy, and has places again after', async () => {
  const { fileId } = world.put('a.bin', new Uint8Array(30_000_000));
  await world.open({ maxBodies: 1 });
  const cancelled = world.cancelled();
  const socket = await connected(world.socket());
  socket.write(`GET /f/${fileId}/a.bin HTTP/1.1\r\n${headers()}\r\n`);
  await once(socket, 'readable');
  const { status, headers: told } = await world.ask(`/f/${fileId}/a.bin`, token, {
    headers: { range: 'bytes=0-0' },
  });
  expect([status, told['retry-after']]).toEqual([503, '2']);
  expect((await world.ask('/f/', token)).status).toBe(200);
  socket.destroy();
  await cancelled;
  const small = async (): Promise<number> =>
    (await world.ask(`/f/${fileId}/a.bin`, token, { headers: { range: 'bytes=0-0' } })).status;
  await expect.poll(small).toBe(206);
});

it('gives no place to requests that wait behind another one, and cuts them off', async () => {
  const { fileId } = world.put('a.bin', new Uint8Array(30_000_000));
  await world.open({ maxBodies: 2 });
  const cancelled = world.cancelled();
  const socket = await connected(world.socket());
  const kept = headers().replace('Connection: close\r\n', '');
  socket.write(`GET /f/${fileId}/a.bin HTTP/1.1\r\n${kept}\r\n`.repeat(30));
  await Promise.all([once(socket, 'close'), cancelled]);
  expect(world.reads.length).toBeLessThan(2);
  const small = async (): Promise<number> =>
    (await world.ask(`/f/${fileId}/a.bin`, token, { headers: { range: 'bytes=0-0' } })).status;
  await expect.poll(small).toBe(206);
});

it('cuts off who asks and never reads the answers', async () => {
  world.put('a'.repeat(200), 'a', { path: 'b'.repeat(200) });
  await world.open({ stallMs: 100 });
  const socket = await connected(world.socket());
  socket.pause();
  const kept = headers().replace('Connection: close\r\n', '');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const ask = setInterval(() => socket.write(`GET /f/ HTTP/1.1\r\n${kept}\r\n`), 1);
  await closed;
  clearInterval(ask);
});

function headers(): string {
  return `Host: 127.0.0.1:${world.port}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n`;
}

async function connected(socket: Socket): Promise<Socket> {
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}
