// The relay's WebSockets: turns their events into inputs of the rooms, and the rooms' effects into frames.
//
// Invariants: a socket's errors end only that socket; the bytes waiting in a socket, and in all of them
// together, are bounded in both directions; each socket hands on one frame in its turn (turns.ts); nothing
// about a client is logged, and once its socket closes only the usage of its address is kept.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { MachineDriver } from '../src/core/machine-driver.ts';
import { MAX_RELAY_FRAME_BYTES } from '../src/core/model/limits.ts';
import {
  type ConnectionId,
  connectionIdOf,
  encodeRelayFrame,
  RELAY_CLOSE,
  RELAY_ICE_SUBPROTOCOL,
  RELAY_PATH,
  RELAY_SUBPROTOCOL,
  type RelayClose,
  type RelayFrame,
} from '../src/core/wire/relay-protocol.ts';
import type { Connections } from './connections.ts';
import { EventStreams } from './event-streams.ts';
import { type Host, isOwnOrigin, readHost } from './host.ts';
import { Intake } from './intake.ts';
import { MessageMeter } from './message-meter.ts';
import { nodeClock } from './node-clock.ts';
import type { RelayLimits } from './relay-limits.ts';
import { type AddressKey, addressKeyOf } from './remote-address.ts';
import { Rooms, type RoomsEffect, type RoomsInput } from './rooms.ts';
import { RelaySocket } from './relay-socket.ts';
import { Turns } from './turns.ts';
import { bytesOf, messageOf, refuse } from './web-socket-bytes.ts';
import type { TurnService } from './turn/turn-service.ts';

/**
 * While frames wait to be handled, outgoing messages wait this long, ms, to leave together: a write to a
 * socket costs as much as several messages.
 */
const BATCH_MS = 20;
/**
 * At this size a socket's outbox is sent immediately, bytes: waiting here must not look like a client that
 * does not read.
 */
const BATCH_BYTES = 64 * 1024;

/** How often unfinished messages are checked, ms. */
const CHECK_MS = 1_000;

/** How much of what a client sends after its socket was closed is examined at a time. */
const SKIPPED_BYTES = 4 * 1024;

const NOTHING = Buffer.alloc(0);

/** The best first. */
const PROTOCOLS: readonly string[] = [RELAY_ICE_SUBPROTOCOL, RELAY_SUBPROTOCOL];

/** Is told who is in a room, and where from. */
type Guests = Pick<TurnService, 'entered' | 'left'>;

/** One client's socket and what it costs. */
interface ClientSocket {
  readonly id: ConnectionId;
  readonly socket: WebSocket;
  readonly connection: Socket;
  readonly address: AddressKey;
  readonly meter: MessageMeter;
  readonly intake: Intake;
  /** Messages that leave together, as the bytes on the wire. */
  outbox: Buffer[];
  outboxBytes: number;
  /** As measured last. */
  heldBytes: number;
  /** It is in a room now, or lists a pool. */
  entered(): void;
}

export class RelaySockets {
  readonly #limits: RelayLimits;
  readonly #ownNames: () => readonly string[];
  readonly #connections: Connections;
  readonly #rooms: Rooms;
  readonly #driver: MachineDriver<RoomsInput, RoomsEffect>;
  readonly #guests: Guests | undefined;
  readonly #sockets = new Map<ConnectionId, ClientSocket>();
  readonly #acceptor: WebSocketServer;
  readonly #checks: NodeJS.Timeout;
  readonly #turns = new Turns();
  /** Clients without a WebSocket. */
  readonly #streams: EventStreams;
  /** Clients whose outbox is not empty, and since when there is one, ms. */
  readonly #unsent = new Set<ClientSocket>();
  #unsentSinceMs = 0;
  /** For all sockets, as measured last: each is measured when bytes come in or go out. */
  #heldBytes = 0;
  #isClosing = false;

  constructor(
    limits: RelayLimits,
    ownNames: () => readonly string[],
    connections: Connections,
    guests?: Guests,
  ) {
    this.#limits = limits;
    this.#ownNames = ownNames;
    this.#connections = connections;
    this.#guests = guests;
    this.#rooms = new Rooms(limits);
    this.#driver = new MachineDriver<RoomsInput, RoomsEffect>({
      machine: this.#rooms,
      clock: nodeClock,
      tick: { kind: 'deadline' },
      perform: (effect) => this.#perform(effect),
      settled: () => this.#relieve(),
    });
    this.#streams = new EventStreams(limits, connections, (input) => this.#input(input));
    this.#acceptor = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_RELAY_FRAME_BYTES,
      maxFragments: limits.messageFragments,
      maxBufferedChunks: limits.messageChunks,
      // `ws` gets one frame per turn.
      allowSynchronousEvents: true,
      perMessageDeflate: false,
      clientTracking: false,
      // Pings are counted like messages first.
      autoPong: false,
      handleProtocols: (offered) => PROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
      WebSocket: RelaySocket,
    });
    this.#checks = setInterval(() => this.#check(performance.now()), CHECK_MS).unref();
  }

  /**
   * Accepts the WebSockets of `server`; over plain http only those of this machine. `onDevice` is called for
   * each client that is in a room or lists a pool: a device of a pool.
   */
  attach(server: Server, secure: boolean, onDevice: () => void): void {
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Until `ws` has it, the socket is ours, and an error on it (such as a reset) must not end the process.
      const cut = () => socket.destroy();
      socket.on('error', cut);
      const refusal = this.#refusal(request, secure);
      if (refusal !== undefined) return refuse(socket, refusal);
      // Bytes that came with the request wait for their turn like all that follow.
      return this.#acceptor.handleUpgrade(request, socket, NOTHING, (webSocket) => {
        socket.off('error', cut);
        this.#accept(webSocket, request.socket, head, onDevice);
      });
    });
  }

  /** Whether the request was of a client without a WebSocket; then it is answered. */
  answer(request: IncomingMessage, response: ServerResponse, host: Host, secure: boolean): boolean {
    return this.#streams.answer(request, response, host, secure);
  }

  /** Tells every client that the relay stops; resolves when all sockets are closed. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#driver.stop();
    clearInterval(this.#checks);
    const { code, reason } = RELAY_CLOSE.goingAway;
    this.#streams.stop();
    await Promise.all(
      [...this.#sockets.values()].map(
        (client) =>
          new Promise<void>((resolve) => {
            const { socket } = client;
            this.#sendOff(client);
            socket.once('close', () => resolve());
            socket.close(code, reason);
          }),
      ),
    );
  }

  #refusal(request: IncomingMessage, secure: boolean): string | undefined {
    const host = readHost(request.headers.host, this.#ownNames());
    if (this.#isClosing) return '503 Service Unavailable';
    if (host === undefined) return '421 Misdirected Request';
    if (request.url !== RELAY_PATH) return '404 Not Found';
    if (!isOwnOrigin(request.headers.origin, host, secure)) return '403 Forbidden';
    return secure || host.loopback ? undefined : '403 Forbidden';
  }

  #accept(socket: WebSocket, connection: Socket, head: Buffer, entered: () => void): void {
    if (!PROTOCOLS.includes(socket.protocol)) {
      // `ws` closes the socket after an error, as after this.
      socket.on('error', () => undefined);
      socket.close(RELAY_CLOSE.outdated.code, RELAY_CLOSE.outdated.reason);
      return;
    }
    this.#connections.promote(connection, true);
    const address = addressKeyOf(connection.remoteAddress);
    const client: ClientSocket = {
      id: connectionIdOf(randomBytes(16)),
      socket,
      connection,
      address,
      meter: new MessageMeter(),
      intake: new Intake(connection, head, () => {
        this.#turns.add(address, () => this.#takeOne(client));
      }),
      outbox: [],
      outboxBytes: 0,
      heldBytes: 0,
      entered,
    };
    const { id } = client;
    this.#sockets.set(id, client);
    socket.on('message', (data, binary) =>
      this.#driver.input({ kind: 'message', id, bytes: bytesOf(data), binary }),
    );
    socket.on('pong', () => this.#driver.input({ kind: 'alive', id }));
    socket.on('ping', (data) => this.#answerPing(client, data));
    socket.on('close', () => {
      this.#forget(client);
      this.#input({ kind: 'disconnected', id });
    });
    // `ws` closes the socket after any error, with a code that names it; 'close' follows and is handled
    // instead.
    socket.on('error', () => undefined);
    this.#driver.input({ kind: 'connected', id, address: client.address });
  }

  /** Hands `ws` one frame; `ws` handles a complete message immediately. True when more waits. */
  #takeOne(client: ClientSocket): boolean {
    const { intake, meter, socket } = client;
    // It is cut within CLOSE_TIMEOUT_MS. Until then only its own close frame matters.
    if (socket.readyState !== WebSocket.OPEN) return intake.takeOne((_chunk, at) => at + SKIPPED_BYTES);
    const nowMs = performance.now();
    const hasMore = intake.takeOne((chunk, at) => meter.feed(nowMs, chunk, at));
    if (socket.readyState !== WebSocket.OPEN) return hasMore;
    if (meter.heldBytes > this.#limits.messageBytes) this.#reject(client, RELAY_CLOSE.unfinished);
    this.#measure(client);
    this.#relieve();
    return hasMore;
  }

  #answerPing(client: ClientSocket, data: Buffer): void {
    this.#driver.input({ kind: 'alive', id: client.id });
    if (client.socket.readyState !== WebSocket.OPEN) return;
    client.socket.pong(data);
    if (this.#isCongested(client)) this.#reject(client, RELAY_CLOSE.tooSlow);
  }

  #reject({ id }: ClientSocket, close: RelayClose): void {
    this.#driver.input({ kind: 'rejected', id, close });
  }

  #input(input: RoomsInput): void {
    if (input.kind === 'disconnected') this.#guests?.left(input.id);
    this.#driver.input(input);
  }

  #perform(effect: RoomsEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#send(effect.to, effect.frame);
        if (effect.frame.kind === 'entered') this.#introduce(effect.frame.you);
        break;
      case 'probe':
        this.#sockets.get(effect.id)?.socket.ping();
        this.#streams.probe(effect.id);
        break;
      case 'close':
        this.#guests?.left(effect.id);
        this.#close(effect.id, effect.close);
        break;
    }
  }

  #introduce(id: ConnectionId): void {
    const client = this.#sockets.get(id);
    const room = this.#rooms.roomOf(id);
    if (room === undefined) return;
    const understands = client?.socket.protocol === RELAY_ICE_SUBPROTOCOL || this.#streams.wantsIce(id);
    const from = client?.connection.remoteAddress ?? this.#streams.addressOf(id);
    this.#guests?.entered(id, from, room, (frame) => {
      if (understands) this.#send([id], frame);
    });
  }

  #send(to: readonly ConnectionId[], frame: RelayFrame): void {
    const message = messageOf(encodeRelayFrame(frame));
    for (const id of to) {
      const client = this.#sockets.get(id);
      if (client === undefined) this.#streams.send(id, frame);
      if (client?.socket.readyState !== WebSocket.OPEN) continue; // its 'close' will follow
      if (frame.kind === 'entered') client.entered();
      this.#post(client, message);
      this.#measure(client);
      if (this.#isCongested(client)) this.#reject(client, RELAY_CLOSE.tooSlow);
    }
  }

  #post(client: ClientSocket, message: Buffer): void {
    client.outbox.push(message);
    client.outboxBytes += message.length;
    if (client.outboxBytes >= BATCH_BYTES) return this.#sendOff(client);
    if (this.#unsent.size === 0) {
      this.#unsentSinceMs = performance.now();
      setImmediate(() => this.#sendAllOff());
    }
    this.#unsent.add(client);
  }

  #sendAllOff(): void {
    if (this.#turns.isBusy && performance.now() - this.#unsentSinceMs < BATCH_MS) {
      setImmediate(() => this.#sendAllOff());
      return;
    }
    for (const client of this.#unsent) this.#sendOff(client);
    this.#unsent.clear();
  }

  /**
   * Bypasses `ws`, which would wrap each message again for each client; `ws` has nothing waiting, so the
   * order is kept.
   */
  #sendOff(client: ClientSocket): void {
    const { outbox, connection, socket } = client;
    client.outbox = [];
    client.outboxBytes = 0;
    const [first] = outbox;
    if (first === undefined || socket.readyState !== WebSocket.OPEN) return;
    connection.write(outbox.length === 1 ? first : Buffer.concat(outbox));
  }

  #isCongested({ socket, outboxBytes }: ClientSocket): boolean {
    return socket.bufferedAmount + outboxBytes > this.#limits.bufferedBytes;
  }

  #close(id: ConnectionId, close: RelayClose): void {
    const { code, reason } = close;
    const client = this.#sockets.get(id);
    if (client === undefined) return this.#streams.close(id, close);
    // It no longer counts as a client, so its connection may give way to another.
    this.#connections.promote(client.connection, false);
    this.#sendOff(client);
    client.socket.close(code, reason);
  }

  #measure(client: ClientSocket): void {
    const { meter, intake, socket } = client;
    const heldBytes = meter.heldBytes + intake.heldBytes + socket.bufferedAmount + client.outboxBytes;
    this.#heldBytes += heldBytes - client.heldBytes;
    client.heldBytes = heldBytes;
  }

  #forget(client: ClientSocket): void {
    this.#sockets.delete(client.id);
    this.#heldBytes -= client.heldBytes;
    client.heldBytes = 0;
  }

  /** Above the budget, cuts the largest sockets of the address that has most until the rest fits. */
  #relieve(): void {
    if (this.#heldBytes <= this.#limits.heldBytes) return;
    for (const client of this.#sockets.values()) this.#measure(client);
    while (this.#heldBytes > this.#limits.heldBytes) {
      const client = heaviest([...this.#sockets.values()]);
      if (client === undefined) return;
      // A client that does not read gets no farewell; the memory counts as free, and is free with the next
      // turn of the loop.
      this.#forget(client);
      client.socket.close(RELAY_CLOSE.relayBusy.code, RELAY_CLOSE.relayBusy.reason);
      setImmediate(() => client.socket.terminate());
      this.#reject(client, RELAY_CLOSE.relayBusy);
    }
  }

  /** A message that takes too long ends its socket. */
  #check(nowMs: number): void {
    for (const client of this.#sockets.values()) {
      const { sinceMs = nowMs } = client.meter;
      if (nowMs - sinceMs > this.#limits.messageMs) this.#reject(client, RELAY_CLOSE.unfinished);
    }
  }
}

/** The largest socket of the address whose sockets hold most together. */
function heaviest(clients: readonly ClientSocket[]): ClientSocket | undefined {
  const byAddress = new Map<AddressKey, number>();
  for (const { address, heldBytes } of clients) {
    byAddress.set(address, (byAddress.get(address) ?? 0) + heldBytes);
  }
  const [first] = clients;
  return clients.reduce((most, client) => {
    const [a = 0, b = 0] = [byAddress.get(client.address), byAddress.get(most?.address ?? client.address)];
    if (a !== b) return a > b ? client : most;
    return most === undefined || client.heldBytes > most.heldBytes ? client : most;
  }, first);
}
