// Memory for messages that bring a block, used again and again. Fresh memory costs the processor a fault for each 4 KiB of
// it that is touched, which for a block is more than to copy it; and what is made and dropped is garbage to be collected.
//
// Invariants: a buffer has one owner: who took it, or this; at most MAX_FREE lie here, and none for longer than FORGET_AFTER_MS
// after the last use.

import { discard } from '../../core/model/bytes.ts';
import { BLOCK_BYTES } from '../../core/model/limits.ts';

/** A message with a full block: its header is below 64 bytes. */
const BUFFER_BYTES = BLOCK_BYTES + 64;
/** Shorter ones do not fill a buffer by half, and are cheap to make. */
const LEAST_BYTES = BLOCK_BYTES / 2;
/** 4 MiB: what is put together, checked and written at once. */
const MAX_FREE = 16;
/** Nothing moves any more: the memory is given back, ms. */
const FORGET_AFTER_MS = 10_000;

export class BlockBuffers {
  readonly #free: ArrayBuffer[] = [];
  #forgetting: ReturnType<typeof setTimeout> | undefined;

  /** `byteCount` bytes, which the caller owns; what is in them is unspecified. */
  take(byteCount: number): Uint8Array<ArrayBuffer> {
    if (byteCount < LEAST_BYTES || byteCount > BUFFER_BYTES) return new Uint8Array(byteCount);
    return new Uint8Array(this.#free.pop() ?? new ArrayBuffer(BUFFER_BYTES), 0, byteCount);
  }

  /** Takes back what `take` gave, or gives the memory of anything else back at once. Nobody may use the buffer any more. */
  give(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.buffer.byteLength !== BUFFER_BYTES || this.#free.length >= MAX_FREE) {
      discard(bytes);
      return;
    }
    this.#free.push(bytes.buffer);
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => this.#forget(), FORGET_AFTER_MS);
  }

  #forget(): void {
    for (const buffer of this.#free.splice(0)) discard(new Uint8Array(buffer));
  }
}
