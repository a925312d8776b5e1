// Keeps the blocks that this device sealed most recently, so that those which are fetched at once need not come from the disk
// and be checked again: they were hashed, and are, in this memory.
//
// Invariants: every block here was put with a hash computed from these very bytes; their memory is at most MAX_BYTES; a
// block that is taken is gone from here, and the memory of one that is not taken is given on.

import { blockKey, type BlockHash } from '../../core/model/ids.ts';
import type { FragmentStore } from '../../core/ports.ts';
import { IdleTimer } from '../portable/idle-timer.ts';

/** Some eight segments of 4 of 8: what takers may lag behind before their blocks come from the disk. */
const MAX_BYTES = 16 * 2 ** 20;
/** Nobody fetches any more: the memory is given back, ms. */
const FORGET_AFTER_MS = 10_000;

/** A FragmentStore that gives the blocks' bytes back when they are written, in the order in which they came. */
export type ReturningStore = Omit<FragmentStore, 'putBlocks'> & {
  putBlocks(...given: Parameters<FragmentStore['putBlocks']>): Promise<readonly Uint8Array<ArrayBuffer>[]>;
};

/** `store`; `spent` is given the bytes of blocks that are not, or no longer, kept here. */
export function withRecentBlocks(
  store: ReturningStore,
  spent: (bytes: Uint8Array<ArrayBuffer>) => void,
): FragmentStore {
  const recent = new RecentBlocks(spent);
  return {
    async putBlocks(owner, blocks, hashes, keep) {
      const written = await store.putBlocks(owner, blocks, hashes, keep);
      for (const [at, bytes] of written.entries()) {
        const hash = blocks[at]?.hash;
        if (hashes === 'computed' && hash !== undefined) recent.add(hash, bytes);
        else spent(bytes);
      }
    },
    kept: (owner) => store.kept(owner),
    getBlock: async (hash) => recent.take(hash) ?? store.getBlock(hash),
    hasBlocks: (hashes) => store.hasBlocks(hashes),
    commit: (...given) => store.commit(...given),
    getIndex: (fragmentId) => store.getIndex(fragmentId),
    list: () => store.list(),
    async drop(fragmentIds) {
      recent.clear();
      await store.drop(fragmentIds);
    },
    release: (owner) => store.release(owner),
    owners: () => store.owners(),
    async clear() {
      recent.clear();
      await store.clear();
    },
  };
}

class RecentBlocks {
  /** Oldest first. */
  readonly #blocks = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly #spent: (bytes: Uint8Array<ArrayBuffer>) => void;
  #byteCount = 0;
  readonly #unused = new IdleTimer(FORGET_AFTER_MS, () => this.clear());

  constructor(spent: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#spent = spent;
  }

  add(hash: BlockHash, bytes: Uint8Array<ArrayBuffer>): void {
    const key = blockKey(hash);
    this.#remove(key);
    this.#blocks.set(key, bytes);
    this.#byteCount += bytes.buffer.byteLength;
    for (const [oldest, old] of this.#blocks) {
      if (this.#byteCount <= MAX_BYTES) break;
      this.#remove(oldest);
      this.#spent(old);
    }
    this.#unused.used();
  }

  take(hash: BlockHash): Uint8Array<ArrayBuffer> | undefined {
    const key = blockKey(hash);
    const bytes = this.#blocks.get(key);
    this.#remove(key);
    if (bytes !== undefined) this.#unused.used();
    return bytes;
  }

  clear(): void {
    this.#unused.stop();
    for (const bytes of this.#blocks.values()) this.#spent(bytes);
    this.#blocks.clear();
    this.#byteCount = 0;
  }

  #remove(key: string): void {
    this.#byteCount -= this.#blocks.get(key)?.buffer.byteLength ?? 0;
    this.#blocks.delete(key);
  }
}
