// Frames of a link's data channel (FORMATS.md, frames). Two lanes of messages, control and bulk, share the
// channel: a message travels as frames of its own lane, and between any two frames the other lane may send.
// The link itself also has frames: ping, pong, bye and signal (a signaling envelope that a neighbour passes
// on).
//
//   octets   message, first frame        message, later frame      ping, pong, bye    signal
//   0        0x00 control, 0x02 bulk     0x01 control, 0x03 bulk   0x10, 0x11, 0x12   0x13
//   1        length of the message,      chunk                     -                  hops left, 0 to 2
//   2..4     4 octets, big-endian        …                                            sealed envelope
//   5..      chunk                       …                                            …
//
// Invariants: a lane has at most one unfinished message. Its buffer is allocated once, from a length that was
// checked first. Every message frame carries at least one octet of its message, unless the whole message is
// empty.

import { discard } from '../model/bytes.ts';
import { PalmError } from '../model/errors.ts';
import { FRAME_BYTES, MAX_ENVELOPE_BYTES, MAX_MESSAGE_BYTES } from '../model/limits.ts';
import type { Lane } from '../transport-port.ts';

/**
 * Neighbours that may still pass on an envelope. With two, any two devices meet whose neighbours are linked
 * with each other.
 */
export const MAX_SIGNAL_HOPS = 2;

/** A frame of the link itself. */
export type LinkFrame =
  /** A neighbour passes on an envelope; `hopsLeft` is how many more may do so. */
  | { readonly kind: 'signal'; readonly hopsLeft: number; readonly envelope: Uint8Array }
  | { readonly kind: 'ping' | 'pong' | 'bye' };

/** What a frame, or the last frame of a message, completes. The callee owns `message`. */
export type Arrival =
  | LinkFrame
  | { readonly kind: 'message'; readonly lane: Lane; readonly message: Uint8Array<ArrayBuffer> };

const FIRST: Readonly<Record<Lane, number>> = { control: 0x00, bulk: 0x02 };
const LATER: Readonly<Record<Lane, number>> = { control: 0x01, bulk: 0x03 };
const BARE = { ping: 0x10, pong: 0x11, bye: 0x12 } as const;
const SIGNAL = 0x13;
/** Stands for the first octet of an empty frame. */
const NO_OCTET = -1;

const FIRST_HEADER_BYTES = 5;
const LATER_HEADER_BYTES = 1;
const SIGNAL_HEADER_BYTES = 2;

/**
 * The frames of one message given in parts, in order. The parts must not change until the last frame is cut.
 */
export class MessageFrames {
  readonly #lane: Lane;
  readonly #frameBytes: number;
  readonly #messageBytes: number;
  readonly #cursor: PartsCursor;
  #leftBytes: number;
  #isBegun = false;

  /**
   * @param maxFrameBytes the most that the channel takes in one piece; at most FRAME_BYTES of it are used.
   * @throws PalmError 'bad-argument' when the message is longer than MAX_MESSAGE_BYTES.
   */
  constructor(parts: readonly Uint8Array[], lane: Lane, maxFrameBytes = FRAME_BYTES) {
    this.#messageBytes = parts.reduce((sum, part) => sum + part.length, 0);
    checkOutgoing(this.#messageBytes, maxFrameBytes);
    this.#lane = lane;
    this.#frameBytes = Math.min(FRAME_BYTES, maxFrameBytes);
    this.#cursor = new PartsCursor(parts);
    this.#leftBytes = this.#messageBytes;
  }

  /** Whether the last frame was cut. */
  get isOver(): boolean {
    return this.#isBegun && this.#leftBytes === 0;
  }

  /** Bytes of the message that were not cut yet. */
  get leftBytes(): number {
    return this.#leftBytes;
  }

  /** Cuts the next frame into `into`, of FRAME_BYTES, and returns the part of it that is the frame. */
  cut(into: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const headerBytes = this.#isBegun ? LATER_HEADER_BYTES : FIRST_HEADER_BYTES;
    const chunkBytes = Math.min(this.#leftBytes, this.#frameBytes - headerBytes);
    const frame = into.subarray(0, headerBytes + chunkBytes);
    if (this.#isBegun) {
      frame[0] = LATER[this.#lane];
    } else {
      frame[0] = FIRST[this.#lane];
      new DataView(frame.buffer, frame.byteOffset).setUint32(1, this.#messageBytes);
    }
    this.#cursor.fill(frame.subarray(headerBytes));
    this.#leftBytes -= chunkBytes;
    this.#isBegun = true;
    return frame;
  }
}

/** A frame of the link itself. The caller owns the result; the envelope is copied. */
export function encodeLinkFrame(frame: LinkFrame): Uint8Array<ArrayBuffer> {
  if (frame.kind !== 'signal') return Uint8Array.of(BARE[frame.kind]);
  const bytes = new Uint8Array(SIGNAL_HEADER_BYTES + frame.envelope.length);
  bytes[0] = SIGNAL;
  bytes[1] = frame.hopsLeft;
  bytes.set(frame.envelope, SIGNAL_HEADER_BYTES);
  return bytes;
}

/** Whether the frame carries a part of a message in the bulk lane. */
export function isBulkFrame(frame: Uint8Array): boolean {
  return frame[0] === FIRST.bulk || frame[0] === LATER.bulk;
}

/** Reassembles the messages of one channel from its frames. */
export class FrameAssembler {
  readonly #unfinished: Record<Lane, Unfinished | undefined> = { control: undefined, bulk: undefined };
  readonly #allocate: (byteCount: number) => Uint8Array<ArrayBuffer>;

  /** `allocate` returns that many bytes of any content, for a message of several frames. */
  constructor(allocate = (byteCount: number): Uint8Array<ArrayBuffer> => new Uint8Array(byteCount)) {
    this.#allocate = allocate;
  }

  /**
   * Takes the channel's next frame and ownership of its buffer. Returns what it completes; undefined when a
   * message needs more frames.
   * @throws PalmError 'bad-message' for anything that `MessageFrames` and `encodeLinkFrame` do not make. The
   * channel cannot be used after that: the start of the next message is unknown.
   */
  push(frame: Uint8Array<ArrayBuffer>): Arrival | undefined {
    if (frame.length > FRAME_BYTES) throw bad(`a frame of ${frame.length} bytes`);
    switch (frame[0] ?? NO_OCTET) {
      case FIRST.control:
        return this.#begin('control', frame);
      case LATER.control:
        return this.#continue('control', frame);
      case FIRST.bulk:
        return this.#begin('bulk', frame);
      case LATER.bulk:
        return this.#continue('bulk', frame);
      case BARE.ping:
        return bare('ping', frame);
      case BARE.pong:
        return bare('pong', frame);
      case BARE.bye:
        return bare('bye', frame);
      case SIGNAL:
        return signal(frame);
      default:
        throw bad(frame.length === 0 ? 'an empty frame' : 'a frame of unknown kind');
    }
  }

  #begin(lane: Lane, frame: Uint8Array<ArrayBuffer>): Arrival | undefined {
    if (this.#unfinished[lane] !== undefined) throw bad('a message that begins inside another');
    if (frame.length < FIRST_HEADER_BYTES) throw bad('a first frame without its length');
    const messageBytes = new DataView(frame.buffer, frame.byteOffset).getUint32(1);
    if (messageBytes > MAX_MESSAGE_BYTES) throw bad(`a message of ${messageBytes} bytes`);
    const chunk = frame.subarray(FIRST_HEADER_BYTES);
    if (chunk.length > messageBytes) throw bad('a chunk that overruns its message');
    // Most control messages fit one frame and need no second buffer.
    if (chunk.length === messageBytes) return { kind: 'message', lane, message: chunk };
    if (chunk.length === 0) throw bad('a first frame that carries nothing');
    const message = this.#allocate(messageBytes);
    message.set(chunk);
    this.#unfinished[lane] = { message, filledBytes: chunk.length };
    discard(frame);
    return undefined;
  }

  #continue(lane: Lane, frame: Uint8Array<ArrayBuffer>): Arrival | undefined {
    const unfinished = this.#unfinished[lane];
    if (unfinished === undefined) throw bad('a later frame of no message');
    const chunk = frame.subarray(LATER_HEADER_BYTES);
    if (chunk.length === 0) throw bad('a later frame that carries nothing');
    const { message, filledBytes } = unfinished;
    if (filledBytes + chunk.length > message.length) throw bad('a chunk that overruns its message');
    message.set(chunk, filledBytes);
    unfinished.filledBytes += chunk.length;
    discard(frame);
    if (unfinished.filledBytes < message.length) return undefined;
    this.#unfinished[lane] = undefined;
    return { kind: 'message', lane, message };
  }
}

interface Unfinished {
  readonly message: Uint8Array<ArrayBuffer>;
  filledBytes: number;
}

/** Reads parts as if they were one buffer. */
class PartsCursor {
  readonly #parts: readonly Uint8Array[];
  #partIndex = 0;
  #offset = 0;

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
  }

  /** Fills `target` with the next bytes. There must be enough. */
  fill(target: Uint8Array): void {
    let filledBytes = 0;
    while (filledBytes < target.length) {
      const part = this.#parts[this.#partIndex];
      if (part === undefined) throw new Error('a message is shorter than its parts');
      const slice = part.subarray(this.#offset, this.#offset + target.length - filledBytes);
      target.set(slice, filledBytes);
      filledBytes += slice.length;
      this.#offset += slice.length;
      if (this.#offset === part.length) {
        this.#partIndex += 1;
        this.#offset = 0;
      }
    }
  }
}

function checkOutgoing(messageBytes: number, maxFrameBytes: number): void {
  if (messageBytes > MAX_MESSAGE_BYTES) {
    throw new PalmError({
      code: 'bad-argument',
      reason: 'internal',
      detail: `a message of ${messageBytes} bytes`,
    });
  }
  if (maxFrameBytes <= FIRST_HEADER_BYTES) {
    throw new PalmError({
      code: 'bad-argument',
      reason: 'internal',
      detail: `frames of ${maxFrameBytes} bytes`,
    });
  }
}

function bare(kind: keyof typeof BARE, frame: Uint8Array): Arrival {
  if (frame.length !== 1) throw bad(`a ${kind} with something behind it`);
  return { kind };
}

function signal(frame: Uint8Array): Arrival {
  const hopsLeft = frame[1];
  const envelope = frame.subarray(SIGNAL_HEADER_BYTES);
  if (hopsLeft === undefined || hopsLeft > MAX_SIGNAL_HOPS) throw bad('an envelope with too many hops to go');
  if (envelope.length === 0 || envelope.length > MAX_ENVELOPE_BYTES) {
    throw bad(`an envelope of ${envelope.length} bytes`);
  }
  return { kind: 'signal', hopsLeft, envelope };
}

function bad(what: string): PalmError {
  return new PalmError({ code: 'bad-message', what: 'frame', detail: what });
}
