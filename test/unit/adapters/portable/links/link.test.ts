// What counts as a sign of life of the other end of a link.

import { expect, it } from 'vitest';
import type { Connection } from '../../../../../src/adapters/portable/links/connection.ts';
import { Link } from '../../../../../src/adapters/portable/links/link.ts';
import { dirtyMemory } from '../../../../fixtures/dirty-memory.ts';
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

/** A link over a channel that keeps what is written until the test takes it out. */
function setUp(): { link: Link; channel: { bufferedBytes: number }; heardCount: () => number } {
  let heardCount = 0;
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
  const link = new Link(deviceAt(1).deviceId, true, () => connection, dirtyMemory, {
    signal: () => undefined,
    connected: () => undefined,
    closed: () => undefined,
    heard: () => {
      heardCount += 1;
    },
    arrival: () => undefined,
    misbehaved: () => undefined,
  });
  return { link, channel, heardCount: () => heardCount };
}
