// StoreJournal over IndexedDB.
//
// A row has the file keys of a store in clear, as the database has the pool secret (`meta`): whoever can read this browser
// profile can read what is sealed of an unfinished file, as they could read the file itself beside it. For a private file
// these are the only keys outside its link, so a row goes as soon as its file is published or given up.
//
// A row is strict: what its keys seal is of no use without them. The blocks are the fragment store's (`kept`), with the hash of
// each segment that they seal.

import { PalmError } from '../../core/model/errors.ts';
import { checkGeometry } from '../../core/model/geometry.ts';
import {
  BLOCK_BYTES,
  GCM_TAG_BYTES,
  MAX_FRAGMENT_COUNT,
  MAX_MIME_BYTES,
  MAX_NAME_BYTES,
  MAX_PATH_BYTES,
} from '../../core/model/limits.ts';
import type { SourceHandle, StoreJournal, UnfinishedStore } from '../../core/ports.ts';
import { bad, boolOf, bytesOf, fieldsOf, textOf, uintOf } from '../../core/wire/decode.ts';
import type { PalmDatabase } from './idb-database.ts';
import { GroupCommit } from './idb-group-commit.ts';
import { decodeRows, ownBytes } from './idb-rows.ts';

const KEY_BYTES = 32;

export class IdbStoreJournal implements StoreJournal {
  readonly #database: PalmDatabase;
  readonly #writes: GroupCommit<'journal'[]>;
  readonly #onDamage: (rowCount: number) => void;

  /** `onDamage` hears how many rows failed their decoder and were removed. */
  constructor(database: PalmDatabase, onDamage: (rowCount: number) => void) {
    this.#database = database;
    this.#writes = new GroupCommit(database, ['journal']);
    this.#onDamage = onDamage;
  }

  async load(): Promise<{ stores: UnfinishedStore[]; damagedCount: number }> {
    const [keys, rows] = await this.#database.run(['journal'], 'readonly', 'relaxed', (transaction) => {
      const journal = transaction.objectStore('journal');
      return Promise.all([journal.getAllKeys(), journal.getAll()]);
    });
    const { sound, damaged } = decodeRows(keys, rows, unfinishedRow);
    for (const storeId of damaged) await this.end(storeId);
    if (damaged.length > 0) this.#onDamage(damaged.length);
    return { stores: sound.toSorted((a, b) => a.begunAtMs - b.begunAtMs), damagedCount: damaged.length };
  }

  async put(store: UnfinishedStore): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      await transaction.objectStore('journal').put(rowOf(store));
    });
  }

  async end(storeId: string): Promise<void> {
    await this.#writes.write('strict', 0, (transaction) =>
      transaction.objectStore('journal').delete(storeId),
    );
  }

  async clear(): Promise<void> {
    await this.#writes.write('strict', 0, (transaction) => transaction.objectStore('journal').clear());
  }
}

/** Exactly the row's fields, with bytes that drag no larger buffer along. A handle that is none of the browser's is left out. */
function rowOf(store: UnfinishedStore): Record<(typeof UNFINISHED_KEYS)[number], unknown> {
  return {
    storeId: store.storeId,
    name: store.name,
    path: store.path,
    mime: store.mime,
    modifiedMs: store.modifiedMs,
    isPrivate: store.isPrivate,
    size: store.size,
    k: store.k,
    n: store.n,
    blockBytes: store.blockBytes,
    linkKey: ownBytes(store.linkKey),
    sharedKey: ownBytes(store.sharedKey),
    salt: ownBytes(store.salt),
    handle: isFileHandle(store.handle) ? store.handle : undefined,
    begunAtMs: store.begunAtMs,
  };
}

const UNFINISHED_KEYS = [
  'storeId',
  'name',
  'path',
  'mime',
  'modifiedMs',
  'isPrivate',
  'size',
  'k',
  'n',
  'blockBytes',
  'linkKey',
  'sharedKey',
  'salt',
  'handle',
  'begunAtMs',
] as const;

export function unfinishedRow(row: unknown): UnfinishedStore {
  const fields = fieldsOf(row, UNFINISHED_KEYS);
  const keyOf = (name: 'linkKey' | 'sharedKey' | 'salt'): Uint8Array<ArrayBuffer> =>
    ownBytes(bytesOf(fields[name], KEY_BYTES, KEY_BYTES));
  const geometry = checkedGeometry({
    size: uintOf(fields['size'], Number.MAX_SAFE_INTEGER),
    k: uintOf(fields['k'], MAX_FRAGMENT_COUNT),
    n: uintOf(fields['n'], MAX_FRAGMENT_COUNT),
    blockBytes: uintOf(fields['blockBytes'], BLOCK_BYTES),
  });
  return {
    storeId: storeIdOf(fields['storeId']),
    name: nameOf(fields['name']),
    path: textOf(fields['path'], MAX_PATH_BYTES),
    mime: textOf(fields['mime'], MAX_MIME_BYTES),
    modifiedMs: uintOf(fields['modifiedMs'], Number.MAX_SAFE_INTEGER),
    isPrivate: boolOf(fields['isPrivate']),
    ...geometry,
    linkKey: keyOf('linkKey'),
    sharedKey: keyOf('sharedKey'),
    salt: keyOf('salt'),
    handle: handleOf(fields['handle']),
    begunAtMs: uintOf(fields['begunAtMs'], Number.MAX_SAFE_INTEGER),
  };
}

function checkedGeometry(geometry: Parameters<typeof checkGeometry>[0]): typeof geometry {
  if (geometry.k * geometry.blockBytes <= GCM_TAG_BYTES) throw bad('blocks too small to hold anything');
  try {
    checkGeometry(geometry, true);
  } catch (cause) {
    throw new PalmError('bad-message', 'An unfinished store has a geometry that cannot be.', { cause });
  }
  return geometry;
}

function storeIdOf(value: unknown): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{32}$/.test(value)) throw bad('a store id was expected');
  return value;
}

function nameOf(value: unknown): string {
  const name = textOf(value, MAX_NAME_BYTES);
  if (name === '') throw bad('a name was expected');
  return name;
}

function handleOf(value: unknown): SourceHandle | undefined {
  if (value === undefined) return undefined;
  if (isFileHandle(value)) return value;
  throw bad('a file handle was expected');
}

function isFileHandle(value: unknown): value is FileSystemFileHandle {
  return typeof FileSystemFileHandle === 'function' && value instanceof FileSystemFileHandle;
}
