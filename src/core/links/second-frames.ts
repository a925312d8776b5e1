// Frames about the second connection of a link (FORMATS.md, the second connection). They go over the link's
// own channel, which has authenticated both ends, and only to devices that know them.
//
//   octets   able, wanted    signal                         came, over
//   0        0x14, 0x15      0x16                           0x17, 0x18
//   1..4     -               the connection's number, big-endian
//   5..      -               a letter's body, in DAG-CBOR   4 octets: messages that came whole

import { decodeCbor, encodeCbor } from '../encoding/decode.ts';
import { PalmError } from '../model/errors.ts';
import { MAX_ENVELOPE_BYTES } from '../model/limits.ts';
import { decodeBody } from './envelope.ts';
import type { ConnectionSignal } from './link-events.ts';

export type SecondFrame =
  /** From the end that did not offer the link: it knows these frames. Once, before all others. */
  | { readonly kind: 'able' }
  /** From that end, too: please open a second connection. */
  | { readonly kind: 'wanted' }
  /** `number`: which connection of this link it is, from 1. The first signal of each is its offer. */
  | { readonly kind: 'signal'; readonly number: number; readonly signal: ConnectionSignal }
  /** So many whole messages came over it until now. */
  | { readonly kind: 'came'; readonly number: number; readonly count: number }
  /** This end of it is gone; so many came in all. */
  | { readonly kind: 'over'; readonly number: number; readonly count: number };

const BARE = { able: 0x14, wanted: 0x15 } as const;
const SIGNAL = 0x16;
const COUNTS = { came: 0x17, over: 0x18 } as const;
const HEADER_BYTES = 5;
const COUNT_BYTES = 4;

/** The browsers' data channels carry this as their protocol: the end that offers knows second connections. */
export const SECOND_PROTOCOL = 'palm-second';

/** Whether the frame is about a second connection, as far as its first octet tells. */
export function isSecondFrame(frame: Uint8Array): boolean {
  const first = frame[0] ?? 0;
  return first >= BARE.able && first <= COUNTS.over;
}

/**
 * The caller owns the result. @throws PalmError 'bad-message' for a signal that the other end would
 * refuse.
 */
export function encodeSecondFrame(frame: SecondFrame): Uint8Array<ArrayBuffer> {
  switch (frame.kind) {
    case 'able':
    case 'wanted':
      return Uint8Array.of(BARE[frame.kind]);
    case 'signal': {
      const body = encodeCbor(decodeBody(frame.signal));
      const bytes = newFrame(SIGNAL, frame.number, body.length);
      bytes.set(body, HEADER_BYTES);
      return bytes;
    }
    case 'came':
    case 'over': {
      const bytes = newFrame(COUNTS[frame.kind], frame.number, COUNT_BYTES);
      new DataView(bytes.buffer).setUint32(HEADER_BYTES, frame.count);
      return bytes;
    }
  }
}

/** @throws PalmError 'bad-message' for anything that `encodeSecondFrame` does not make. */
export function decodeSecondFrame(frame: Uint8Array): SecondFrame {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  switch (frame[0]) {
    case BARE.able:
      return bare('able', frame);
    case BARE.wanted:
      return bare('wanted', frame);
    case SIGNAL: {
      if (frame.length <= HEADER_BYTES) throw bad('a signal that says nothing');
      const body = decodeBody(decodeCbor(frame.subarray(HEADER_BYTES), MAX_ENVELOPE_BYTES));
      if (body.kind === 'announce' || body.kind === 'bye') throw bad(`a signal of kind ${body.kind}`);
      return { kind: 'signal', number: view.getUint32(1), signal: body };
    }
    case COUNTS.came:
    case COUNTS.over: {
      if (frame.length !== HEADER_BYTES + COUNT_BYTES) throw bad(`a count of ${frame.length} bytes`);
      const kind = frame[0] === COUNTS.came ? 'came' : 'over';
      return { kind, number: view.getUint32(1), count: view.getUint32(HEADER_BYTES) };
    }
    default:
      throw bad('a frame of unknown kind');
  }
}

function newFrame(first: number, number: number, restBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES + restBytes);
  bytes[0] = first;
  new DataView(bytes.buffer).setUint32(1, number);
  return bytes;
}

function bare(kind: keyof typeof BARE, frame: Uint8Array): SecondFrame {
  if (frame.length !== 1) throw bad(`${kind} with something behind it`);
  return { kind };
}

function bad(what: string): PalmError {
  return new PalmError({ code: 'bad-message', what: 'frame', detail: what });
}
