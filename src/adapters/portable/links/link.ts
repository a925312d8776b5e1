// One link to one device, from its first signal on: a connection, the queue of outgoing messages, the
// assembler of incoming ones. The link machine decides which link may exist, and when it counts as up.

import type { ConnectionSignal } from '../../../core/links/link-events.ts';
import { isPalmError } from '../../../core/model/errors.ts';
import type { Rejection } from '../../../core/model/failures.ts';
import type { DeviceId } from '../../../core/model/ids.ts';
import type { Memory } from '../../../core/ports.ts';
import { FrameAssembler, isBulkFrame, type Arrival } from '../../../core/wire/frames.ts';
import type { LinkPath } from '../../../core/transport-port.ts';
import type { Connect, Connection } from './connection.ts';
import { SendQueue } from './send-queue.ts';

export interface LinkEvents {
  signal(signal: ConnectionSignal): void;
  connected(): void;
  closed(reason: string): void;
  /**
   * Something arrived, whatever it is; or what waits goes out steadily, which the other end's receipts allow.
   */
  heard(): void;
  /** The platform no longer gets answers on the path to the other end. */
  doubted(): void;
  /** How its bytes go. */
  path(path: LinkPath): void;
  /** A part of an answer arrived. */
  given(): void;
  arrival(arrival: Arrival): void;
  /** The other end sent something that no Palm device sends, or does not read its messages. */
  misbehaved(rejection: Rejection, reason: string): void;
}

export class Link {
  readonly device: DeviceId;
  readonly queue: SendQueue;
  readonly #connection: Connection;
  readonly #events: LinkEvents;
  readonly #assembler: FrameAssembler;
  #isOver = false;
  #writtenBytes = 0;
  /**
   * Bytes that had left the channel's queue at the last ping, and how many must leave before the ping itself
   * does.
   */
  #goneBytes = 0;
  #pingEndBytes = 0;

  /** Messages are put together in `memory`. @throws what `connect` throws. */
  constructor(device: DeviceId, initiator: boolean, connect: Connect, memory: Memory, events: LinkEvents) {
    this.device = device;
    this.#assembler = new FrameAssembler((byteCount) => memory.take(byteCount));
    this.#events = events;
    const connection = connect(initiator, {
      signal: (signal) => {
        events.signal(signal);
      },
      connected: () => {
        events.connected();
      },
      frame: (frame) => {
        this.#take(frame);
      },
      drained: () => {
        events.heard();
        this.queue.pump();
      },
      doubted: () => {
        events.doubted();
      },
      path: (path) => {
        events.path(path);
      },
      closed: (reason) => {
        events.closed(reason);
      },
    });
    this.#connection = connection;
    this.queue = new SendQueue(
      {
        get bufferedBytes() {
          return connection.bufferedBytes;
        },
        get maxFrameBytes() {
          return connection.maxFrameBytes;
        },
        write: (frame) => {
          this.#writtenBytes += frame.length;
          return connection.write(frame);
        },
      },
      () => {
        events.misbehaved({ kind: 'not-read' }, 'it does not read what it is sent');
      },
    );
  }

  apply(signal: ConnectionSignal): void {
    this.#connection.apply(signal);
  }

  /**
   * Asks for a sign of life. On a link so busy that the last ping still waits, progress counts as one. Once
   * that ping went out, only a frame from the other end does: a frozen page's browser still takes whatever
   * comes.
   */
  ping(): void {
    const goneBytes = this.#nowGoneBytes();
    if (goneBytes < this.#pingEndBytes && goneBytes > this.#goneBytes) this.#events.heard();
    this.#goneBytes = goneBytes;
    this.queue.sendLinkFrame({ kind: 'ping' });
    this.#pingEndBytes = this.#writtenBytes;
  }

  /** Whether anything still waits to go out. */
  get isWaiting(): boolean {
    return this.#connection.bufferedBytes > 0;
  }

  /** As Transport.followQueue. */
  followQueue(): () => boolean {
    const endBytes = this.#writtenBytes;
    let goneBytes = this.#nowGoneBytes();
    return () => {
      const beforeBytes = goneBytes;
      goneBytes = this.#nowGoneBytes();
      return goneBytes < endBytes && goneBytes > beforeBytes;
    };
  }

  /** Settles the queue's promises, and hears nothing more. The connection lives until `destroy`. */
  close(reason: string): void {
    this.#isOver = true;
    this.queue.close(reason);
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #nowGoneBytes(): number {
    return this.#writtenBytes - this.#connection.bufferedBytes;
  }

  #take(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#isOver) return;
    const isGiven = isBulkFrame(frame);
    let arrival: Arrival | undefined;
    try {
      arrival = this.#assembler.push(frame);
    } catch (error) {
      if (!isPalmError(error, 'bad-message')) throw error;
      this.#events.misbehaved({ kind: 'failure', failure: error.failure }, error.message);
      return;
    }
    this.#events.heard();
    if (isGiven) this.#events.given();
    if (arrival?.kind === 'ping') this.queue.sendLinkFrame({ kind: 'pong' });
    else if (arrival !== undefined && arrival.kind !== 'pong') this.#events.arrival(arrival);
  }
}
