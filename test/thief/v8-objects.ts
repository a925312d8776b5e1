// Reads objects in V8's serialization (v8/src/objects/value-serializer.cc), the format of IndexedDB's rows,
// from their beginning as far as possible: a truncated object gives the properties before the cut.

import { offsetsOf } from './layers.ts';
import { readVarint } from './snappy.ts';

export type V8Value = number | boolean | null | undefined | string | Uint8Array | V8Object;
export interface V8Object {
  readonly [property: string]: V8Value;
}

const BEGIN = Buffer.from('o"');
const TAG = {
  object: 0x6f, // o
  end: 0x7b, // {
  oneByteString: 0x22, // "
  twoByteString: 0x63, // c
  padding: 0x00,
  undefined: 0x5f, // _
  null: 0x30, // 0
  true: 0x54, // T
  false: 0x46, // F
  int: 0x49, // I
  uint: 0x55, // U
  double: 0x4e, // N
  buffer: 0x42, // B
  view: 0x56, // V
} as const;

/** The objects in `bytes` that begin with a text property, and where each is. */
export function* objectsIn(
  bytes: Buffer,
): Generator<{ readonly at: number; readonly value: { readonly [property: string]: V8Value } }> {
  for (const at of offsetsOf(bytes, BEGIN)) {
    const { value } = objectAt(bytes, at + 1);
    if (Object.keys(value).length > 1) yield { at, value };
  }
}

interface Found {
  readonly value: V8Value;
  readonly end: number;
}

function objectAt(bytes: Buffer, start: number): { readonly value: V8Object; readonly end: number } {
  const properties: Record<string, V8Value> = {};
  let at = start;
  while (at < bytes.length) {
    if (bytes[at] === TAG.end) return { value: properties, end: readVarint(bytes, at + 1)?.end ?? at };
    const key = valueAt(bytes, at);
    const value = key && valueAt(bytes, key.end);
    if (key === undefined || typeof key.value !== 'string' || value === undefined) break;
    properties[key.value] = value.value;
    at = value.end;
  }
  return { value: properties, end: bytes.length };
}

function valueAt(bytes: Buffer, start: number): Found | undefined {
  const at = start + 1;
  switch (bytes[start]) {
    case TAG.padding:
      return valueAt(bytes, at);
    case TAG.undefined:
      return { value: undefined, end: at };
    case TAG.null:
      return { value: null, end: at };
    case TAG.true:
      return { value: true, end: at };
    case TAG.false:
      return { value: false, end: at };
    case TAG.int: {
      const zigzag = readVarint(bytes, at);
      if (zigzag === undefined) return undefined;
      const { value, end } = zigzag;
      return { value: value % 2 === 0 ? value / 2 : -(value + 1) / 2, end };
    }
    case TAG.uint:
      return readVarint(bytes, at);
    case TAG.double:
      return at + 8 > bytes.length ? undefined : { value: bytes.readDoubleLE(at), end: at + 8 };
    case TAG.oneByteString:
      return textAt(bytes, at, 'latin1');
    case TAG.twoByteString:
      return textAt(bytes, at, 'utf16le');
    case TAG.buffer:
      return bufferAt(bytes, at);
    case TAG.object:
      return objectAt(bytes, at);
    default:
      return undefined;
  }
}

function textAt(bytes: Buffer, at: number, encoding: 'latin1' | 'utf16le'): Found | undefined {
  const length = readVarint(bytes, at);
  if (length === undefined || length.end + length.value > bytes.length) return undefined;
  const end = length.end + length.value;
  return { value: bytes.toString(encoding, length.end, end), end };
}

/** An ArrayBuffer, and the view of it that may follow: its kind, offset, length and flags. */
function bufferAt(bytes: Buffer, at: number): Found | undefined {
  const length = readVarint(bytes, at);
  if (length === undefined || length.end + length.value > bytes.length) return undefined;
  const end = length.end + length.value;
  const buffer = bytes.subarray(length.end, end);
  if (bytes[end] !== TAG.view) return { value: buffer, end };
  const offset = readVarint(bytes, end + 2);
  const viewed = offset && readVarint(bytes, offset.end);
  const flags = viewed && readVarint(bytes, viewed.end);
  if (offset === undefined || viewed === undefined || flags === undefined) return { value: buffer, end };
  return { value: buffer.subarray(offset.value, offset.value + viewed.value), end: flags.end };
}
