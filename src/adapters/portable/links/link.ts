// One link to one device, from its first signal on: a connection, the queue of outgoing messages, the
// assembler of incoming ones. The link machine decides which link may exist, and when it counts as up.

import type { ConnectionSignal } from '../../../core/links/link-events.ts';
import { isSecondFrame, SECOND_PROTOCOL } from '../../../core/links/second-frames.ts';
import { isPalmError, type PalmError } from '../../../core/model/errors.ts';
import type { Rejection } from '../../../core/model/failures.ts';
import type { DeviceId } from '../../../core/model/ids.ts';
import { SEND_QUEUE_LOW_BYTES } from '../../../core/model/limits.ts';
import type { Memory } from '../../../core/ports.ts';
import { FrameAssembler, isBulkFrame, type Arrival } from '../../../core/wire/frames.ts';
import type { Lane, LinkPath } from '../../../core/transport-port.ts';
import type { Connect, Connection } from './connection.ts';
import { SecondConnection, type SecondOptions } from './second-connection.ts';
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
  readonly #second: SecondConnection | undefined;
  #isOver = false;
  #writtenBytes = 0;
  /**
   * Bytes that had left the channel's queue at the last ping, and how many must leave before the ping itself
   * does.
   */
  #goneBytes = 0;
  #pingEndBytes = 0;

  /**
   * Messages are put together in `memory`. `second`: default no second connections. @throws what `connect`
   * throws.
   */
  constructor(
    device: DeviceId,
    initiator: boolean,
    connect: Connect,
    memory: Memory,
    events: LinkEvents,
    second?: SecondOptions,
  ) {
    this.device = device;
    this.#assembler = new FrameAssembler((byteCount) => memory.take(byteCount));
    this.#events = events;
    const connection = connect(initiator, {
      signal: (signal) => {
        events.signal(signal);
      },
      connected: () => {
        events.connected();
        if (!initiator && connection.protocol === SECOND_PROTOCOL) this.#second?.able();
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
        this.#second?.path(path === 'direct');
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
    this.#second = second && this.#newSecond(initiator, second, memory);
  }

  /** As Transport.send. */
  async send(parts: readonly Uint8Array[], lane: Lane, signal?: AbortSignal): Promise<void> {
    const second = lane === 'bulk' ? this.#second : undefined;
    if (second !== undefined) {
      const byteCount = parts.reduce((sum, part) => sum + part.length, 0);
      const { waitingBytes } = this.queue;
      if (second.takes(byteCount, waitingBytes)) return await second.send(parts, signal);
      if (waitingBytes >= SEND_QUEUE_LOW_BYTES) second.waits(byteCount);
    }
    await this.queue.send(parts, lane, signal);
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
    this.#second?.close(reason);
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
    if (this.#second !== undefined && isSecondFrame(frame)) {
      this.#second.take(frame);
      this.#events.heard();
      return;
    }
    const isGiven = isBulkFrame(frame);
    let arrival: Arrival | undefined;
    try {
      arrival = this.#assembler.push(frame);
    } catch (error) {
      if (!isPalmError(error, 'bad-message')) throw error;
      this.#misbehaved(error);
      return;
    }
    this.#events.heard();
    if (isGiven) this.#events.given();
    if (arrival?.kind === 'ping') this.queue.sendLinkFrame({ kind: 'pong' });
    else if (arrival !== undefined && arrival.kind !== 'pong') this.#events.arrival(arrival);
  }

  #newSecond(initiator: boolean, options: SecondOptions, memory: Memory): SecondConnection {
    return new SecondConnection(initiator, options, memory, {
      frame: (frame) => this.queue.sendSureFrame(frame),
      overLink: (parts, signal) => this.queue.send(parts, 'bulk', signal),
      linkFlow: () => {
        const linkGoneBytes = this.#nowGoneBytes();
        return { linkGoneBytes, linkEndBytes: linkGoneBytes + this.queue.waitingBytes };
      },
      given: () => this.#events.given(),
      arrival: (arrival) => this.#events.arrival(arrival),
      misbehaved: (error) => this.#misbehaved(error),
    });
  }

  #misbehaved(error: PalmError): void {
    this.#events.misbehaved({ kind: 'failure', failure: error.failure }, error.message);
  }
}
