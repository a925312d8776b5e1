// The lane's requests next to a real relay, over raw sockets: what those see who have no token, and what
// those can do who have one.

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LaneServer } from '../../../src/cli/device/lane-server.ts';
import { webCryptography } from '../../../src/adapters/portable/webcrypto.ts';
import { base64UrlOf, concatBytes, equalBytes, utf8 } from '../../../src/core/model/bytes.ts';
import type { BlockHash, DeviceId } from '../../../src/core/model/ids.ts';
import { BLOCK_BYTES, LANE_LIFE_MS, LANE_RENEW_MS } from '../../../src/core/model/limits.ts';
import type { LaneGrant } from '../../../src/core/wire/lane-grant.ts';
import {
  blocksHeader,
  LANE_BLOCKS_HEADER,
  MAX_RUN_BYTES,
  runHead,
  RunReader,
} from '../../../src/core/wire/lane-run.ts';
import { LaneGranting } from '../../../src/runtime/lane/lane-granting.ts';
import type { Relay } from '../../../signaling/relay.ts';
import { ManualClock } from '../../fixtures/manual-clock.ts';
import { deviceAt } from '../../fixtures/pool-fixture.ts';
import { ask, authorityOf, testRelay, type Answer } from '../../fixtures/relay-fixture.ts';
import { blockOf, hashOf, type TestBlock } from '../../fixtures/test-blocks.ts';

const PHONE = deviceAt(1).deviceId;
const LAPTOP = deviceAt(2).deviceId;
const MANY = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

class LaneWorld {
  readonly clock = new ManualClock();
  readonly server = new LaneServer();
  readonly linked = new Set([PHONE, LAPTOP]);
  readonly grants: { to: DeviceId; grant: LaneGrant }[] = [];
  readonly blocks = [1, 2, 3, 4].map((seed) => blockOf(seed, 50_000));
  /** Open requests of the device next to the relay: by asked device and id. */
  readonly awaited = new Map<string, BlockHash>();
  readonly arrived: { from: DeviceId; number: number; bytes: Uint8Array }[] = [];
  /** Bytes of blocks that were read for an answer, and not given back. */
  lentBytes = 0;
  /** While set, blocks are read only once it resolves. */
  held: Promise<void> | undefined;
  loadCount = 0;
  readonly granting: LaneGranting;

  readonly relay: Relay;

  constructor(relay: Relay) {
    this.relay = relay;
    this.granting = new LaneGranting({
      clock: this.clock,
      random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
      memory: {
        take: (length) => new Uint8Array(length),
        give: ({ length }) => void (this.lentBytes -= length),
      },
      cryptography: webCryptography,
      host: this.server,
      isReachable: (device) => this.linked.has(device),
      send: (to, grant) => this.grants.push({ to, grant }),
      load: async (_, hash) => {
        this.loadCount += 1;
        await this.held;
        const bytes = this.blocks.find((block) => equalBytes(block.hash, hash))?.bytes.slice();
        this.lentBytes += bytes?.length ?? 0;
        return bytes;
      },
      sent: () => undefined,
      awaited: (from, id) => this.awaited.get(`${from}/${id}`),
      arrived: (from, item) => this.arrived.push({ from, ...item }),
    });
  }

  static async open(): Promise<LaneWorld> {
    let answer: LaneServer['answer'] = () => false;
    const world = new LaneWorld(await testRelay({ lane: (...request) => answer(...request) }));
    answer = (...request) => world.server.answer(...request);
    onTestFinished(() => world.granting.close());
    return world;
  }

  /** The last token that the device was given. */
  tokenOf(device: DeviceId): string {
    const last = this.grants.findLast(({ to }) => to === device);
    if (last === undefined) throw new Error('it was given none');
    return base64UrlOf(last.grant.token);
  }

  linkedToken(device: DeviceId): string {
    this.granting.speaks(device);
    return this.tokenOf(device);
  }

  get(token: string, blocks: readonly TestBlock[] = this.blocks): Promise<Answer> {
    const hashes = blocksHeader(blocks.map(({ hash }) => hash));
    const headers = { Authorization: `Bearer ${token}`, [LANE_BLOCKS_HEADER]: hashes };
    return ask(this.relay, '/lane', { headers });
  }

  /** The status of a POST; undefined when it got none. `sent`: how much of the body goes out. */
  async post(
    token: string | undefined,
    body: Uint8Array,
    length: number | 'chunked' = body.length,
  ): Promise<number | undefined> {
    const socket = await this.connect();
    socket.write(this.head(token, length));
    // A body that is too short ends with its connection.
    if (length === 'chunked' || body.length >= length) socket.write(body);
    else socket.end(body);
    return statusOf(socket);
  }

  head(token: string | undefined, length: number | 'chunked'): string {
    const size = length === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
    const lines = ['POST /lane HTTP/1.1', `Host: localhost:${this.relay.httpPort}`, size];
    if (token !== undefined) lines.push(`Authorization: Bearer ${token}`);
    return `${lines.join('\r\n')}\r\n\r\n`;
  }

  connect(): Promise<Socket> {
    return new Promise((resolve) => {
      const socket = connect(this.relay.httpPort, '127.0.0.1', () => resolve(socket));
      socket.on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
    });
  }
}

function statusOf(socket: Socket): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const status = /^HTTP\/1.1 (\d+)/u.exec(text)?.[1];
      if (status !== undefined) resolve(Number(status));
    });
    socket.on('close', () => resolve(undefined));
  });
}

/** 32 bytes: whole blocks of them are possible. */
const REQUEST = 'GET / HTTP/1.1\r\nHost: likely\r\n\r\n';

function requests(count: number): Uint8Array<ArrayBuffer> {
  return utf8(REQUEST.repeat(count));
}

function itemOf(number: number, bytes: Uint8Array): Uint8Array {
  return concatBytes(runHead(number, bytes.length), bytes);
}

function blocksIn({ bytes }: Answer): (Uint8Array | undefined)[] {
  const run = new RunReader(16, (length) => new Uint8Array(length));
  run.push(bytes);
  return run.items.map((item) => (item.bytes.length === 0 ? undefined : item.bytes));
}

describe('who has no live token', () => {
  test('gets the answer of any path that is not there, with or without a device', async () => {
    const world = await LaneWorld.open();
    const without = await testRelay();
    world.linkedToken(PHONE);
    const strange = { Authorization: `Bearer ${'A'.repeat(43)}`, [LANE_BLOCKS_HEADER]: 'x' };
    for (const headers of [{}, strange, { Authorization: 'Basic eA==' }, { Authorization: 'Bearer' }]) {
      for (const relay of [world.relay, without]) {
        const unknown = await ask(relay, '/lanf', { headers });
        const answer = await ask(relay, '/lane', { headers });
        expect(answer.status).toBe(404);
        expect(timeless(answer)).toEqual(timeless(unknown));
        for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
          const { status, body } = await ask(relay, '/lane', { method, headers });
          expect([method, status, body]).toEqual([method, 404, unknown.body]);
        }
      }
    }
  });

  test('an expired token, and one of a link that ended, are none', async () => {
    const world = await LaneWorld.open();
    const first = world.linkedToken(PHONE);
    expect((await world.get(first)).status).toBe(200);
    world.clock.advance(LANE_RENEW_MS);
    const second = world.tokenOf(PHONE);
    expect(second).not.toBe(first);
    // What was asked for under the old one goes on.
    expect((await world.get(first)).status).toBe(200);
    world.clock.advance(LANE_LIFE_MS - LANE_RENEW_MS);
    expect((await world.get(first)).status).toBe(404);
    const last = world.tokenOf(PHONE);
    expect((await world.get(last)).status).toBe(200);
    world.granting.linkDown(PHONE);
    expect((await world.get(last)).status).toBe(404);
    expect(await world.post(last, itemOf(1, new Uint8Array(9)))).toBe(404);
    // Nothing is renewed for it.
    const count = world.grants.length;
    world.clock.advance(3 * LANE_RENEW_MS);
    expect(world.grants).toHaveLength(count);
    // A device that slept renewed nothing meanwhile.
    const late = world.linkedToken(PHONE);
    world.clock.sleep(LANE_LIFE_MS);
    expect((await world.get(late)).status).toBe(404);
  });

  test('a device that is no longer heard gets nothing', async () => {
    const world = await LaneWorld.open();
    const token = world.linkedToken(PHONE);
    world.linked.delete(PHONE);
    expect((await world.get(token)).status).toBe(404);
  });
});

describe('who has a token', () => {
  test('gets the blocks that are here', async () => {
    const world = await LaneWorld.open();
    const token = world.linkedToken(PHONE);
    const [first, second] = world.blocks;
    if (first === undefined || second === undefined) throw new Error('there are four');
    const answer = await world.get(token, [first, blockOf(99), second]);
    expect(blocksIn(answer)).toEqual([first.bytes, undefined, second.bytes]);
    expect(world.lentBytes).toBe(0);
    expect(world.server.counts.sentBlocks).toBe(2);
  });

  test('uses it over TLS, or on this machine: never in the clear on the network', async () => {
    const world = await LaneWorld.open();
    const token = world.linkedToken(PHONE);
    const hashes = blocksHeader(world.blocks.map(({ hash }) => hash));
    const headers = { Authorization: `Bearer ${token}`, [LANE_BLOCKS_HEADER]: hashes };
    const ca = await authorityOf(world.relay);
    expect((await ask(world.relay, '/lane', { headers, secure: true, ca })).status).toBe(200);
    const count = world.loadCount;
    const host = '192.168.7.7:8080';
    const inTheClear = await ask(world.relay, '/lane', { headers: { ...headers, host } });
    const unknown = await ask(world.relay, '/lanf', { headers: { host } });
    expect(timeless(inTheClear)).toEqual(timeless(unknown));
    expect(world.loadCount).toBe(count);
  });

  test('asks for a run at most, by whole hashes', async () => {
    const world = await LaneWorld.open();
    const token = world.linkedToken(PHONE);
    const many = Array.from({ length: 17 }, (_, seed) => blockOf(seed));
    expect((await world.get(token, many)).status).toBe(400);
    const headers = { Authorization: `Bearer ${token}` };
    expect((await ask(world.relay, '/lane', { headers })).status).toBe(400);
    const short = { ...headers, [LANE_BLOCKS_HEADER]: 'AAAA' };
    expect((await ask(world.relay, '/lane', { headers: short })).status).toBe(400);
    expect(world.loadCount).toBe(0);
  });

  test('brings what its link was asked for, and nothing else', async () => {
    const world = await LaneWorld.open();
    const token = world.linkedToken(PHONE);
    const [block, other] = [blockOf(7), blockOf(8)];
    world.awaited.set(`${PHONE}/3`, block.hash);
    world.awaited.set(`${LAPTOP}/4`, other.hash);
    expect(await world.post(token, itemOf(3, other.bytes)), 'wrong bytes').toBe(409);
    expect(await world.post(token, itemOf(4, other.bytes)), 'asked of another link').toBe(204);
    expect(await world.post(token, itemOf(5, block.bytes)), 'asked of nobody').toBe(204);
    expect(world.arrived).toEqual([]);
    expect(await world.post(token, itemOf(3, block.bytes))).toBe(204);
    expect(world.arrived).toEqual([{ from: PHONE, number: 3, bytes: block.bytes }]);
    expect(await world.post(world.linkedToken(LAPTOP), itemOf(4, other.bytes))).toBe(204);
  });

  test('brings a block that looks like many requests, in however many pieces it comes', async () => {
    const world = await LaneWorld.open();
    const token = world.linkedToken(PHONE);
    const bytes = requests(BLOCK_BYTES / REQUEST.length);
    world.awaited.set(`${PHONE}/3`, hashOf(bytes));
    expect(await world.post(token, itemOf(3, bytes))).toBe(204);
    expect(world.arrived).toHaveLength(1);
    // Its head, its beginning and all that follows in one piece, as a busy relay reads it.
    const socket = await world.connect();
    socket.write(concatBytes(utf8(world.head(token, bytes.length + 8)), itemOf(3, bytes)));
    expect(await statusOf(socket)).toBe(204);
    expect(world.arrived).toHaveLength(2);
  });

  test('cannot make it hold more than a run, nor take a part for the whole', async () => {
    const world = await LaneWorld.open();
    const token = world.linkedToken(PHONE);
    const block = blockOf(7, 1_000);
    for (const id of MANY) world.awaited.set(`${PHONE}/${id}`, block.hash);
    const whole = itemOf(1, block.bytes);
    expect(await world.post(token, whole, MAX_RUN_BYTES + 1), 'too long').toBe(413);
    expect(await world.post(token, whole, 'chunked'), 'of no length').toBe(413);
    expect(await world.post(token, new Uint8Array(), 0), 'empty').toBe(413);
    expect(await world.post(token, runHead(1, BLOCK_BYTES + 1)), 'a block that is too long').toBe(400);
    const five = concatBytes(...[1, 2, 3, 4, 5].map((id) => itemOf(id, block.bytes)));
    expect(await world.post(token, five), 'five blocks').toBe(400);
    expect(await world.post(token, whole.subarray(0, 500)), 'a block without its end').toBe(400);
    expect(await world.post(token, whole.subarray(0, 500), whole.length), 'cut on the way').toBeOneOf([
      400,
      undefined,
    ]);
    expect(world.arrived).toEqual([]);
  });

  test('and floods, is refused beyond a few requests, and served again afterwards', async () => {
    const world = await LaneWorld.open();
    const token = world.linkedToken(PHONE);
    let release: () => void = () => undefined;
    world.held = new Promise((resolve) => (release = resolve));
    const waiting = MANY.map(() => world.get(token));
    const refused: number[] = [];
    for (const answer of waiting) void answer.then(({ status }) => refused.push(status));
    await expect.poll(() => refused).toEqual([429, 429]);
    // Another device is served all the while.
    const [block] = world.blocks;
    const other = world.get(world.linkedToken(LAPTOP), block === undefined ? [] : [block]);
    release();
    expect((await other).status).toBe(200);
    const statuses = (await Promise.all(waiting)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(8);
    expect((await world.get(token)).status).toBe(200);
    expect(world.lentBytes).toBe(0);
  });

  test('and goes in the middle of an answer, leaves no memory and no request behind', async () => {
    const world = await LaneWorld.open();
    const token = world.linkedToken(PHONE);
    for (const _ of MANY) {
      let release: () => void = () => undefined;
      world.held = new Promise((resolve) => (release = resolve));
      const before = world.loadCount;
      const socket = await world.connect();
      const hashes = blocksHeader(world.blocks.map(({ hash }) => hash));
      socket.write(
        `GET /lane HTTP/1.1\r\nHost: localhost:${world.relay.httpPort}\r\n` +
          `Authorization: Bearer ${token}\r\n${LANE_BLOCKS_HEADER}: ${hashes}\r\n\r\n`,
      );
      await expect.poll(() => world.loadCount).toBeGreaterThan(before);
      socket.destroy();
      release();
    }
    world.held = undefined;
    await expect.poll(() => world.lentBytes).toBe(0);
    await expect.poll(async () => (await world.get(token)).status).toBe(200);
  });

  test('is cut in the middle of an answer when its link ends', async () => {
    const world = await LaneWorld.open();
    const token = world.linkedToken(PHONE);
    let release: () => void = () => undefined;
    world.held = new Promise((resolve) => (release = resolve));
    const cut = world.get(token).then(
      () => 'answered',
      () => 'cut',
    );
    await expect.poll(() => world.loadCount).toBeGreaterThan(0);
    world.granting.linkDown(PHONE);
    expect(await cut).toBe('cut');
    release();
    await expect.poll(() => world.lentBytes).toBe(0);
  });
});

/** What an answer shows but for the time of day. */
function timeless({ status, headers, body }: Answer): object {
  return { status, headers: { ...headers, date: '' }, body };
}
