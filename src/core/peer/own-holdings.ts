// What this device itself holds, by file, and what has changed since the others were told.

import type { FileId } from '../model/ids.ts';
import { packFragments, type FragmentSet } from '../placement/fragment-set.ts';
import type { Holding } from '../placement/holdings.ts';
import { MAX_HOLDINGS_PER_MESSAGE } from '../wire/messages.ts';
import { isFull, ROOMY_PART, type Space } from './space-levels.ts';

const NOTHING: FragmentSet = new Set();

interface OwnFile {
  readonly fragments: Set<number>;
  /** Bytes of each fragment. */
  readonly bytes: number;
}

export class OwnHoldings {
  readonly #files = new Map<FileId, OwnFile>();
  /** Files that changed since the last delta. */
  readonly #changed = new Set<FileId>();
  /** Files in their grace (grace.ts). */
  readonly #spare = new Set<FileId>();
  heldBytes = 0;
  /** Bytes of fragments in their grace, which can be given up. */
  spareBytes = 0;
  /** `freeBytes`, or below 0 by what is on the disk beyond the offered space. */
  #offeredBytes = 0;
  /** Space as the others were last told. */
  #told: Space = { heldBytes: 0, freeBytes: 0 };
  #isGone = false;

  get isGone(): boolean {
    return this.#isGone;
  }

  /** What may be offered to others; includes `spareBytes`. */
  get freeBytes(): number {
    return Math.max(0, this.#offeredBytes);
  }

  /** What would be free with all fragments in their grace still here; below 0 if some must go. */
  get roomBytes(): number {
    return this.#offeredBytes - this.spareBytes;
  }

  files(): Iterable<FileId> {
    return this.#files.keys();
  }

  of(file: FileId): FragmentSet {
    return this.#files.get(file)?.fragments ?? NOTHING;
  }

  /** All fragments of a file take the same `bytes`, index included. */
  add(file: FileId, fragment: number, bytes: number): void {
    if (this.#isGone) return;
    const known = this.#files.get(file) ?? { fragments: new Set(), bytes };
    if (known.fragments.has(fragment)) return;
    known.fragments.add(fragment);
    this.#files.set(file, known);
    this.heldBytes += known.bytes;
    if (this.#spare.has(file)) this.#addSpare(known.bytes);
    this.#changed.add(file);
  }

  delete(file: FileId, fragment: number): void {
    const known = this.#files.get(file);
    if (known?.fragments.delete(fragment) !== true) return;
    if (known.fragments.size === 0) this.#files.delete(file);
    this.heldBytes -= known.bytes;
    if (this.#spare.has(file)) this.spareBytes -= known.bytes;
    this.#changed.add(file);
  }

  /** Bytes of the fragments of one file. */
  bytesOf(file: FileId): number {
    const known = this.#files.get(file);
    return known === undefined ? 0 : known.fragments.size * known.bytes;
  }

  /** The fragments of `file` can be given up from now on: their space is offered. */
  spare(file: FileId): void {
    if (this.#spare.has(file)) return;
    this.#spare.add(file);
    this.#addSpare(this.bytesOf(file));
  }

  /** The fragments of `file` are needed again. */
  unspare(file: FileId): void {
    if (this.#spare.delete(file)) this.#addSpare(-this.bytesOf(file));
  }

  /**
   * The fragments of `file` are about to be dropped: their space is free, and they are nothing to give up.
   */
  gaveUp(file: FileId): void {
    if (this.#spare.delete(file)) this.spareBytes -= this.bytesOf(file);
  }

  /**
   * The space was measured: that much of what is offered is free, or below 0, so much is on the disk beyond
   * it. `spareBytes` count as free.
   */
  measured(offeredBytes: number): void {
    this.#offeredBytes = offeredBytes;
  }

  /** Something that was taken uses offered space, until that is measured again. */
  took(bytes: number): void {
    this.#offeredBytes -= bytes;
  }

  /** The disk is gone: nothing is here, nothing can come, and `snapshot` tells so. */
  lose(): void {
    this.#files.clear();
    this.#changed.clear();
    this.#spare.clear();
    this.#isGone = true;
    this.heldBytes = 0;
    this.#offeredBytes = 0;
    this.spareBytes = 0;
    this.#told = { heldBytes: 0, freeBytes: 0 };
  }

  /** Everything, in portions that each fit a message; at least one. */
  snapshot(): Holding[][] {
    return portions([...this.#files.keys()], (file) => this.#holdingOf(file));
  }

  /** Whether `changes` has anything to tell. */
  get hasChanges(): boolean {
    const told = this.#told;
    const isOtherSpace = Math.abs(this.freeBytes - told.freeBytes) * 4 > told.freeBytes;
    return this.#changed.size > 0 || isOtherSpace || isFull(told, ROOMY_PART) !== isFull(this, ROOMY_PART);
  }

  /**
   * Changes since the last call, in portions that each fit a message; none if nothing changed. A single empty
   * portion tells that only the free space changed, by more than a quarter or so that the device counts as
   * full, or no longer does: other devices place fragments, and drop copies, by it.
   */
  changes(): Holding[][] {
    if (!this.hasChanges) return [];
    this.#told = { heldBytes: this.heldBytes, freeBytes: this.freeBytes };
    const changed = [...this.#changed];
    this.#changed.clear();
    return portions(changed, (file) => this.#holdingOf(file));
  }

  #addSpare(bytes: number): void {
    this.spareBytes += bytes;
    this.#offeredBytes += bytes;
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
