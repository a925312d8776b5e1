// Palm's small durable state in the browser: records and journal over one IndexedDB database. Fragments are in it too, but the
// fragment worker's (fragment-store.ts). The device's identity key is not in it
// (identity.ts), so that leaving a pool wipes this and keeps that.

import type { RecordStore, StoreJournal } from '../../core/ports.ts';
import { PalmDatabase } from './idb-database.ts';
import { IdbStoreJournal } from './idb-journal.ts';
import { IdbRecordStore } from './idb-records.ts';

export interface IdbStore {
  readonly records: RecordStore;
  readonly journal: StoreJournal;
  /** Rows that failed their decoder since the store was opened, and were removed. */
  readonly damagedRowCount: () => number;
  /** Waits for running transactions; whatever is asked afterwards fails. */
  close(): void;
}

/**
 * Opens the database, and creates it the first time. It stays usable when the browser ends the connection by itself.
 * @throws PalmError 'storage-failed' when the browser offers no storage (some private windows), 'other-tab' when a tab
 * with an older Palm does not give way.
 */
export async function openIdbStore(databaseName = 'palm'): Promise<IdbStore> {
  const database = await PalmDatabase.open(databaseName);
  let damagedRowCount = 0;
  const onDamage = (rowCount: number): void => {
    damagedRowCount += rowCount;
  };
  return {
    records: new IdbRecordStore(database, onDamage),
    journal: new IdbStoreJournal(database, onDamage),
    damagedRowCount: () => damagedRowCount,
    close: () => database.close(),
  };
}
