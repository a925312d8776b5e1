// A real relay on free ports of this machine, and real clients of it, for the relay's tests.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import { type Relay, type RelayOptions, startRelay } from '../../signaling/relay.ts';
import { parsePoolId, type PoolId } from '../../src/core/model/ids.ts';
import {
  type ClientFrame,
  type ConnectionId,
  decodeRelayFrame,
  encodeClientFrame,
  RELAY_SUBPROTOCOL,
  type RelayFrame,
} from '../../src/core/wire/relay-protocol.ts';

export const ROOM_A: PoolId = parsePoolId('a'.repeat(32));
export const ROOM_B: PoolId = parsePoolId('b'.repeat(32));

/** An empty folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'palm-relay-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with a tiny app in it, and a file beside it that must never be served. */
export function tinyApp(): string {
  const parent = temporaryFolder();
  writeFileSync(join(parent, 'secret.txt'), 'secret');
  const app = join(parent, 'app');
  mkdirSync(join(app, 'assets'), { recursive: true });
  writeFileSync(join(app, 'index.html'), '<!doctype html><title>Tiny</title>');
  writeFileSync(join(app, 'sw.js'), 'self;');
  writeFileSync(join(app, 'manifest.webmanifest'), '{}');
  writeFileSync(join(app, '.hidden'), 'hidden');
  writeFileSync(join(app, 'assets', 'app-1a2b3c.js'), 'export {};');
  writeFileSync(join(app, 'assets', 'code-1a2b3c.wasm'), Buffer.of(0, 0x61, 0x73, 0x6d));
  return app;
}

/** Starts a relay for one test, reachable from this machine only unless `options` say more. */
export async function testRelay(options: Partial<RelayOptions> = {}): Promise<Relay> {
  const relay = await startRelay({
    appDir: tinyApp(),
    dataDir: temporaryFolder(),
    host: '127.0.0.1',
    port: 0,
    httpPort: 0,
    ...options,
  });
  onTestFinished(() => relay.close());
  return relay;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly bytes: Buffer;
}

/** One request to this machine, whose path, Host and method are sent exactly as given. */
export function ask(
  relay: Relay,
  path: string,
  options: {
    secure?: boolean;
    headers?: Record<string, string>;
    method?: string;
    ca?: string;
    servername?: string;
  } = {},
): Promise<Answer> {
  const { secure = false, headers = {}, method = 'GET', ca, servername } = options;
  const port = secure ? relay.httpsPort : relay.httpPort;
  const target = {
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: { Host: `localhost:${port}`, ...headers },
  };
  return new Promise((resolve, reject) => {
    const receive = (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: bytes.toString(),
          bytes,
        });
      });
      response.on('error', reject);
    };
    const request = secure
      ? httpsRequest({ ...target, ca, servername, agent: false }, receive)
      : httpRequest(target, receive);
    request.on('error', reject);
    request.end();
  });
}

/** The relay's authority, fetched as a person would. */
export async function authorityOf(relay: Relay): Promise<string> {
  return (await ask(relay, '/palm-ca.crt')).body;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket to the relay that keeps what it hears, in order. */
export class RelayClient {
  readonly socket: WebSocket;
  /** Resolves when the socket is closed, by whomever. */
  readonly closed: Promise<Closed>;
  readonly #heard: RelayFrame[] = [];
  #wake: () => void = () => undefined;

  /** `subprotocols`: the version of Palm that the client says it runs. */
  constructor(url: string, options: ClientOptions = {}, subprotocols: string[] = [RELAY_SUBPROTOCOL]) {
    this.socket = new WebSocket(url, subprotocols, options);
    this.socket.on('message', (data: Buffer) => {
      this.#heard.push(decodeRelayFrame(data));
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.#wake();
      });
    });
  }

  /** Connects over plain http. */
  static async open(relay: Pick<Relay, 'httpPort'>, options: ClientOptions = {}): Promise<RelayClient> {
    const client = new RelayClient(`ws://localhost:${relay.httpPort}/relay`, { family: 4, ...options });
    await client.opened();
    return client;
  }

  /** Connects, and enters a room; `entered` has been heard. */
  static async enter(
    relay: Pick<Relay, 'httpPort'>,
    room: PoolId,
    options: ClientOptions = {},
  ): Promise<RelayClient & Entered> {
    const client = await RelayClient.open(relay, options);
    client.send({ kind: 'enter', room });
    const frame = await client.next();
    if (frame.kind !== 'entered') throw new Error(`Heard ${frame.kind} instead of entered.`);
    return Object.assign(client, { id: frame.you, others: frame.others });
  }

  /** @throws Error when the handshake is refused; its message carries the HTTP status. */
  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.once('open', () => resolve());
      this.socket.once('error', reject);
    });
  }

  send(frame: ClientFrame): void {
    this.socket.send(encodeClientFrame(frame));
  }

  /** The next frame. @throws Error when the socket closes first. */
  async next(): Promise<RelayFrame> {
    for (;;) {
      const frame = this.#heard.shift();
      if (frame !== undefined) return frame;
      if (this.socket.readyState === WebSocket.CLOSED) throw new Error('The socket closed before the frame.');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Hears on until `isWanted`. @throws Error when the socket closes first. */
  async until(isWanted: (frame: RelayFrame) => boolean): Promise<RelayFrame> {
    for (;;) {
      const frame = await this.next();
      if (isWanted(frame)) return frame;
    }
  }

  /** What was heard before the relay answered a ping sent now: all that it had to say until then. */
  async heardSoFar(): Promise<RelayFrame[]> {
    this.send({ kind: 'ping' });
    const frames: RelayFrame[] = [];
    for (;;) {
      const frame = await this.next();
      if (frame.kind === 'pong') return frames;
      frames.push(frame);
    }
  }
}

/** Two clients of a room write to each other; both have heard it. */
export async function link(one: RelayClient & Entered, other: RelayClient & Entered): Promise<void> {
  const envelope = Uint8Array.of(1, 2, 3);
  one.send({ kind: 'forward', to: other.id, envelope });
  await other.until((frame) => frame.kind === 'envelope' && frame.from === one.id);
  other.send({ kind: 'forward', to: one.id, envelope });
  await one.until((frame) => frame.kind === 'envelope' && frame.from === other.id);
}

export interface Entered {
  readonly id: ConnectionId;
  readonly others: readonly ConnectionId[];
}
