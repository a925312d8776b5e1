// Snappy decompression (google/snappy, format_description.txt), for LevelDB tables and Blink's compressed
// values. Written for this test library: a thief's reader must not depend on Palm's or the browser's code.

/** A stream that claims to be larger than this is not a snappy stream, bytes. */
const MAX_PLAIN_BYTES = 64 * 1024 * 1024;

/**
 * The plain bytes, or undefined when `bytes` from `start` on are not a snappy stream. Bytes after the stream
 * are ignored.
 */
export function unsnap(bytes: Uint8Array, start = 0): Buffer | undefined {
  const header = readVarint(bytes, start);
  if (header === undefined || header.value > MAX_PLAIN_BYTES) return undefined;
  const plain = Buffer.alloc(header.value);
  let at = header.end;
  let filled = 0;
  while (filled < plain.length) {
    const tag = bytes[at++];
    if (tag === undefined) return undefined;
    if ((tag & 3) === 0) {
      const literal = literalLength(bytes, at, tag >> 2);
      if (literal === undefined) return undefined;
      const end = literal.end + literal.value;
      if (end > bytes.length || filled + literal.value > plain.length) return undefined;
      plain.set(bytes.subarray(literal.end, end), filled);
      filled += literal.value;
      at = end;
    } else {
      const copy = copyOf(bytes, at, tag);
      if (copy === undefined || copy.distance === 0 || copy.distance > filled) return undefined;
      if (filled + copy.byteCount > plain.length) return undefined;
      // Byte by byte: a copy may overlap what it produces.
      for (let step = 0; step < copy.byteCount; step++, filled++)
        plain[filled] = plain[filled - copy.distance] ?? 0;
      at = copy.end;
    }
  }
  return plain;
}

/** A little-endian base-128 number below 2^53, and where it ends. */
export function readVarint(
  bytes: Uint8Array,
  start: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let at = start, scale = 1; at < start + 8; at++, scale *= 128) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end: at + 1 };
  }
  return undefined;
}

function literalLength(
  bytes: Uint8Array,
  at: number,
  code: number,
): { readonly value: number; readonly end: number } | undefined {
  if (code < 60) return { value: code + 1, end: at };
  const byteCount = code - 59;
  const value = littleEndian(bytes, at, byteCount);
  return value === undefined ? undefined : { value: value + 1, end: at + byteCount };
}

function copyOf(
  bytes: Uint8Array,
  at: number,
  tag: number,
): { readonly distance: number; readonly byteCount: number; readonly end: number } | undefined {
  const kind = tag & 3;
  const distanceBytes = kind === 1 ? 1 : kind === 2 ? 2 : 4;
  const low = littleEndian(bytes, at, distanceBytes);
  if (low === undefined) return undefined;
  const end = at + distanceBytes;
  if (kind === 1) return { distance: (tag >> 5) * 256 + low, byteCount: ((tag >> 2) & 7) + 4, end };
  return { distance: low, byteCount: (tag >> 2) + 1, end };
}

function littleEndian(bytes: Uint8Array, at: number, byteCount: number): number | undefined {
  let value = 0;
  for (let index = byteCount - 1; index >= 0; index--) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    value = value * 256 + byte;
  }
  return value;
}
