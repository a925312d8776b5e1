// The database of versions 1 to 5, whose rows were not sealed. Its name differs from the present one, so that
// it stays whole until everything was taken over, and can then be destroyed as a whole: only that makes
// engines drop the old copies of its rows.
//
// Taking over begins by raising its version: otherwise a tab with the older app would store data in it that
// is no longer copied. Afterwards an empty database of its name and that version stands in its place. So an
// older app, which knows only that name, reports that it cannot read this device's storage, and does not
// begin an empty one.

import { type IDBPDatabase, openDB, unwrap } from 'idb';
import { storageFailure } from '../../portable/store/storage-failure.ts';
import { BLOCKED_LIMIT_MS, olderTab } from './idb-database.ts';
import { upgrade } from './idb-upgrade.ts';

/** The last version under this name. */
const LAST_VERSION = 5;
/** While it is taken over, and, without stores, of the one that then stands in its place. */
const MARK_VERSION = 6;
/** Made and deleted so that the engine writes its log to its tables, and rewrites these. */
const SCRATCH_NAME = 'palm-scratch';

export type OldDatabase = IDBPDatabase;

/**
 * Whether there is one to take over. If not, its place is taken from now on.
 * @throws PalmError 'storage-failed', 'other-tab'.
 */
export async function hasOldDatabase(name: string): Promise<boolean> {
  let isThere = false;
  try {
    const request = indexedDB.open(name, MARK_VERSION);
    await settled(request, ({ oldVersion }) => {
      isThere = oldVersion > 0;
      if (isThere) request.transaction?.abort();
    });
    return request.result.objectStoreNames.length > 0;
  } catch (error) {
    if (isThere) return true;
    // A later version marked it.
    if (error instanceof Error && error.name === 'VersionError') return false;
    throw storageFailure(error);
  }
}

/**
 * Opens it with the stores of its last version; from now on no older app can.
 * @throws PalmError 'storage-failed'.
 */
export async function openOldDatabase(name: string): Promise<OldDatabase> {
  let failure: unknown;
  try {
    return await openDB(name, MARK_VERSION, {
      upgrade: (database, oldVersion, _, transaction) => {
        if (oldVersion === LAST_VERSION) return;
        upgrade(unwrap(database), oldVersion, unwrap(transaction)).catch((error: unknown) => {
          failure = error;
          transaction.done.catch(() => undefined); // reported by `failure`
          transaction.abort();
        });
      },
    });
  } catch (error) {
    throw storageFailure(failure ?? error);
  }
}

/**
 * Deletes it, and the engine's copies of it. Chromium (seen in 156) compacts the range of a deleted database
 * once, which drops only data that lies in tables of different levels by then: one deletion before it moves
 * the log to a table, two after it let the deletion sink through. Other engines have ways of their own.
 * @throws PalmError 'storage-failed', 'other-tab'.
 */
export async function destroyOldDatabase(name: string): Promise<void> {
  try {
    await compact();
    await settled(indexedDB.deleteDatabase(name));
    await compact();
    await compact();
    await hasOldDatabase(name);
  } catch (error) {
    throw storageFailure(error);
  }
}

async function compact(): Promise<void> {
  await settled(indexedDB.open(SCRATCH_NAME, 1), (_, { result }) => {
    result.createObjectStore('scratch').put(1, 1);
  });
  await settled(indexedDB.deleteDatabase(SCRATCH_NAME));
}

/** Closes the opened database. @throws the request's error, or 'other-tab' when a stuck tab holds it. */
function settled(
  request: IDBOpenDBRequest,
  upgradeTo: (event: IDBVersionChangeEvent, request: IDBOpenDBRequest) => void = () => undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let limit: ReturnType<typeof setTimeout> | undefined;
    request.addEventListener('upgradeneeded', (event) => upgradeTo(event, request));
    request.addEventListener('blocked', () => {
      limit ??= setTimeout(() => reject(olderTab()), BLOCKED_LIMIT_MS);
    });
    request.addEventListener('success', () => {
      clearTimeout(limit);
      const opened: unknown = request.result;
      if (opened instanceof IDBDatabase) opened.close();
      resolve();
    });
    request.addEventListener('error', () => {
      clearTimeout(limit);
      reject(request.error ?? new Error('the request failed'));
    });
  });
}
