// IndexedDB for unit tests: the classes that idb looks for, and an empty disk when asked.

import {
  IDBCursor,
  IDBDatabase,
  IDBFactory,
  IDBIndex,
  IDBKeyRange,
  IDBObjectStore,
  IDBRequest,
  IDBTransaction,
} from 'fake-indexeddb';

const classes = { IDBCursor, IDBDatabase, IDBIndex, IDBKeyRange, IDBObjectStore, IDBRequest, IDBTransaction };
Object.assign(globalThis, classes);

/** From now on there is no database. */
export function emptyIndexedDb(): void {
  globalThis.indexedDB = new IDBFactory();
}
