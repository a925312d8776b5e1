// A lenient reader of DAG-CBOR (RFC 8949), unlike Palm's strict one.

export type Cbor = number | boolean | null | string | Uint8Array | Cid | readonly Cbor[] | CborMap;
export type CborMap = ReadonlyMap<string, Cbor>;

/** A link: the CID's bytes, without the leading zero of tag 42. */
export interface Cid {
  readonly cid: Uint8Array;
}

/** The value at `start`, and where it ends; undefined when there is none, or it is cut off. */
export function readCbor(
  bytes: Uint8Array,
  start = 0,
): { readonly value: Cbor; readonly end: number } | undefined {
  const head = headAt(bytes, start);
  if (head === undefined) return undefined;
  const { major, count, end } = head;
  switch (major) {
    case 0:
      return { value: count, end };
    case 1:
      return { value: -1 - count, end };
    case 2:
    case 3: {
      const content = bytes.subarray(end, end + count);
      if (content.length < count) return undefined;
      const value = major === 2 ? content : Buffer.from(content).toString('utf8');
      return { value, end: end + count };
    }
    case 4:
      return readList(bytes, end, count);
    case 5:
      return readMap(bytes, end, count);
    case 6: {
      const content = readCbor(bytes, end);
      if (content === undefined || !(content.value instanceof Uint8Array)) return undefined;
      return { value: { cid: content.value.subarray(1) }, end: content.end };
    }
    default:
      return simpleValue(bytes[start], end);
  }
}

export function isMap(value: Cbor | undefined): value is CborMap {
  return value instanceof Map;
}

export function bytesIn(map: CborMap, key: string): Uint8Array | undefined {
  const value = map.get(key);
  return value instanceof Uint8Array ? value : undefined;
}

export function numberIn(map: CborMap, key: string): number | undefined {
  const value = map.get(key);
  return typeof value === 'number' ? value : undefined;
}

export function textIn(map: CborMap, key: string): string | undefined {
  const value = map.get(key);
  return typeof value === 'string' ? value : undefined;
}

/** The elements of a list that are byte strings or links, as bytes. */
export function byteListIn(map: CborMap, key: string): Uint8Array[] {
  const value = map.get(key);
  if (!Array.isArray(value)) return [];
  return value.flatMap((element: Cbor) => {
    if (element instanceof Uint8Array) return [element];
    return typeof element === 'object' && element !== null && 'cid' in element ? [element.cid] : [];
  });
}

/** DAG-CBOR of whole numbers and byte strings in one list, as in the authenticated data of segments. */
export function writeList(elements: readonly (number | Uint8Array)[]): Buffer {
  const parts = elements.map((element) =>
    typeof element === 'number'
      ? headOf(0, element)
      : Buffer.concat([headOf(2, element.length), Buffer.from(element)]),
  );
  return Buffer.concat([headOf(4, elements.length), ...parts]);
}

function headOf(major: number, count: number): Buffer {
  const bits = major << 5;
  if (count < 24) return Buffer.from([bits | count]);
  if (count < 256) return Buffer.from([bits | 24, count]);
  if (count < 65_536) return Buffer.from([bits | 25, count >> 8, count & 255]);
  const wide = Buffer.alloc(5);
  wide[0] = bits | 26;
  wide.writeUInt32BE(count, 1);
  return wide;
}

function headAt(
  bytes: Uint8Array,
  start: number,
): { readonly major: number; readonly count: number; readonly end: number } | undefined {
  const first = bytes[start];
  if (first === undefined) return undefined;
  const low = first & 31;
  if (low < 24) return { major: first >> 5, count: low, end: start + 1 };
  if (low > 27) return undefined;
  const end = start + 1 + 2 ** (low - 24);
  if (end > bytes.length) return undefined;
  const count = bytes.subarray(start + 1, end).reduce((sum, byte) => sum * 256 + byte, 0);
  return { major: first >> 5, count, end };
}

function readList(
  bytes: Uint8Array,
  start: number,
  count: number,
): { readonly value: Cbor; readonly end: number } | undefined {
  const list: Cbor[] = [];
  let at = start;
  while (list.length < count) {
    const element = readCbor(bytes, at);
    if (element === undefined) return undefined;
    list.push(element.value);
    at = element.end;
  }
  return { value: list, end: at };
}

function readMap(
  bytes: Uint8Array,
  start: number,
  count: number,
): { readonly value: Cbor; readonly end: number } | undefined {
  const map = new Map<string, Cbor>();
  let at = start;
  for (let pair = 0; pair < count; pair++) {
    const key = readCbor(bytes, at);
    const value = key && readCbor(bytes, key.end);
    if (key === undefined || typeof key.value !== 'string' || value === undefined) return undefined;
    map.set(key.value, value.value);
    at = value.end;
  }
  return { value: map, end: at };
}

function simpleValue(
  byte: number | undefined,
  end: number,
): { readonly value: Cbor; readonly end: number } | undefined {
  switch (byte) {
    case 0xf4:
      return { value: false, end };
    case 0xf5:
      return { value: true, end };
    case 0xf6:
      return { value: null, end };
    default:
      return undefined;
  }
}
