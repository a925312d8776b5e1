// The logs in a `sync` message as CBOR (FORMATS.md, messages): their heads, and the cursor to continue from.

import type { LogCursor, LogHead } from '../catalogue/log-head.ts';
import type { LogMark } from '../catalogue/device-log.ts';
import { bad, bytesOf, linkOf, textOf, tupleOf, uintOf } from '../encoding/decode.ts';
import { bytesOfHex, concatBytes, hexOf } from '../model/bytes.ts';
import { cidOf, parseDeviceId, parseEntryId } from '../model/ids.ts';
import { MAX_LOG_LENGTH, MAX_LOG_MARKS } from '../model/limits.ts';

/** A log's mark on the wire: its entry's number and the first bytes of its id's digest. */
const MARK_BYTES = 12;

export function headToCbor({ device, seq, digest, marks }: LogHead): unknown {
  return [cidOf(device), seq, digest, marksToBytes(marks)];
}

export function headOf(value: unknown): LogHead {
  const [device, seq, digest, marks] = tupleOf(value, 4);
  return {
    device: parseDeviceId(linkOf(device)),
    seq: uintOf(seq, MAX_LOG_LENGTH),
    digest: textOf(digest, 16),
    marks: marksOf(bytesOf(marks, 0, MARK_BYTES * MAX_LOG_MARKS)),
  };
}

/** For each, its entry's number in 4 bytes, then the mark. */
function marksToBytes(marks: readonly LogMark[]): Uint8Array {
  return concatBytes(
    ...marks.map(({ seq, mark }) =>
      concatBytes(Uint8Array.of(seq >>> 24, seq >>> 16, seq >>> 8, seq), bytesOfHex(mark)),
    ),
  );
}

function marksOf(bytes: Uint8Array): LogMark[] {
  if (bytes.length % MARK_BYTES !== 0) throw bad('marks that are cut');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length / MARK_BYTES }, (_, index) => ({
    seq: view.getUint32(MARK_BYTES * index),
    mark: hexOf(bytes.subarray(MARK_BYTES * index + 4, MARK_BYTES * (index + 1))),
  }));
}

export function cursorToCbor({ device, seq, entry }: LogCursor): unknown {
  return [cidOf(device), seq, entry === undefined ? null : cidOf(entry)];
}

export function cursorOf(value: unknown): LogCursor {
  const [device, seq, entry] = tupleOf(value, 3);
  return {
    device: parseDeviceId(linkOf(device)),
    seq: uintOf(seq, MAX_LOG_LENGTH),
    entry: entry === null ? undefined : parseEntryId(linkOf(entry)),
  };
}
