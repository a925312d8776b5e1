// The rows of a device: named stores of values by key, and the one way to run a transaction on them. A
// browser has them in IndexedDB (adapters/browser/store/idb-database.ts).
//
// Keys have the order of IndexedDB: numbers, then texts by their UTF-16 units, then bytes, then lists item by
// item.

/** The key of each store's rows. Values are unknown: each passes a decoder (FORMATS.md, "On disk"). */
export interface RowKeys {
  /** A block's bytes by its hash, 32 bytes. */
  readonly blocks: BufferSource;
  /**
   * {owner, keptAs, slot, note, hashes, places}: blocks that a store kept beyond its page, by the first two.
   */
  readonly kept: [string, number];
  /**
   * StoredFragment with its blocks' hashes and places, by fragment id. A row here makes the fragment exist.
   */
  readonly fragments: string;
  /**
   * Sealed fragment index by fragment id and slot of its key: apart from its row, so that listing stays
   * cheap.
   */
  readonly indexes: [string, number];
  /** StoredRecord by entry id. */
  readonly records: string;
  /** The keys are what counts: file ids. */
  readonly outbox: string;
  readonly meta: string;
  /** {storeId, slot, sealed, handle}: an UnfinishedStore, by its id. */
  readonly journal: string;
  /** {slot, sealed} by name. */
  readonly secrets: string;
}

export type StoreName = keyof RowKeys;

/** Every store, with the fields of its values that are its key; null where the key comes with the value. */
export const ROW_STORES: readonly (readonly [StoreName, string | string[] | null])[] = [
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

export type Durability = 'relaxed' | 'strict';

/** A part of a store's keys. */
export type KeyRange =
  /** Those after `key`. */
  | { readonly kind: 'after'; readonly key: unknown }
  /** The lists that begin with `item`. */
  | { readonly kind: 'of'; readonly item: string }
  /** `key` alone: one that a store has, though it may not be of the store's form. */
  | { readonly kind: 'only'; readonly key: unknown };

/** One store within a transaction. Lists are in the order of their keys. */
export interface Rows<Key> {
  get(key: Key): Promise<unknown>;
  getAll(range?: KeyRange, count?: number): Promise<unknown[]>;
  getAllKeys(range?: KeyRange, count?: number): Promise<Key[]>;
  count(): Promise<number>;
  /** Without `key` where the value has it. The value is copied. */
  put(value: unknown, key?: Key): Promise<void>;
  delete(key: Key | KeyRange): Promise<void>;
  clear(): Promise<void>;
}

export interface RowTransaction<Name extends StoreName> {
  objectStore<Store extends Name>(name: Store): Rows<RowKeys[Store]>;
}

export interface RowDatabase {
  /**
   * Runs `body` in one transaction and resolves once that is complete: durable on the device with 'strict',
   * handed to the operating system with 'relaxed'. When `body` throws, nothing of it happened. It awaits only
   * what its transaction returns.
   * @throws PalmError 'storage-full', 'storage-failed', and any PalmError that `body` throws.
   */
  run<Name extends StoreName, Answer>(
    stores: readonly Name[],
    mode: 'readonly' | 'readwrite',
    durability: Durability,
    body: (transaction: RowTransaction<Name>) => Promise<Answer>,
  ): Promise<Answer>;
  /** The row that tells this database from a later one of the same name, for whoever empties `meta`. */
  readonly idRow: { readonly key: string; readonly value: unknown } | undefined;
  /**
   * Finds out whether the database is still there, and the one that was opened.
   * @throws PalmError 'storage-failed', reason 'gone', when it is not; others when it cannot be read now.
   */
  check(): Promise<void>;
  /** Waits for running transactions; later ones fail. */
  close(): void;
}

export function isKeyRange(key: unknown): key is KeyRange {
  return typeof key === 'object' && key !== null && 'kind' in key;
}
