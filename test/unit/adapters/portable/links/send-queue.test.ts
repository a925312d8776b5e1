// The send queue on a channel that drains when the test says so: lanes, marks, cancelling, closing.

import { describe, expect, it } from 'vitest';
import { SendQueue, type FrameSink } from '../../../../../src/adapters/portable/links/send-queue.ts';
import { isPalmError } from '../../../../../src/core/model/errors.ts';
import {
  FRAME_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_QUEUED_MESSAGES,
  SEND_QUEUE_HIGH_BYTES,
} from '../../../../../src/core/model/limits.ts';
import { FrameAssembler } from '../../../../../src/core/wire/frames.ts';

class Channel implements FrameSink {
  readonly maxFrameBytes = 262_144;
  readonly written: Uint8Array<ArrayBuffer>[] = [];
  bufferedBytes = 0;
  isOpen = true;

  write(frame: Uint8Array<ArrayBuffer>): boolean {
    if (!this.isOpen) return false;
    this.written.push(frame.slice()); // as a channel does
    this.bufferedBytes += frame.length;
    return true;
  }

  /** First bytes of the messages that arrived whole, in order, with their lanes. */
  arrived(): string[] {
    const assembler = new FrameAssembler();
    return this.written.flatMap((frame) => {
      const arrival = assembler.push(frame.slice());
      if (arrival === undefined) return [];
      return [arrival.kind === 'message' ? `${arrival.lane} ${arrival.message[0]}` : arrival.kind];
    });
  }
}

function setUp(): { channel: Channel; queue: SendQueue; overflows: () => number } {
  const channel = new Channel();
  let overflowCount = 0;
  const queue = new SendQueue(channel, () => {
    overflowCount += 1;
  });
  return { channel, queue, overflows: () => overflowCount };
}

function drain(channel: Channel, queue: SendQueue): void {
  channel.bufferedBytes = 0;
  queue.pump();
}

async function outcome(sent: Promise<void>): Promise<string> {
  try {
    await sent;
    return 'sent';
  } catch (error) {
    return isPalmError(error) ? error.code : String(error);
  }
}

const bulk = new Uint8Array(1_000_000).fill(66);

describe('the send queue', () => {
  it('writes up to the mark and no further, and continues when the channel has drained', async () => {
    const { channel, queue } = setUp();
    const sent = [queue.send([bulk], 'bulk'), queue.send([bulk], 'bulk'), queue.send([bulk], 'bulk')];
    expect(channel.bufferedBytes).toBeGreaterThanOrEqual(SEND_QUEUE_HIGH_BYTES);
    expect(channel.bufferedBytes).toBeLessThan(SEND_QUEUE_HIGH_BYTES + FRAME_BYTES);
    drain(channel, queue);
    drain(channel, queue);
    await Promise.all(sent);
    expect(channel.arrived()).toEqual(['bulk 66', 'bulk 66', 'bulk 66']);
  });

  it('lets control overtake bulk between two frames, and keeps the order within a lane', async () => {
    const { channel, queue } = setUp();
    const sent = [queue.send([bulk, bulk], 'bulk')];
    sent.push(queue.send([Uint8Array.of(1)], 'control'), queue.send([Uint8Array.of(2)], 'control'));
    drain(channel, queue);
    await Promise.all(sent);
    expect(channel.arrived()).toEqual(['control 1', 'control 2', 'bulk 66']);
  });

  it('resolves when the last byte was handed over, not before', async () => {
    const { channel, queue } = setUp();
    let isSent = false;
    const sent = queue.send([bulk, bulk], 'bulk').then(() => {
      isSent = true;
    });
    await Promise.resolve();
    expect(isSent).toBe(false);
    drain(channel, queue);
    await sent;
    expect(channel.arrived()).toEqual(['bulk 66']);
  });

  it('cancels messages that have not begun, and finishes those that have', async () => {
    const { channel, queue } = setUp();
    const abort = new AbortController();
    const begun = queue.send([bulk, bulk], 'bulk', abort.signal);
    const waiting = outcome(queue.send([Uint8Array.of(7)], 'bulk', abort.signal));
    abort.abort();
    expect(await waiting).toBe('cancelled');
    expect(await outcome(queue.send([Uint8Array.of(8)], 'bulk', abort.signal))).toBe('cancelled');
    drain(channel, queue);
    expect(await outcome(begun)).toBe('sent');
    expect(channel.arrived()).toEqual(['bulk 66']);
  });

  it('fails everything that waits when it closes, and all later messages', async () => {
    const { channel, queue } = setUp();
    const sent = [queue.send([bulk, bulk], 'bulk'), queue.send([bulk], 'bulk')].map(outcome);
    queue.close('test');
    sent.push(outcome(queue.send([Uint8Array.of(1)], 'control')));
    expect(await Promise.all(sent)).toEqual(['link-closed', 'link-closed', 'link-closed']);
    const writtenCount = channel.written.length;
    drain(channel, queue);
    queue.sendLinkFrame({ kind: 'ping' });
    expect(channel.written.length).toBe(writtenCount);
  });

  it('promises nothing on a channel that is closing', async () => {
    const { channel, queue } = setUp();
    channel.isOpen = false;
    const sent = outcome(queue.send([Uint8Array.of(1)], 'control'));
    queue.close('test');
    expect(await sent).toBe('link-closed');
  });

  it('refuses a message that is too long, and continues with the next', async () => {
    const { channel, queue } = setUp();
    expect(await outcome(queue.send([new Uint8Array(MAX_MESSAGE_BYTES), bulk], 'bulk'))).toBe('bad-argument');
    await queue.send([Uint8Array.of(1)], 'bulk');
    expect(channel.arrived()).toEqual(['bulk 1']);
  });

  it('holds a bounded number of messages, and reports when the other side does not read', async () => {
    const { channel, queue, overflows } = setUp();
    channel.bufferedBytes = SEND_QUEUE_HIGH_BYTES;
    const sent = Array.from({ length: MAX_QUEUED_MESSAGES }, () =>
      outcome(queue.send([Uint8Array.of(1)], 'control')),
    );
    expect(overflows()).toBe(0);
    expect(await outcome(queue.send([Uint8Array.of(1)], 'control'))).toBe('link-closed');
    expect(overflows()).toBe(1);
    queue.close('test');
    expect(new Set(await Promise.all(sent))).toEqual(new Set(['link-closed']));
  });

  it('writes the link’s own frames immediately, unless the channel is jammed', () => {
    const { channel, queue } = setUp();
    channel.bufferedBytes = SEND_QUEUE_HIGH_BYTES;
    queue.sendLinkFrame({ kind: 'ping' });
    expect(channel.arrived()).toEqual(['ping']);
    channel.bufferedBytes = 2 * SEND_QUEUE_HIGH_BYTES + 1;
    queue.sendLinkFrame({ kind: 'ping' });
    expect(channel.arrived()).toEqual(['ping']);
  });
});
