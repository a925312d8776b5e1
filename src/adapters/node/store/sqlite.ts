// The SQLite that this Node offers: its own from 22.13 on, else the package better-sqlite3, which is optional
// because its binary may be missing for a machine.

import { FolderError } from './folder-error.ts';

export interface SqlStatement {
  run(...values: readonly SqlValue[]): unknown;
  get(...values: readonly SqlValue[]): unknown;
  all(...values: readonly SqlValue[]): unknown[];
}

export type SqlValue = Uint8Array | number | string;

/** The part of both that is used. All calls are synchronous. */
export interface SqlDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqlStatement;
  close(): void;
}

export type OpenSql = (path: string) => SqlDatabase;

/** @throws FolderError where there is neither. */
export async function findSqlite(): Promise<OpenSql> {
  const own = await ownSqlite();
  if (own !== undefined) return own;
  try {
    const { default: Sqlite } = await import('better-sqlite3');
    new Sqlite(':memory:').close(); // its binary is loaded with the first database
    return (path) => new Sqlite(path);
  } catch (cause) {
    throw new FolderError({ kind: 'no-sqlite', node: process.versions.node }, cause);
  }
}

async function ownSqlite(): Promise<OpenSql | undefined> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 13)) return undefined;
  // Until 24.15 it warns that it may change; the few methods that are used have not.
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    const { DatabaseSync } = await import('node:sqlite');
    return (path) => new DatabaseSync(path);
  } finally {
    process.emitWarning = emitWarning;
  }
}
