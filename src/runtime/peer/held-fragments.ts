// The fragments on this device's disk that count as held: the whole ones. One that lost a block or its index
// goes on the damage list, and does not count, even after a restart, until it is fetched again.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { heldBytesOf } from '../../core/model/geometry.ts';
import { blockKey, type BlockHash, type FileId } from '../../core/model/ids.ts';
import type { HeldFragment } from '../../core/peer/peer-events.ts';
import type { FragmentStore, RecordStore, StoredFragment } from '../../core/ports.ts';
import { DamageList } from './damage-list.ts';

/** As the peer counts it. */
export function heldFragments(catalogue: Catalogue, stored: readonly StoredFragment[]): HeldFragment[] {
  return stored.map(({ fileId: file, fragment, blockBytes }) => {
    const manifest = catalogue.manifestOf(file);
    return { file, fragment, bytes: manifest === undefined ? blockBytes : heldBytesOf(manifest) };
  });
}

/** Contents that the catalogue knows, and those that have a name. */
interface KnownContents {
  manifestOf(file: FileId): unknown;
  files(): Pick<ReadonlySet<FileId>, 'has'>;
}

export interface HeldFragmentsOptions {
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly held: (stored: readonly StoredFragment[]) => void;
  readonly unheld: (stored: StoredFragment) => void;
  /** What `dropping` gives has changed. */
  readonly dropped: () => void;
  /** Part of a fragment is damaged; the fragment is unheld already. */
  readonly damaged: (what: 'block' | 'index', file: FileId) => void;
}

export class HeldFragments {
  readonly #options: HeldFragmentsOptions;
  readonly #damaged: DamageList;
  readonly #stored = new Map<FileId, Map<number, StoredFragment>>();
  /** Damaged ones. What is left of them may help to rebuild them, and includes their key shares. */
  readonly #lost = new Map<FileId, Map<number, StoredFragment>>();
  /** Drops that the disk has not confirmed, by file. */
  readonly #dropping = new Map<FileId, number>();

  constructor(options: HeldFragmentsOptions) {
    this.#options = options;
    this.#damaged = new DamageList(options.records);
  }

  /** Returns how many rows of an earlier page cannot be read. */
  loadDamage(): Promise<number> {
    return this.#damaged.load();
  }

  /**
   * Counts fragments that are on the disk and sound, and drops those of contents that nobody knows. Of
   * contents without a name, which may get one again, it keeps only sound ones.
   */
  async restore(catalogue: KnownContents): Promise<void> {
    const { fragments } = this.#options;
    const sound: StoredFragment[] = [];
    const dropped: StoredFragment[] = [];
    for (const stored of await fragments.list()) {
      const isDamaged = this.#damaged.has(stored.fragmentId);
      const isKnown = catalogue.manifestOf(stored.fileId) !== undefined;
      const isNamed = catalogue.files().has(stored.fileId);
      if (!isKnown || (isDamaged && !isNamed)) dropped.push(stored);
      else if (isDamaged) note(this.#lost, stored);
      else sound.push(stored);
    }
    for (const stored of sound) note(this.#stored, stored);
    if (sound.length > 0) this.#options.held(sound);
    await fragments.drop(dropped.map(({ fragmentId }) => fragmentId));
  }

  /** Every fragment that counts. */
  *all(): Generator<StoredFragment> {
    for (const ofFile of this.#stored.values()) yield* ofFile.values();
  }

  add(stored: StoredFragment): void {
    note(this.#stored, stored);
    this.#options.held([stored]);
  }

  /** The fragment was fetched: any damage is gone. */
  async addFetched(stored: StoredFragment): Promise<void> {
    forget(this.#lost, stored);
    await this.#damaged.remove(stored.fragmentId);
    this.add(stored);
  }

  /** How many fragments of `file` are here, damaged ones included. */
  countOf(file: FileId): number {
    return (this.#stored.get(file)?.size ?? 0) + (this.#lost.get(file)?.size ?? 0);
  }

  /** Whether damaged fragments of `file` lie here, found on this page or an earlier one. */
  hasDamaged(file: FileId): boolean {
    return this.#lost.has(file);
  }

  /**
   * Drops what is left of damaged fragments of `file`, `except` these: their key shares would count with
   * those that this device keeps or takes.
   */
  async dropDamaged(file: FileId, except: readonly number[] = []): Promise<void> {
    const lost = [...(this.#lost.get(file)?.values() ?? [])].filter(
      ({ fragment }) => !except.includes(fragment),
    );
    await this.#drop(file, [], lost);
  }

  /**
   * Files of which fragments no longer count, but are on the disk until it confirms that they are erased;
   * also when it could not.
   */
  dropping(): FileId[] {
    return [...this.#dropping.keys()];
  }

  /** Drops these fragments, which count until then. */
  drop(file: FileId, numbers: readonly number[]): Promise<void> {
    return this.#drop(file, numbers, []);
  }

  /** The same, and everything that is damaged, first or at the same time: see isToPlace. */
  dropWithDamaged(file: FileId, numbers: readonly number[]): Promise<void> {
    return this.#drop(file, numbers, [...(this.#lost.get(file)?.values() ?? [])]);
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
    note(this.#lost, stored);
    this.#options.damaged(what, stored.fileId);
    await this.#damaged.add(stored.fragmentId);
  }

  /** `lost`: those that are damaged. */
  async #drop(file: FileId, numbers: readonly number[], lost: readonly StoredFragment[]): Promise<void> {
    const dropped = numbers.flatMap((fragment) => this.#stored.get(file)?.get(fragment) ?? []);
    const erased = this.#erase(file, [...lost, ...dropped]);
    for (const stored of lost) forget(this.#lost, stored);
    for (const stored of dropped) this.#forget(stored);
    await erased;
    for (const { fragmentId } of lost) await this.#damaged.remove(fragmentId);
  }

  async #erase(file: FileId, stored: readonly StoredFragment[]): Promise<void> {
    if (stored.length === 0) return;
    this.#dropping.set(file, (this.#dropping.get(file) ?? 0) + 1);
    await this.#options.fragments.drop(stored.map(({ fragmentId }) => fragmentId));
    const left = (this.#dropping.get(file) ?? 0) - 1;
    if (left > 0) this.#dropping.set(file, left);
    else this.#dropping.delete(file);
    this.#options.dropped();
  }

  #forget(stored: StoredFragment): void {
    forget(this.#stored, stored);
    this.#options.unheld(stored);
  }
}

type ByFile = Map<FileId, Map<number, StoredFragment>>;

function note(all: ByFile, stored: StoredFragment): void {
  const ofFile = all.get(stored.fileId) ?? new Map<number, StoredFragment>();
  all.set(stored.fileId, ofFile.set(stored.fragment, stored));
}

function forget(all: ByFile, { fileId, fragment }: StoredFragment): void {
  const ofFile = all.get(fileId);
  ofFile?.delete(fragment);
  if (ofFile?.size === 0) all.delete(fileId);
}
