// The records of this device in the browser, over the database that the fragment worker opened first
// (device-store.ts). They are small, and many are read at the start, so the page has its own connection. The
// device's identity key is elsewhere (identity.ts), so that leaving a pool wipes this and keeps that.

import type { RecordStore } from '../../../core/ports.ts';
import { PalmDatabase } from './idb-database.ts';
import { RowRecordStore } from '../../portable/store/record-store.ts';
import { DATABASE_NAMES } from './idb-takeover.ts';

export interface IdbStore {
  readonly records: RecordStore;
  /** Rows that failed their decoder since the store was opened, and were removed. */
  readonly damagedRowCount: () => number;
  /**
   * Finds out whether the database is still there.
   * @throws PalmError 'storage-failed', reason 'gone', when it is not; others when it cannot be read now.
   */
  check(): Promise<void>;
  /** Waits for running transactions; later calls fail. */
  close(): void;
}

/**
 * Opens the database, and creates it the first time. It stays usable when the browser ends the connection,
 * unless it deleted the database: `onGone` is called then, once.
 * @throws PalmError 'storage-failed' when the browser offers no storage (some private windows), 'other-tab'
 * when a tab with an older version of Palm does not give way.
 */
export async function openIdbStore(
  databaseName = DATABASE_NAMES.database,
  onGone: () => void = () => undefined,
): Promise<IdbStore> {
  const database = await PalmDatabase.open(databaseName, onGone);
  await database.identify();
  let damagedRowCount = 0;
  const onDamage = (rowCount: number): void => {
    damagedRowCount += rowCount;
  };
  return {
    records: new RowRecordStore(database, onDamage),
    damagedRowCount: () => damagedRowCount,
    check: () => database.check(),
    close: () => database.close(),
  };
}
