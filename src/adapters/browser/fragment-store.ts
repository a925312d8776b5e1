// This device's FragmentStore, opened whole: its database connection and, where the engine has them, its files. For the
// worker that owns it (src/workers/fragments).

import type { FragmentStore } from '../../core/ports.ts';
import type { PackFolder } from './block-files.ts';
import { PalmDatabase } from './idb-database.ts';
import { IdbFragmentStore } from './idb-fragments.ts';

export interface OpenFragmentStore {
  readonly fragments: FragmentStore;
  /** Rows that failed their decoder since the store was opened, and were removed. */
  readonly damagedRowCount: () => number;
  /** Waits for running transactions; whatever is asked afterwards fails. */
  close(): void;
}

/** Without a folder every block is a row of the database. @throws PalmError 'storage-failed', 'other-tab'. */
export async function openFragmentStore(
  folder: PackFolder | undefined,
  databaseName = 'palm',
): Promise<OpenFragmentStore> {
  const database = await PalmDatabase.open(databaseName);
  let damagedRowCount = 0;
  const { fragments, files } = await IdbFragmentStore.open(database, folder, (rowCount) => {
    damagedRowCount += rowCount;
  });
  return {
    fragments,
    damagedRowCount: () => damagedRowCount,
    close() {
      files?.close();
      database.close();
    },
  };
}
