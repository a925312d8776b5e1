// Looks in a profile's layers for secrets that a test knows: in one pass over all bytes, at any offset, in
// every form that a program might have written.

import type { Layer } from './layers.ts';

export interface Needle {
  /** Its description, for the report. */
  readonly label: string;
  /** At least 4 bytes. */
  readonly bytes: Buffer;
}

/** Where a secret was found, for each secret and layer. */
export interface Trace {
  readonly label: string;
  readonly layer: string;
  readonly count: number;
  /** The offset of the first. */
  readonly offset: number;
}

/** Bytes between two windows of a plaintext: any slice of twice that length contains a whole window. */
const WINDOW_BYTES = 32;

/** A key or hash: as bytes, and in the texts that programs make of bytes. */
export function keyNeedles(label: string, key: Uint8Array): Needle[] {
  const bytes = Buffer.from(key);
  const hex = bytes.toString('hex');
  const texts = [hex, hex.toUpperCase(), ...[0, 1, 2].flatMap((shift) => base64Cores(bytes, shift))];
  return [
    { label, bytes },
    ...texts.flatMap((text) => [
      { label: `${label} as text`, bytes: Buffer.from(text, 'latin1') },
      { label: `${label} as text`, bytes: Buffer.from(text, 'utf16le') },
    ]),
  ];
}

/** A name, in the text encodings found on disks. */
export function nameNeedles(label: string, name: string): Needle[] {
  const wide = Buffer.from(name, 'utf16le');
  return [Buffer.from(name, 'utf8'), Buffer.from(name, 'latin1'), wide, Buffer.from(wide).swap16()].map(
    (bytes) => ({
      label,
      bytes,
    }),
  );
}

/** Each aligned window of a plaintext. */
export function plainNeedles(label: string, plain: Uint8Array): Needle[] {
  const bytes = Buffer.from(plain.buffer, plain.byteOffset, plain.length);
  return Array.from({ length: Math.floor(bytes.length / WINDOW_BYTES) }, (_, at) => ({
    label,
    bytes: bytes.subarray(at * WINDOW_BYTES, (at + 1) * WINDOW_BYTES),
  }));
}

/** Where any of `needles` is in `layers`. */
export function traces(layers: readonly Layer[], needles: readonly Needle[]): Trace[] {
  const byHead = new Map<number, Needle[]>();
  for (const needle of needles) {
    if (needle.bytes.length < 4) throw new Error(`${needle.label} is too short to be looked for.`);
    const head = needle.bytes.readUInt32BE(0);
    const same = byHead.get(head);
    if (same === undefined) byHead.set(head, [needle]);
    else same.push(needle);
  }
  const filter = new Uint8Array(FILTER_BITS / 8);
  for (const head of byHead.keys()) {
    const bit = filterBit(head);
    filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  return layers.flatMap((layer) => tracesIn(layer, byHead, filter));
}

/** A few positions in a million bytes pass it by chance. */
const FILTER_BITS = 2 ** 24;

function filterBit(head: number): number {
  return Math.imul(head, 0x9e3779b1) >>> 8;
}

function tracesIn(
  { name, bytes }: Layer,
  byHead: ReadonlyMap<number, readonly Needle[]>,
  filter: Uint8Array,
): Trace[] {
  const found = new Map<string, Trace>();
  let head = 0;
  for (let at = 0; at < bytes.length; at++) {
    head = ((head << 8) | (bytes[at] ?? 0)) >>> 0;
    const bit = filterBit(head);
    if (((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0 || at < 3) continue;
    const offset = at - 3;
    for (const needle of byHead.get(head) ?? []) {
      if (!needle.bytes.equals(bytes.subarray(offset, offset + needle.bytes.length))) continue;
      const before = found.get(needle.label);
      found.set(needle.label, {
        label: needle.label,
        layer: name,
        count: (before?.count ?? 0) + 1,
        offset: before?.offset ?? offset,
      });
    }
  }
  return [...found.values()];
}

/**
 * The part of the base64 (both alphabets) that does not depend on the bytes before and after `bytes`, `shift`
 * bytes into a group of three.
 */
function base64Cores(bytes: Buffer, shift: number): string[] {
  const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
  const end = Math.floor((shifted.length * 8) / 6);
  const start = Math.ceil((shift * 8) / 6);
  return (['base64', 'base64url'] as const).map((alphabet) => shifted.toString(alphabet).slice(start, end));
}
