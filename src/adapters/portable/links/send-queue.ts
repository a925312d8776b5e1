// Messages that wait to go out on one data channel: two lanes, written frame by frame while the channel's own
// queue is below its mark.
//
// Invariants: between any two frames a control message overtakes bulk; within a lane messages keep their
// order; a message that has begun goes out whole; every promise settles, at the latest when the queue closes.
// Each lane holds at most MAX_QUEUED_MESSAGES.

import { PalmError } from '../../../core/model/errors.ts';
import { FRAME_BYTES, MAX_QUEUED_MESSAGES, SEND_QUEUE_HIGH_BYTES } from '../../../core/model/limits.ts';
import type { Lane } from '../../../core/transport-port.ts';
import { encodeLinkFrame, type LinkFrame, MessageFrames } from '../../../core/wire/frames.ts';

/** The channel, as far as sending goes. */
export interface FrameSink {
  readonly bufferedBytes: number;
  readonly maxFrameBytes: number;
  /**
   * Takes a frame and does not keep it. False when the channel is closing; the closing is reported otherwise.
   */
  write(frame: Uint8Array<ArrayBuffer>): boolean;
}

interface Job {
  readonly parts: readonly Uint8Array[];
  readonly lane: Lane;
  /** Undefined until the message begins to go out. */
  frames: MessageFrames | undefined;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class SendQueue {
  readonly #sink: FrameSink;
  /** Called when a lane overflows: the other end does not read. */
  readonly #overflow: () => void;
  readonly #lanes: Record<Lane, Job[]> = { control: [], bulk: [] };
  /** Where each frame is cut: the channel copies what it sends. */
  readonly #frame = new Uint8Array(FRAME_BYTES);
  /** The channel refused a frame, which is lost: nothing may follow it. */
  #isClosing = false;
  #closedBecause: string | undefined;

  constructor(sink: FrameSink, overflow: () => void) {
    this.#sink = sink;
    this.#overflow = overflow;
  }

  /** As Transport.send. The parts must not change until it settles. */
  async send(parts: readonly Uint8Array[], lane: Lane, signal?: AbortSignal): Promise<void> {
    if (this.#closedBecause !== undefined) throw linkClosed(this.#closedBecause);
    if (signal?.aborted === true) throw cancelled(signal.reason);
    if (this.#lanes[lane].length >= MAX_QUEUED_MESSAGES) {
      this.#overflow();
      throw linkClosed('the other device does not read what it is sent');
    }
    const sent = new Promise<void>((resolve, reject) => {
      const settle = (done: () => void): void => {
        signal?.removeEventListener('abort', abort);
        done();
      };
      const job: Job = {
        parts,
        lane,
        frames: undefined,
        resolve: () => {
          settle(resolve);
        },
        reject: (error) => {
          settle(() => {
            reject(error);
          });
        },
      };
      const abort = (): void => {
        if (this.#withdraw(job)) job.reject(cancelled(signal?.reason));
      };
      signal?.addEventListener('abort', abort);
      this.#lanes[lane].push(job);
    });
    this.pump();
    await sent;
  }

  /** Writes a frame of the link itself, before any message that waits. Dropped when the channel is jammed. */
  sendLinkFrame(frame: LinkFrame): void {
    if (!this.#isJammed) this.#writeNow(encodeLinkFrame(frame));
  }

  /**
   * The same for one that must not be lost: in a jam, which only an end that does not read makes, it
   * overflows.
   */
  sendSureFrame(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#isJammed) this.#overflow();
    else this.#writeNow(frame);
  }

  /** Bytes of bulk messages that have not gone into the channel, and of all that waits in it. */
  get waitingBytes(): number {
    return this.#lanes.bulk.reduce((sum, job) => sum + leftBytesOf(job), this.#sink.bufferedBytes);
  }

  /** Writes while there is room; call it whenever the channel has drained. */
  pump(): void {
    while (this.#closedBecause === undefined && this.#sink.bufferedBytes < SEND_QUEUE_HIGH_BYTES) {
      const job = this.#lanes.control[0] ?? this.#lanes.bulk[0];
      if (job === undefined || !this.#writeFrame(job)) return;
    }
  }

  /** Rejects everything that waits, and all later sends. */
  close(reason: string): void {
    if (this.#closedBecause !== undefined) return;
    this.#closedBecause = reason;
    for (const lane of [this.#lanes.control, this.#lanes.bulk]) {
      for (const job of lane.splice(0)) job.reject(linkClosed(reason));
    }
  }

  get #isJammed(): boolean {
    return this.#sink.bufferedBytes > 2 * SEND_QUEUE_HIGH_BYTES;
  }

  #writeNow(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#closedBecause === undefined) this.#sink.write(frame);
  }

  /** Writes the message's next frame. Returns false when the channel takes no more. */
  #writeFrame(job: Job): boolean {
    try {
      job.frames ??= new MessageFrames(job.parts, job.lane, this.#sink.maxFrameBytes);
    } catch (error) {
      // Too long to be sent at all: nothing of it has gone out.
      this.#remove(job);
      job.reject(error);
      return true;
    }
    if (this.#isClosing || !this.#sink.write(job.frames.cut(this.#frame))) {
      this.#isClosing = true;
      return false;
    }
    if (job.frames.isOver) {
      this.#remove(job);
      job.resolve();
    }
    return true;
  }

  /** Takes a message back that has not begun; returns whether that was possible. */
  #withdraw(job: Job): boolean {
    return job.frames === undefined && this.#remove(job);
  }

  #remove(job: Job): boolean {
    const lane = this.#lanes[job.lane];
    const index = lane.indexOf(job);
    if (index !== -1) lane.splice(index, 1);
    return index !== -1;
  }
}

function leftBytesOf({ frames, parts }: Job): number {
  return frames?.leftBytes ?? parts.reduce((sum, part) => sum + part.length, 0);
}

export function linkClosed(reason: string): PalmError {
  return new PalmError({ code: 'link-closed', reason: 'closed', detail: reason });
}

export function cancelled(cause: unknown): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'not-wanted' }, { cause });
}
