// A device's rows in SQLite: a table for each store, keys as bytes that sort as the keys do, values as V8
// serializes them for structured clones.
//
// Invariants: transactions run one after another, in the order of the calls; each happens as a whole or not
// at all; a strict one is on the disk when it resolves (the log is flushed at its commit), a relaxed one
// whenever a later strict one is.

import { existsSync, statSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { randomUUID } from 'node:crypto';
import { isWrongCall } from '../../../core/model/bug.ts';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
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
import { FolderError } from './folder-error.ts';
import { rowKeyBytes, rowKeyOf, rowKeysOf } from './row-key.ts';
import type { OpenSql, SqlDatabase, SqlStatement, SqlValue } from './sqlite.ts';

/** The version of the tables (FORMATS.md), in `user_version`. */
const VERSION = 1;
/** How long another connection of this process may hold the database, ms: a commit and its flush. */
const BUSY_MS = 10_000;
/** In `meta`: random text that tells this database from a later one of the same name. */
const DATABASE_ID = 'database-id';
/** The largest count that SQLite takes as a limit: all of them. */
const ALL_ROWS = -1;

export class SqliteDatabase implements RowDatabase {
  readonly #path: string;
  readonly #sql: SqlDatabase;
  readonly #statements = new Map<string, SqlStatement>();
  #durability: Durability | undefined;
  #before: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  #fileNumber = 0;
  #id = '';

  private constructor(path: string, sql: SqlDatabase) {
    this.#path = path;
    this.#sql = sql;
  }

  /**
   * Opens the database, and makes it the first time.
   * @throws FolderError when it is of a newer version: then nothing was written. PalmError 'storage-full',
   * 'storage-failed'.
   */
  static async open(path: string, openSql: OpenSql): Promise<SqliteDatabase> {
    try {
      const sql = openSql(path);
      try {
        const database = new SqliteDatabase(path, sql);
        database.#prepare();
        await database.#identify();
        return database;
      } catch (error) {
        sql.close();
        throw error;
      }
    } catch (error) {
      throw error instanceof FolderError ? error : storageFailure(error);
    }
  }

  run<Name extends StoreName, Answer>(
    stores: readonly Name[],
    mode: 'readonly' | 'readwrite',
    durability: Durability,
    body: (transaction: RowTransaction<Name>) => Promise<Answer>,
  ): Promise<Answer> {
    const done = this.#before.then(() => this.#run(stores, mode, durability, body));
    this.#before = done.catch(() => undefined);
    return done;
  }

  get idRow(): { readonly key: string; readonly value: unknown } {
    return { key: DATABASE_ID, value: this.#id };
  }

  async check(): Promise<void> {
    // The system keeps a removed file for those who have it open.
    if (existsSync(this.#path) && statSync(this.#path).ino === this.#fileNumber) return;
    throw new PalmError({ code: 'storage-failed', reason: 'gone' });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    void this.#before.then(() => this.#sql.close());
  }

  /** Resolves once `close` has closed the files. */
  async closed(): Promise<void> {
    this.close();
    await this.#before;
  }

  #prepare(): void {
    const version = versionOf(this.#sql);
    if (version > VERSION) throw new FolderError({ kind: 'newer', path: this.#path });
    this.#sql.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    this.#sql.exec('PRAGMA journal_mode = WAL');
    // Deleted rows are overwritten: what they seal cannot be opened any more, and need not lie about.
    this.#sql.exec('PRAGMA secure_delete = ON');
    this.#sql.exec('BEGIN IMMEDIATE');
    for (const [name] of ROW_STORES)
      this.#sql.exec(`CREATE TABLE IF NOT EXISTS "${name}" (key BLOB PRIMARY KEY, value BLOB NOT NULL)`);
    if (version < VERSION) this.#sql.exec(`PRAGMA user_version = ${VERSION}`);
    this.#sql.exec('COMMIT');
    this.#fileNumber = statSync(this.#path).ino;
  }

  async #identify(): Promise<void> {
    this.#id = await this.run(['meta'], 'readwrite', 'strict', async (transaction) => {
      const meta = transaction.objectStore('meta');
      const known = await meta.get(DATABASE_ID);
      if (typeof known === 'string') return known;
      const fresh = randomUUID();
      await meta.put(fresh, DATABASE_ID);
      return fresh;
    });
  }

  async #run<Name extends StoreName, Answer>(
    stores: readonly Name[],
    mode: 'readonly' | 'readwrite',
    durability: Durability,
    body: (transaction: RowTransaction<Name>) => Promise<Answer>,
  ): Promise<Answer> {
    if (this.#isClosed) throw new PalmError({ code: 'storage-failed', reason: 'closing' });
    try {
      this.#use(durability);
      this.#sql.exec(mode === 'readonly' ? 'BEGIN' : 'BEGIN IMMEDIATE');
      try {
        const answer = await body({
          objectStore: (name) => {
            if (!stores.includes(name)) throw new TypeError('a store that the transaction does not name');
            return this.#rows(name, mode === 'readwrite');
          },
        });
        this.#sql.exec('COMMIT');
        return answer;
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    } catch (error) {
      throw isPalmError(error) || isWrongCall(error) ? error : storageFailure(error);
    }
  }

  #use(durability: Durability): void {
    if (this.#durability === durability) return;
    this.#sql.exec(`PRAGMA synchronous = ${durability === 'strict' ? 'FULL' : 'NORMAL'}`);
    this.#durability = durability;
  }

  #rollBack(): void {
    try {
      this.#sql.exec('ROLLBACK');
    } catch {
      // A failed statement may have ended the transaction already.
    }
  }

  #rows<Name extends StoreName>(name: Name, mayWrite: boolean): Rows<RowKeys[Name]> {
    const written = (sql: string, ...values: readonly SqlValue[]): void => {
      if (!mayWrite) throw new TypeError('a write in a transaction of reads');
      this.#statement(sql).run(...values);
    };
    const listed = (column: 'key' | 'value', range: KeyRange | undefined, count = ALL_ROWS): Uint8Array[] => {
      const { where, values } = condition(range);
      const sql = `SELECT ${column} FROM "${name}" ${where} ORDER BY key LIMIT ?`;
      return this.#statement(sql)
        .all(...values, count)
        .map((row) => bytesIn(row, column));
    };
    return {
      get: async (key) => {
        const row = this.#statement(`SELECT value FROM "${name}" WHERE key = ?`).get(rowKeyBytes(key));
        return row === undefined ? undefined : cloneOf(bytesIn(row, 'value'));
      },
      getAll: async (range, count) => listed('value', range, count).map(cloneOf),
      async getAllKeys(range, count) {
        const keys = listed('key', range, count).map(rowKeyOf);
        return keys as RowKeys[Name][]; // as they were put
      },
      count: async () => {
        const row = this.#statement(`SELECT count(*) AS count FROM "${name}"`).get();
        return countIn(row);
      },
      put: async (value, key) => {
        const bytes = new Uint8Array(serialize(value));
        written(
          `INSERT OR REPLACE INTO "${name}" (key, value) VALUES (?, ?)`,
          rowKeyBytes(key ?? ownKey(name, value)),
          bytes,
        );
      },
      delete: async (key) => {
        if (isKeyRange(key)) {
          const { where, values } = condition(key);
          written(`DELETE FROM "${name}" ${where}`, ...values);
        } else written(`DELETE FROM "${name}" WHERE key = ?`, rowKeyBytes(key));
      },
      clear: async () => written(`DELETE FROM "${name}"`),
    };
  }

  #statement(sql: string): SqlStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#sql.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function versionOf(sql: SqlDatabase): number {
  const row = sql.prepare('PRAGMA user_version').get();
  const version = typeof row === 'object' && row !== null && 'user_version' in row ? row.user_version : 0;
  return typeof version === 'number' ? version : 0;
}

function condition(range: KeyRange | undefined): {
  readonly where: string;
  readonly values: readonly SqlValue[];
} {
  switch (range?.kind) {
    case undefined:
      return { where: '', values: [] };
    case 'after':
      return { where: 'WHERE key > ?', values: [rowKeyBytes(range.key)] };
    case 'of': {
      const { from, before } = rowKeysOf(range.item);
      return { where: 'WHERE key >= ? AND key < ?', values: [from, before] };
    }
    case 'only':
      return { where: 'WHERE key = ?', values: [rowKeyBytes(range.key)] };
  }
}

/** The key that a value has. @throws TypeError when it lacks one. */
function ownKey(name: StoreName, value: unknown): unknown {
  const path = ROW_STORES.find(([store]) => store === name)?.[1] ?? null;
  if (path === null) throw new TypeError('a row without a key');
  const field = (at: string): unknown =>
    typeof value === 'object' && value !== null ? Reflect.get(value, at) : undefined;
  return typeof path === 'string' ? field(path) : path.map(field);
}

/** What does not deserialize is a damaged row, which its decoder refuses. */
function cloneOf(bytes: Uint8Array): unknown {
  try {
    return deserialize(bytes);
  } catch {
    return undefined;
  }
}

function bytesIn(row: unknown, column: 'key' | 'value'): Uint8Array {
  const value: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, column) : undefined;
  if (value instanceof Uint8Array) return value;
  throw new Error('a row without bytes');
}

function countIn(row: unknown): number {
  const count: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, 'count') : undefined;
  return typeof count === 'number' ? count : 0;
}
