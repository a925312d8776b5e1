// Frames: whatever is cut into frames comes back whole, however the lanes interleave. Anything that the
// cutter does not make is refused as 'bad-message', before it costs memory.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import { FRAME_BYTES, MAX_ENVELOPE_BYTES, MAX_MESSAGE_BYTES } from '../../../../src/core/model/limits.ts';
import type { Lane } from '../../../../src/core/transport-port.ts';
import {
  encodeLinkFrame,
  FrameAssembler,
  MessageFrames,
  type Arrival,
  type LinkFrame,
} from '../../../../src/core/wire/frames.ts';
import { framesOf } from '../../../fixtures/frames-of.ts';

const LANES: readonly Lane[] = ['control', 'bulk'];

const laneOf = fc.constantFrom<Lane>(...LANES);
const partsOf = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function expectRefusal(act: () => unknown): void {
  let thrown: unknown;
  try {
    act();
  } catch (error) {
    thrown = error;
  }
  expect(isPalmError(thrown, 'bad-message'), String(thrown)).toBe(true);
}

function firstFrame(lane: Lane, messageBytes: number, chunkBytes: number): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(5 + chunkBytes);
  frame[0] = lane === 'control' ? 0x00 : 0x02;
  new DataView(frame.buffer).setUint32(1, messageBytes);
  return frame;
}

describe('a message', () => {
  it('comes back whole at any frame size, however the lanes interleave', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ lane: laneOf, parts: partsOf }), { maxLength: 12 }),
        fc.integer({ min: 6, max: 200 }),
        fc.infiniteStream(fc.boolean()),
        (messages, frameBytes, coin) => {
          const queues = LANES.map((lane) =>
            messages
              .filter((message) => message.lane === lane)
              .flatMap(({ parts }) => framesOf(parts, lane, frameBytes)),
          );
          const assembler = new FrameAssembler();
          const arrivals: Arrival[] = [];
          while (queues.some((queue) => queue.length > 0)) {
            const [control, bulk] = queues;
            const first = coin.next().value ? control : bulk;
            const frame = first?.shift() ?? control?.shift() ?? bulk?.shift();
            if (frame === undefined) break;
            expect(frame.length).toBeLessThanOrEqual(frameBytes);
            const arrival = assembler.push(frame);
            if (arrival !== undefined) arrivals.push(arrival);
          }
          for (const lane of LANES) {
            const sent = messages
              .filter((message) => message.lane === lane)
              .map(({ parts }) => joined(parts));
            const got = arrivals.flatMap((a) => (a.kind === 'message' && a.lane === lane ? [a.message] : []));
            expect(got.map((bytes) => [...bytes])).toEqual(sent.map((bytes) => [...bytes]));
          }
        },
      ),
    );
  });

  it('of the greatest length uses full frames', () => {
    const message = new Uint8Array(MAX_MESSAGE_BYTES).map((_, index) => index % 251);
    const assembler = new FrameAssembler();
    const arrivals = framesOf([message], 'bulk', 262_144).map((frame) => {
      expect(frame.length).toBeLessThanOrEqual(FRAME_BYTES);
      return assembler.push(frame);
    });
    const last = arrivals.pop();
    expect(arrivals.every((arrival) => arrival === undefined)).toBe(true);
    expect(arrivals.length + 1).toBe(
      Math.ceil((MAX_MESSAGE_BYTES - (FRAME_BYTES - 5)) / (FRAME_BYTES - 1)) + 1,
    );
    expect(last?.kind === 'message' && Buffer.compare(last.message, message) === 0).toBe(true);
  });

  it('one byte longer is refused on both sides', () => {
    expect(() => new MessageFrames([new Uint8Array(MAX_MESSAGE_BYTES + 1)], 'bulk')).toThrow(
      `a message of ${MAX_MESSAGE_BYTES + 1} bytes`,
    );
    expectRefusal(() => new FrameAssembler().push(firstFrame('bulk', MAX_MESSAGE_BYTES + 1, 1)));
  });
});

describe('a frame that no sender makes is refused', () => {
  it.each<[string, number[][]]>([
    ['empty', [[]]],
    ['of unknown kind', [[0x42]]],
    ['first, without its whole length', [[0x00, 0, 0, 1]]],
    ['first, carrying nothing of its message', [[0x00, 0, 0, 0, 1]]],
    ['first, carrying more than its message', [[0x00, 0, 0, 0, 1, 7, 7]]],
    [
      'first, inside another message',
      [
        [0x02, 0, 0, 0, 2, 7],
        [0x02, 0, 0, 0, 2, 7],
      ],
    ],
    ['later, of no message', [[0x01, 7]]],
    [
      'later, of the other lane',
      [
        [0x00, 0, 0, 0, 2, 7],
        [0x03, 7],
      ],
    ],
    ['later, carrying nothing', [[0x00, 0, 0, 0, 2, 7], [0x01]]],
    [
      'later, carrying too much',
      [
        [0x00, 0, 0, 0, 2, 7],
        [0x01, 7, 7],
      ],
    ],
    [
      'later, after the message ended',
      [
        [0x00, 0, 0, 0, 2, 7],
        [0x01, 7],
        [0x01, 7],
      ],
    ],
    ['a ping with something behind it', [[0x10, 0]]],
    ['a signal without its hops', [[0x13]]],
    ['a signal of no envelope', [[0x13, 1]]],
    ['a signal with too many hops to go', [[0x13, 3, 7]]],
  ])('%s', (_name, frames) => {
    const assembler = new FrameAssembler();
    for (const frame of frames.slice(0, -1)) assembler.push(Uint8Array.from(frame));
    expectRefusal(() => assembler.push(Uint8Array.from(frames.at(-1) ?? [])));
  });

  it('longer than a frame, or with an envelope longer than the limit', () => {
    expectRefusal(() => new FrameAssembler().push(firstFrame('bulk', MAX_MESSAGE_BYTES, FRAME_BYTES - 4)));
    const envelope = new Uint8Array(MAX_ENVELOPE_BYTES + 1);
    expectRefusal(() =>
      new FrameAssembler().push(encodeLinkFrame({ kind: 'signal', hopsLeft: 1, envelope })),
    );
  });

  it('any bytes: an arrival, more to come, or bad-message', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (frames) => {
        const assembler = new FrameAssembler();
        try {
          for (const frame of frames) assembler.push(Uint8Array.from(frame));
        } catch (error) {
          expect(isPalmError(error, 'bad-message'), String(error)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('a message cut short never arrives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 200 }), laneOf, fc.nat(), (message, lane, cut) => {
        const frames = framesOf([message], lane, 20);
        const assembler = new FrameAssembler();
        const arrivals = frames.slice(0, cut % frames.length).map((frame) => assembler.push(frame));
        expect(arrivals.every((arrival) => arrival === undefined)).toBe(true);
      }),
    );
  });
});

describe('the link’s own frames', () => {
  it.each<LinkFrame>([
    { kind: 'ping' },
    { kind: 'pong' },
    { kind: 'bye' },
    { kind: 'signal', hopsLeft: 2, envelope: Uint8Array.of(1, 2, 3) },
  ])('$kind survives the way, also inside a message', (frame) => {
    const assembler = new FrameAssembler();
    expect(assembler.push(firstFrame('bulk', 10, 9))).toBeUndefined();
    expect(assembler.push(encodeLinkFrame(frame))).toEqual(frame);
    expect(assembler.push(Uint8Array.of(0x03, 5))?.kind).toBe('message');
  });
});
