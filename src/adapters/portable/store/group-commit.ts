// Group commit: writes that come while a transaction is under way share the next one. A strict transaction
// costs a disk flush whatever its size, so a thousand small files cost a few dozen flushes instead of
// thousands.
//
// Invariants: writes happen in the order of the calls, one after another also within a transaction (each sees
// the effects of earlier ones); each happens as a whole or not at all; one that fails does not affect the
// others, because its group is then undone and carried out one by one.

import type { Durability, RowDatabase, RowTransaction, StoreName } from './row-database.ts';

/**
 * Writes in one transaction: beyond a few dozen the flush no longer counts, and readers wait for the whole of
 * it.
 */
const MAX_GROUP_COUNT = 32;
/** Bytes in one transaction, where writes state theirs: they are in memory twice while they are written. */
const MAX_GROUP_BYTES = 8 * 2 ** 20;

interface Write<Name extends StoreName> {
  readonly durability: Durability;
  readonly bytes: number;
  /** May run again after its transaction was undone. Never rejects outside `run`. */
  readonly body: (transaction: RowTransaction<Name>) => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class GroupCommit<Name extends StoreName> {
  readonly #database: RowDatabase;
  readonly #stores: readonly Name[];
  readonly #before: () => void;
  readonly #waiting: Write<Name>[] = [];
  #isWriting = false;

  /**
   * `stores` are locked by every group: those that its writes touch. `before` is called before each
   * transaction, so that whatever the group needs on the disk first costs one flush. When it throws, the
   * group fails.
   */
  constructor(database: RowDatabase, stores: readonly Name[], before: () => void = () => undefined) {
    this.#database = database;
    this.#stores = stores;
    this.#before = before;
  }

  /** Resolves once the write is complete, as `RowDatabase.run` does. @throws what that throws. */
  write(durability: Durability, bytes: number, body: Write<Name>['body']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ durability, bytes, body, resolve, reject });
      if (!this.#isWriting) void this.#writeAll();
    });
  }

  /** Never rejects: each write has its own outcome. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    for (let group = this.#nextGroup(); group.length > 0; group = this.#nextGroup())
      await this.#writeGroup(group);
    this.#isWriting = false;
  }

  #nextGroup(): Write<Name>[] {
    let byteCount = 0;
    let count = 0;
    for (const { bytes } of this.#waiting) {
      byteCount += bytes;
      if (count > 0 && (count >= MAX_GROUP_COUNT || byteCount > MAX_GROUP_BYTES)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #writeGroup(group: readonly Write<Name>[]): Promise<void> {
    const durability = group.some((write) => write.durability === 'strict') ? 'strict' : 'relaxed';
    try {
      this.#before();
      await this.#database.run(this.#stores, 'readwrite', durability, async (transaction) => {
        for (const write of group) await write.body(transaction);
      });
      for (const write of group) write.resolve();
    } catch (error) {
      const [only] = group;
      if (group.length === 1) only?.reject(error);
      else for (const write of group) await this.#writeGroup([write]);
    }
  }
}
