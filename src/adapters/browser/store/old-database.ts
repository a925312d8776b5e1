// The database of versions 1 to 5, whose rows were not sealed. It has another name than the present one, so
// that it stays whole until everything in it was taken over, and can then be destroyed as a whole: that is
// what makes engines drop the old copies of its rows.
//
// Whoever opens it to take it over raises its version first: a tab with the app of before would otherwise
// store in it what is not copied any more. Once it is gone an empty database of its name and that version
// stands in its place. So an app of before, which knows only that name, says that it cannot read this
// device's storage, and does not begin an empty one beside it.

import { type IDBPDatabase, openDB, unwrap } from 'idb';
import { BLOCKED_LIMIT_MS, olderTab, storageFailure } from './idb-database.ts';
import { upgrade } from './idb-upgrade.ts';

/** The last version under this name. */
const LAST_VERSION = 5;
/** Of what is being taken over, and, without stores, of what then stands in its place. */
const MARK_VERSION = 6;
/** Made and deleted to have the engine write its log to its tables, and its tables anew. */
const SCRATCH_NAME = 'palm-scratch';

export type OldDatabase = IDBPDatabase;

/**
 * Whether there is one to take over; where there is none, its place is taken from now on.
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
 * Opens it with the stores of its last version; from now on no app of before can. @throws PalmError
 * 'storage-failed'.
 */
export async function openOldDatabase(name: string): Promise<OldDatabase> {
  let failure: unknown;
  try {
    return await openDB(name, MARK_VERSION, {
      upgrade: (database, oldVersion, _, transaction) => {
        if (oldVersion === LAST_VERSION) return;
        upgrade(unwrap(database), oldVersion, unwrap(transaction)).catch((error: unknown) => {
          failure = error;
          transaction.done.catch(() => undefined); // said by `failure`
          transaction.abort();
        });
      },
    });
  } catch (error) {
    throw storageFailure(failure ?? error);
  }
}

/**
 * Deletes it, and what the engine has of it. Chromium (seen in 156) compacts the range of a deleted database
 * once, which drops only what lies in tables of different levels by then: one deletion before it moves the
 * log to a table, two after it let the deletion sink through. Other engines do as they do.
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

/**
 * Closes what was opened. @throws the request's error, or 'other-tab' when a stuck tab holds the database.
 */
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
