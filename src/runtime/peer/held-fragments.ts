// The fragments on this device's disk that count as held: the whole ones. One that lost a block or its index
// goes on the damage list, and does not count, even after a restart, until it is fetched again.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { heldBytesOf } from '../../core/model/geometry.ts';
import { blockKey, type BlockHash, type FileId } from '../../core/model/ids.ts';
import type { HeldFragment } from '../../core/peer/peer-events.ts';
import type { FragmentStore, RecordStore, StoredFragment } from '../../core/ports.ts';
import { DamageList } from './damage-list.ts';

/** As the peer counts it. */
export function heldFragment(
  catalogue: Catalogue,
  { fileId: file, fragment, blockBytes }: StoredFragment,
): HeldFragment {
  const manifest = catalogue.manifestOf(file);
  return { file, fragment, bytes: manifest === undefined ? blockBytes : heldBytesOf(manifest) };
}

export interface HeldFragmentsOptions {
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly held: (stored: readonly StoredFragment[]) => void;
  readonly unheld: (stored: StoredFragment) => void;
  /** Part of a fragment is damaged; the fragment is unheld already. */
  readonly damaged: (what: 'block' | 'index', file: FileId) => void;
}

export class HeldFragments {
  readonly #options: HeldFragmentsOptions;
  readonly #damaged: DamageList;
  readonly #stored = new Map<FileId, Map<number, StoredFragment>>();

  constructor(options: HeldFragmentsOptions) {
    this.#options = options;
    this.#damaged = new DamageList(options.records);
  }

  /** Returns how many rows of an earlier page cannot be read. */
  loadDamage(): Promise<number> {
    return this.#damaged.load();
  }

  /** Counts fragments that are on the disk and sound, and drops those that belong to no file. */
  async restore(isFile: (file: FileId) => boolean): Promise<void> {
    const { fragments } = this.#options;
    const all = await fragments.list();
    const sound = all.filter(({ fileId, fragmentId }) => isFile(fileId) && !this.#damaged.has(fragmentId));
    for (const stored of sound) this.#note(stored);
    if (sound.length > 0) this.#options.held(sound);
    await fragments.drop(all.filter(({ fileId }) => !isFile(fileId)).map(({ fragmentId }) => fragmentId));
  }

  add(stored: StoredFragment): void {
    this.#note(stored);
    this.#options.held([stored]);
  }

  /** The fragment was fetched: any damage is gone. */
  async addFetched(stored: StoredFragment): Promise<void> {
    await this.#damaged.remove(stored.fragmentId);
    this.add(stored);
  }

  async drop(file: FileId, numbers: readonly number[]): Promise<void> {
    const dropped = numbers.flatMap((fragment) => this.#stored.get(file)?.get(fragment) ?? []);
    for (const stored of dropped) this.#forget(stored);
    await this.#options.fragments.drop(dropped.map(({ fragmentId }) => fragmentId));
  }

  /** A block is lost: fragments that need it no longer count. */
  async blockLost(lost: BlockHash): Promise<void> {
    const key = blockKey(lost);
    for (const stored of [...this.#stored.values()].flatMap((ofFile) => [...ofFile.values()])) {
      const hashes = await this.#damaged.blocksOf(stored, this.#options.fragments);
      if (hashes === undefined) await this.#lose(stored, 'index');
      else if (hashes.some((hash) => blockKey(hash) === key)) await this.#lose(stored, 'block');
    }
  }

  async indexLost(file: FileId, fragment: number): Promise<void> {
    const stored = this.#stored.get(file)?.get(fragment);
    if (stored !== undefined) await this.#lose(stored, 'index');
  }

  async #lose(stored: StoredFragment, what: 'block' | 'index'): Promise<void> {
    // It may have been dropped, or lost for another block, in the meantime.
    if (this.#stored.get(stored.fileId)?.get(stored.fragment) !== stored) return;
    this.#forget(stored);
    this.#options.damaged(what, stored.fileId);
    await this.#damaged.add(stored.fragmentId);
  }

  #note(stored: StoredFragment): void {
    const ofFile = this.#stored.get(stored.fileId) ?? new Map<number, StoredFragment>();
    this.#stored.set(stored.fileId, ofFile.set(stored.fragment, stored));
  }

  #forget(stored: StoredFragment): void {
    const ofFile = this.#stored.get(stored.fileId);
    ofFile?.delete(stored.fragment);
    if (ofFile?.size === 0) this.#stored.delete(stored.fileId);
    this.#options.unheld(stored);
  }
}
