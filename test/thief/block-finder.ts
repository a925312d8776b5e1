// Finds blocks by their hashes anywhere in a profile: at the beginning of any slot of the origin's files,
// including free ones, and in any buffer of IndexedDB, including deleted ones (FORMATS.md, "On disk").

import { sha256 } from './keys.ts';
import { type Layer, offsetsOf } from './layers.ts';

/** Slots of the pack files begin at multiples of one of these sizes, bytes. */
const SLOT_BYTES = [262_144, 241_664] as const;
/** Where Chromium keeps the origins' own files. */
const ORIGIN_FILES = /(?:^|\/)File System\//;

export class BlockFinder {
  readonly #layers: readonly Layer[];
  readonly #byHash = new Map<string, Buffer>();
  readonly #sought = new Set<number>();

  constructor(layers: readonly Layer[]) {
    this.#layers = layers;
  }

  /** The block of `byteCount` bytes with this hash. */
  find(hash: Buffer, byteCount: number): Buffer | undefined {
    this.#seek(byteCount);
    return this.#byHash.get(hash.toString('hex'));
  }

  /** Hashes everything that could be a block of `byteCount` bytes; once for each length. */
  #seek(byteCount: number): void {
    if (this.#sought.has(byteCount)) return;
    this.#sought.add(byteCount);
    for (const { name, bytes } of this.#layers) {
      const starts = ORIGIN_FILES.test(name) ? slotsOf(bytes.length) : buffersOf(bytes, byteCount);
      for (const start of starts) {
        const block = bytes.subarray(start, start + byteCount);
        if (block.length === byteCount) this.#byHash.set(sha256(block).toString('hex'), block);
      }
    }
  }
}

function slotsOf(fileBytes: number): Set<number> {
  const starts = new Set<number>();
  for (const slotBytes of SLOT_BYTES)
    for (let start = 0; start < fileBytes; start += slotBytes) starts.add(start);
  return starts;
}

/** Where the content of a serialized buffer of `byteCount` bytes begins: after `B` and the length. */
function buffersOf(bytes: Buffer, byteCount: number): number[] {
  const mark = [0x42];
  let rest = byteCount;
  for (; rest > 127; rest = Math.floor(rest / 128)) mark.push(128 + (rest % 128));
  mark.push(rest);
  return Array.from(offsetsOf(bytes, Buffer.from(mark)), (at) => at + mark.length);
}
