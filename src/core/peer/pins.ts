// The files that are pinned on this device (pinning.ts).

import type { FileId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';

/** The files that this device keeps as much of as it may. */
export class Pins {
  #files: ReadonlySet<FileId> = new Set();
  readonly touched = new Set<FileId>();

  has(file: FileId): boolean {
    return this.#files.has(file);
  }

  /** Returns the files that are pinned now and were not, or the other way round. */
  set(files: Iterable<FileId>): FileId[] {
    const before = this.#files;
    this.#files = new Set(files);
    return [...new Set([...before, ...this.#files])].filter((file) => before.has(file) !== this.has(file));
  }

  /** The holders of `file` changed; without a file, those of all may have. */
  touch(file?: FileId): void {
    if (file === undefined) for (const each of this.#files) this.touched.add(each);
    else if (this.#files.has(file)) this.touched.add(file);
  }

  /** What stays of `own` when a file was placed, and `share` is this device's part of it. */
  keptOf(file: FileId, share: FragmentSet, own: FragmentSet, k: number): FragmentSet {
    if (!this.has(file)) return share;
    const others = [...own].filter((fragment) => !share.has(fragment));
    return new Set([...share, ...others.slice(0, Math.max(0, fragmentCap(k) - share.size))]);
  }
}
