// What a hostile end sends over a second connection, or about one; and what is kept for an end that counts
// nothing.

import { expect, it } from 'vitest';
import type { Connection, ConnectionEvents } from '../../../../../src/adapters/portable/links/connection.ts';
import { Link } from '../../../../../src/adapters/portable/links/link.ts';
import { SecondPlaces } from '../../../../../src/adapters/portable/links/second-places.ts';
import { encodeSecondFrame, type SecondFrame } from '../../../../../src/core/links/second-frames.ts';
import { OPEN_AFTER_BYTES } from '../../../../../src/core/links/second-timing.ts';
import { MAX_SECOND_BYTES, MAX_SECOND_COUNT } from '../../../../../src/core/model/limits.ts';
import { encodeLinkFrame } from '../../../../../src/core/wire/frames.ts';
import { dirtyMemory } from '../../../../fixtures/dirty-memory.ts';
import { framesOf } from '../../../../fixtures/frames-of.ts';
import { ManualClock } from '../../../../fixtures/manual-clock.ts';
import { deviceAt } from '../../../../fixtures/pool-fixture.ts';

const MESSAGE = new Uint8Array(250_000);

it.each([
  ['a control message', framesOf([new Uint8Array(10)], 'control', 65_536)[0]],
  ['a ping', encodeLinkFrame({ kind: 'ping' })],
  ['a goodbye', encodeLinkFrame({ kind: 'bye' })],
  ['a count', encodeSecondFrame({ kind: 'came', number: 1, count: 1 })],
  ['text', new Uint8Array(0)],
  ['a message that goes on without a beginning', framesOf([MESSAGE], 'bulk', 65_536)[1]],
])('%s over the second connection ends the link', (_, frame) => {
  const { ends, blames } = upLink();
  if (frame !== undefined) ends[1]?.events.frame(frame);
  expect(blames).toEqual([expect.any(String)]);
});

it.each([
  ['a kind that does not exist', Uint8Array.of(0x19)],
  ['a signal that is no CBOR', Uint8Array.of(0x16, 0, 0, 0, 1, 0xff)],
  ['a signal that says nothing', Uint8Array.of(0x16, 0, 0, 0, 1)],
  ['a count cut short', Uint8Array.of(0x17, 0, 0, 0, 1, 0, 0)],
  ['a count with something behind it', Uint8Array.of(0x18, 0, 0, 0, 1, 0, 0, 0, 0, 9)],
  ['a wish with something behind it', Uint8Array.of(0x15, 1)],
  ['a count of what was not sent', encodeSecondFrame({ kind: 'came', number: 1, count: 1 })],
])('%s over the link ends it', (_, frame) => {
  const { ends, blames } = upLink();
  ends[0]?.events.frame(frame);
  expect(blames).toEqual([expect.any(String)]);
});

it('to a link without second connections, frames about them are of unknown kind', () => {
  const { ends, blames } = newLink(false);
  ends[0]?.events.frame(encodeSecondFrame({ kind: 'able' }));
  expect(blames).toEqual([expect.any(String)]);
});

it('an end that counts nothing gets no more by the second than is kept for it', async () => {
  const { link, ends, frame, settledCount } = upLink();
  const [own, second] = ends;
  if (own === undefined || second === undefined) throw new Error('two connections');
  let sentCount = 0;
  // The link has more waiting than the second each time.
  own.bufferedBytes = 100_000_000;
  for (; sentCount < 60; sentCount++) {
    second.bufferedBytes = 0;
    void settledCount(link.send([MESSAGE], 'bulk'));
  }
  const keptCount = Math.floor(MAX_SECOND_BYTES / MESSAGE.length);
  expect(second.writtenBytes).toBeLessThan(MAX_SECOND_BYTES + 1_000);
  expect(second.writtenBytes).toBeGreaterThan(MAX_SECOND_BYTES - 2 * MESSAGE.length);
  expect(await settledCount()).toBe(0);
  frame({ kind: 'came', number: 1, count: 3 });
  expect(await settledCount(), 'those that it counted').toBe(3);
  own.bufferedBytes = 0;
  frame({ kind: 'over', number: 1, count: keptCount - 2 });
  expect(await settledCount(), 'others may have gone over the link by now').toBeGreaterThanOrEqual(
    keptCount - 2,
  );
  expect(second.isDestroyed).toBe(true);
  link.close('for the test');
  expect(await settledCount(), 'all, at the latest when the link ends').toBe(sentCount);
});

it('a signal that the platform throws at ends the second connection, and nothing else', () => {
  const { ends, blames, frame } = upLink();
  const [, second] = ends;
  if (second === undefined) throw new Error('two connections');
  second.apply = () => {
    throw new TypeError('sdpMid and sdpMLineIndex are both null');
  };
  const candidate = { candidate: 'one', sdpMid: null, sdpMLineIndex: null };
  frame({ kind: 'signal', number: 1, signal: { kind: 'candidate', candidate } });
  expect(second.isDestroyed).toBe(true);
  expect(blames).toEqual([]);
});

it('nothing is given to the second connection of a link that is over', async () => {
  const { link, ends, settledCount } = upLink();
  link.close('for the test');
  const [own] = ends;
  if (own !== undefined) own.bufferedBytes = 100_000_000;
  void settledCount(link.send([MESSAGE], 'bulk'));
  expect(await settledCount()).toBe(1);
});

it('a device has so many second connections at most, and gives each place back', () => {
  const places = new SecondPlaces();
  const links = Array.from({ length: MAX_SECOND_COUNT + 1 }, () => upLink(places));
  expect(links.map(({ ends }) => ends.length)).toEqual([2, 2, 1]);
  const [first, second, third] = links;
  first?.link.close('it ended');
  waitLong(third);
  expect(third?.ends, 'the place of a link that ended').toHaveLength(2);
  expect(places.hasOne).toBe(false);
  second?.ends[1]?.events.closed('it broke');
  expect(places.hasOne, 'the other end has not said what came').toBe(false);
  second?.frame({ kind: 'over', number: 1, count: 0 });
  expect(places.hasOne).toBe(true);
});

/** A connection that keeps what is written until the test takes it out. */
class Channel implements Connection {
  readonly maxFrameBytes = 65_536;
  readonly events: ConnectionEvents;
  bufferedBytes = 0;
  writtenBytes = 0;
  isDestroyed = false;

  constructor(events: ConnectionEvents) {
    this.events = events;
  }

  apply(): void {}

  write(frame: Uint8Array): boolean {
    this.writtenBytes += frame.length;
    this.bufferedBytes += frame.length;
    return true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}

type Made = ReturnType<typeof newLink>;

/** A link that this device offered. */
function newLink(maySecond: boolean, places = new SecondPlaces()) {
  const ends: Channel[] = [];
  const blames: string[] = [];
  const connect = (_initiator: boolean, events: ConnectionEvents): Connection => {
    const channel = new Channel(events);
    ends.push(channel);
    return channel;
  };
  const nothing = (): void => undefined;
  const link = new Link(
    deviceAt(1).deviceId,
    true,
    connect,
    dirtyMemory,
    {
      signal: nothing,
      connected: nothing,
      closed: nothing,
      heard: nothing,
      doubted: nothing,
      path: nothing,
      given: nothing,
      arrival: nothing,
      misbehaved: (_rejection, reason) => blames.push(reason),
    },
    maySecond ? { connect, clock: new ManualClock(), places } : undefined,
  );
  let count = 0;
  const settledCount = async (sent?: Promise<void>): Promise<number> => {
    const add = (): void => {
      count += 1;
    };
    if (sent === undefined) await new Promise((resolve) => setImmediate(resolve));
    else sent.then(add, add);
    return count;
  };
  const frame = (given: SecondFrame): void => ends[0]?.events.frame(encodeSecondFrame(given));
  return { link, ends, blames, frame, settledCount };
}

/** The same, with a second connection that is up, if there was a place. */
function upLink(places?: SecondPlaces): Made {
  const made = newLink(true, places);
  made.ends[0]?.events.path?.('direct');
  made.frame({ kind: 'able' });
  waitLong(made);
  made.ends[1]?.events.connected();
  return made;
}

/** Messages wait for the link until a second connection is worth it. */
function waitLong(made: Made | undefined): void {
  const own = made?.ends[0];
  if (made === undefined || own === undefined) return;
  own.bufferedBytes = 1_000_000;
  for (let bytes = 0; bytes <= OPEN_AFTER_BYTES && made.ends.length === 1; bytes += MESSAGE.length)
    made.link.send([MESSAGE], 'bulk').catch(() => undefined);
  own.bufferedBytes = 0;
  made.link.queue.pump();
}
