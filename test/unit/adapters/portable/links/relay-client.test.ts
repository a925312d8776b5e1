// The relay client against real WebSocket servers: the project's relay, and ones that misbehave. Time is the
// test's own, so nothing here waits for a clock; the frames are real.

import { createServer } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startRelay, type Relay } from '../../../../../signaling/relay.ts';
import { systemRandom } from '../../../../../src/adapters/portable/random.ts';
import {
  RelayClient,
  type RelayClientEvents,
  type RelayClientOptions,
} from '../../../../../src/adapters/portable/links/relay-client.ts';
import type { Rejection } from '../../../../../src/core/model/failures.ts';
import { parsePoolId } from '../../../../../src/core/model/ids.ts';
import {
  connectionIdOf,
  decodeClientFrame,
  encodeRelayFrame,
  RELAY_SUBPROTOCOL,
} from '../../../../../src/core/wire/relay-protocol.ts';
import { ManualClock } from '../../../../fixtures/manual-clock.ts';

const entry = { kind: 'enter', room: parsePoolId('0f'.repeat(16)) } as const;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Everything that a client reported, in order, and a way to wait for the next event. */
class Log implements RelayClientEvents {
  readonly lines: string[] = [];
  #wake: (() => void) | undefined;

  state(state: string): void {
    this.#add(state);
  }
  entered(others: readonly string[]): void {
    this.#add(`entered with ${others.length}`);
  }
  arrived(): void {
    this.#add('arrived');
  }
  departed(): void {
    this.#add('departed');
  }
  envelope(_from: string, envelope: Uint8Array): void {
    this.#add(`envelope ${[...envelope].join(' ')}`);
  }
  rejected(rejection: Rejection): void {
    this.#add(`rejected: ${JSON.stringify(rejection)}`);
  }

  /** Resolves when `line` was reported `count` times in all. */
  async until(line: string, count = 1): Promise<void> {
    while (this.lines.filter((each) => each.startsWith(line)).length < count) {
      // One after the other: each wait is for the next line.
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #add(line: string): void {
    this.lines.push(line);
    this.#wake?.();
  }
}

function openClient(url: string): { client: RelayClient; log: Log; clock: ManualClock } {
  const clock = new ManualClock();
  const log = new Log();
  return { client: openWith({ url, entry, clock, random: systemRandom, WebSocket }, log), log, clock };
}

function openWith(options: RelayClientOptions, log: Log): RelayClient {
  const client = new RelayClient(options);
  cleanups.push(() => client.close());
  client.open(log);
  return client;
}

describe('with the relay', () => {
  let relay: Relay;
  let folder: string;

  const start = (httpPort = 0): Promise<Relay> =>
    startRelay({ appDir: folder, dataDir: folder, port: 0, httpPort, host: '127.0.0.1' });
  const urlOf = ({ httpPort }: Relay): string => `ws://127.0.0.1:${httpPort}/relay`;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'palm-relay-client-'));
    await writeFile(join(folder, 'index.html'), '<!doctype html>');
    relay = await start();
    cleanups.push(
      () => rm(folder, { recursive: true }),
      () => relay.close(),
    );
  });

  it('clients see each other come, talk, and go', async () => {
    const first = openClient(urlOf(relay));
    await first.log.until('entered with 0');
    const second = openClient(urlOf(relay));
    await second.log.until('entered with 1');
    await first.log.until('arrived');
    expect(first.client.forward(null, Uint8Array.of(1, 2))).toBe(true);
    await second.log.until('envelope 1 2');
    second.client.close();
    await first.log.until('departed');
    expect(first.log.lines).toEqual(['connecting', 'connected', 'entered with 0', 'arrived', 'departed']);
  });

  it('a client returns to a restarted relay', async () => {
    const { client, log, clock } = openClient(urlOf(relay));
    await log.until('connected');
    await relay.close();
    await log.until('lost');
    expect(client.forward(null, Uint8Array.of(1))).toBe(false);
    relay = await start(relay.httpPort);
    clock.advance(500);
    await log.until('connected', 2);
  });

  it('waking shortens the wait for a lost relay', async () => {
    const { client, log } = openClient(urlOf(relay));
    await log.until('connected');
    await relay.close();
    await log.until('lost');
    relay = await start(relay.httpPort);
    client.wake();
    await log.until('connected', 2);
  });
});

describe('where WebSockets are refused', () => {
  /** Stands for what takes their place: it reaches the relay by another way. */
  function fallbackTo(url: () => string): typeof WebSocket {
    return class extends WebSocket {
      constructor() {
        super(url(), RELAY_SUBPROTOCOL);
      }
    };
  }

  /** A server that refuses every WebSocket until it is told otherwise. */
  async function refusing(): Promise<{ readonly url: string; accept(): void }> {
    let accepts = false;
    const http = createServer();
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on('connection', (socket) => {
      socket.on('message', () => socket.send(encodeRelayFrame({ kind: 'entered', you: ME, others: [] })));
    });
    http.on('upgrade', (request, socket, head) => {
      if (accepts) sockets.handleUpgrade(request, socket, head, (made) => sockets.emit('connection', made));
      else socket.destroy();
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => http.close());
    const address = http.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    return {
      url: `ws://127.0.0.1:${port}/relay`,
      accept: () => {
        accepts = true;
      },
    };
  }

  const ME = connectionIdOf(new Uint8Array(16));

  it('what takes their place is used, and not before', async () => {
    const refused = await refusing();
    const other = await refusing();
    other.accept();
    const clock = new ManualClock();
    const log = new Log();
    const Fallback = fallbackTo(() => other.url);
    const options = { url: refused.url, entry, clock, random: systemRandom, WebSocket, Fallback };
    openWith(options, log);
    await log.until('lost');
    clock.advance(500);
    await log.until('entered with 0');
    expect(log.lines).toEqual(['connecting', 'lost', 'connecting', 'connected', 'entered with 0']);
  });

  it('a WebSocket is used after all if it opens by then', async () => {
    const late = await refusing();
    const clock = new ManualClock();
    const log = new Log();
    const kinds: string[] = [];
    class Counted extends WebSocket {
      constructor(url: string | URL, subprotocols: string[]) {
        super(url, subprotocols);
        kinds.push('socket');
      }
    }
    const Fallback = fallbackTo(() => late.url);
    const options = { url: late.url, entry, clock, random: systemRandom, WebSocket: Counted, Fallback };
    openWith(options, log);
    await log.until('lost');
    late.accept();
    clock.advance(500);
    await log.until('lost', 2);
    clock.advance(1_000);
    await log.until('entered with 0');
    // The first, the trial, and the one that stays.
    expect(kinds).toHaveLength(3);
  });
});

describe('with a scripted relay', () => {
  /** A server with a scripted response to each frame, and a promise of its first socket. */
  async function serve(answer: (socket: WebSocket, kind: string) => void): Promise<string> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanups.push(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    server.on('connection', (socket) => {
      socket.on('message', (data: Buffer) => {
        answer(socket, decodeClientFrame(data).kind);
      });
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has a port');
    return `ws://127.0.0.1:${address.port}`;
  }

  function admit(socket: WebSocket): void {
    socket.send(encodeRelayFrame({ kind: 'entered', you: connectionIdOf(new Uint8Array(16)), others: [] }));
  }

  it('a relay that answers pings is kept, however long it is otherwise silent', async () => {
    let pingCount = 0;
    let isTaken = (): void => undefined;
    const url = await serve((socket, kind) => {
      if (kind === 'enter') admit(socket);
      if (kind !== 'ping') return;
      pingCount += 1;
      socket.send(encodeRelayFrame({ kind: 'pong' }));
      // The client's socket answers this after it has taken the previous frame.
      socket.once('pong', () => {
        isTaken();
      });
      socket.ping();
    });
    const { log, clock } = openClient(url);
    await log.until('connected');
    for (let round = 0; round < 10; round += 1) {
      const taken = new Promise<void>((resolve) => {
        isTaken = resolve;
      });
      clock.advance(3_000);
      // oxlint-disable-next-line no-await-in-loop -- each round needs the one before
      await taken;
    }
    expect(log.lines).toEqual(['connecting', 'connected', 'entered with 0']);
    expect(pingCount).toBe(10);
  });

  it('silence after entering ends the connection within ten seconds', async () => {
    const url = await serve((socket, kind) => {
      if (kind === 'enter') admit(socket);
    });
    const { log, clock } = openClient(url);
    await log.until('connected');
    clock.advance(8_000);
    expect(log.lines.at(-1)).toBe('entered with 0');
    clock.advance(2_000);
    expect(log.lines).toContain('lost');
  });

  it('after a sleep the relay has time to answer', async () => {
    const url = await serve((socket, kind) => {
      if (kind === 'enter') admit(socket);
    });
    const { log, clock } = openClient(url);
    await log.until('connected');
    clock.sleep(600_000);
    clock.advance(400);
    expect(log.lines).not.toContain('lost');
    clock.advance(200);
    expect(log.lines).toContain('lost');
  });

  it('a relay that is silent after a sleep is entered again at once, and once only', async () => {
    const url = await serve((socket, kind) => {
      if (kind === 'enter') admit(socket);
    });
    const { client, log, clock } = openClient(url);
    await log.until('connected');
    clock.advance(12_000);
    await log.until('connected', 2);
    clock.sleep(600_000);
    client.wake();
    clock.advance(400);
    client.wake();
    clock.advance(400);
    expect(log.lines.slice(-2)).toEqual(['lost', 'connecting']);
    await log.until('connected', 3);
    client.wake();
    clock.advance(750);
    // It is no use to enter it over and over.
    expect(log.lines.at(-1)).toBe('lost');
  });

  it('waking ends an attempt that began before the sleep', async () => {
    let enterCount = 0;
    let isAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    const url = await serve((socket) => {
      enterCount += 1;
      if (enterCount > 1) admit(socket);
      isAsked();
    });
    const { client, log, clock } = openClient(url);
    await asked;
    clock.advance(900);
    client.wake();
    expect(log.lines).toEqual(['connecting']);
    clock.advance(200);
    client.wake();
    await log.until('connected');
    expect(enterCount).toBe(2);
  });

  it('silence instead of entering ends it, too', async () => {
    let isAsked = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    const url = await serve(() => {
      isAsked();
    });
    const { log, clock } = openClient(url);
    await asked;
    clock.advance(9_000);
    expect(log.lines).toContain('lost');
  });

  it.each([
    ['garbage', Buffer.from('garbage')],
    ['text', 'text'],
    ['too much', Buffer.alloc(100_000)],
  ])('%s ends the connection and says why', async (_name, data) => {
    const url = await serve((socket) => {
      socket.send(data);
    });
    const { log } = openClient(url);
    await log.until('rejected');
    await log.until('lost');
  });

  it('a reason of the relay’s own is passed on', async () => {
    const url = await serve((socket) => {
      socket.close(4_002, 'the room is full');
    });
    const { log } = openClient(url);
    await log.until('rejected: {"kind":"relay-closed","detail":"the room is full"}');
    await log.until('lost');
  });

  it('the waits between attempts grow, and stay bounded', async () => {
    let attemptCount = 0;
    const url = await serve((socket) => {
      attemptCount += 1;
      socket.close(4_002, 'the room is full');
    });
    const { log, clock } = openClient(url);
    const waits: number[] = [];
    for (let round = 1; round <= 7; round += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each round needs the one before
      await log.until('lost', round);
      const startMs = clock.monotonicMs();
      while (log.lines.at(-1) === 'lost') clock.advance(50);
      waits.push(clock.monotonicMs() - startMs);
    }
    expect(attemptCount).toBe(7);
    expect(waits[0]).toBeLessThanOrEqual(500);
    expect(Math.max(...waits)).toBeLessThanOrEqual(10_000);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(4_950);
  });
});

it('an unusable address is reported, not thrown', () => {
  const { log } = openClient('gopher://nowhere');
  expect(log.lines[1]).toContain('rejected');
  expect(log.lines[2]).toBe('lost');
});
