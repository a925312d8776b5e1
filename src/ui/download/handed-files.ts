// Whole files that were handed to the browser. It copies them to its downloads, and does not say when it is
// done: they stay for a time that is ample, and whoever downloads one again meanwhile gets it at once.

import type { Deletions } from './deletions.ts';
import { keptAfterHandingMs } from './download-rules.ts';
import type { BrowserSaving, DownloadStore } from './download-store.ts';
import { savedName } from '../text/file-name.ts';

interface HandedFile {
  readonly fileId: string;
  readonly name: string;
  readonly size: number;
}

export interface HandedFilesOptions {
  readonly store: Pick<DownloadStore, 'file' | 'markHanded'>;
  readonly saving: Pick<BrowserSaving, 'download'>;
  readonly deletions: Deletions;
  /** ms since the Unix epoch. */
  readonly nowMs: () => number;
  /** Calls back after `delayMs`; answers what cancels it. */
  readonly delay: (delayMs: number, callback: () => void) => () => void;
}

export class HandedFiles {
  readonly #options: HandedFilesOptions;
  /** What stops each file's timer. */
  readonly #timers = new Map<string, () => void>();

  constructor(options: HandedFilesOptions) {
    this.#options = options;
  }

  has(fileId: string): boolean {
    return this.#timers.has(fileId);
  }

  /** Keeps one that was handed over at `handedAtMs`, maybe by an earlier page. */
  keep(fileId: string, size: number, handedAtMs: number): void {
    const { nowMs, delay } = this.#options;
    this.#timers.get(fileId)?.();
    const leftMs = Math.max(0, handedAtMs + keptAfterHandingMs(size) - nowMs());
    this.#timers.set(
      fileId,
      delay(leftMs, () => this.#drop(fileId)),
    );
  }

  /** @throws PalmError of the store, when it is handed over but that could not be recorded. */
  async handOver({ fileId, name, size }: HandedFile, whole: Blob): Promise<void> {
    const { store, saving, nowMs } = this.#options;
    saving.download(whole, savedName(name));
    const handedAtMs = nowMs();
    this.keep(fileId, size, handedAtMs);
    await store.markHanded(fileId, handedAtMs);
  }

  /** Whether the whole file is still here, and so was handed over once more. @throws as `handOver`. */
  async handOverAgain(file: HandedFile): Promise<boolean> {
    // Where the browser took it away, it is fetched anew like any other.
    const whole = await this.#options.store.file(file.fileId).catch(() => undefined);
    if (whole?.size === file.size) {
      await this.handOver(file, whole);
      return true;
    }
    this.#timers.get(file.fileId)?.();
    this.#timers.delete(file.fileId);
    return false;
  }

  dropAll(): void {
    for (const fileId of this.#timers.keys()) this.#drop(fileId);
  }

  /** The page ends; the next one keeps them. */
  close(): void {
    for (const stopTimer of this.#timers.values()) stopTimer();
  }

  #drop(fileId: string): void {
    this.#timers.get(fileId)?.();
    this.#timers.delete(fileId);
    // One that cannot be deleted has no record any more, and goes when the next page starts.
    this.#options.deletions.begin(fileId, Promise.resolve(), () => undefined);
  }
}
