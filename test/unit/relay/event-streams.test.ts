// Clients of the rooms without a WebSocket: server-sent events, and frames in POST requests.

import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Relay } from '../../../signaling/relay.ts';
import {
  type ClientFrame,
  decodeRelayFrame,
  encodeClientFrame,
  joinFrames,
  MAX_FRAMES_BYTES,
  RELAY_CLOSE,
  type RelayFrame,
  splitFrames,
} from '../../../src/core/wire/relay-protocol.ts';
import { RelayClient, ROOM_A, testRelay } from '../../fixtures/relay-fixture.ts';

interface Event {
  readonly kind: string;
  readonly data: string;
}

/** A stream, whose events are kept in order. */
class Stream {
  readonly #relay: Relay;
  readonly #asked: ClientRequest;
  readonly #events: Event[] = [];
  #wake: () => void = () => undefined;
  response: IncomingMessage | undefined;
  secret = '';

  constructor(relay: Relay, headers: Record<string, string> = {}) {
    this.#relay = relay;
    const { httpPort: port } = relay;
    this.#asked = request(
      { host: '127.0.0.1', port, path: '/relay/events', headers: { Host: `localhost:${port}`, ...headers } },
      (response) => {
        this.response = response;
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          const parts = text.split('\n\n');
          text = parts.pop() ?? '';
          this.#events.push(...parts.map(eventOf));
          this.#wake();
        });
        response.on('close', () => {
          this.#events.push({ kind: 'over', data: '' });
          this.#wake();
        });
        this.#wake();
      },
    );
    this.#asked.on('error', () => undefined);
    this.#asked.end();
    onTestFinished(() => {
      this.#asked.destroy();
    });
  }

  static async open(relay: Relay): Promise<Stream> {
    const stream = new Stream(relay);
    const { kind, data } = await stream.next();
    expect(kind).toBe('opened');
    stream.secret = data;
    return stream;
  }

  async next(): Promise<Event> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async frame(): Promise<RelayFrame> {
    const { kind, data } = await this.next();
    expect(kind).toBe('message');
    return decodeRelayFrame(Buffer.from(data, 'base64'));
  }

  async status(): Promise<number> {
    while (this.response === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.response.statusCode ?? 0;
  }

  post(...frames: ClientFrame[]): Promise<number> {
    return post(this.#relay, this.secret, joinFrames(frames.map(encodeClientFrame)));
  }

  pause(): void {
    this.response?.pause();
  }

  end(): void {
    this.#asked.destroy();
  }
}

function eventOf(text: string): Event {
  const field = (name: string): string | undefined => new RegExp(`^${name}: ?(.*)$`, 'm').exec(text)?.[1];
  return { kind: field('event') ?? 'message', data: field('data') ?? '' };
}

function post(
  { httpPort: port }: Relay,
  secret: string,
  body: Uint8Array,
  headers: Record<string, string> = {},
  unfinished?: (request: ClientRequest) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: `/relay/frames?stream=${secret}`,
        headers: { Host: `localhost:${port}`, ...headers },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    asked.on('error', reject);
    asked.write(body);
    if (unfinished === undefined) asked.end();
    else unfinished(asked);
  });
}

describe('a stream', () => {
  test('meets clients with a WebSocket in a room, in both directions', async () => {
    const relay = await testRelay();
    const other = await RelayClient.enter(relay, ROOM_A);
    const stream = await Stream.open(relay);
    expect(await stream.post({ kind: 'enter', room: ROOM_A })).toBe(204);
    expect(await stream.frame()).toMatchObject({ kind: 'entered', others: [other.id] });
    const arrived = await other.until(({ kind }) => kind === 'arrived');
    const letters = [1, 2, 3].map((byte) => Uint8Array.of(byte));
    await stream.post(...letters.map((envelope) => ({ kind: 'forward', to: other.id, envelope }) as const));
    for (const envelope of letters) expect(await other.next()).toMatchObject({ kind: 'envelope', envelope });
    if (arrived.kind !== 'arrived') throw new Error('It says who arrived.');
    other.send({ kind: 'forward', to: arrived.id, envelope: Uint8Array.of(9) });
    expect(await stream.frame()).toMatchObject({
      kind: 'envelope',
      from: other.id,
      envelope: Uint8Array.of(9),
    });
    stream.end();
    expect(await other.next()).toEqual({ kind: 'departed', id: arrived.id });
  });

  test('lists a pool, looks at the list, and carries letters between the two', async () => {
    const relay = await testRelay();
    const listing = await Stream.open(relay);
    expect(await listing.post({ kind: 'list', name: 'Home' })).toBe(204);
    const entered = await listing.frame();
    if (entered.kind !== 'entered') throw new Error(`it heard ${entered.kind}`);
    const { you: host } = entered;
    const looking = await Stream.open(relay);
    expect(await looking.post({ kind: 'look' })).toBe(204);
    expect(await looking.frame()).toEqual({ kind: 'pools', pools: [{ id: host, name: 'Home' }] });
    const envelope = Uint8Array.of(1, 2, 3);
    expect(await looking.post({ kind: 'forward', to: host, envelope })).toBe(204);
    const asked = await listing.frame();
    if (asked.kind !== 'envelope') throw new Error(`it heard ${asked.kind}`);
    expect(asked.envelope).toEqual(envelope);
    const answer = Uint8Array.of(4);
    expect(await listing.post({ kind: 'forward', to: asked.from, envelope: answer })).toBe(204);
    expect(await looking.frame()).toEqual({ kind: 'envelope', from: host, envelope: answer });
    listing.end();
    expect(await looking.frame()).toEqual({ kind: 'departed', id: host });
  });

  test('is not spoken for by who knows only its name in the room', async () => {
    const relay = await testRelay();
    const other = await RelayClient.enter(relay, ROOM_A);
    const stream = await Stream.open(relay);
    await stream.post({ kind: 'enter', room: ROOM_A });
    const entered = await stream.frame();
    if (entered.kind !== 'entered') throw new Error('It entered.');
    const forged = encodeClientFrame({ kind: 'forward', to: other.id, envelope: Uint8Array.of(6) });
    expect(await post(relay, entered.you, joinFrames([forged]))).toBe(404);
    expect((await other.heardSoFar()).filter(({ kind }) => kind === 'envelope')).toEqual([]);
  });

  test('is refused to pages of other sites', async () => {
    const relay = await testRelay();
    const foreign = { Origin: 'https://evil.example' };
    expect(await new Stream(relay, foreign).status()).toBe(403);
    const stream = await Stream.open(relay);
    expect(await post(relay, stream.secret, new Uint8Array(0), foreign)).toBe(403);
    expect(await new Stream(relay, { Host: '192.168.7.7:8080' }).status()).toBe(403);
  });

  test('takes one request at a time', async () => {
    const relay = await testRelay();
    const stream = await Stream.open(relay);
    let finish = (): void => undefined;
    const first = post(relay, stream.secret, new Uint8Array(0), {}, (asked) => {
      asked.flushHeaders();
      finish = () => asked.end(joinFrames([encodeClientFrame({ kind: 'ping' })]));
    });
    // Its headers are there when the second is refused; until then the second is an empty sign of life.
    await expect.poll(() => post(relay, stream.secret, new Uint8Array(0))).toBe(409);
    finish();
    expect(await first).toBe(204);
    expect(await stream.frame()).toEqual({ kind: 'pong' });
  });

  test.each([
    ['a frame that is cut short', Uint8Array.of(0, 0, 0, 9, 1)],
    ['a length that is cut short', Uint8Array.of(0, 0)],
    ['a frame that is too long', Uint8Array.of(1, 0, 0, 0)],
    ['a frame that is none', Uint8Array.of(0, 0, 0, 1, 255)],
  ])('ends with its reason after %s', async (_, body) => {
    const relay = await testRelay();
    const stream = await Stream.open(relay);
    await post(relay, stream.secret, body);
    expect(await stream.next()).toEqual({ kind: 'closed', data: JSON.stringify(RELAY_CLOSE.badMessage) });
    expect(await stream.next()).toMatchObject({ kind: 'over' });
    expect(await stream.post({ kind: 'ping' })).toBe(404);
  });

  test('refuses a body that is too large, and goes on', async () => {
    const relay = await testRelay();
    const stream = await Stream.open(relay);
    expect(await post(relay, stream.secret, new Uint8Array(MAX_FRAMES_BYTES + 1))).toBe(413);
    await stream.post({ kind: 'ping' });
    expect(await stream.frame()).toEqual({ kind: 'pong' });
  });

  test('is cut when it does not read', async () => {
    const relay = await testRelay({ limits: { bufferedBytes: 64 * 1024 } });
    const stream = await Stream.open(relay);
    await stream.post({ kind: 'enter', room: ROOM_A });
    await stream.frame();
    const other = await RelayClient.enter(relay, ROOM_A);
    stream.pause();
    const envelope = new Uint8Array(32 * 1024);
    for (;;) {
      other.send({ kind: 'forward', to: null, envelope });
      if ((await other.heardSoFar()).some(({ kind }) => kind === 'departed')) break;
    }
    expect(await stream.post({ kind: 'ping' })).toBe(404);
  });

  test('counts as a client of its address', async () => {
    const relay = await testRelay({ limits: { clientsPerAddress: 2 } });
    const streams = [await Stream.open(relay), await Stream.open(relay), await Stream.open(relay)];
    const [first] = streams;
    expect(await first?.next()).toEqual({ kind: 'closed', data: JSON.stringify(RELAY_CLOSE.addressFull) });
  });

  test('outlives the time that other answers have', async () => {
    const relay = await testRelay({ limits: { answerMs: 1, stalledMs: 1_000 } });
    const stream = await Stream.open(relay);
    const other = await RelayClient.enter(relay, ROOM_A);
    // Of another stream, whose request never ends: when it is cut, deadlines were checked.
    const { secret } = await Stream.open(relay);
    await expect(
      post(relay, secret, new Uint8Array(0), {}, (asked) => asked.flushHeaders()),
    ).rejects.toThrow();
    await stream.post({ kind: 'enter', room: ROOM_A });
    expect(await stream.frame()).toMatchObject({ kind: 'entered', others: [other.id] });
  });

  test('is told that the relay stops', async () => {
    const relay = await testRelay();
    const stream = await Stream.open(relay);
    await relay.close();
    expect(await stream.next()).toEqual({ kind: 'closed', data: JSON.stringify(RELAY_CLOSE.goingAway) });
  });
});

test('frames survive a request, together and none', () => {
  const frames = [Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)];
  expect(splitFrames(joinFrames(frames))).toEqual(frames);
  expect(splitFrames(joinFrames([]))).toEqual([]);
});
