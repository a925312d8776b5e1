// Reads a whole object store, some rows at a time, because a device may have more than fits in memory.

import type { KeyRange, RowDatabase, RowKeys } from './row-database.ts';
import { decoded } from './rows.ts';

/** Rows read together: those of fragments have 40 bytes for each of their blocks. */
const ROWS_AT_ONCE = 64;
const KEYS_AT_ONCE = 4_096;

type Name = 'fragments' | 'kept' | 'journal' | 'secrets' | 'indexes';

/** Calls `take` with each row that `decode` accepts, and returns the keys of the others. */
export async function eachRow<Store extends Name, Row>(
  database: RowDatabase,
  name: Store,
  decode: (row: unknown) => Row,
  take: (row: Row, key: RowKeys[Store]) => void,
): Promise<RowKeys[Store][]> {
  const damaged: RowKeys[Store][] = [];
  let range: KeyRange | undefined;
  for (;;) {
    const from: KeyRange | undefined = range;
    const [keys, rows] = await database.run([name], 'readonly', 'relaxed', (transaction) => {
      const store = transaction.objectStore(name);
      return Promise.all([store.getAllKeys(from, ROWS_AT_ONCE), store.getAll(from, ROWS_AT_ONCE)]);
    });
    for (const [at, key] of keys.entries()) {
      const row = decoded(rows[at], decode);
      if (row === undefined) damaged.push(key);
      else take(row, key);
    }
    if (keys.length < ROWS_AT_ONCE) return damaged;
    range = { kind: 'after', key: keys.at(-1) };
  }
}

/** The keys of a store, in order. */
export async function allKeys<Store extends Name>(
  database: RowDatabase,
  name: Store,
): Promise<RowKeys[Store][]> {
  const all: RowKeys[Store][] = [];
  for (;;) {
    const range: KeyRange | undefined = all.length === 0 ? undefined : { kind: 'after', key: all.at(-1) };
    const keys = await database.run([name], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore(name).getAllKeys(range, KEYS_AT_ONCE),
    );
    all.push(...keys);
    if (keys.length < KEYS_AT_ONCE) return all;
  }
}
