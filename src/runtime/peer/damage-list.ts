// Fragments that are on this disk but have a block that no longer fits its hash, or no index that fits their
// id. They do not count as held, also not after a restart, until they are fetched anew.

import { decodeFragmentIndex } from '../../core/coding/fragment-index.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { parseFragmentId, type BlockHash, type FragmentId } from '../../core/model/ids.ts';
import type { FragmentStore, RecordStore, StoredFragment } from '../../core/ports.ts';
import { softRows } from '../soft-rows.ts';

const META_NAME = 'damaged-fragments';
/** A disk with more damage than this is not one to keep track of. */
const MAX_DAMAGED = 10_000;

export class DamageList {
  readonly #records: RecordStore;
  readonly #damaged = new Set<FragmentId>();

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** Returns how much of what an earlier page noted cannot be read. */
  async load(): Promise<number> {
    const kept = await this.#records.getMeta(META_NAME);
    const { rows, droppedCount } = softRows(kept, MAX_DAMAGED, parseFragmentId);
    for (const fragmentId of rows) this.#damaged.add(fragmentId);
    return droppedCount;
  }

  has(fragmentId: FragmentId): boolean {
    return this.#damaged.has(fragmentId);
  }

  async add(fragmentId: FragmentId): Promise<void> {
    if (this.#damaged.size >= MAX_DAMAGED) return;
    this.#damaged.add(fragmentId);
    await this.#records.putMeta(META_NAME, [...this.#damaged]);
  }

  async remove(fragmentId: FragmentId): Promise<void> {
    if (this.#damaged.delete(fragmentId)) await this.#records.putMeta(META_NAME, [...this.#damaged]);
  }

  /** Hashes of a stored fragment's blocks; undefined when its index is not here, or damaged. */
  async blocksOf(
    stored: StoredFragment,
    fragments: FragmentStore,
  ): Promise<readonly BlockHash[] | undefined> {
    try {
      const bytes = await fragments.getIndex(stored.fragmentId);
      return bytes && decodeFragmentIndex(bytes).blocks;
    } catch (error) {
      if (isPalmError(error, 'corrupt')) return undefined;
      throw error;
    }
  }
}
