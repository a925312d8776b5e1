// Revisions of files: by comparing them, whoever computed something about a file knows whether it may be
// another now.

import type { FileId } from '../model/ids.ts';

export class FileRevisions {
  /**
   * By file, the number of its last touch: a file that is forgotten and comes back never has a text of
   * before.
   */
  readonly #ofFiles = new Map<FileId, number>();
  #touchCount = 0;
  #ofAll = 0;

  /** Another text than before whenever `file` was touched in between. */
  of(file: FileId): string {
    return `${this.#ofAll}/${this.#ofFiles.get(file) ?? 0}`;
  }

  touch(file: FileId): void {
    this.#touchCount += 1;
    this.#ofFiles.set(file, this.#touchCount);
  }

  touchAll(): void {
    this.#ofAll += 1;
  }

  forget(file: FileId): void {
    this.#ofFiles.delete(file);
  }
}
