// One origin that serves an older version of the app, frozen by test/fixtures/freeze-app.mjs, or the current
// app: so one can write a browser's storage and the other open it, and both can meet in one pool. The relay
// is the real one; this is only a reverse proxy in front of it.

import { readFile } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { extname } from 'node:path';
import type { Duplex } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { RELAY_SUBPROTOCOL } from '../../src/core/wire/relay-protocol.ts';

export interface FrozenOrigin {
  /** The app's address, with the final slash. */
  readonly app: string;
  /** From now on this origin serves the current app. */
  update(): void;
  stop(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** The relay's headers that a service worker's copies need, or later pages may not load them. */
const HEADERS = {
  'cache-control': 'no-cache',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * Serves the app of protocol `protocol`; its WebSockets, and after `update` all requests, go to the relay at
 * `relayApp`. With `isOldRelay`, pages that offer no subprotocol are accepted, as the relay of that version
 * did.
 */
export async function serveFrozenApp(
  protocol: number,
  relayApp: string,
  { isOldRelay = false } = {},
): Promise<FrozenOrigin> {
  const files = await frozenFiles(protocol);
  const relay = new URL(relayApp);
  const sockets = new Set<Duplex>();
  let isFrozen = true;
  const server = createServer((incoming, response) => {
    if (isFrozen) serveFile(files, incoming, response);
    else forward(relay, incoming, response);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    tunnel(relay, incoming, socket, head, isOldRelay);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a listening TCP server has one
  return {
    app: `http://localhost:${port}/`,
    update() {
      isFrozen = false;
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function frozenFiles(protocol: number): Promise<ReadonlyMap<string, Buffer>> {
  const packed = await readFile(new URL(`../fixtures/app-of-protocol-${protocol}.json.gz`, import.meta.url));
  const files: unknown = JSON.parse(gunzipSync(packed).toString('utf8'));
  if (typeof files !== 'object' || files === null) throw new Error('A frozen app is a map of files.');
  return new Map(
    Object.entries(files).map(([path, content]) => [`/${path}`, Buffer.from(content, 'base64')]),
  );
}

function serveFile(
  files: ReadonlyMap<string, Buffer>,
  { url = '/' }: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname } = new URL(url, 'http://localhost');
  const path = pathname === '/' ? '/index.html' : pathname;
  const file = files.get(path);
  if (file === undefined) {
    response.writeHead(404).end();
    return;
  }
  const type = TYPES[extname(path)] ?? 'application/octet-stream';
  response.writeHead(200, { ...HEADERS, 'content-type': type }).end(file);
}

function forward(relay: URL, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, url } = incoming;
  const headers = { ...incoming.headers, host: relay.host };
  const outgoing = request(new URL(url ?? '/', relay), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.once('error', () => response.destroy());
  incoming.pipe(outgoing);
}

/** Forwards a WebSocket byte by byte, as if its page came from the relay's own origin. */
function tunnel(
  relay: URL,
  { url, headers, rawHeaders }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  isOldRelay: boolean,
): void {
  const own: Readonly<Record<string, string>> = { host: relay.host, origin: relay.origin };
  const lines = [`GET ${url ?? '/'} HTTP/1.1`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    lines.push(`${name}: ${own[name.toLowerCase()] ?? value}`);
  }
  const vouches = isOldRelay && headers['sec-websocket-protocol'] === undefined;
  if (vouches) lines.push(`Sec-WebSocket-Protocol: ${RELAY_SUBPROTOCOL}`);
  const upstream = connect(Number(relay.port), relay.hostname, () => {
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
    upstream.write(head);
    socket.pipe(upstream);
    if (!vouches) upstream.pipe(socket);
  });
  upstream.once('error', () => socket.destroy());
  upstream.once('close', () => socket.destroy());
  socket.once('error', () => upstream.destroy());
  socket.once('close', () => upstream.destroy());
  if (!vouches) return;
  // The page did not offer the subprotocol, so the answer must not choose it.
  let answer = Buffer.alloc(0);
  const takeHead = (bytes: Buffer): void => {
    answer = Buffer.concat([answer, bytes]);
    const end = answer.indexOf('\r\n\r\n');
    if (end === -1) return;
    upstream.off('data', takeHead);
    const kept = answer.subarray(0, end).toString('latin1').split('\r\n');
    const shown = kept.filter((line) => !line.toLowerCase().startsWith('sec-websocket-protocol:'));
    socket.write(`${shown.join('\r\n')}\r\n\r\n`);
    socket.write(answer.subarray(end + 4));
    upstream.pipe(socket);
  };
  upstream.on('data', takeHead);
}
