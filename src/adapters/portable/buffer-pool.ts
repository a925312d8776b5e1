// Memory for bytes that move, used again and again: messages that bring a block, sealed blocks, segments of a
// file. Fresh memory costs the processor a fault for each 4 KiB of it that is touched, which is more than to
// copy as much; and what is made and dropped is garbage to be collected.
//
// Invariants: a buffer has one owner: who took it, or this; at most MAX_FREE_BYTES lie here, and none for
// longer than twice FORGET_AFTER_MS after the last use.

import { discard } from '../../core/model/bytes.ts';
import { BLOCK_BYTES, USUAL_BLOCK_BYTES } from '../../core/model/limits.ts';
import type { Memory } from '../../core/ports.ts';
import { IdleTimer } from './idle-timer.ts';

/**
 * Messages with a full block, the usual and the largest: a header is below 64 bytes. What is a little shorter
 * gets as much.
 */
const BLOCK_BUFFER_BYTES = [USUAL_BLOCK_BYTES + 64, BLOCK_BYTES + 64] as const;
/** Shorter ones do not fill a block's buffer by half, and are cheap to make. */
const LEAST_BYTES = BLOCK_BYTES / 2;
/** Longer ones are rare: a segment of 4 blocks has 944 KiB. */
const MOST_BYTES = 4 * 2 ** 20;
/** What three segments of 4 of 8 and their blocks need at once is 9 MiB; most of it is always on its way. */
const MAX_FREE_BYTES = 4 * 2 ** 20;
/** Nothing moves any more: the memory is given back, ms. */
const FORGET_AFTER_MS = 10_000;

export class BufferPool implements Memory {
  /** The one that was given last is last, and taken first: it may still be in the processor's cache. */
  readonly #free: ArrayBuffer[] = [];
  #freeBytes = 0;
  readonly #unused = new IdleTimer(FORGET_AFTER_MS, () => {
    while (this.#free.length > 0) this.#drop();
  });

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
    // What was not wanted for longest goes: files of another geometry have segments of another length.
    while (this.#freeBytes > MAX_FREE_BYTES) this.#drop();
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
