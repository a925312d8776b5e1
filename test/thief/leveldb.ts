// Reads LevelDB's files from raw bytes, in any state (google/leveldb, doc/log_format.md and
// doc/table_format.md). Nothing counts as deleted: obsolete entries are what a thief wants. Checksums are
// ignored, so that damaged files reveal as much as possible.

import { readVarint, unsnap } from './snappy.ts';

const LOG_BLOCK_BYTES = 32 * 1024;
/** Checksum (4 bytes), length (2), type (1). */
const LOG_HEADER_BYTES = 7;
/** FULL, FIRST, MIDDLE and LAST are 1 to 4; 0 is preallocated space. */
const LAST_RECORD_TYPE = 4;

const FOOTER_BYTES = 48;
const TABLE_MAGIC = Buffer.from('57fb808b247547db', 'hex');
/** Type (1) and checksum (4) after each block. */
const SNAPPY = 1;

/**
 * The payload of a log with its records joined, so values cut by the headers between 32 KiB blocks are whole
 * again. Write batches need no parsing: each key and value lies in one piece in them.
 */
export function logPayload(file: Uint8Array): Buffer {
  const pieces: Uint8Array[] = [];
  for (let block = 0; block < file.length; block += LOG_BLOCK_BYTES) {
    const blockEnd = Math.min(block + LOG_BLOCK_BYTES, file.length);
    let at = block;
    while (at + LOG_HEADER_BYTES <= blockEnd) {
      const byteCount = (file[at + 4] ?? 0) + 256 * (file[at + 5] ?? 0);
      const type = file[at + 6] ?? 0;
      const end = at + LOG_HEADER_BYTES + byteCount;
      // An invalid record ends its block; the next block begins with a header again.
      if (type === 0 || type > LAST_RECORD_TYPE || end > blockEnd) break;
      pieces.push(file.subarray(at + LOG_HEADER_BYTES, end));
      at = end;
    }
  }
  return Buffer.concat(pieces);
}

/** The entries of a table, keys and values concatenated; undefined when `file` is not a table. */
export function tableEntries(file: Uint8Array): Buffer | undefined {
  const footer = file.subarray(-FOOTER_BYTES);
  if (footer.length < FOOTER_BYTES || !TABLE_MAGIC.equals(footer.subarray(-8))) return undefined;
  const metaOffset = readVarint(footer, 0);
  const metaSize = metaOffset && readVarint(footer, metaOffset.end);
  const index = metaSize && blockAt(file, footer, metaSize.end);
  if (index === undefined) return undefined;
  const entries: Uint8Array[] = [];
  for (const { value: handle } of entriesOf(index)) {
    const block = blockAt(file, handle, 0);
    if (block === undefined) continue;
    for (const { key, value } of entriesOf(block)) entries.push(key, value);
  }
  return Buffer.concat(entries);
}

/** The block with its handle (offset and size) at `at` of `handle`, decompressed. */
function blockAt(file: Uint8Array, handle: Uint8Array, at: number): Uint8Array | undefined {
  const offset = readVarint(handle, at);
  const size = offset && readVarint(handle, offset.end);
  if (offset === undefined || size === undefined) return undefined;
  const end = offset.value + size.value;
  if (end >= file.length) return undefined;
  const stored = file.subarray(offset.value, end);
  return file[end] === SNAPPY ? unsnap(stored) : stored;
}

/**
 * A block's entries. A key shares a prefix with the one before it; the restart points at the end are not
 * needed.
 */
function* entriesOf(block: Uint8Array): Generator<{ readonly key: Buffer; readonly value: Uint8Array }> {
  if (block.length < 4) return;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const end = block.length - 4 - 4 * view.getUint32(block.length - 4, true);
  let key = Buffer.alloc(0);
  for (let at = 0; at < end;) {
    const shared = readVarint(block, at);
    const unshared = shared && readVarint(block, shared.end);
    const valueBytes = unshared && readVarint(block, unshared.end);
    if (shared === undefined || unshared === undefined || valueBytes === undefined) return;
    const keyEnd = valueBytes.end + unshared.value;
    const valueEnd = keyEnd + valueBytes.value;
    if (shared.value > key.length || valueEnd > end) return;
    key = Buffer.concat([key.subarray(0, shared.value), block.subarray(valueBytes.end, keyEnd)]);
    yield { key, value: block.subarray(keyEnd, valueEnd) };
    at = valueEnd;
  }
}
