// What is being deleted from the disk now, by file, so that a new download of the same file waits for it.

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

  /** Deletes the download of the file once `work`, which must not reject, has let go of it. */
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
