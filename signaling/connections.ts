// The TCP connections of both servers: how many there are, from where, and their deadlines.
//
// Invariants: every open connection is counted once, under its remote address, from accept to close; when all
// are in use, one that proved less, or from an address that has more, gives way; one connection's errors end
// only that connection. `serverOptions` sets the bounds that Node enforces (headers, requests, handshakes).

import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Candidate, Crowd, type Rank } from './give-way.ts';
import { Handshakes } from './handshakes.ts';
import { type AddressEntry, PerAddress } from './per-address.ts';
import { MAX_KNOWN_ADDRESSES, type RelayLimits } from './relay-limits.ts';
import { type AddressKey, addressKeyOf } from './remote-address.ts';
import { gateRequests, ungate } from './request-gate.ts';
import { TokenBucket } from './token-bucket.ts';

/** How often deadlines are checked, ms. */
const CHECK_MS = 1_000;

/** What a connection has shown so far. */
const RANK = { silent: 0, asked: 1, client: 2 } as const;

interface Connection extends Candidate {
  readonly key: string;
  readonly socket: Socket;
  rank: Rank;
  /** Arrival times of the unanswered requests, oldest first. */
  readonly askedMs: number[];
}

/** What one address uses. */
class Usage implements AddressEntry {
  connections = 0;
  readonly openings: TokenBucket;

  constructor(limits: RelayLimits, nowMs: number) {
    this.openings = new TokenBucket(limits.connectionBurst, limits.connectionsPerSecond, nowMs);
  }

  isUsed(): boolean {
    return this.connections > 0;
  }

  isSpent(nowMs: number): boolean {
    return this.openings.isFull(nowMs);
  }
}

/** Options for both servers. */
export function serverOptions(limits: RelayLimits): ServerOptions {
  return {
    connectionsCheckingInterval: CHECK_MS,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
  };
}

export class Connections {
  readonly #limits: RelayLimits;
  readonly #all = new Map<string, Connection>();
  /** Connections that may give way to others: all but the clients. */
  readonly #crowd = new Crowd<Connection>();
  readonly #usage: PerAddress<Usage>;
  readonly #handshakes: Handshakes;
  readonly #timer: NodeJS.Timeout;

  constructor(limits: RelayLimits) {
    this.#limits = limits;
    this.#handshakes = new Handshakes(limits);
    this.#usage = new PerAddress(MAX_KNOWN_ADDRESSES, (nowMs) => new Usage(limits, nowMs));
    this.#timer = setInterval(() => this.#check(performance.now()), CHECK_MS).unref();
  }

  /** Manages all connections that `server` accepts from now on; `secure` means over TLS. */
  watch(server: Server, secure: boolean): void {
    // Cuts a connection when nobody reads the answer; to Node, any progress counts.
    server.timeout = this.#limits.stalledMs;
    const gate = (socket: Socket) => gateRequests(socket, this.#limits.queuedRequests);
    const begin = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      const address = this.#accept(performance.now(), socket);
      if (address === undefined) return;
      const proceed = () => begin.forEach((listener) => void Reflect.apply(listener, server, [socket]));
      if (secure) this.#handshakes.add(address, keyOf(socket), socket, proceed);
      else {
        proceed();
        gate(socket);
      }
    });
    if (secure) {
      server.on('secureConnection', (socket: Socket) => {
        this.#handshakes.finish(keyOf(socket));
        gate(socket);
      });
    }
  }

  /**
   * A complete request arrived. False when its connection was cut because too many wait on it: it gets no
   * answer.
   */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#all.get(keyOf(request.socket));
    if (connection === undefined || connection.socket.destroyed) return false;
    if (connection.askedMs.length >= this.#limits.queuedRequests) {
      connection.socket.destroy();
      return false;
    }
    this.#rank(connection, RANK.asked);
    connection.askedMs.push(performance.now());
    response.once('close', () => connection.askedMs.shift());
    return true;
  }

  /**
   * The connection of `socket` became a client of the rooms (or, with `isClient` false, is no longer one).
   */
  promote(socket: Socket, isClient: boolean): void {
    const connection = this.#all.get(keyOf(socket));
    if (connection !== undefined) this.#rank(connection, isClient ? RANK.client : RANK.asked);
    if (isClient) ungate(socket);
  }

  /** An answer that goes on for as long as its client stays: the connection counts as one of a client. */
  keep(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#all.get(keyOf(request.socket));
    if (connection === undefined) return;
    this.#rank(connection, RANK.client);
    connection.askedMs.pop();
    // What `take` planned for the end of the answer.
    response.prependOnceListener('close', () => connection.askedMs.unshift(0));
    request.socket.setTimeout(0);
    response.once('close', () => this.#rank(connection, RANK.asked));
  }

  /** Cuts all connections, including half-open ones. */
  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#all.values()) socket.destroy();
  }

  /** The address that a new connection counts under; undefined when it was cut. */
  #accept(nowMs: number, socket: Socket): AddressKey | undefined {
    const address = addressKeyOf(socket.remoteAddress);
    const usage = this.#usage.get(address, nowMs);
    const isAllowed =
      socket.remoteAddress !== undefined && // otherwise it is already gone
      usage.openings.take(nowMs, 1) &&
      this.#makeWay(nowMs, address, usage);
    if (!isAllowed) {
      socket.destroy();
      return undefined;
    }
    const connection: Connection = {
      key: keyOf(socket),
      socket,
      address,
      sinceMs: nowMs,
      rank: RANK.silent,
      askedMs: [],
    };
    this.#all.set(connection.key, connection);
    this.#crowd.add(connection);
    usage.connections += 1;
    socket.once('close', () => this.#forget(nowMs, connection));
    return address;
  }

  /** Whether there is room for one more from `address`; another connection may be cut to make it. */
  #makeWay(nowMs: number, address: AddressKey, usage: Usage): boolean {
    const isOverOwn = usage.connections >= this.#limits.connectionsPerAddress;
    if (!isOverOwn && this.#all.size < this.#limits.connections) return true;
    const displaced = this.#crowd.whoGivesWay(address, isOverOwn ? address : undefined);
    if (displaced === undefined) return false;
    displaced.socket.destroy();
    this.#forget(nowMs, displaced);
    return true;
  }

  #rank(connection: Connection, rank: Rank): void {
    if (connection.rank === rank || this.#all.get(connection.key) !== connection) return;
    this.#crowd.delete(connection);
    connection.rank = rank;
    if (rank !== RANK.client) this.#crowd.add(connection);
  }

  #forget(nowMs: number, connection: Connection): void {
    if (this.#all.get(connection.key) !== connection) return;
    this.#all.delete(connection.key);
    this.#crowd.delete(connection);
    this.#usage.get(connection.address, nowMs).connections -= 1;
  }

  /** An answer that takes too long ends its connection. */
  #check(nowMs: number): void {
    for (const { socket, askedMs } of this.#all.values()) {
      const [oldestMs = nowMs] = askedMs;
      if (nowMs - oldestMs > this.#limits.answerMs) socket.destroy();
    }
    this.#usage.sweep(nowMs);
  }
}

/** The same for a TCP socket and the TLS socket over it; unique among open sockets. */
function keyOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0} ${localPort ?? 0}`;
}
