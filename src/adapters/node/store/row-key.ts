// Keys of rows as bytes that sort as the keys do (FORMATS.md, "The folder of a Node device"): a kind, the
// value, and an end that sorts before anything that could follow.

import { concatBytes, utf8 } from '../../../core/model/bytes.ts';

const KINDS = { end: 0x00, number: 0x10, text: 0x20, bytes: 0x30, list: 0x40 } as const;
/** Follows a zero byte that belongs to the value. */
const ESCAPE = 0xff;

/** @throws TypeError for what is no key. */
export function rowKeyBytes(key: unknown): Uint8Array<ArrayBuffer> {
  if (typeof key === 'number') return concatBytes(Uint8Array.of(KINDS.number), numberBytes(key));
  if (typeof key === 'string') return concatBytes(Uint8Array.of(KINDS.text), escaped(utf8(key)));
  if (key instanceof ArrayBuffer) return rowKeyBytes(new Uint8Array(key));
  if (ArrayBuffer.isView(key)) {
    const bytes = new Uint8Array(key.buffer, key.byteOffset, key.byteLength);
    return concatBytes(Uint8Array.of(KINDS.bytes), escaped(bytes));
  }
  if (Array.isArray(key)) return concatBytes(listStart(key), Uint8Array.of(KINDS.end));
  throw new TypeError('no key of a row');
}

/** What the keys of all lists that begin with `item` begin with. */
export function rowKeysOf(item: string): { readonly from: Uint8Array; readonly before: Uint8Array } {
  const from = listStart([item]);
  return { from, before: concatBytes(from, Uint8Array.of(ESCAPE)) };
}

/** The reverse of `rowKeyBytes`. @throws RangeError for bytes that are none of its results. */
export function rowKeyOf(bytes: Uint8Array): unknown {
  const { value, end } = valueAt(bytes, 0);
  if (end !== bytes.length) throw new RangeError('bytes behind a key');
  return value;
}

function listStart(items: readonly unknown[]): Uint8Array<ArrayBuffer> {
  return concatBytes(Uint8Array.of(KINDS.list), ...items.map(rowKeyBytes));
}

/** Counts only: as big-endian doubles these sort as numbers. */
function numberBytes(value: number): Uint8Array<ArrayBuffer> {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError('a key that is no count');
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value);
  return bytes;
}

function escaped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = Array.from(bytes, (byte) => (byte === 0 ? [0, ESCAPE] : [byte])).flat();
  return Uint8Array.from([...all, KINDS.end]);
}

function valueAt(bytes: Uint8Array, at: number): { readonly value: unknown; readonly end: number } {
  switch (bytes[at]) {
    case KINDS.number: {
      const value = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getFloat64(at + 1);
      return { value, end: at + 9 };
    }
    case KINDS.text: {
      const { value, end } = unescapedAt(bytes, at + 1);
      return { value: new TextDecoder().decode(value), end };
    }
    case KINDS.bytes:
      return unescapedAt(bytes, at + 1);
    case KINDS.list: {
      const items: unknown[] = [];
      let next = at + 1;
      while (bytes[next] !== KINDS.end) {
        const { value, end } = valueAt(bytes, next);
        items.push(value);
        next = end;
      }
      return { value: items, end: next + 1 };
    }
    default:
      throw new RangeError('no kind of key');
  }
}

function unescapedAt(
  bytes: Uint8Array,
  start: number,
): { readonly value: Uint8Array<ArrayBuffer>; readonly end: number } {
  const value: number[] = [];
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte !== 0) value.push(byte);
    else if (bytes[at + 1] === ESCAPE) value.push(bytes[at++] ?? 0);
    else return { value: Uint8Array.from(value), end: at + 1 };
  }
  throw new RangeError('a key without its end');
}
