// A file's manifest as the catalogue keeps it: each field is decoded where it lies, on demand
// (packed-entry.ts).
//
//   offset  bytes   what (numbers are big-endian)
//   0       8 x 3   size, modified, stored at: floats
//   24      4       block bytes
//   28      1, 1    k, n
//   30      1       access: 0 for the pool, 1 for whoever has the link
//   31      32      salt
//   63      32 n    digests of the fragments' ids
//   …       32, 32  Kc and content tag; then name, path and type, each behind its length in 2 bytes
//   or …    4       length of the sealed details, and those

import type { FileDetails } from '../model/file-details.ts';
import { concatBytes, utf8 } from '../model/bytes.ts';
import { digestOf, fragmentIdOfDigest, type DeviceId, type FragmentId } from '../model/ids.ts';
import type { HybridTime } from './clock.ts';
import type { Access, Manifest, PublishedManifest } from './manifest.ts';

const FIXED_BYTES = 63;
const SALT_AT = 31;
const KEY_BYTES = 32;
const N_AT = 29;
const ACCESS_AT = 30;

/** The file's digest, and the manifest behind it. */
export function packManifest(fileDigest: Uint8Array, manifest: Manifest): Uint8Array<ArrayBuffer> {
  const fixed = new Uint8Array(FIXED_BYTES);
  const view = new DataView(fixed.buffer);
  view.setFloat64(0, manifest.size);
  view.setFloat64(8, manifest.modifiedMs);
  view.setFloat64(16, manifest.atMs);
  view.setUint32(24, manifest.blockBytes);
  fixed.set([manifest.k, manifest.n, manifest.access.kind === 'pool' ? 0 : 1], 28);
  fixed.set(manifest.salt, SALT_AT);
  return concatBytes(fileDigest, fixed, ...manifest.fragments.map(digestOf), packAccess(manifest.access));
}

function packAccess(access: Access): Uint8Array {
  if (access.kind === 'private') return concatBytes(lengthBytes(access.sealed.length, 4), access.sealed);
  return concatBytes(access.linkKey, access.contentTag, packDetails(access.details));
}

/** Name, path and type, each behind its length in 2 bytes. */
export function packDetails({ name, path, mime }: FileDetails): Uint8Array<ArrayBuffer> {
  return concatBytes(...[name, path, mime].map(utf8).flatMap((text) => [lengthBytes(text.length, 2), text]));
}

/** What `packDetails` made, in `run` at `at`. */
export function unpackDetails(run: Uint8Array, at: number): FileDetails {
  const texts: string[] = [];
  let next = at;
  for (let count = 0; count < 3; count++) {
    const byteCount = (run[next] ?? 0) * 256 + (run[next + 1] ?? 0);
    texts.push(new TextDecoder().decode(run.subarray(next + 2, next + 2 + byteCount)));
    next += 2 + byteCount;
  }
  const [name = '', path = '', mime = ''] = texts;
  return { name, path, mime };
}

function lengthBytes(length: number, byteCount: number): Uint8Array {
  return Uint8Array.from(
    { length: byteCount },
    (_, index) => (length >>> (8 * (byteCount - 1 - index))) & 0xff,
  );
}

export class PackedManifest implements PublishedManifest {
  /** Its entry's writer: check.ts makes sure of that. */
  readonly by: DeviceId;
  readonly #run: Uint8Array;
  readonly #at: number;
  readonly #timeAt: number;

  /** Its entry's hybrid time lies at `timeAt`. */
  constructor(run: Uint8Array, at: number, by: DeviceId, timeAt: number) {
    this.#run = run;
    this.#at = at;
    this.by = by;
    this.#timeAt = timeAt;
  }

  get publishedAt(): HybridTime {
    return hybridTimeAt(this.#run, this.#timeAt);
  }

  get size(): number {
    return this.#view.getFloat64(0);
  }

  get modifiedMs(): number {
    return this.#view.getFloat64(8);
  }

  get atMs(): number {
    return this.#view.getFloat64(16);
  }

  get blockBytes(): number {
    return this.#view.getUint32(24);
  }

  get k(): number {
    return this.#view.getUint8(28);
  }

  get n(): number {
    return this.#view.getUint8(N_AT);
  }

  get salt(): Uint8Array {
    return this.#part(SALT_AT, KEY_BYTES);
  }

  get fragments(): readonly FragmentId[] {
    const start = this.#at + FIXED_BYTES;
    return Array.from({ length: this.n }, (_, index) =>
      fragmentIdOfDigest(this.#run, start + KEY_BYTES * index),
    );
  }

  get isPrivate(): boolean {
    return this.#run[this.#at + ACCESS_AT] === 1;
  }

  /** The content tag as a text key, see `tagKeyAt`; a private file has none. */
  get tagKey(): string | undefined {
    const tagAt = this.#at + FIXED_BYTES + KEY_BYTES * ((this.#run[this.#at + N_AT] ?? 0) + 1);
    return this.isPrivate ? undefined : tagKeyAt(this.#run, tagAt);
  }

  get access(): Access {
    const start = FIXED_BYTES + KEY_BYTES * this.n;
    if (this.isPrivate) {
      return { kind: 'private', sealed: this.#part(start + 4, this.#view.getUint32(start)) };
    }
    return {
      kind: 'pool',
      details: unpackDetails(this.#run, this.#at + start + 2 * KEY_BYTES),
      linkKey: this.#part(start, KEY_BYTES),
      contentTag: this.#part(start + KEY_BYTES, KEY_BYTES),
    };
  }

  get #view(): DataView {
    return new DataView(this.#run.buffer, this.#run.byteOffset + this.#at);
  }

  /** A copy, so that keeping it does not keep the run in memory. */
  #part(offset: number, byteCount: number): Uint8Array {
    return this.#run.slice(this.#at + offset, this.#at + offset + byteCount);
  }
}

/** 8 bytes of ms as a float, and 4 of count. */
export function hybridTimeAt(bytes: Uint8Array, at: number): HybridTime {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  return { ms: view.getFloat64(0), count: view.getUint32(8) };
}

const tagCodes: number[] = Array.from({ length: KEY_BYTES }, () => 0);

/** One character for each byte of the tag at `at`: the shortest text possible. */
export function tagKeyAt(bytes: Uint8Array, at: number): string {
  for (let index = 0; index < KEY_BYTES; index++) tagCodes[index] = bytes[at + index] ?? 0;
  return String.fromCharCode(...tagCodes);
}
