// What counts as a sign of life of the other end of a link.

import { expect, it } from 'vitest';
import type {
  Connect,
  Connection,
  ConnectionEvents,
} from '../../../../../src/adapters/portable/links/connection.ts';
import { Link } from '../../../../../src/adapters/portable/links/link.ts';
import { encodeLinkFrame } from '../../../../../src/core/wire/frames.ts';
import { dirtyMemory } from '../../../../fixtures/dirty-memory.ts';
import { framesOf } from '../../../../fixtures/frames-of.ts';
import { deviceAt } from '../../../../fixtures/pool-fixture.ts';

it('once the last ping went out, progress is no sign of life: a frozen page’s browser still takes whatever comes', async () => {
  const { link, channel, heardCount } = setUp();
  link.ping();
  channel.bufferedBytes = 0;
  // A pulse is on its way when the next ping is due.
  await link.queue.send([new Uint8Array(100)], 'control');
  link.ping();
  expect(heardCount()).toBe(0);
});

it('progress is a sign of life while the last ping waits behind bytes that the other end takes slowly', async () => {
  const { link, channel, heardCount } = setUp();
  await link.queue.send([new Uint8Array(200_000)], 'bulk');
  link.ping();
  channel.bufferedBytes -= 50_000;
  link.ping();
  expect(heardCount()).toBe(1);
  link.ping();
  expect(heardCount(), 'nothing went out since').toBe(1);
});

it('a part of an answer is told as given, and nothing else is', async () => {
  const { frame, heardCount, givenCount } = setUp();
  frame(encodeLinkFrame({ kind: 'pong' }));
  for (const pulse of framesOf([new Uint8Array(100)], 'control', 65_536)) frame(pulse);
  expect([heardCount(), givenCount()]).toEqual([2, 0]);
  for (const part of framesOf([new Uint8Array(200_000)], 'bulk', 65_536)) frame(part);
  expect(givenCount()).toBe(4);
});

it('the queue before a request is followed while it moves, until it is gone', async () => {
  const { link, channel } = setUp();
  expect(link.followQueue()(), 'nothing waits').toBe(false);
  await link.queue.send([new Uint8Array(200_000)], 'bulk');
  const isLeaving = link.followQueue();
  channel.bufferedBytes -= 50_000;
  expect(isLeaving()).toBe(true);
  expect(isLeaving(), 'nothing went out since').toBe(false);
  await link.queue.send([new Uint8Array(200_000)], 'bulk');
  channel.bufferedBytes -= 200_000;
  expect(isLeaving(), 'what waits now came later').toBe(false);
});

/** A link over a channel that keeps what is written until the test takes it out. */
function setUp() {
  let heardCount = 0;
  let givenCount = 0;
  let events: ConnectionEvents | undefined;
  const channel = { bufferedBytes: 0 };
  const connection: Connection = {
    maxFrameBytes: 65_536,
    get bufferedBytes() {
      return channel.bufferedBytes;
    },
    apply: () => undefined,
    write: (frame) => {
      channel.bufferedBytes += frame.length;
      return true;
    },
    destroy: () => undefined,
  };
  const connect: Connect = (_initiator, given) => {
    events = given;
    return connection;
  };
  const link = new Link(deviceAt(1).deviceId, true, connect, dirtyMemory, {
    signal: () => undefined,
    connected: () => undefined,
    closed: () => undefined,
    heard: () => {
      heardCount += 1;
    },
    doubted: () => undefined,
    path: () => undefined,
    given: () => {
      givenCount += 1;
    },
    arrival: () => undefined,
    misbehaved: () => undefined,
  });
  const frame = (bytes: Uint8Array<ArrayBuffer>) => events?.frame(bytes);
  return { link, channel, frame, heardCount: () => heardCount, givenCount: () => givenCount };
}
