// Reusable memory for bytes in transit: messages with a block, sealed blocks, segments of a file. Fresh
// memory costs the processor a fault for each 4 KiB that is touched, which is more than copying as much, and
// it becomes garbage to be collected.
//
// Invariants: a buffer has one owner: its taker, or this pool; a bounded number of bytes is free here, and
// none for longer than twice FORGET_AFTER_MS after the last use.

import { discard } from '../../core/model/bytes.ts';
import { BLOCK_BYTES, USUAL_BLOCK_BYTES } from '../../core/model/limits.ts';
import type { Memory } from '../../core/ports.ts';
import { IdleTimer } from './idle-timer.ts';

/**
 * Messages with a full block, the usual and the largest: a header is below 64 bytes. A slightly shorter
 * request gets as much.
 */
const BLOCK_BUFFER_BYTES = [USUAL_BLOCK_BYTES + 64, BLOCK_BYTES + 64] as const;
/** Shorter ones would fill less than half of a block's buffer, and are cheap to make. */
const LEAST_BYTES = BLOCK_BYTES / 2;
/** Longer ones are rare: a segment of 4 blocks has 944 KiB. */
const MOST_BYTES = 4 * 2 ** 20;
/** Three segments of 4 of 8 and their blocks need 9 MiB together; most of it is always in transit. */
const MAX_FREE_BYTES = 4 * 2 ** 20;
/** After this long without use the memory is given back, ms. */
const FORGET_AFTER_MS = 10_000;

export class BufferPool implements Memory {
  /** The last one given is last, and taken first: it may still be in the processor's cache. */
  readonly #free: ArrayBuffer[] = [];
  #freeBytes = 0;
  readonly #maxFreeBytes: number;
  readonly #unused = new IdleTimer(FORGET_AFTER_MS, () => {
    while (this.#free.length > 0) this.#drop();
  });

  constructor(maxFreeBytes = MAX_FREE_BYTES) {
    this.#maxFreeBytes = maxFreeBytes;
  }

  take(byteCount: number): Uint8Array<ArrayBuffer> {
    const bufferBytes = bufferBytesFor(byteCount);
    const at = this.#free.findLastIndex(({ byteLength }) => byteLength === bufferBytes);
    const [free] = at === -1 ? [] : this.#free.splice(at, 1);
    if (free !== undefined) this.#freeBytes -= bufferBytes;
    return new Uint8Array(free ?? new ArrayBuffer(bufferBytes), 0, byteCount);
  }

  give(bytes: Uint8Array<ArrayBuffer>): void {
    const { buffer } = bytes;
    if (!isKept(buffer.byteLength)) {
      discard(bytes);
      return;
    }
    if (this.#free.includes(buffer)) throw new Error('a buffer was given back twice');
    this.#free.push(buffer);
    this.#freeBytes += buffer.byteLength;
    // The buffer that was unused longest goes: files of another geometry have segments of another length.
    while (this.#freeBytes > this.#maxFreeBytes) this.#drop();
    this.#unused.used();
  }

  #drop(): void {
    const oldest = this.#free.shift();
    if (oldest === undefined) return;
    this.#freeBytes -= oldest.byteLength;
    discard(new Uint8Array(oldest));
  }
}

function bufferBytesFor(byteCount: number): number {
  if (byteCount < LEAST_BYTES) return byteCount;
  return BLOCK_BUFFER_BYTES.find((bufferBytes) => bufferBytes >= byteCount) ?? byteCount;
}

function isKept(bufferBytes: number): boolean {
  return bufferBytes >= BLOCK_BUFFER_BYTES[0] && bufferBytes <= MOST_BYTES;
}
