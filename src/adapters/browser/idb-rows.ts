// Decoders of Palm's database rows. A disk is not trusted more than a peer: a row has exactly the form that was written,
// or it is refused with PalmError 'bad-message' (FORMATS.md, "On disk").

import { isPalmError } from '../../core/model/errors.ts';
import { parseDeviceId, parseEntryId, parseFileId, parseFragmentId } from '../../core/model/ids.ts';
import {
  BLOCK_BYTES,
  MAX_FRAGMENT_COUNT,
  MAX_LOG_LENGTH,
  MAX_MESSAGE_BYTES,
  MAX_RECORD_BYTES,
  MAX_SEGMENT_COUNT,
} from '../../core/model/limits.ts';
import type { StoredFragment, StoredRecord } from '../../core/ports.ts';
import { bytesOf, fieldsOf, uintOf } from '../../core/wire/decode.ts';

export function blockRow(row: unknown): Uint8Array<ArrayBuffer> {
  return ownBytes(bytesOf(row, 1, BLOCK_BYTES));
}

/** Where a block lies that is not a row itself. */
export interface SlotRow {
  readonly slot: number;
  readonly bytes: number;
}

export function slotRow(row: unknown): SlotRow {
  const fields = fieldsOf(row, ['slot', 'bytes']);
  return {
    slot: uintOf(fields['slot'], Number.MAX_SAFE_INTEGER),
    bytes: uintOf(fields['bytes'], BLOCK_BYTES),
  };
}

export function indexRow(row: unknown): Uint8Array<ArrayBuffer> {
  return ownBytes(bytesOf(row, 1, MAX_MESSAGE_BYTES));
}

export function fragmentRow(row: unknown): StoredFragment {
  const fields = fieldsOf(row, ['fragmentId', 'fileId', 'fragment', 'blockBytes']);
  return {
    fragmentId: parseFragmentId(fields['fragmentId']),
    fileId: parseFileId(fields['fileId']),
    fragment: uintOf(fields['fragment'], MAX_FRAGMENT_COUNT - 1),
    blockBytes: uintOf(fields['blockBytes'], MAX_SEGMENT_COUNT * BLOCK_BYTES),
  };
}

export function recordRow(row: unknown): StoredRecord {
  const fields = fieldsOf(row, ['entryId', 'deviceId', 'seq', 'bytes']);
  return {
    entryId: parseEntryId(fields['entryId']),
    deviceId: parseDeviceId(fields['deviceId']),
    seq: uintOf(fields['seq'], MAX_LOG_LENGTH),
    bytes: ownBytes(bytesOf(fields['bytes'], 1, MAX_RECORD_BYTES)),
  };
}

/** Rows that pass `decode`, and the keys of those that do not. Both lists are in the order of `keys`. */
export function decodeRows<Row>(
  keys: readonly string[],
  rows: readonly unknown[],
  decode: (row: unknown) => Row,
): { readonly sound: Row[]; readonly damaged: string[] } {
  const sound: Row[] = [];
  const damaged: string[] = [];
  for (const [at, key] of keys.entries()) {
    const row = decoded(rows[at], decode);
    if (row === undefined) damaged.push(key);
    else sound.push(row);
  }
  return { sound, damaged };
}

/** Undefined when `decode` refuses the row. */
export function decoded<Row>(row: unknown, decode: (row: unknown) => Row): Row | undefined {
  try {
    return decode(row);
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return undefined;
    throw error;
  }
}

/** The same bytes with a plain buffer that holds nothing else. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.length) {
    return bytes as Uint8Array<ArrayBuffer>; // its buffer is one, checked
  }
  return new Uint8Array(bytes);
}
