// Palm's IndexedDB database: its object stores, its connection, and the one way to run a transaction on it.
//
// Invariants: a transaction happens as a whole or not at all; its body awaits only requests on it (any other
// await ends it), so hashing and decoding happen outside; every failure that leaves this file is a PalmError,
// 'storage-full' when the quota was met.

import { type DBSchema, type IDBPDatabase, type IDBPTransaction, openDB, type StoreNames } from 'idb';
import { isWrongCall } from '../../../core/model/bug.ts';
import { hexOf } from '../../../core/model/bytes.ts';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import { systemRandom } from '../../portable/random.ts';
import { openPatiently } from './idb-opening.ts';

/** Values are unknown: each passes a decoder before it is used (FORMATS.md, "On disk"). */
export interface PalmSchema extends DBSchema {
  /** A block's bytes by its hash, 32 bytes. */
  blocks: { key: BufferSource; value: unknown };
  /**
   * {owner, keptAs, slot, note, hashes, places}: blocks that a store kept beyond its page, by the first two.
   */
  kept: { key: [string, number]; value: unknown };
  /**
   * StoredFragment with its blocks' hashes and places, by fragment id. A row here makes the fragment exist.
   */
  fragments: { key: string; value: unknown };
  /**
   * Sealed fragment index by fragment id and slot of its key: apart from its row, so that listing stays
   * cheap.
   */
  indexes: { key: [string, number]; value: unknown };
  /** StoredRecord by entry id. */
  records: { key: string; value: unknown };
  /** The keys are what counts: file ids. */
  outbox: { key: string; value: unknown };
  /** {storeId, slot, sealed, handle}: an UnfinishedStore, by its id. */
  journal: { key: string; value: unknown };
  meta: { key: string; value: unknown };
  /** {slot, sealed} by name. */
  secrets: { key: string; value: unknown };
}

type Stores = StoreNames<PalmSchema>[];
export type Durability = 'relaxed' | 'strict';

/**
 * The stores are those of 6, the first version under this name (old-database.ts has the earlier ones). Since
 * 7 a device's key is among the secrets and key slots may be locked: an older app would make another device,
 * and take what is locked for damaged.
 */
const SCHEMA_VERSION = 7;

const STORES: readonly (readonly [StoreNames<PalmSchema>, string | string[] | null])[] = [
  ['blocks', null],
  ['kept', ['owner', 'keptAs']],
  ['fragments', 'fragmentId'],
  ['indexes', null],
  ['records', 'entryId'],
  ['outbox', null],
  ['meta', null],
  ['journal', 'storeId'],
  ['secrets', null],
];

/** A tab with an older version of Palm closes its connection when asked. After this long, ms, it is stuck. */
export const BLOCKED_LIMIT_MS = 5_000;

type Connection =
  | { readonly kind: 'open'; readonly database: IDBPDatabase<PalmSchema> }
  /**
   * The browser ended the connection (storage pressure, cleared site data): the next transaction reopens it.
   */
  | { readonly kind: 'lost' }
  | { readonly kind: 'closed'; readonly reason: EndReason };

type EndReason = 'closing' | 'updated-elsewhere' | 'gone';

/** In `meta`: random text that tells this database from a later one of the same name. */
const DATABASE_ID = 'database-id';

export class PalmDatabase {
  readonly #name: string;
  readonly #onGone: () => void;
  /** Undefined until it is read. */
  #id: string | undefined;
  #wasOpen = false;
  #connection: Connection = { kind: 'lost' };
  #opening: Promise<IDBPDatabase<PalmSchema>> | undefined;

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

  /**
   * Runs `body` in one transaction and resolves once that is complete: durable on the device with 'strict',
   * handed to the operating system with 'relaxed'. When `body` throws, nothing of it happened.
   * @throws PalmError 'storage-full', 'storage-failed', and any PalmError that `body` throws.
   */
  async run<Names extends Stores, Mode extends 'readonly' | 'readwrite', Answer>(
    stores: Names,
    mode: Mode,
    durability: Durability,
    body: (transaction: IDBPTransaction<PalmSchema, Names, Mode>) => Promise<Answer>,
  ): Promise<Answer> {
    const database = await this.#connect();
    const transaction = begin(database, stores, mode, durability);
    const finished = transaction.done.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    try {
      const answer = await body(transaction);
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

  #connect(): Promise<IDBPDatabase<PalmSchema>> {
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

  async #open(): Promise<IDBPDatabase<PalmSchema>> {
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

/** How engines and systems word it, where they have only words for it. */
const NO_ROOM = /\bENOSPC\b|no space left|disk (?:is )?full|NO_SPACE/iu;
/** What Chromium (seen in 156) says on a full disk, without naming it; it says the same of other faults. */
const NAMES_OF_FULL_DISK = ['UnknownError', 'AbortError'];

/** A database's failure as a PalmError with its cause; a bug as it is. */
export function storageFailure(cause: unknown): Error {
  if (isPalmError(cause)) return cause;
  if (cause instanceof Error && isWrongCall(cause)) return cause;
  if (cause instanceof Error && (cause.name === 'QuotaExceededError' || NO_ROOM.test(cause.message))) {
    return new PalmError({ code: 'storage-full', reason: 'device' }, { cause });
  }
  const name = cause instanceof Error ? cause.name : undefined;
  const mayBeFull = name !== undefined && NAMES_OF_FULL_DISK.includes(name);
  return new PalmError({ code: 'storage-failed', reason: 'database', detail: name, mayBeFull }, { cause });
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
): Promise<IDBPDatabase<PalmSchema>> {
  return new Promise((resolve, reject) => {
    let limit: ReturnType<typeof setTimeout> | undefined;
    let gaveUp = false;
    let isMissing = false;
    const giveUp = (): void => {
      gaveUp = true;
      reject(olderTab());
    };
    const open = (): Promise<IDBPDatabase<PalmSchema>> =>
      openDB<PalmSchema>(name, SCHEMA_VERSION, {
        upgrade: (database, oldVersion, _newVersion, transaction) => {
          if (oldVersion === 0 && !on.mayCreate) {
            isMissing = true;
            transaction.done.catch(() => undefined); // the opening fails with it
            transaction.abort();
            return;
          }
          if (oldVersion > 0) return;
          for (const [store, keyPath] of STORES) database.createObjectStore(store, { keyPath });
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

function begin<Names extends Stores, Mode extends 'readonly' | 'readwrite'>(
  database: IDBPDatabase<PalmSchema>,
  stores: Names,
  mode: Mode,
  durability: Durability,
): IDBPTransaction<PalmSchema, Names, Mode> {
  try {
    return database.transaction(stores, mode, { durability });
  } catch (error) {
    throw storageFailure(error);
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
