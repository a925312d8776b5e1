// The files that are pinned on this device, as they are kept between visits. They are this device's own
// choice: no other one is told, except by what it holds.

import type { FileId } from '../core/model/ids.ts';
import { parseFileId } from '../core/model/ids.ts';
import { MAX_PINNED_FILES } from '../core/model/limits.ts';
import type { RecordStore } from '../core/ports.ts';
import { softRows } from './soft-rows.ts';

const PINS = 'pins';

export class PinnedFiles {
  readonly #records: Pick<RecordStore, 'getMeta' | 'putMeta'>;
  readonly #changed: (files: readonly FileId[]) => void;
  #files = new Set<FileId>();
  /** Settles when all earlier calls have; never rejects. */
  #setting = Promise.resolve();

  /** `changed` gets all of them, whenever they change. */
  constructor(
    records: Pick<RecordStore, 'getMeta' | 'putMeta'>,
    changed: (files: readonly FileId[]) => void,
  ) {
    this.#records = records;
    this.#changed = changed;
  }

  /** Returns how many rows of before cannot be read. */
  async load(): Promise<number> {
    const { rows, droppedCount } = softRows(await this.#records.getMeta(PINS), MAX_PINNED_FILES, parseFileId);
    this.#files = new Set(rows);
    this.#changed(rows);
    return droppedCount;
  }

  get isFull(): boolean {
    return this.#files.size >= MAX_PINNED_FILES;
  }

  /** Resolves when that is durable. `isThere`: files that are not are forgotten. */
  async set(file: FileId, isPinned: boolean, isThere: (file: FileId) => boolean): Promise<void> {
    const setting = this.#setting.then(async () => {
      const files = new Set([...this.#files].filter(isThere));
      if (isPinned) files.add(file);
      else files.delete(file);
      await this.#records.putMeta(PINS, [...files]);
      this.#files = files;
      this.#changed([...files]);
    });
    this.#setting = setting.catch(() => undefined); // the caller gets the failure
    await setting;
  }
}
