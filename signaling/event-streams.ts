// Clients of the rooms without a WebSocket: an iPhone that does not trust the authority yet, a proxy that
// refuses upgrades. What the relay sends comes as server-sent events, what the client sends in POST requests.
//
// Invariants: only who knows a stream's secret, which its first event carries, sends in its name; a stream
// has one request at a time, so its frames keep their order; the bytes that wait in a stream, and in all
// together, are bounded. Frames are counted by the rooms, as those of WebSockets are.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type ConnectionId,
  connectionIdOf,
  encodeRelayFrame,
  RELAY_CLOSE,
  RELAY_EVENTS_PATH,
  RELAY_FRAMES_PATH,
  RELAY_ICE_QUERY,
  type RelayClose,
  type RelayFrame,
  MAX_FRAMES_BYTES,
  splitFrames,
} from '../src/core/wire/relay-protocol.ts';
import type { Connections } from './connections.ts';
import { type Host, isOwnOrigin } from './host.ts';
import type { RelayLimits } from './relay-limits.ts';
import { addressKeyOf } from './remote-address.ts';
import type { RoomsInput } from './rooms.ts';

/** Streams may hold this part of what WebSockets may: few clients need one. */
const HELD_PART = 1 / 8;

interface Stream {
  readonly id: ConnectionId;
  readonly response: ServerResponse;
  readonly address: string | undefined;
  readonly wantsIce: boolean;
  /** The request that brings frames now. */
  taking: IncomingMessage | undefined;
}

export class EventStreams {
  readonly #limits: RelayLimits;
  readonly #connections: Connections;
  readonly #input: (input: RoomsInput) => void;
  /** By their secrets. */
  readonly #bySecret = new Map<string, Stream>();
  readonly #byId = new Map<ConnectionId, { readonly stream: Stream; readonly secret: string }>();
  #isClosing = false;

  constructor(limits: RelayLimits, connections: Connections, input: (input: RoomsInput) => void) {
    this.#limits = limits;
    this.#connections = connections;
    this.#input = input;
  }

  /** Whether the request was one of these; then it is answered. */
  answer(request: IncomingMessage, response: ServerResponse, host: Host, secure: boolean): boolean {
    const path = request.url?.split('?', 1)[0];
    if (path !== RELAY_EVENTS_PATH && path !== RELAY_FRAMES_PATH) return false;
    const isAllowed = (secure || host.loopback) && isOwnOrigin(request.headers.origin, host, secure);
    if (!isAllowed) end(response, 403);
    else if (this.#isClosing) end(response, 503);
    else if (path === RELAY_EVENTS_PATH && request.method === 'GET') this.#open(request, response);
    else if (path === RELAY_FRAMES_PATH && request.method === 'POST') this.#take(request, response);
    else end(response, 405);
    return true;
  }

  /** Whether there is such a stream. */
  send(id: ConnectionId, frame: RelayFrame): boolean {
    const stream = this.#byId.get(id)?.stream;
    if (stream === undefined) return false;
    stream.response.write(`data: ${Buffer.from(encodeRelayFrame(frame)).toString('base64')}\n\n`);
    if (stream.response.writableLength > this.#limits.bufferedBytes) this.#reject(id, RELAY_CLOSE.tooSlow);
    this.#relieve();
    return true;
  }

  /** Whether it understands the frame `ice`. */
  wantsIce(id: ConnectionId): boolean {
    return this.#byId.get(id)?.stream.wantsIce === true;
  }

  /** Where its connection comes from. */
  addressOf(id: ConnectionId): string | undefined {
    return this.#byId.get(id)?.stream.address;
  }

  /** Asks for a sign of life. */
  probe(id: ConnectionId): void {
    this.#byId.get(id)?.stream.response.write('event: probe\ndata:\n\n');
  }

  close(id: ConnectionId, close: RelayClose): void {
    const stream = this.#byId.get(id)?.stream;
    stream?.response.end(`event: closed\ndata: ${JSON.stringify(close)}\n\n`);
    // Who does not read gets no farewell.
    if (stream !== undefined && stream.response.writableLength > this.#limits.bufferedBytes) {
      stream.response.destroy();
    }
  }

  /** Tells every client that the relay stops. */
  stop(): void {
    this.#isClosing = true;
    for (const id of this.#byId.keys()) this.close(id, RELAY_CLOSE.goingAway);
  }

  #open(request: IncomingMessage, response: ServerResponse): void {
    const secret = randomBytes(16).toString('hex');
    const id = connectionIdOf(randomBytes(16));
    const address = request.socket.remoteAddress;
    const wantsIce = request.url?.split('?', 2)[1] === RELAY_ICE_QUERY;
    const stream: Stream = { id, response, address, wantsIce, taking: undefined };
    this.#connections.keep(request, response);
    this.#bySecret.set(secret, stream);
    this.#byId.set(id, { stream, secret });
    response.on('close', () => {
      this.#bySecret.delete(secret);
      this.#byId.delete(id);
      this.#input({ kind: 'disconnected', id });
    });
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(`event: opened\ndata: ${secret}\n\n`);
    this.#input({ kind: 'connected', id, address: addressKeyOf(address) });
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const secret = new URLSearchParams(request.url?.split('?', 2)[1]).get('stream') ?? '';
    const stream = this.#bySecret.get(secret);
    if (stream === undefined) return end(response, 404);
    if (stream.taking !== undefined) return end(response, 409);
    stream.taking = request;
    const done = (): void => {
      if (stream.taking === request) stream.taking = undefined;
    };
    const chunks: Buffer[] = [];
    let byteCount = 0;
    request.on('data', (chunk: Buffer) => {
      byteCount += chunk.length;
      if (byteCount <= MAX_FRAMES_BYTES) chunks.push(chunk);
    });
    request.on('close', done);
    request.on('end', () => {
      if (byteCount > MAX_FRAMES_BYTES) return end(response, 413);
      done();
      end(response, 204);
      const frames = splitFrames(Buffer.concat(chunks));
      if (frames === undefined) return this.#reject(stream.id, RELAY_CLOSE.badMessage);
      this.#input({ kind: 'alive', id: stream.id });
      for (const bytes of frames) this.#input({ kind: 'message', id: stream.id, bytes, binary: true });
    });
  }

  #reject(id: ConnectionId, close: RelayClose): void {
    this.#input({ kind: 'rejected', id, close });
  }

  /** Above the budget, cuts the streams that hold most until the rest fits. */
  #relieve(): void {
    const mostBytes = this.#limits.heldBytes * HELD_PART;
    let heldBytes = 0;
    for (const { stream } of this.#byId.values()) heldBytes += stream.response.writableLength;
    if (heldBytes <= mostBytes) return;
    const streams = [...this.#byId.values()].map(({ stream }) => stream);
    const largestFirst = streams.toSorted((a, b) => b.response.writableLength - a.response.writableLength);
    for (const { id, response } of largestFirst) {
      if (heldBytes <= mostBytes) return;
      heldBytes -= response.writableLength;
      response.destroy();
      this.#reject(id, RELAY_CLOSE.relayBusy);
    }
  }
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Cache-Control': 'no-store', ...(status === 405 && { Allow: 'GET, POST' }) });
  response.end();
}
