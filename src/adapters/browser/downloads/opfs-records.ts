// The records of downloads that are unfinished or were delivered recently. They are in an IndexedDB database
// of their own, because only a database can keep a handle that the person picked, and the pool's database
// must not change its version for that.
//
// A record has no name: the file's is in the catalogue, which the pool secret opens, and a row here cannot be
// erased.
//
// Invariants: every record passes a decoder, and one that does not is removed; a file has at most one.

import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { isPalmError } from '../../../core/model/errors.ts';
import { type FileId, parseFileId } from '../../../core/model/ids.ts';
import { storageFailure } from '../../portable/store/storage-failure.ts';
import { openPatiently } from '../store/idb-opening.ts';

export type RecordedDestination =
  /** A file in OPFS, named by its file id. */
  | { readonly kind: 'kept' }
  /** A file outside, picked by the person. `modifiedMs`: when Palm last changed it, by its own time stamp. */
  | { readonly kind: 'picked'; readonly handle: FileSystemFileHandle; readonly modifiedMs: number };

export interface DownloadRecord {
  readonly fileId: FileId;
  /** Bytes of the whole file. */
  readonly size: number;
  readonly destination: RecordedDestination;
  /** Bytes from its beginning that are on the disk, and so survive this page. */
  readonly durableBytes: number;
  /** When it began, ms since the Unix epoch. */
  readonly startedAtMs: number;
  /**
   * When it was delivered to the browser, whole, ms since the Unix epoch; undefined while it is unfinished.
   */
  readonly handedAtMs: number | undefined;
}

interface RecordsSchema extends DBSchema {
  downloads: { key: string; value: unknown };
}

const DATABASE_NAME = 'palm-downloads';
const SCHEMA_VERSION = 1;

/** Every method throws PalmError 'storage-full' or 'storage-failed'. */
export class DownloadRecords {
  readonly #name: string;
  #opening: Promise<IDBPDatabase<RecordsSchema>> | undefined;

  constructor(name = DATABASE_NAME) {
    this.#name = name;
  }

  /** Oldest first. */
  async load(): Promise<DownloadRecord[]> {
    const values = await this.#run((database) => database.getAll('downloads'));
    const records = values.map(decodeRecord).filter((record) => record !== undefined);
    // Earlier versions stored names in them.
    if (records.length < values.length || values.some(hasName)) await this.#keepOnly(records);
    return records.toSorted((a, b) => a.startedAtMs - b.startedAtMs);
  }

  async put(record: DownloadRecord): Promise<void> {
    await this.#run((database) => database.put('downloads', rowOf(record)));
  }

  async drop(fileId: FileId): Promise<void> {
    await this.#run((database) => database.delete('downloads', fileId));
  }

  async #keepOnly(records: readonly DownloadRecord[]): Promise<void> {
    await this.#run(async (database) => {
      const transaction = database.transaction('downloads', 'readwrite');
      await transaction.store.clear();
      for (const record of records) await transaction.store.put(rowOf(record));
      await transaction.done;
    });
  }

  async #run<Answer>(work: (database: IDBPDatabase<RecordsSchema>) => Promise<Answer>): Promise<Answer> {
    try {
      return await work(await this.#open());
    } catch (error) {
      throw isPalmError(error) ? error : storageFailure(error);
    }
  }

  async #open(): Promise<IDBPDatabase<RecordsSchema>> {
    const forget = (): void => {
      this.#opening = undefined;
    };
    this.#opening ??= openPatiently(() =>
      openDB<RecordsSchema>(this.#name, SCHEMA_VERSION, {
        upgrade: (database) => void database.createObjectStore('downloads', { keyPath: 'fileId' }),
        blocking: (_current, _blocked, event) => {
          forget();
          if (event.target instanceof IDBDatabase) event.target.close();
        },
        terminated: forget,
      }),
    );
    try {
      return await this.#opening;
    } catch (error) {
      forget();
      throw error;
    }
  }
}

/** The form that `decodeRecord` reads: it calls a destination a place. */
function rowOf({ destination, ...others }: DownloadRecord): object {
  return { ...others, place: destination };
}

function decodeRecord(value: unknown): DownloadRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('fileId' in value && 'size' in value && 'place' in value)) return undefined;
  if (!('durableBytes' in value && 'startedAtMs' in value && 'handedAtMs' in value)) return undefined;
  const { size, durableBytes, startedAtMs, handedAtMs } = value;
  const fileId = decodeFileId(value.fileId);
  const destination = decodeDestination(value.place);
  if (fileId === undefined || destination === undefined) return undefined;
  if (!isCount(size) || !isCount(durableBytes) || durableBytes > size) return undefined;
  if (!isCount(startedAtMs) || (handedAtMs !== undefined && !isCount(handedAtMs))) return undefined;
  return { fileId, size, destination, durableBytes, startedAtMs, handedAtMs };
}

function hasName(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'name' in value;
}

function decodeFileId(value: unknown): FileId | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return parseFileId(value);
  } catch (error) {
    if (isPalmError(error)) return undefined;
    throw error;
  }
}

function decodeDestination(value: unknown): RecordedDestination | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  if (value.kind === 'kept') return { kind: 'kept' };
  if (value.kind !== 'picked' || !('handle' in value && 'modifiedMs' in value)) return undefined;
  const { handle, modifiedMs } = value;
  if (!isFileHandle(handle) || !isCount(modifiedMs)) return undefined;
  return { kind: 'picked', handle, modifiedMs };
}

function isFileHandle(value: unknown): value is FileSystemFileHandle {
  return typeof FileSystemFileHandle === 'function' && value instanceof FileSystemFileHandle;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
