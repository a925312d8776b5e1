// The relay's UDP ports, one at each of its addresses on the network: they tell clients where their datagrams
// come from (STUN), and hand on to the TURN server what may pass (turn-gate.ts).
//
// Invariants: each client port has at most one flow, with a socket of its own towards the TURN server;
// flows are bounded, also in the bytes that pass, in all and of one address, and end when nothing does;
// what comes from the TURN server goes to the flow's client only.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import type { PoolId } from '../../src/core/model/ids.ts';
import { TokenBucket } from '../token-bucket.ts';
import { type Endpoint, plainAddress } from './stun-message.ts';
import { judge } from './turn-gate.ts';
import type { TurnRights } from './turn-rights.ts';

/** Each costs a socket. Where all are in use, the one that was silent longest makes way. */
const MAX_FLOW_COUNT = 512;
/** Of one address: a SCHOOL behind one (relay-limits.ts) links over a few each. */
const MAX_ADDRESS_FLOW_COUNT = 256;
/** Permissions are renewed every five minutes (RFC 8656, section 9), allocations every ten, ms. */
const IDLE_MS = 11 * 60_000;
/** For a flow that has shown no credential, ms. */
const UNPROVED_MS = 10_000;
const CHECK_MS = 5_000;
/** What all may take together in each direction, bytes: a good Wi-Fi, of which each byte takes two. */
const ALL_BYTES: ByteLimits = { burst: 4_000_000, perSecond: 32_000_000 };
/** What one address may take of it: half, so that one device with many links leaves the others theirs. */
const ADDRESS_BYTES: ByteLimits = { burst: 2_000_000, perSecond: 16_000_000 };
const LOOPBACK = '127.0.0.1';

interface ByteLimits {
  readonly burst: number;
  readonly perSecond: number;
}

/** What is left to take, in each direction. */
interface Share {
  readonly up: TokenBucket;
  readonly down: TokenBucket;
}

interface Flow {
  readonly client: Endpoint;
  readonly upstream: Socket;
  /** Of its address, with all flows that have the same. */
  readonly share: Share;
  room: PoolId | undefined;
  heardAtMs: number;
}

export class TurnPorts {
  readonly #rights: TurnRights;
  readonly #onProblem: (message: string) => void;
  readonly #flows = new Map<string, Flow>();
  readonly #sockets = new Map<string, Socket>();
  readonly #timer: NodeJS.Timeout;
  readonly #all: Share;
  readonly #addressBytes: ByteLimits;
  /** Of the TURN server, on loopback; undefined while there is none. */
  serverPort: number | undefined;
  #port = 0;
  #told = '';

  constructor(
    rights: TurnRights,
    onProblem: (message: string) => void,
    { all = ALL_BYTES, ofAddress = ADDRESS_BYTES }: { all?: ByteLimits; ofAddress?: ByteLimits } = {},
  ) {
    this.#rights = rights;
    this.#onProblem = onProblem;
    this.#all = shareOf(all);
    this.#addressBytes = ofAddress;
    this.#timer = setInterval(() => this.#check(performance.now()), CHECK_MS).unref();
  }

  /** The port at each address; 0 before the first `listen`. */
  get port(): number {
    return this.#port;
  }

  /** The addresses that it listens on. */
  get addresses(): readonly string[] {
    return [...this.#sockets.keys()];
  }

  /** Listens on these addresses, and on no others; at `port` if that is free, otherwise at any. */
  async listen(addresses: readonly string[], port: number): Promise<void> {
    for (const [address, socket] of this.#sockets) {
      if (addresses.includes(address)) continue;
      this.#sockets.delete(address);
      socket.close();
    }
    for (const address of addresses) {
      if (this.#sockets.has(address)) continue;
      const wanted = this.#port === 0 ? port : this.#port;
      const mayBeOther = this.#port === 0 && wanted !== 0;
      const socket =
        (await this.#open(address, wanted, !mayBeOther)) ??
        (mayBeOther ? await this.#open(address, 0, true) : undefined);
      if (socket === undefined) continue;
      this.#sockets.set(address, socket);
      this.#port = socket.address().port;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
    this.endFlows();
  }

  /** The TURN server is another, or none. */
  endFlows(): void {
    for (const [key, flow] of this.#flows) this.#end(key, flow);
  }

  async #open(address: string, port: number, isLast: boolean): Promise<Socket | undefined> {
    const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
    try {
      socket.bind({ port, address, exclusive: true });
      await once(socket, 'listening');
    } catch (error) {
      socket.close();
      // An address that this machine has no longer: the next check of its network says so.
      const isGone = error instanceof Error && 'code' in error && error.code === 'EADDRNOTAVAIL';
      if (isLast && !isGone) this.#complain(`The relay has no UDP port at ${address}: ${textOf(error)}`);
      return undefined;
    }
    socket.on('error', (error) => this.#complain(`The relay’s UDP port at ${address}: ${error.message}`));
    socket.on('message', (bytes, { address: from, port: fromPort }) => {
      this.#take(address, socket, bytes, { address: plainAddress(from), port: fromPort });
    });
    return socket;
  }

  /** Once for each reason: it is tried again every few seconds. */
  #complain(problem: string): void {
    if (this.#told === problem) return;
    this.#told = problem;
    this.#onProblem(problem);
  }

  #take(address: string, socket: Socket, bytes: Buffer, from: Endpoint): void {
    const key = `${from.address} ${from.port} ${address}`;
    const flow = this.#flows.get(key);
    const verdict = judge(this.#rights, from, bytes, flow?.room);
    if (verdict.kind === 'answer') socket.send(verdict.bytes, from.port, from.address, ignoreError);
    if (verdict.kind !== 'pass' || this.serverPort === undefined) return;
    const used = flow ?? (verdict.begins ? this.#begin(key, socket, from, this.serverPort) : undefined);
    if (used === undefined) return;
    if (verdict.room !== undefined) used.room = verdict.room;
    used.heardAtMs = performance.now();
    // Whoever is above drops: SCTP slows down.
    if (!this.#mayPass(used, 'up', bytes.length)) return;
    used.upstream.send(bytes, this.serverPort, LOOPBACK, ignoreError);
  }

  /** What the address may not take leaves the others theirs. */
  #mayPass({ share, heardAtMs }: Flow, direction: keyof Share, byteCount: number): boolean {
    return share[direction].take(heardAtMs, byteCount) && this.#all[direction].take(heardAtMs, byteCount);
  }

  #begin(key: string, socket: Socket, client: Endpoint, serverPort: number): Flow | undefined {
    const own = [...this.#flows.values()].filter((flow) => flow.client.address === client.address);
    if (own.length >= MAX_ADDRESS_FLOW_COUNT) this.#makeWay(client.address);
    else if (this.#flows.size >= MAX_FLOW_COUNT) this.#makeWay(undefined);
    const upstream = createSocket('udp4');
    const share = own[0]?.share ?? shareOf(this.#addressBytes);
    const flow: Flow = { client, upstream, share, room: undefined, heardAtMs: 0 };
    this.#flows.set(key, flow);
    upstream.on('error', () => {
      if (this.#flows.get(key) === flow) this.#end(key, flow);
    });
    upstream.on('message', (bytes, { address, port }) => {
      if (address !== LOOPBACK || port !== serverPort || this.#flows.get(key) !== flow) return;
      flow.heardAtMs = performance.now();
      if (!this.#mayPass(flow, 'down', bytes.length)) return;
      socket.send(bytes, client.port, client.address, ignoreError);
    });
    return flow;
  }

  /** Ends the flow that is worth least: without a credential first, then the one that was silent longest. */
  #makeWay(address: string | undefined): void {
    const candidates = [...this.#flows].filter(
      ([, { client }]) => address === undefined || client.address === address,
    );
    const [least] = candidates.toSorted(
      ([, a], [, b]) =>
        Number(a.room !== undefined) - Number(b.room !== undefined) || a.heardAtMs - b.heardAtMs,
    );
    if (least !== undefined) this.#end(...least);
  }

  #check(nowMs: number): void {
    for (const [key, flow] of this.#flows) {
      const longestMs = flow.room === undefined ? UNPROVED_MS : IDLE_MS;
      if (nowMs - flow.heardAtMs > longestMs) this.#end(key, flow);
    }
  }

  #end(key: string, flow: Flow): void {
    this.#flows.delete(key);
    flow.upstream.close();
  }
}

function shareOf({ burst, perSecond }: ByteLimits): Share {
  const nowMs = performance.now();
  return { up: new TokenBucket(burst, perSecond, nowMs), down: new TokenBucket(burst, perSecond, nowMs) };
}

/** A datagram that cannot be sent is one that was lost on the way. */
function ignoreError(): void {
  // nothing to do
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
