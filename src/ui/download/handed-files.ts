// Whole files that were delivered to the browser. It copies them to its downloads without saying when it is
// done. So they stay for ample time, and a new download of one gets it immediately.

import type { WallMs } from '../../core/model/time.ts';
import type { Deletions } from './deletions.ts';
import { leftOfKeepingMs } from './download-rules.ts';
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
  readonly nowMs: () => WallMs;
  /** Calls back after `delayMs`; returns a function that cancels it. */
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

  /** Keeps a file that was delivered at `handedAtMs`, perhaps by an earlier page. */
  keep(fileId: string, size: number, handedAtMs: WallMs): void {
    const { nowMs, delay } = this.#options;
    this.#timers.get(fileId)?.();
    const leftMs = leftOfKeepingMs(size, nowMs() - handedAtMs);
    this.#timers.set(
      fileId,
      delay(leftMs, () => this.#drop(fileId)),
    );
  }

  /** @throws PalmError of the store, when the file was delivered but that could not be recorded. */
  async handOver({ fileId, name, size }: HandedFile, whole: Blob): Promise<void> {
    const { store, saving, nowMs } = this.#options;
    saving.download(whole, savedName(name));
    const handedAtMs = nowMs();
    this.keep(fileId, size, handedAtMs);
    await store.markHanded(fileId, handedAtMs);
  }

  /** Whether the whole file is still here, and was delivered again. @throws as `handOver`. */
  async handOverAgain(file: HandedFile): Promise<boolean> {
    // If the browser took it away, it is fetched again like any other.
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
    // A file that cannot be deleted has no record now, and the next page deletes it.
    this.#options.deletions.begin(fileId, Promise.resolve(), () => undefined);
  }
}
