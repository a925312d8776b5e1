// The second connection of a link, which carries whole messages of the bulk lane beside the link's own. The
// machine (core/links/second-machine.ts) says when there is one; here its decisions are carried out.
//
// Invariants: a message that was given to it is kept, unchanged, until the other end has counted it, or until
// it goes over the link instead; its promise settles once, at the latest when the link ends. At most
// MAX_SECOND_BYTES are kept.

import type { ConnectionSignal } from '../../../core/links/link-events.ts';
import { decodeSecondFrame, encodeSecondFrame } from '../../../core/links/second-frames.ts';
import {
  SecondMachine,
  type SecondEffect,
  type SecondFlow,
  type SecondInput,
} from '../../../core/links/second-machine.ts';
import { MachineDriver } from '../../../core/machine-driver.ts';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import { FRAME_BYTES, MAX_SECOND_BYTES, SEND_QUEUE_HIGH_BYTES } from '../../../core/model/limits.ts';
import type { Clock, Memory } from '../../../core/ports.ts';
import { FrameAssembler, isBulkFrame, MessageFrames, type Arrival } from '../../../core/wire/frames.ts';
import type { Connect, Connection } from './connection.ts';
import type { SecondPlaces } from './second-places.ts';
import { cancelled, linkClosed } from './send-queue.ts';

export interface SecondOptions {
  /** Makes connections that go directly: without servers. */
  readonly connect: Connect;
  readonly clock: Clock;
  readonly places: SecondPlaces;
}

/** What it needs of its link. */
export interface SecondEvents {
  /** To be written to the link's channel now. */
  frame(frame: Uint8Array<ArrayBuffer>): void;
  /** As Transport.send, over the link's own connection. */
  overLink(parts: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<void>;
  /** How the link's own bytes go. */
  linkFlow(): Pick<SecondFlow, 'linkGoneBytes' | 'linkEndBytes'>;
  /** A part of a message came. */
  given(): void;
  arrival(arrival: Arrival): void;
  misbehaved(error: PalmError): void;
}

interface Job {
  readonly parts: readonly Uint8Array[];
  readonly signal: AbortSignal | undefined;
  readonly frames: MessageFrames;
  readonly byteCount: number;
  isBegun: boolean;
  /** Settles the promise of `send`. */
  readonly settle: (outcome: Promise<void>) => void;
}

export class SecondConnection {
  readonly #options: SecondOptions;
  readonly #memory: Memory;
  readonly #events: SecondEvents;
  readonly #machine: SecondMachine;
  readonly #driver: MachineDriver<SecondInput, SecondEffect>;
  readonly #frame = new Uint8Array(FRAME_BYTES);
  #connection: Connection | undefined;
  /** Not wholly written, and written but not counted. */
  #waiting: Job[] = [];
  #written: Job[] = [];
  #keptBytes = 0;
  #writtenBytes = 0;
  #hasPlace = false;
  #isClosed = false;

  /** `isOpener`: this end offered the link. Messages are put together in `memory`. */
  constructor(isOpener: boolean, options: SecondOptions, memory: Memory, events: SecondEvents) {
    this.#options = options;
    this.#memory = memory;
    this.#events = events;
    this.#machine = new SecondMachine(isOpener);
    const machine = this.#machine;
    this.#driver = new MachineDriver<SecondInput, SecondEffect>({
      machine: {
        handle: (nowMs, input) =>
          machine.handle(nowMs, input.kind === 'tick' ? { kind: 'tick', flow: this.#flow } : input),
        nextDeadlineMs: () => machine.nextDeadlineMs(),
      },
      clock: options.clock,
      tick: { kind: 'tick', flow: { goneBytes: 0, linkGoneBytes: 0, linkEndBytes: 0 } },
      perform: (effect) => this.#perform(effect),
      settled: () => this.#settled(),
    });
  }

  /** The link's channel says that the other end knows second connections. */
  able(): void {
    this.#driver.input({ kind: 'able' });
  }

  path(isDirect: boolean): void {
    this.#driver.input({ kind: 'path', isDirect });
  }

  /** A frame about a second connection came over the link. */
  take(bytes: Uint8Array): void {
    try {
      const frame = decodeSecondFrame(bytes);
      this.#driver.input({ kind: 'frame', frame, hasPlace: this.#options.places.hasOne });
    } catch (error) {
      if (!isPalmError(error, 'bad-message')) throw error;
      this.#events.misbehaved(error);
    }
  }

  /** A message goes over the link, where others wait before it. */
  waits(byteCount: number): void {
    this.#driver.input({ kind: 'waits', byteCount, hasPlace: this.#options.places.hasOne });
  }

  /** Whether it takes a message of `byteCount` that would otherwise wait behind `linkBytes` on the link. */
  takes(byteCount: number, linkBytes: number): boolean {
    if (this.#isClosed || !this.#machine.isUp) return false;
    if (this.#keptBytes + byteCount > MAX_SECOND_BYTES) return false;
    const unwritten = this.#waiting.reduce((sum, job) => sum + job.byteCount, 0);
    return unwritten + (this.#connection?.bufferedBytes ?? 0) < linkBytes;
  }

  /** As Transport.send, of the bulk lane; but resolves when the other end has the message. */
  async send(parts: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) throw cancelled(signal.reason);
    const frames = new MessageFrames(parts, 'bulk', this.#connection?.maxFrameBytes);
    const byteCount = parts.reduce((sum, part) => sum + part.length, 0);
    await new Promise<void>((resolve) => {
      const settle = (outcome: Promise<void>): void => {
        signal?.removeEventListener('abort', abort);
        resolve(outcome);
      };
      const job: Job = { parts, signal, frames, byteCount, isBegun: false, settle };
      const abort = (): void => this.#withdraw(job);
      signal?.addEventListener('abort', abort);
      this.#keptBytes += byteCount;
      this.#waiting.push(job);
      this.#driver.input({ kind: 'given' });
      this.#pump();
    });
  }

  /** The link is over. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#driver.stop();
    this.#connection?.destroy();
    this.#connection = undefined;
    this.#settled();
    for (const job of [...this.#written.splice(0), ...this.#waiting.splice(0)])
      job.settle(Promise.reject(linkClosed(reason)));
  }

  #perform(effect: SecondEffect): void {
    switch (effect.kind) {
      case 'frame':
        this.#events.frame(encodeSecondFrame(effect.frame));
        break;
      case 'create':
        this.#create(effect.initiator);
        break;
      case 'apply':
        this.#apply(effect.signal);
        break;
      case 'destroy':
        this.#connection?.destroy();
        this.#connection = undefined;
        this.#resend(this.#waiting.splice(0));
        break;
      case 'counted':
        for (const job of this.#written.splice(0, effect.count)) {
          this.#keptBytes -= job.byteCount;
          job.settle(Promise.resolve());
        }
        break;
      case 'resend':
        this.#resend(this.#written.splice(0));
        break;
      case 'refused':
        this.#misbehaved(effect.detail);
        break;
    }
  }

  #create(initiator: boolean): void {
    this.#options.places.take();
    this.#hasPlace = true;
    this.#writtenBytes = 0;
    const assembler = new FrameAssembler((byteCount) => this.#memory.take(byteCount));
    const input = (given: SecondInput): void => this.#driver.input(given);
    try {
      // It tells nothing after its `destroy`.
      this.#connection = this.#options.connect(initiator, {
        signal: (signal) => input({ kind: 'signal', signal }),
        connected: () => input({ kind: 'connected' }),
        frame: (frame) => this.#take(assembler, frame),
        drained: () => this.#pump(),
        doubted: () => input({ kind: 'closed' }),
        closed: () => input({ kind: 'closed' }),
      });
    } catch {
      // As one that failed: the link goes on alone.
      input({ kind: 'closed' });
    }
  }

  #apply(signal: ConnectionSignal): void {
    try {
      this.#connection?.apply(signal);
    } catch {
      // A candidate of no media line, for example.
      this.#driver.input({ kind: 'closed' });
    }
  }

  #take(assembler: FrameAssembler, frame: Uint8Array<ArrayBuffer>): void {
    try {
      if (!isBulkFrame(frame)) throw bad('a frame that belongs on the link itself');
      const arrival = assembler.push(frame);
      this.#events.given();
      this.#driver.input({ kind: arrival === undefined ? 'part' : 'came' });
      if (arrival === undefined) return;
      this.#events.arrival(arrival);
    } catch (error) {
      if (!isPalmError(error, 'bad-message')) throw error;
      this.#events.misbehaved(error);
    }
  }

  #pump(): void {
    const connection = this.#connection;
    while (connection !== undefined && connection.bufferedBytes < SEND_QUEUE_HIGH_BYTES) {
      const job = this.#waiting[0];
      if (job === undefined) return;
      job.isBegun = true;
      const frame = job.frames.cut(this.#frame);
      // If it takes no more, it is closing, and `closed` follows.
      if (!connection.write(frame)) return;
      this.#writtenBytes += frame.length;
      if (!job.frames.isOver) continue;
      this.#waiting.shift();
      this.#written.push(job);
      this.#driver.input({ kind: 'written' });
    }
  }

  #withdraw(job: Job): void {
    const at = this.#waiting.indexOf(job);
    if (at === -1 || job.isBegun) return;
    this.#waiting.splice(at, 1);
    this.#keptBytes -= job.byteCount;
    this.#driver.input({ kind: 'withdrawn' });
    job.settle(Promise.reject(cancelled(job.signal?.reason)));
  }

  #resend(jobs: readonly Job[]): void {
    for (const job of jobs) {
      this.#keptBytes -= job.byteCount;
      job.settle(this.#events.overLink(job.parts, job.signal));
    }
  }

  #settled(): void {
    if (!this.#hasPlace || !(this.#isClosed || this.#machine.isOver)) return;
    this.#hasPlace = false;
    this.#options.places.leave();
  }

  #misbehaved(detail: string): void {
    this.#events.misbehaved(bad(detail));
  }

  get #flow(): SecondFlow {
    const goneBytes = this.#writtenBytes - (this.#connection?.bufferedBytes ?? 0);
    return { goneBytes, ...this.#events.linkFlow() };
  }
}

function bad(detail: string): PalmError {
  return new PalmError({ code: 'bad-message', what: 'frame', detail });
}
