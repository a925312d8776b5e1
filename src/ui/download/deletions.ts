// Deletions from the disk that are under way, by file, so that a new download of the same file waits for
// them.

import type { DownloadStore } from './download-store.ts';

export class Deletions {
  readonly #store: Pick<DownloadStore, 'drop'>;
  readonly #running = new Map<string, Promise<void>>();

  constructor(store: Pick<DownloadStore, 'drop'>) {
    this.#store = store;
  }

  /** Resolves when nothing of the file is being deleted. */
  async settled(fileId: string): Promise<void> {
    await this.#running.get(fileId);
  }

  /** Deletes the file's download after `work`, which must not reject, has closed it. */
  begin(fileId: string, work: Promise<void>, onFailed: (error: unknown) => void): void {
    const running = work
      .then(() => this.#store.drop(fileId))
      .catch(onFailed)
      .finally(() => {
        if (this.#running.get(fileId) === running) this.#running.delete(fileId);
      });
    this.#running.set(fileId, running);
  }
}
