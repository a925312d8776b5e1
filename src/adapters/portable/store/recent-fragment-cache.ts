// Keeps the blocks that this device sealed most recently, and the indexes of their fragments, so that those
// fetched soon need not be read from the disk and checked again: they were hashed in this memory. A small
// block is kept as a copy, because it is wanted twice: by its taker, and for the proof that it was taken.
//
// Invariants: every block here was put with a hash computed from these very bytes, and every index is
// durable; bytes are at most MAX_BYTES and MAX_INDEX_BYTES; a large block that is taken is no longer here,
// and the memory of one that is not taken is passed on; nothing of a dropped fragment is here.

import { blockKey, type BlockHash, type FragmentId } from '../../../core/model/ids.ts';
import type { FragmentStore, NewFragment } from '../../../core/ports.ts';
import { IdleTimer } from '../idle-timer.ts';

/** Some eight segments of 4 of 8: how far takers may lag before their blocks come from the disk. */
const MAX_BYTES = 16 * 2 ** 20;
/** The indexes of more than a thousand small files. */
const MAX_INDEX_BYTES = 2 ** 20;
/** Blocks of at most this are small, bytes: copying one costs less than asking a worker for it. */
const SMALL_BYTES = 32 * 2 ** 10;
/** After this long without a fetch the memory is given back, ms. */
const FORGET_AFTER_MS = 10_000;

/** A FragmentStore that returns the blocks' bytes after the write, in the order in which they came. */
export type CachingStore = Omit<FragmentStore, 'putBlocks'> & {
  putBlocks(...given: Parameters<FragmentStore['putBlocks']>): Promise<readonly Uint8Array<ArrayBuffer>[]>;
};

/** Wraps `store`; `spent` gets the bytes of blocks that are not, or no longer, kept here. */
export function withRecentFragmentCache(
  store: CachingStore,
  spent: (bytes: Uint8Array<ArrayBuffer>) => void,
): FragmentStore {
  const recent = new RecentFragments(spent);
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
    async commit(fragments) {
      await store.commit(fragments);
      for (const fragment of fragments) recent.made(fragment);
    },
    getIndex: async (fragmentId) => recent.indexOf(fragmentId) ?? store.getIndex(fragmentId),
    list: () => store.list(),
    async drop(fragmentIds) {
      for (const fragmentId of fragmentIds) recent.drop(fragmentId);
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

class RecentFragments {
  /** Oldest first. */
  readonly #blocks = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Oldest first, as they were made. */
  readonly #fragments = new Map<FragmentId, NewFragment>();
  readonly #spent: (bytes: Uint8Array<ArrayBuffer>) => void;
  #byteCount = 0;
  #indexBytes = 0;
  readonly #unused = new IdleTimer(FORGET_AFTER_MS, () => this.clear());

  constructor(spent: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#spent = spent;
  }

  add(hash: BlockHash, bytes: Uint8Array<ArrayBuffer>): void {
    const key = blockKey(hash);
    const isSmall = bytes.length <= SMALL_BYTES;
    const kept = isSmall ? bytes.slice() : bytes;
    if (isSmall) this.#spent(bytes);
    // A mirror's blocks are all the same.
    const before = this.#blocks.get(key);
    this.#remove(key);
    if (before !== undefined) this.#spend(before);
    this.#blocks.set(key, kept);
    this.#byteCount += kept.buffer.byteLength;
    for (const [oldest, old] of this.#blocks) {
      if (this.#byteCount <= MAX_BYTES) break;
      this.#remove(oldest);
      this.#spend(old);
    }
    this.#unused.used();
  }

  /** The caller owns what is returned. */
  take(hash: BlockHash): Uint8Array<ArrayBuffer> | undefined {
    const key = blockKey(hash);
    const bytes = this.#blocks.get(key);
    if (bytes === undefined) return undefined;
    this.#unused.used();
    if (bytes.length <= SMALL_BYTES) return bytes.slice();
    this.#remove(key);
    return bytes;
  }

  /** The fragment is durable. */
  made(fragment: NewFragment): void {
    const { stored, indexBytes, hashes } = fragment;
    this.#forget(stored.fragmentId);
    if (!hashes.some((hash) => this.#blocks.has(blockKey(hash)))) return;
    this.#fragments.set(stored.fragmentId, { ...fragment, indexBytes: indexBytes.slice() });
    this.#indexBytes += indexBytes.length;
    for (const oldest of this.#fragments.keys()) {
      if (this.#indexBytes <= MAX_INDEX_BYTES) break;
      this.#forget(oldest);
    }
  }

  /** The caller owns the result. */
  indexOf(fragmentId: FragmentId): Uint8Array<ArrayBuffer> | undefined {
    const indexBytes = this.#fragments.get(fragmentId)?.indexBytes;
    return indexBytes && new Uint8Array(indexBytes);
  }

  drop(fragmentId: FragmentId): void {
    const fragment = this.#fragments.get(fragmentId);
    if (fragment === undefined) {
      // Its blocks are not known here.
      this.clear();
      return;
    }
    this.#forget(fragmentId);
    for (const hash of fragment.hashes) {
      const bytes = this.#blocks.get(blockKey(hash));
      this.#remove(blockKey(hash));
      if (bytes !== undefined) this.#spend(bytes);
    }
  }

  clear(): void {
    this.#unused.stop();
    for (const bytes of this.#blocks.values()) this.#spend(bytes);
    this.#blocks.clear();
    this.#byteCount = 0;
    this.#fragments.clear();
    this.#indexBytes = 0;
  }

  /** Memory returns to where it came from; a copy is nobody's. */
  #spend(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length > SMALL_BYTES) this.#spent(bytes);
  }

  #forget(fragmentId: FragmentId): void {
    this.#indexBytes -= this.#fragments.get(fragmentId)?.indexBytes.length ?? 0;
    this.#fragments.delete(fragmentId);
  }

  #remove(key: string): void {
    this.#byteCount -= this.#blocks.get(key)?.buffer.byteLength ?? 0;
    this.#blocks.delete(key);
  }
}
