// The relay's WebSockets: turns what happens on them into inputs of the rooms, and the rooms' effects into frames.
//
// Invariants: a socket's errors end that socket only; what waits in a socket is bounded; nothing about a client is
// logged or kept beyond its socket.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { MAX_RELAY_FRAME_BYTES } from '../src/core/model/limits.ts';
import {
  type ConnectionId,
  connectionIdOf,
  encodeRelayFrame,
  RELAY_CLOSE,
  RELAY_PATH,
  RELAY_SUBPROTOCOL,
  type RelayClose,
  type RelayFrame,
} from '../src/core/wire/relay-protocol.ts';
import { isOwnOrigin, readHost } from './host.ts';
import type { RelayLimits } from './relay-limits.ts';
import { Rooms, type RoomsEffect, type RoomsInput } from './rooms.ts';

/** How long a closed client may take to answer the close frame before its socket is cut, ms. */
const CLOSE_TIMEOUT_MS = 2_000;

/** The reasons for the codes by which `ws` itself closes (RFC 6455, section 7.4.1); it gives none. */
const PROTOCOL_REASONS = new Map([
  [1002, 'not a valid WebSocket message'],
  [1007, 'text that is not UTF-8'],
]);

/** Gives every close that `ws` decides on a reason, and ours for a message over the limit; and an end in time. */
class RelaySocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) {
      const timer = setTimeout(() => this.terminate(), CLOSE_TIMEOUT_MS);
      this.once('close', () => clearTimeout(timer));
    }
    const { code: tooLarge, reason: tooLargeReason } = RELAY_CLOSE.messageTooLarge;
    if (code === 1009) super.close(tooLarge, tooLargeReason);
    else super.close(code, reason ?? PROTOCOL_REASONS.get(code ?? 0));
  }
}

export class RelaySockets {
  readonly #limits: RelayLimits;
  readonly #ownNames: readonly string[];
  readonly #rooms: Rooms;
  readonly #sockets = new Map<ConnectionId, WebSocket>();
  readonly #acceptor = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_RELAY_FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
    // Pings are counted like messages first.
    autoPong: false,
    handleProtocols: (offered) => (offered.has(RELAY_SUBPROTOCOL) ? RELAY_SUBPROTOCOL : false),
    WebSocket: RelaySocket,
  });
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(limits: RelayLimits, ownNames: readonly string[]) {
    this.#limits = limits;
    this.#ownNames = ownNames;
    this.#rooms = new Rooms(limits);
  }

  /** Accepts the WebSockets of `server`; over plain http those of this machine only. */
  attach(server: Server, secure: boolean): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Until `ws` has it, the socket is ours, and an error on it (a reset, say) must not end the process.
      const cut = () => socket.destroy();
      socket.on('error', cut);
      const refusal = this.#refusal(request, secure);
      if (refusal !== undefined) return refuse(socket, refusal);
      return this.#acceptor.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off('error', cut);
        this.#accept(webSocket);
      });
    });
  }

  /** Tells every client that the relay goes away; resolves when all sockets are gone. */
  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    const { code, reason } = RELAY_CLOSE.goingAway;
    await Promise.all(
      [...this.#sockets.values()].map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.once('close', () => resolve());
            socket.close(code, reason);
          }),
      ),
    );
  }

  #refusal(request: IncomingMessage, secure: boolean): string | undefined {
    const host = readHost(request.headers.host, this.#ownNames);
    if (this.#isClosing) return '503 Service Unavailable';
    if (host === undefined) return '421 Misdirected Request';
    if (request.url !== RELAY_PATH) return '404 Not Found';
    if (!isOwnOrigin(request.headers.origin, host, secure)) return '403 Forbidden';
    return secure || host.loopback ? undefined : '403 Forbidden';
  }

  #accept(socket: WebSocket): void {
    if (socket.protocol !== RELAY_SUBPROTOCOL) {
      // `ws` closes the socket after an error, as after this.
      socket.on('error', () => undefined);
      socket.close(RELAY_CLOSE.outdated.code, RELAY_CLOSE.outdated.reason);
      return;
    }
    const id = connectionIdOf(randomBytes(16));
    this.#sockets.set(id, socket);
    socket.on('message', (data, binary) =>
      this.#decide({ kind: 'message', id, bytes: bytesOf(data), binary }),
    );
    socket.on('pong', () => this.#decide({ kind: 'alive', id }));
    socket.on('ping', (data) => this.#answerPing(id, socket, data));
    socket.on('close', () => {
      this.#sockets.delete(id);
      this.#decide({ kind: 'disconnected', id });
    });
    // `ws` closes the socket after any error, with a code that says which; 'close' follows and is where it is noted.
    socket.on('error', () => undefined);
    this.#decide({ kind: 'connected', id });
  }

  #answerPing(id: ConnectionId, socket: WebSocket, data: Buffer): void {
    this.#decide({ kind: 'alive', id });
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.pong(data);
    if (this.#isCongested(socket)) this.#decide({ kind: 'congested', id });
  }

  #decide(input: RoomsInput): void {
    const congested: ConnectionId[] = [];
    for (const effect of this.#rooms.handle(performance.now(), input)) this.#perform(effect, congested);
    for (const id of congested) this.#decide({ kind: 'congested', id });
    this.#schedule();
  }

  #perform(effect: RoomsEffect, congested: ConnectionId[]): void {
    switch (effect.kind) {
      case 'send':
        this.#send(effect.to, effect.frame, congested);
        break;
      case 'probe':
        this.#sockets.get(effect.id)?.ping();
        break;
      case 'close':
        this.#close(effect.id, effect.close);
        break;
    }
  }

  #send(to: readonly ConnectionId[], frame: RelayFrame, congested: ConnectionId[]): void {
    const bytes = encodeRelayFrame(frame);
    for (const id of to) {
      const socket = this.#sockets.get(id);
      if (socket?.readyState !== WebSocket.OPEN) continue; // its 'close' is on the way
      socket.send(bytes);
      if (this.#isCongested(socket)) congested.push(id);
    }
  }

  #isCongested(socket: WebSocket): boolean {
    return socket.bufferedAmount > this.#limits.bufferedBytes;
  }

  #close(id: ConnectionId, { code, reason }: RelayClose): void {
    this.#sockets.get(id)?.close(code, reason);
  }

  /** One timer, always at the rooms' next deadline. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const deadlineMs = this.#rooms.nextDeadlineMs();
    if (deadlineMs === Infinity || this.#isClosing) return;
    const delayMs = Math.max(0, deadlineMs - performance.now());
    this.#timer = setTimeout(() => this.#decide({ kind: 'deadline' }), Math.ceil(delayMs));
  }
}

/** Refuses a WebSocket handshake with an HTTP status line. */
function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

/** `ws` gives one Buffer as long as its binaryType is 'nodebuffer', its default. */
function bytesOf(data: RawData): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return Array.isArray(data) ? Buffer.concat(data) : data;
}
