// The cost of an unfinished WebSocket message to the relay, computed from its bytes alone.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessageMeter } from '../../../signaling/message-meter.ts';

/** A frame with an all-zero mask (RFC 6455, section 5.2). */
function frame(first: number, length: number): Buffer {
  const header =
    length < 126
      ? [0x80 | length]
      : length < 65_536
        ? [0xfe, length >> 8, length & 0xff]
        : [0xff, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.of(first, ...header, 0, 0, 0, 0), Buffer.alloc(length)]);
}

/** All frames that the chunk holds. */
function feed(meter: MessageMeter, nowMs: number, chunk: Buffer): void {
  for (let at = 0; at < chunk.length;) at = meter.feed(nowMs, chunk, at);
}

describe('a message', () => {
  test('costs nothing once it is whole, whatever its length', () => {
    const meter = new MessageMeter();
    for (const length of [0, 1, 125, 126, 65_535, 65_536, 100_000]) {
      feed(meter, 1, frame(0x82, length));
      expect([meter.heldBytes, meter.sinceMs]).toEqual([0, undefined]);
    }
  });

  test('costs all its chunks since its first byte while it is incomplete', () => {
    const meter = new MessageMeter();
    const bytes = frame(0x82, 40_000);
    feed(meter, 5, bytes.subarray(0, 1));
    feed(meter, 6, bytes.subarray(1, 30_000));
    expect(meter.sinceMs).toBe(5);
    expect(meter.heldBytes).toBeGreaterThanOrEqual(30_000);
    feed(meter, 7, bytes.subarray(30_000));
    expect([meter.heldBytes, meter.sinceMs]).toEqual([0, undefined]);
  });

  test('costs the whole chunk that its first part shared with others', () => {
    const meter = new MessageMeter();
    feed(meter, 5, Buffer.concat([frame(0x82, 60_000), frame(0x02, 1)]));
    expect(meter.sinceMs).toBe(5);
    expect(meter.heldBytes).toBeGreaterThanOrEqual(60_000);
  });

  test('continues through pings between its parts', () => {
    const meter = new MessageMeter();
    feed(meter, 5, frame(0x02, 10));
    feed(meter, 6, frame(0x89, 4));
    expect(meter.sinceMs).toBe(5);
    feed(meter, 7, frame(0x80, 0));
    expect(meter.sinceMs).toBeUndefined();
  });
});

test('the meter reaches the end of one frame at a time', () => {
  const meter = new MessageMeter();
  const [ping, whole] = [frame(0x89, 4), frame(0x82, 300)];
  const chunk = Buffer.concat([ping, whole, whole.subarray(0, 100)]);
  const second = meter.feed(5, chunk, 0);
  const third = meter.feed(5, chunk, second);
  expect([second, third]).toEqual([ping.length, ping.length + whole.length]);
  expect(meter.sinceMs).toBeUndefined();
  expect(meter.feed(6, chunk, third)).toBe(chunk.length);
  expect(meter.sinceMs).toBe(6);
});

test('the meter knows when messages are whole, however the bytes are cut into chunks', () => {
  const message = fc
    .tuple(fc.nat(300), fc.array(fc.nat(300), { maxLength: 3 }), fc.boolean())
    .map(([first, others, withPing]) =>
      Buffer.concat([
        frame(others.length === 0 ? 0x82 : 0x02, first),
        ...others.flatMap((length, index) => [
          withPing ? frame(0x89, 3) : Buffer.alloc(0),
          frame(index === others.length - 1 ? 0x80 : 0x00, length),
        ]),
      ]),
    );
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 5 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 400 })),
      (messages, sizes) => {
        const meter = new MessageMeter();
        const bytes = Buffer.concat(messages);
        let end = 0;
        const ends = new Set(messages.map(({ length }) => (end += length)));
        for (let at = 0; at < bytes.length;) {
          const size = sizes.next().value ?? 1;
          feed(meter, at, bytes.subarray(at, at + size));
          at = Math.min(bytes.length, at + size);
          expect(meter.sinceMs === undefined).toBe(ends.has(at));
          expect(meter.heldBytes === 0).toBe(ends.has(at));
        }
      },
    ),
  );
});
