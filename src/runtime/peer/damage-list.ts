// Fragments on this disk with a block that does not match its hash, or without an index that matches their
// id. They do not count as held, even after a restart, until they are fetched again.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { decodeFragmentIndex } from '../../core/coding/fragment-index.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { parseFragmentId, type BlockHash, type FileId, type FragmentId } from '../../core/model/ids.ts';
import type { FragmentStore, RecordStore, StoredFragment } from '../../core/ports.ts';
import type { Notice } from '../notice.ts';
import { softRows } from '../soft-rows.ts';

const META_NAME = 'damaged-fragments';
/** A disk with more damage than this is not worth tracking. */
const MAX_DAMAGED = 10_000;

export class DamageList {
  readonly #records: RecordStore;
  readonly #damaged = new Set<FragmentId>();

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** Returns how many rows of an earlier page cannot be read. */
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

  /** Hashes of a stored fragment's blocks; undefined when its index is missing or damaged. */
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

/** A block or index here is damaged. A private file has no name that may be told. */
export function damagedHere(catalogue: Catalogue, what: 'block' | 'index', file: FileId): Notice {
  const [first] = catalogue.namesOf(file);
  return { kind: 'damaged-here', what, file: first && catalogue.listedFile(first)?.details()?.name };
}
