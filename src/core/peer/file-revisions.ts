// Revisions of files: equal revisions mean that whatever was computed about a file still holds.

import type { FileId } from '../model/ids.ts';

export class FileRevisions {
  /**
   * By file, the number of its last touch. A file that is forgotten and comes back never gets an earlier
   * revision again.
   */
  readonly #ofFiles = new Map<FileId, number>();
  #touchCount = 0;
  #ofAll = 0;

  /** Changes whenever `file` is touched. */
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
