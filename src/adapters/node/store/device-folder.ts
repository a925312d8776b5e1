// The folder that a device lives in (FORMATS.md, "The folder of a Node device"), and its one owner.
//
// Invariants: at most one process has it, found out by a lock of the system's, which ends with the process;
// a folder that is none of Palm's, or of a newer version, is not changed; everything in it is this user's
// alone.

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FolderError } from './folder-error.ts';
import { type OpenSql, findSqlite, type SqlDatabase } from './sqlite.ts';

const MARK_FILE = 'palm-device.json';
const LOCK_FILE = 'lock.db';
const PID_FILE = 'pid';
const VERSION = 1;
/** Between its number's going and the lock's, or the other way round, are two calls of one process, ms. */
const SETTLES_WITHIN_MS = 1_000;
const LOOK_EVERY_MS = 20;
const OWNER_ONLY_FOLDER = 0o700;
const OWNER_ONLY_FILE = 0o600;

export class DeviceFolder {
  readonly path: string;
  readonly openSql: OpenSql;
  readonly #lock: SqlDatabase;

  private constructor(path: string, openSql: OpenSql, lock: SqlDatabase) {
    this.path = path;
    this.openSql = openSql;
    this.#lock = lock;
  }

  /** Takes the folder, made if it is not there. @throws FolderError. */
  static async take(path: string): Promise<DeviceFolder> {
    const openSql = await findSqlite();
    try {
      claim(path);
      return new DeviceFolder(path, openSql, await lockOf(path, openSql));
    } catch (error) {
      if (error instanceof FolderError) throw error;
      throw new FolderError({ kind: 'unusable', path, code: codeOf(error) }, error);
    }
  }

  /** A path in it. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** A folder in it, made if it is not there. */
  folder(name: string): string {
    const path = this.file(name);
    mkdirSync(path, { recursive: true, mode: OWNER_ONLY_FOLDER });
    return path;
  }

  /** Makes the file of a database before SQLite does, so that nobody else may read it. */
  databaseFile(name: string): string {
    const path = this.file(name);
    writeFileSync(path, '', { flag: 'a', mode: OWNER_ONLY_FILE });
    return path;
  }

  /** Gives the folder up. */
  release(): void {
    rmSync(this.file(PID_FILE), { force: true });
    this.#lock.close();
  }
}

/** The process that has the folder, as far as it can be read. */
export function ownerOf(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(path, PID_FILE), 'utf8'));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined; // it has just begun, or ended
  }
}

function claim(path: string): void {
  if (versionOf(path) !== undefined) return;
  if (existsSync(path) && readdirSync(path).length > 0) throw new FolderError({ kind: 'foreign', path });
  mkdirSync(path, { recursive: true, mode: OWNER_ONLY_FOLDER });
  chmodSync(path, OWNER_ONLY_FOLDER);
  const mark = `${JSON.stringify({ kind: 'palm-device', version: VERSION })}\n`;
  writeFileSync(join(path, MARK_FILE), mark, { mode: OWNER_ONLY_FILE, flush: true });
}

/** Undefined where no device lives. @throws FolderError for a newer version, and for a mark of others. */
function versionOf(path: string): number | undefined {
  const file = join(path, MARK_FILE);
  if (!existsSync(file)) return undefined;
  const mark = jsonOf(readFileSync(file, 'utf8'));
  const isMark = typeof mark === 'object' && mark !== null && 'version' in mark;
  if (!isMark || typeof mark.version !== 'number') throw new FolderError({ kind: 'foreign', path });
  if (mark.version > VERSION) throw new FolderError({ kind: 'newer', path });
  return mark.version;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As `lockNow`. Who has the folder and no number there gives it up just now, or has just begun. */
async function lockOf(path: string, openSql: OpenSql): Promise<SqlDatabase> {
  const endMs = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    try {
      return lockNow(path, openSql);
    } catch (error) {
      const trouble = error instanceof FolderError ? error.trouble : undefined;
      const isSettling = trouble?.kind === 'taken' && trouble.pid === undefined;
      if (!isSettling || performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}

/** Held until it is closed or the process ends, however it ends. */
function lockNow(path: string, openSql: OpenSql): SqlDatabase {
  const file = join(path, LOCK_FILE);
  writeFileSync(file, '', { flag: 'a', mode: OWNER_ONLY_FILE });
  const lock = openSql(file);
  try {
    lock.exec('PRAGMA busy_timeout = 0');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (/locked|busy/iu.test(error instanceof Error ? error.message : ''))
      throw new FolderError({ kind: 'taken', path, pid: ownerOf(path) }, error);
    throw error;
  }
  try {
    writeFileSync(join(path, PID_FILE), String(process.pid), { mode: OWNER_ONLY_FILE });
  } catch (error) {
    lock.close();
    throw error;
  }
  return lock;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
