// Second connections of links, over the real transport and simulated connections: whenever one breaks, and
// whoever notices, each message of a link that lives comes once.

import { expect, test } from 'vitest';
import { SECOND_PROTOCOL } from '../../src/core/links/second-frames.ts';
import { isPalmError } from '../../src/core/model/errors.ts';
import type { Rejection } from '../../src/core/model/failures.ts';
import type { DeviceId } from '../../src/core/model/ids.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { LinkPath, Transport, TransportEvents } from '../../src/core/transport-port.ts';
import { isBulkFrame } from '../../src/core/wire/frames.ts';
import { deviceAt, POOL_KEYS } from '../fixtures/pool-fixture.ts';
import { LinkedNetwork } from './linked-network.ts';
import { CALM } from './network.ts';
import { SimProcess } from './process.ts';
import { World } from './world.ts';

const MESSAGE_BYTES = 200_000;
/** Enough for two devices to link. */
const LINKED_MS = 20_000;
/** Enough for a silent second connection to be given up, and all to go over the link. */
const MENDED_MS = 300_000;
/** The same, where it must be given up long before its platform doubts it, and as a read expects. */
const GIVEN_UP_MS = 13_000;
/** Enough for what was sent to arrive. */
const ARRIVED_MS = 5_000;
/** A second connection without messages is gone after this. */
const IDLE_MS = 15_000;
/** Messages that wait at a time, as a reader asks for them. */
const WAITING_COUNT = 16;
/** Slow enough that bytes wait. */
const SLOW = { ...CALM, bytesPerMs: 2_000 };

test('bytes that wait open a second connection, which carries a part of them and ends when idle', async () => {
  const pair = await linkedPair(1);
  const { world, connections, ends } = pair;
  const [a, b] = ends;
  expect(connections.between(a.device, b.device)).toHaveLength(1);
  const sent = [...sendMany(a, b, 60), ...sendMany(b, a, 60)];
  await world.until('a second is up', () => hasSecond(pair));
  await arrived(pair, sent);
  expectOnce(a, b, 60);
  expectOnce(b, a, 60);
  expect(pair.secondFrameCount(), 'frames of the second').toBeGreaterThan(60);
  await world.pass(IDLE_MS);
  expect(connections.between(a.device, b.device)).toHaveLength(1);
  expectCalm(pair);
});

/** From the first frame of the second connection on, to beyond all that it carries in the test. */
const MOMENTS = Array.from({ length: 20 }, (_, at) => 1 + at * 4);

test.each(MOMENTS)('nothing is lost or doubled when the second breaks at its frame %i', async (moment) => {
  const pair = await linkedPair(moment);
  const { connections, ends } = pair;
  const [a, b] = ends;
  pair.atSecondFrame(moment, () => {
    const second = connections.between(a.device, b.device)[1];
    if (second !== undefined) connections.break(second);
  });
  const sent = [...sendMany(a, b, 60), ...sendMany(b, a, 30)];
  await arrived(pair, sent);
  expectOnce(a, b, 60);
  expectOnce(b, a, 30);
  expect(pair.secondFrameCount(), 'frames of the second').toBeGreaterThanOrEqual(moment);
  expectCalm(pair);
});

test.each([1, 30, 70])(
  'a second that falls silent at its frame %i, told to nobody, costs time only',
  async (moment) => {
    const pair = await linkedPair(moment);
    const { connections, ends } = pair;
    const [a, b] = ends;
    let silentFromMs = Infinity;
    pair.atSecondFrame(moment, () => {
      connections.between(a.device, b.device)[1]?.silence();
      silentFromMs = pair.world.nowMs;
    });
    const sent = [...sendMany(a, b, 60), ...sendMany(b, a, 30)];
    await arrived(pair, sent);
    expect(pair.world.nowMs - silentFromMs).toBeLessThan(GIVEN_UP_MS);
    expectOnce(a, b, 60);
    expectOnce(b, a, 30);
    expectCalm(pair);
  },
);

test.each([30, 50])(
  'a second %i times as slow as its link does not hold up for long what it was given',
  async (slowness) => {
    const pair = await linkedPair(slowness);
    const { world, connections, ends } = pair;
    const [a, b] = ends;
    const sent = sendMany(a, b, 60);
    await world.until('a second is up', () => hasSecond(pair));
    const second = connections.between(a.device, b.device)[1];
    if (second !== undefined) second.slowness = slowness;
    const beganMs = world.nowMs;
    await world.settled('sent', Promise.all(sent), MENDED_MS);
    expect(world.nowMs - beganMs).toBeLessThan(GIVEN_UP_MS);
    await arrived(pair, sent);
    expectOnce(a, b, 60);
    expect(pair.secondFrameCount(), 'frames of the second').toBeGreaterThan(0);
    expectCalm(pair);
  },
);

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'many breaks, seed %i: each message comes once while the link lives',
  async (seed) => {
    const pair = await linkedPair(seed, { breaksSeconds: true });
    const { world, ends } = pair;
    const [a, b] = ends;
    const sent = [];
    for (let round = 0; round < 6; round++) {
      sent.push(...sendMany(a, b, 30), ...sendMany(b, a, 20));
      await world.pass(world.random.below(40_000));
    }
    await arrived(pair, sent);
    expectOnce(a, b, 180);
    expectOnce(b, a, 120);
    expectCalm(pair);
  },
);

test('when the link itself breaks, all that waits settles, and nothing comes twice', async () => {
  const pair = await linkedPair(1);
  const { world, connections, ends } = pair;
  const [a, b] = ends;
  const outcomes = Promise.allSettled([...sendMany(a, b, 60), ...sendMany(b, a, 60)]);
  await world.until('a second is up', () => hasSecond(pair));
  await world.pass(50);
  const [link] = connections.between(a.device, b.device);
  if (link !== undefined) connections.break(link);
  const settled = await world.settled('settled', outcomes, MENDED_MS);
  const reasons = settled.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  expect(reasons.length).toBeGreaterThan(0);
  expect(reasons.every((reason) => isPalmError(reason, 'link-closed'))).toBe(true);
  for (const { came } of ends) expect(new Set(came).size).toBe(came.length);
  await world.pass(IDLE_MS);
  expect(connections.between(a.device, b.device), 'connections that live').toHaveLength(1);
});

test.each([
  ['an earlier version at the end that offers', [0], 'direct'],
  ['an earlier version at the other end', [1], 'direct'],
  ['a link through the relay', [], 'relay'],
  ['a platform that does not tell the path', [], undefined],
] as const)('no second connection with %s', async (_, old, path) => {
  const pair = await linkedPair(1, { old, path });
  const [a, b] = pair.ends;
  const sent = [...sendMany(a, b, 60), ...sendMany(b, a, 60)];
  await arrived(pair, sent);
  expectOnce(a, b, 60);
  expect(pair.connections.openedCount).toBe(2);
  expectCalm(pair);
});

test('what was not begun can still be cancelled, and comes not', async () => {
  const pair = await linkedPair(1);
  const { world, ends } = pair;
  const [a, b] = ends;
  const first = sendMany(a, b, 40);
  await world.until('a second is up', () => hasSecond(pair));
  const abort = new AbortController();
  const later = sendMany(a, b, 20, abort.signal);
  abort.abort();
  const outcomes = await world.settled('settled', Promise.allSettled([...first, ...later]), MENDED_MS);
  const rejected = outcomes.filter(({ status }) => status === 'rejected');
  expect(rejected.length).toBeGreaterThan(10);
  await world.pass(IDLE_MS);
  expect(b.came).toHaveLength(60 - rejected.length);
  expectCalm(pair);
});

interface End {
  readonly device: DeviceId;
  readonly transport: Transport;
  /** What the messages that came begin with. */
  readonly came: number[];
  readonly downs: string[];
  readonly rejections: Rejection[];
  sentCount: number;
}

/** All is sent, and what the channels took has come. */
async function arrived({ world }: Pair, sent: readonly Promise<void>[]): Promise<void> {
  await world.settled('sent', Promise.all(sent), MENDED_MS);
  await world.pass(ARRIVED_MS);
}

type Pair = Awaited<ReturnType<typeof linkedPair>>;

async function linkedPair(
  seed: number,
  given: {
    readonly old?: readonly number[];
    readonly path?: LinkPath | undefined;
    readonly breaksSeconds?: boolean;
  } = {},
) {
  const world = new World(seed);
  const network = new LinkedNetwork(world, SLOW);
  const { connections } = network;
  const identities = [deviceAt(0), deviceAt(1)].toSorted((x, y) => (x.deviceId < y.deviceId ? -1 : 1));
  const isOld = (at: number): boolean => given.old?.includes(at) === true;
  network.mayUseSecond = (device) => !isOld(identities.findIndex(({ deviceId }) => deviceId === device));
  // The end with the smaller id offers.
  connections.protocol = isOld(0) ? '' : SECOND_PROTOCOL;
  connections.path = 'path' in given ? given.path : 'direct';
  const clock: Clock = {
    monotonicMs: () => world.nowMs,
    wallMs: () => world.nowMs,
    after: (delayMs, run) => world.after(delayMs, run),
  };
  const [a, b] = identities.map((identity) => {
    const { deviceId: device } = identity;
    const transport = network.transportFor({ keys: POOL_KEYS, identity, process: new SimProcess(), clock });
    const end: End = { device, transport, came: [], downs: [], rejections: [], sentCount: 0 };
    transport.open(eventsOf(end));
    return end;
  });
  if (a === undefined || b === undefined) throw new Error('two ends');
  const ends = [a, b] as const;
  let secondFrameCount = 0;
  let moment: { readonly at: number; readonly run: () => void } | undefined;
  connections.onDelivered = (from, frame) => {
    const [, second] = connections.between(from.device, from.device === a.device ? b.device : a.device);
    if (second !== from) return;
    expect(isBulkFrame(frame)).toBe(true);
    secondFrameCount += 1;
    if (secondFrameCount === moment?.at) moment.run();
    if (given.breaksSeconds === true && world.random.unit() < 0.02) {
      if (world.random.unit() < 0.5) connections.break(from);
      else from.silence();
    }
  };
  await world.pass(LINKED_MS);
  return {
    world,
    connections,
    ends,
    bugs: network.bugs,
    secondFrameCount: () => secondFrameCount,
    atSecondFrame: (at: number, run: () => void) => {
      moment = { at, run };
    },
  };
}

function eventsOf(end: End): TransportEvents {
  return {
    linkUp: () => undefined,
    linkDown: (_device, reason) => end.downs.push(reason),
    message: (_device, bytes) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const number = view.getUint32(0);
      expect(bytes).toHaveLength(MESSAGE_BYTES);
      expect(isPattern(bytes, number), `message ${number}`).toBe(true);
      end.came.push(number);
    },
    relayState: () => undefined,
    rejected: (rejection) => end.rejections.push(rejection),
  };
}

/**
 * Sends messages that are numbered on, as a reader asks for them: some wait at a time. Settles as they do.
 */
function sendMany(from: End, to: End, count: number, signal?: AbortSignal): Promise<void>[] {
  const sent: Promise<void>[] = [];
  for (let at = 0; at < count; at++) {
    const number = from.sentCount;
    from.sentCount += 1;
    const send = (): Promise<void> => from.transport.send(to.device, [pattern(number)], 'bulk', signal);
    sent.push(sent[at - WAITING_COUNT]?.then(send) ?? send());
  }
  return sent;
}

function pattern(number: number): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  for (let at = 4; at < bytes.length; at += 997) bytes[at] = number + at;
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

function isPattern(bytes: Uint8Array, number: number): boolean {
  return Buffer.from(pattern(number).buffer).equals(bytes);
}

function hasSecond({ connections, ends: [a, b] }: Pair): boolean {
  return connections.between(a.device, b.device)[1]?.works === true;
}

function expectOnce(from: End, to: End, count: number): void {
  expect(to.downs).toEqual([]);
  expect(to.rejections).toEqual([]);
  expect(to.came.toSorted((x, y) => x - y)).toEqual(Array.from({ length: count }, (_, at) => at));
  expect(from.sentCount).toBe(count);
}

/** The link lived, and nobody was accused of anything. */
function expectCalm({ ends, bugs }: Pair): void {
  expect(bugs).toEqual([]);
  for (const { downs, rejections } of ends) expect([downs, rejections]).toEqual([[], []]);
}
