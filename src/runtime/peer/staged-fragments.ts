// Fragments that were rebuilt here and wait to be taken by their homes. Their blocks are on the disk, claimed
// by the repair until this page ends at the latest. Their indexes, and so their key shares, are only here in
// memory: the disk of a repairer never has more fragments than those that it holds.

import type { BlockHash, FileId } from '../../core/model/ids.ts';
import { blockKey } from '../../core/model/ids.ts';

interface Staging {
  /** By fragment, its encoded index. */
  readonly indexes: ReadonlyMap<number, Uint8Array<ArrayBuffer>>;
  /** Keys of the blocks. */
  readonly blocks: ReadonlySet<string>;
  readonly over: (isDone: boolean) => void;
}

export class StagedFragments {
  readonly #files = new Map<FileId, Staging>();

  /**
   * From now on others can fetch these. Resolves when their handover is over: true when all of them have
   * homes.
   */
  add(
    file: FileId,
    indexes: ReadonlyMap<number, Uint8Array<ArrayBuffer>>,
    hashes: readonly BlockHash[],
  ): Promise<boolean> {
    return new Promise((resolve) => {
      this.#files.set(file, { indexes, blocks: new Set(hashes.map(blockKey)), over: resolve });
    });
  }

  delete(file: FileId): void {
    this.#files.delete(file);
  }

  handoverOver(file: FileId, isDone: boolean): void {
    this.#files.get(file)?.over(isDone);
  }

  /** A copy that the caller owns; undefined when the fragment is not staged here. */
  indexOf(file: FileId, fragment: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#files.get(file)?.indexes.get(fragment)?.slice();
  }

  hasBlock(hash: BlockHash): boolean {
    if (this.#files.size === 0) return false;
    const key = blockKey(hash);
    return [...this.#files.values()].some(({ blocks }) => blocks.has(key));
  }
}
