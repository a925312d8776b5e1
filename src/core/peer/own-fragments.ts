// What this device holds itself, by file; and what of it changed since the others were told.

import type { FileId } from '../model/ids.ts';
import { packFragments, type FragmentSet } from '../placement/fragment-set.ts';
import type { Holding } from '../placement/holdings.ts';
import { MAX_HOLDINGS_PER_MESSAGE } from '../wire/messages.ts';

const NOTHING: FragmentSet = new Set();

export class OwnFragments {
  readonly #files = new Map<FileId, Set<number>>();
  /** Files that changed since the last delta. */
  readonly #changed = new Set<FileId>();
  heldBytes = 0;
  freeBytes = 0;
  /** Free space as the others were last told. */
  #toldFreeBytes = 0;

  of(file: FileId): FragmentSet {
    return this.#files.get(file) ?? NOTHING;
  }

  files(): ReadonlyMap<FileId, FragmentSet> {
    return this.#files;
  }

  add(file: FileId, fragment: number, bytes: number): void {
    const fragments = this.#files.get(file) ?? new Set();
    if (fragments.has(fragment)) return;
    this.#files.set(file, fragments.add(fragment));
    this.heldBytes += bytes;
    this.#changed.add(file);
  }

  delete(file: FileId, fragment: number, bytes: number): void {
    const fragments = this.#files.get(file);
    if (fragments?.delete(fragment) !== true) return;
    if (fragments.size === 0) this.#files.delete(file);
    this.heldBytes -= bytes;
    this.#changed.add(file);
  }

  /** Everything, in portions that each fit a message; at least one. */
  snapshot(): Holding[][] {
    return portions([...this.#files.keys()], (file) => this.#holdingOf(file));
  }

  /** Whether `changes` has something to tell. */
  get hasChanges(): boolean {
    const isOtherSpace = Math.abs(this.freeBytes - this.#toldFreeBytes) * 4 > this.#toldFreeBytes;
    return this.#changed.size > 0 || isOtherSpace;
  }

  /**
   * What changed since the last call, in portions that each fit a message; none when nothing did. One empty portion tells
   * that only the free space is another now, by more than a quarter: whoever places fragments goes by it.
   */
  changes(): Holding[][] {
    if (!this.hasChanges) return [];
    this.#toldFreeBytes = this.freeBytes;
    const changed = [...this.#changed];
    this.#changed.clear();
    return portions(changed, (file) => this.#holdingOf(file));
  }

  #holdingOf(file: FileId): Holding {
    return { file, fragments: packFragments(this.of(file)) };
  }
}

function portions(files: readonly FileId[], holdingOf: (file: FileId) => Holding): Holding[][] {
  const lists: Holding[][] = [[]];
  for (const file of files) {
    if (lists.at(-1)?.length === MAX_HOLDINGS_PER_MESSAGE) lists.push([]);
    lists.at(-1)?.push(holdingOf(file));
  }
  return lists;
}
