// Which blocks this device has, where each lies, and who counts it. All of it is in memory, so that neither
// looking for a block nor writing one for an owner costs a transaction. On the disk the rows of fragments and
// of kept blocks say the same (rows.ts); this is rebuilt from them when the store is opened. Some 150
// bytes for each block of 256 KiB.
//
// Invariants: a block's location never changes while anyone counts it, so a damaged one is rewritten where it
// was, and no row that names a location is ever wrong; a block that nobody counts is not in here.

import { blockKey, type BlockHash, type BlockOwner, type FragmentId } from '../../../core/model/ids.ts';

export interface HeldBlock {
  readonly hash: BlockHash;
  /** Its slot in the files; undefined when it is a row of its own. */
  readonly slot: number | undefined;
  byteCount: number;
  /** False before it was written, and once it was found damaged or missing. */
  isHere: boolean;
  /** How often it was written: a read before a write says nothing about the bytes after it. */
  writeCount: number;
  /** Fragments, owners, and its present writer. */
  claimCount: number;
}

/** A block, and where it goes if it is new. */
export interface Wanted {
  readonly hash: BlockHash;
  readonly byteCount: number;
  readonly newSlot: () => number | undefined;
}

export class HeldBlocks {
  readonly #blocks = new Map<string, HeldBlock>();
  readonly #owners = new Map<BlockOwner, Set<HeldBlock>>();
  readonly #fragments = new Set<FragmentId>();

  get(hash: BlockHash): HeldBlock | undefined {
    return this.#blocks.get(blockKey(hash));
  }

  all(): IterableIterator<HeldBlock> {
    return this.#blocks.values();
  }

  owners(): BlockOwner[] {
    return [...this.#owners.keys()];
  }

  /** `owner` counts a block. `isNew`: it did not before. */
  claim(owner: BlockOwner, wanted: Wanted): { readonly block: HeldBlock; readonly isNew: boolean } {
    const block = this.#blockFor(wanted);
    const ofOwner = this.#owners.get(owner) ?? new Set();
    this.#owners.set(owner, ofOwner);
    if (ofOwner.has(block)) return { block, isNew: false };
    ofOwner.add(block);
    block.claimCount += 1;
    return { block, isNew: true };
  }

  /** `owner` no longer counts these. Returns those that nobody counts now. */
  unclaim(owner: BlockOwner, blocks: Iterable<HeldBlock>): HeldBlock[] {
    const ofOwner = this.#owners.get(owner);
    if (ofOwner === undefined) return [];
    const own = [...blocks].filter((block) => ofOwner.delete(block));
    if (ofOwner.size === 0) this.#owners.delete(owner);
    return this.uncount(own);
  }

  /** `owner` no longer counts anything. Returns as `unclaim`. */
  release(owner: BlockOwner): HeldBlock[] {
    return this.unclaim(owner, [...(this.#owners.get(owner) ?? [])]);
  }

  /** Counts blocks that are being written, or whose fragment is being made, until `uncount` or `made`. */
  count(blocks: ReadonlySet<HeldBlock>): void {
    for (const block of blocks) block.claimCount += 1;
  }

  /** The fragment exists. Returns blocks that nobody counts: none, unless it existed before. */
  made(fragmentId: FragmentId, blocks: ReadonlySet<HeldBlock>): HeldBlock[] {
    if (this.#fragments.has(fragmentId)) return this.uncount(blocks);
    this.#fragments.add(fragmentId);
    return [];
  }

  /** The fragment no longer exists. Returns blocks that nobody counts now. */
  dropped(fragmentId: FragmentId, hashes: readonly BlockHash[]): HeldBlock[] {
    if (!this.#fragments.delete(fragmentId)) return [];
    return this.uncount(new Set(hashes.flatMap((hash) => this.get(hash) ?? [])));
  }

  /** Ends what `count` began. Returns blocks that nobody counts now. */
  uncount(blocks: Iterable<HeldBlock>): HeldBlock[] {
    return [...blocks].filter((block) => {
      block.claimCount -= 1;
      // After `clear` its hash may belong to another block.
      if (block.claimCount > 0 || this.get(block.hash) !== block) return false;
      return this.#blocks.delete(blockKey(block.hash));
    });
  }

  /** Nobody counts anything. Returns all blocks. */
  clear(): HeldBlock[] {
    const blocks = [...this.#blocks.values()];
    this.#blocks.clear();
    this.#owners.clear();
    this.#fragments.clear();
    return blocks;
  }

  #blockFor({ hash, byteCount, newSlot }: Wanted): HeldBlock {
    const key = blockKey(hash);
    const known = this.#blocks.get(key);
    if (known !== undefined) return known;
    const block = { hash, slot: newSlot(), byteCount, isHere: false, writeCount: 0, claimCount: 0 };
    this.#blocks.set(key, block);
    return block;
  }
}
