// Palm's IndexedDB database: its object stores, its connection, and the one way to run a transaction on it.
//
// Invariants: a transaction happens as a whole or not at all; its body awaits only requests on it (any other
// await ends it), so hashing and decoding happen outside; every failure that leaves this file is a PalmError,
// 'storage-full' when the quota was met.

import { type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import { isWrongCall } from '../../../core/model/bug.ts';
import { hexOf } from '../../../core/model/bytes.ts';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import { systemRandom } from '../../portable/random.ts';
import {
  type Durability,
  isKeyRange,
  type KeyRange,
  ROW_STORES,
  type RowDatabase,
  type RowKeys,
  type Rows,
  type RowTransaction,
  type StoreName,
} from '../../portable/store/row-database.ts';
import { storageFailure } from '../../portable/store/storage-failure.ts';
import { openPatiently } from './idb-opening.ts';

type Transaction = IDBPTransaction<unknown, string[], 'readwrite'>;

/**
 * The stores are those of 6, the first version under this name (old-database.ts has the earlier ones). Since
 * 7 a device's key is among the secrets and key slots may be locked: an older app would make another device,
 * and take what is locked for damaged.
 */
const SCHEMA_VERSION = 7;

/** A tab with an older version of Palm closes its connection when asked. After this long, ms, it is stuck. */
export const BLOCKED_LIMIT_MS = 5_000;

type Connection =
  | { readonly kind: 'open'; readonly database: IDBPDatabase }
  /**
   * The browser ended the connection (storage pressure, cleared site data): the next transaction reopens it.
   */
  | { readonly kind: 'lost' }
  | { readonly kind: 'closed'; readonly reason: EndReason };

type EndReason = 'closing' | 'updated-elsewhere' | 'gone';

/** In `meta`: random text that tells this database from a later one of the same name. */
const DATABASE_ID = 'database-id';

export class PalmDatabase implements RowDatabase {
  readonly #name: string;
  readonly #onGone: () => void;
  /** Undefined until it is read. */
  #id: string | undefined;
  #wasOpen = false;
  #connection: Connection = { kind: 'lost' };
  #opening: Promise<IDBPDatabase> | undefined;

  private constructor(name: string, onGone: () => void) {
    this.#name = name;
    this.#onGone = onGone;
  }

  /**
   * `onGone` is called once, when the database turns out to be deleted: from then on every call fails.
   * @throws PalmError 'storage-failed' when the browser offers no database, 'other-tab' when a stuck tab
   * holds an older one.
   */
  static async open(name: string, onGone: () => void = () => undefined): Promise<PalmDatabase> {
    const database = new PalmDatabase(name, onGone);
    await database.#connect();
    return database;
  }

  async run<Name extends StoreName, Answer>(
    stores: readonly Name[],
    mode: 'readonly' | 'readwrite',
    durability: Durability,
    body: (transaction: RowTransaction<Name>) => Promise<Answer>,
  ): Promise<Answer> {
    const database = await this.#connect();
    const transaction = begin(database, stores, mode, durability);
    const finished = transaction.done.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    try {
      const answer = await body({ objectStore: (name) => rowsOf(transaction, name) });
      const failure = await finished;
      if (failure !== undefined) throw failure.error;
      return answer;
    } catch (error) {
      abort(transaction);
      await finished;
      // A request that fails because its transaction was aborted says only that; the transaction has the
      // reason.
      throw isPalmError(error) || isWrongCall(error) ? error : storageFailure(transaction.error ?? error);
    }
  }

  /** Remembers which database this is; it gets its id the first time. */
  async identify(): Promise<void> {
    const fresh = hexOf(systemRandom.bytes(16));
    this.#id = await this.run(['meta'], 'readwrite', 'strict', async (transaction) => {
      const known = await transaction.objectStore('meta').get(DATABASE_ID);
      if (typeof known === 'string') return known;
      await transaction.objectStore('meta').put(fresh, DATABASE_ID);
      return fresh;
    });
  }

  /** The row that `identify` reads, for whoever empties `meta`. */
  get idRow(): { readonly key: string; readonly value: unknown } | undefined {
    return this.#id === undefined ? undefined : { key: DATABASE_ID, value: this.#id };
  }

  /** Finds out whether the database is still there, and the one that was opened. */
  async check(): Promise<void> {
    const id = await this.run(['meta'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('meta').get(DATABASE_ID),
    );
    if (this.#id === undefined || id === this.#id) return;
    this.#end('gone');
    throw gone();
  }

  /** Waits for running transactions; later ones fail. */
  close(): void {
    this.#end('closing');
  }

  #connect(): Promise<IDBPDatabase> {
    switch (this.#connection.kind) {
      case 'open':
        return Promise.resolve(this.#connection.database);
      case 'lost':
        this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
        return this.#opening;
      case 'closed':
        return Promise.reject(new PalmError({ code: 'storage-failed', reason: this.#connection.reason }));
    }
  }

  async #open(): Promise<IDBPDatabase> {
    const database = await openUnblocked(this.#name, {
      mayCreate: !this.#wasOpen,
      newerWanted: () => {
        this.#end('updated-elsewhere');
      },
      deleted: () => {
        this.#end('gone');
      },
      terminated: () => {
        if (this.#connection.kind !== 'open') return;
        this.#connection = { kind: 'lost' };
        // Most connections end because the data is deleted. Other failures show when it is next used.
        if (this.#id !== undefined) this.check().catch(() => undefined);
      },
    });
    this.#wasOpen = true;
    if (this.#connection.kind === 'closed') {
      database.close();
      throw new PalmError({ code: 'storage-failed', reason: this.#connection.reason });
    }
    this.#connection = { kind: 'open', database };
    return database;
  }

  #end(reason: EndReason): void {
    if (this.#connection.kind === 'open') this.#connection.database.close();
    const wasGone = this.#connection.kind === 'closed' && this.#connection.reason === 'gone';
    this.#connection = { kind: 'closed', reason };
    if (reason === 'gone' && !wasGone) this.#onGone();
  }
}

function gone(): PalmError {
  return new PalmError({ code: 'storage-failed', reason: 'gone' });
}

function openUnblocked(
  name: string,
  on: {
    /** Whether there may be none yet. If not, its absence is `deleted`. */
    readonly mayCreate: boolean;
    readonly newerWanted: () => void;
    readonly deleted: () => void;
    readonly terminated: () => void;
  },
): Promise<IDBPDatabase> {
  return new Promise((resolve, reject) => {
    let limit: ReturnType<typeof setTimeout> | undefined;
    let gaveUp = false;
    let isMissing = false;
    const giveUp = (): void => {
      gaveUp = true;
      reject(olderTab());
    };
    const open = (): Promise<IDBPDatabase> =>
      openDB(name, SCHEMA_VERSION, {
        upgrade: (database, oldVersion, _newVersion, transaction) => {
          if (oldVersion === 0 && !on.mayCreate) {
            isMissing = true;
            transaction.done.catch(() => undefined); // the opening fails with it
            transaction.abort();
            return;
          }
          if (oldVersion > 0) return;
          for (const [store, keyPath] of ROW_STORES) database.createObjectStore(store, { keyPath });
        },
        blocked: () => {
          limit ??= setTimeout(giveUp, BLOCKED_LIMIT_MS);
        },
        blocking: (_version, wanted) => (wanted === null ? on.deleted() : on.newerWanted()),
        terminated: on.terminated,
      });
    void openPatiently(open)
      .finally(() => clearTimeout(limit))
      .then(
        (database) => (gaveUp ? database.close() : resolve(database)),
        (error: unknown) => {
          if (isMissing) on.deleted();
          reject(isMissing ? gone() : storageFailure(error));
        },
      );
  });
}

export function olderTab(): PalmError {
  return new PalmError({ code: 'other-tab', reason: 'older-version' });
}

function begin(
  database: IDBPDatabase,
  stores: readonly StoreName[],
  mode: 'readonly' | 'readwrite',
  durability: Durability,
): Transaction {
  try {
    const transaction = database.transaction([...stores], mode, { durability });
    return transaction as Transaction; // the engine refuses writes in the mode of reads
  } catch (error) {
    throw storageFailure(error);
  }
}

function rowsOf<Name extends StoreName>(transaction: Transaction, name: Name): Rows<RowKeys[Name]> {
  const store = transaction.objectStore(name);
  return {
    get: (key) => store.get(key),
    getAll: (range, count) => store.getAll(engineRange(range), count),
    async getAllKeys(range, count) {
      const keys = await store.getAllKeys(engineRange(range), count);
      return keys as RowKeys[Name][]; // as they were put
    },
    count: () => store.count(),
    put: async (value, key) => void (await store.put(value, key)),
    delete: (key) => store.delete(isKeyRange(key) ? engineRange(key) : key),
    clear: () => store.clear(),
  };
}

function engineRange(range: KeyRange): IDBKeyRange;
function engineRange(range: KeyRange | undefined): IDBKeyRange | undefined;
function engineRange(range: KeyRange | undefined): IDBKeyRange | undefined {
  switch (range?.kind) {
    case undefined:
      return undefined;
    case 'after':
      return IDBKeyRange.lowerBound(range.key, true);
    case 'of':
      return IDBKeyRange.bound([range.item], [range.item, []]);
    case 'only':
      return IDBKeyRange.only(range.key);
  }
}

function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort();
  } catch (error) {
    // It has ended already, with the failure that led here.
    if (!(error instanceof Error) || error.name !== 'InvalidStateError') throw error;
  }
}
