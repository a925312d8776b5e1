// Which request of which program something is part of: the ids of W3C Trace Context (level 1, 3.2.2), so that
// other programs' tools know them. They say nothing else: whoever begins a trace draws them at random.

import { bad, bytesOf } from '../encoding/decode.ts';
import { bytesOfHex, hexOf } from '../model/bytes.ts';

/** The trace's id, then that of the part of it in which this was caused. */
export const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
const TRACE_MARK_BYTES = TRACE_ID_BYTES + SPAN_ID_BYTES;

/** 24 bytes, neither id zero. */
export type TraceMark = Uint8Array & { readonly [traceMark]: true };
declare const traceMark: unique symbol;

/** Version, trace id, parent id, flags. Later versions may add fields. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:$|-)/u;

/** @throws PalmError 'bad-message' for anything but 24 bytes of two ids. */
export function traceMarkOf(value: unknown): TraceMark {
  const bytes = bytesOf(value, TRACE_MARK_BYTES, TRACE_MARK_BYTES);
  if (isZero(bytes.subarray(0, TRACE_ID_BYTES)) || isZero(bytes.subarray(TRACE_ID_BYTES)))
    throw bad('a trace without an id');
  return bytes as TraceMark; // checked above
}

/** Of a `traceparent` header; undefined for one that is not sound, which begins no trace and is no error. */
export function traceMarkIn(traceparent: string): TraceMark | undefined {
  const [, trace = '', span = ''] = TRACEPARENT.exec(traceparent) ?? [];
  const bytes = bytesOfHex(trace + span);
  const isSound = bytes.length === TRACE_MARK_BYTES && !/^0+$/u.test(trace) && !/^0+$/u.test(span);
  return isSound ? traceMarkOf(bytes) : undefined;
}

/** As the header has it. */
export function traceparentOf(mark: TraceMark): string {
  return `00-${hexOf(mark.subarray(0, TRACE_ID_BYTES))}-${hexOf(mark.subarray(TRACE_ID_BYTES))}-01`;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
