// A small file, gathered in memory: it needs no disk, no record and no worker.

import type { DownloadSink } from './download-store.ts';

export class MemoryFile implements DownloadSink {
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  #writtenBytes = 0;

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** They survive a pause, and a small file needs no more. */
  get durableBytes(): number {
    return this.#writtenBytes;
  }

  write(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#pieces.push(piece);
    this.#writtenBytes += piece.length;
    return Promise.resolve();
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  /** It keeps the bytes that arrived: the download may continue with it. */
  release(): Promise<void> {
    return Promise.resolve();
  }

  whole(): Blob {
    return new Blob(this.#pieces);
  }
}
