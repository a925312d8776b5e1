// RecordStore over the rows of a database. Everything here is small and precious, so every write is strict:
// its promise resolves when the bytes are on the disk.

import { type EntryId, type FileId, parseFileId } from '../../../core/model/ids.ts';
import type { RecordStore, StoredRecord } from '../../../core/ports.ts';
import { GroupCommit } from './group-commit.ts';
import type { RowDatabase } from './row-database.ts';
import { decodeRows, recordRow } from './rows.ts';

export class RowRecordStore implements RecordStore {
  readonly #database: RowDatabase;
  readonly #writes: GroupCommit<'records' | 'outbox' | 'meta'>;
  readonly #onDamage: (rowCount: number) => void;

  /** `onDamage` is told how many rows failed their decoder and were removed. */
  constructor(database: RowDatabase, onDamage: (rowCount: number) => void) {
    this.#database = database;
    this.#writes = new GroupCommit(database, ['records', 'outbox', 'meta']);
    this.#onDamage = onDamage;
  }

  async putRecords(records: readonly StoredRecord[]): Promise<void> {
    const byteCount = records.reduce((sum, { bytes }) => sum + bytes.length, 0);
    await this.#writes.write('strict', byteCount, async (transaction) => {
      const rows = transaction.objectStore('records');
      await Promise.all(
        records.map(({ entryId, deviceId, seq, bytes }) =>
          rows.put({ entryId, deviceId, seq, bytes: new Uint8Array(bytes) }),
        ),
      );
    });
  }

  async dropRecords(entryIds: readonly EntryId[]): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      const rows = transaction.objectStore('records');
      await Promise.all(entryIds.map((entryId) => rows.delete(entryId)));
    });
  }

  /**
   * Rows that fail their decoder are removed and left out: other devices have those records, and send them
   * again.
   */
  async loadRecords(): Promise<StoredRecord[]> {
    const [keys, rows] = await this.#database.run(['records'], 'readonly', 'relaxed', (transaction) => {
      const records = transaction.objectStore('records');
      return Promise.all([records.getAllKeys(), records.getAll()]);
    });
    const { sound, damaged } = decodeRows(keys, rows, recordRow);
    if (damaged.length > 0) {
      await this.#writes.write('strict', 0, async (transaction) => {
        await Promise.all(damaged.map((key) => transaction.objectStore('records').delete(key)));
      });
      this.#onDamage(damaged.length);
    }
    return sound.toSorted(byDeviceAndSeq);
  }

  async loadOutbox(): Promise<FileId[]> {
    const keys = await this.#database.run(['outbox'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('outbox').getAllKeys(),
    );
    const { sound, damaged } = decodeRows(keys, keys, parseFileId);
    if (damaged.length > 0) {
      await this.#writes.write('strict', 0, async (transaction) => {
        await Promise.all(damaged.map((key) => transaction.objectStore('outbox').delete(key)));
      });
      this.#onDamage(damaged.length);
    }
    return sound;
  }

  async putOutbox(fileId: FileId): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      await transaction.objectStore('outbox').put(true, fileId);
    });
  }

  async dropOutbox(fileId: FileId): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      await transaction.objectStore('outbox').delete(fileId);
    });
  }

  async getMeta(name: string): Promise<unknown> {
    return this.#database.run(['meta'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('meta').get(name),
    );
  }

  async putMeta(name: string, value: unknown): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      await transaction.objectStore('meta').put(value, name);
    });
  }

  async dropMeta(name: string): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      await transaction.objectStore('meta').delete(name);
    });
  }

  async clear(): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      await Promise.all([
        transaction.objectStore('records').clear(),
        transaction.objectStore('outbox').clear(),
        transaction.objectStore('meta').clear(),
      ]);
      const { idRow } = this.#database;
      if (idRow !== undefined) await transaction.objectStore('meta').put(idRow.value, idRow.key);
    });
  }
}

function byDeviceAndSeq(a: StoredRecord, b: StoredRecord): number {
  if (a.deviceId !== b.deviceId) return a.deviceId < b.deviceId ? -1 : 1;
  return a.seq - b.seq;
}
