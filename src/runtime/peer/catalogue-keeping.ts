// Keeps the catalogue durable: checks entries from others before they count, writes them to the disk, and
// restores them at a start.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../core/catalogue/check.ts';
import type { PackedEntry } from '../../core/catalogue/packed-entry.ts';
import type { FileId } from '../../core/model/ids.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { Pauses } from '../../core/pauses.ts';
import type { Clock, Cryptography, Identity, Random, RecordStore } from '../../core/ports.ts';
import { Slices } from '../slices.ts';
import { CheckedRecords, checkEntries } from './checked-records.ts';

export interface CatalogueKeepingOptions {
  readonly clock: Clock;
  readonly pauses: Pauses;
  readonly cryptography: Cryptography;
  readonly records: RecordStore;
  readonly random: Random;
  readonly identity: Identity;
  readonly keys: KeyRing;
  readonly catalogue: Catalogue;
  readonly inBackground: (work: Promise<unknown>) => void;
}

export class CatalogueKeeping {
  readonly #options: CatalogueKeepingOptions;
  readonly #records: CheckedRecords;
  readonly #slices: Slices;
  /** Files with a catalogue entry that is being written, or could not be; bounded as the catalogue is. */
  readonly #keeping = new Map<FileId, Promise<void>>();

  constructor(options: CatalogueKeepingOptions) {
    this.#options = options;
    this.#slices = new Slices(options);
    this.#records = new CheckedRecords({
      ...options,
      slices: this.#slices,
      background: options.inBackground,
    });
  }

  /** Restores what an earlier page kept. Returns how many records are damaged. */
  async restore(): Promise<number> {
    this.#options.catalogue.tell(this.#options.clock.wallMs());
    return this.#records.restore();
  }

  /** The `records` that may count. */
  check(records: readonly Uint8Array[]): Promise<CheckedEntry[]> {
    return checkEntries(records, { ...this.#options, slices: this.#slices });
  }

  /** Makes this device's own entries durable. */
  keepOwn(entries: readonly CheckedEntry[]): Promise<void> {
    return this.#records.keep(entries);
  }

  /**
   * Makes others' entries durable. Fragments of a file are taken only afterwards: otherwise a restart would
   * sweep them away.
   */
  async keepHeard(entries: readonly CheckedEntry[]): Promise<void> {
    const keeping = this.#records.keep(entries);
    const files = entries.flatMap(({ file }) => file?.fileId ?? []);
    for (const file of files) this.#keeping.set(file, keeping);
    await keeping;
    for (const file of files) this.#keeping.delete(file);
  }

  /** Resolves when the entry of `file` is durable; rejects when it could not be written. */
  async fileKept(file: FileId): Promise<void> {
    await this.#keeping.get(file);
  }

  forget(entries: readonly PackedEntry[]): Promise<void> {
    return this.#records.forget(entries);
  }

  /** Resolves when nothing is being written. */
  idle(): Promise<void> {
    return this.#records.idle();
  }
}
