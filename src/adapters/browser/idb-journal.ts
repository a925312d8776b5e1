// StoreJournal over IndexedDB.
//
// A row has the file keys of a store in clear, as the database has the pool secret (`meta`): whoever can read this browser
// profile can read what is sealed of an unfinished file, as they could read the file itself beside it. For a private file
// these are the only keys outside its link, so a row goes as soon as its file is published or given up.
//
// A store's row is strict: from then on its keys have sealed something, and must not be lost while its blocks are kept.
// Notes of sealed segments are relaxed: one that is lost costs sealing that segment again, to the same bytes.

import { concatBytes } from '../../core/model/bytes.ts';
import { PalmError } from '../../core/model/errors.ts';
import { checkGeometry, segmentCountOf } from '../../core/model/geometry.ts';
import { type BlockHash, parseBlockHash } from '../../core/model/ids.ts';
import {
  BLOCK_BYTES,
  GCM_TAG_BYTES,
  MAX_FRAGMENT_COUNT,
  MAX_MIME_BYTES,
  MAX_NAME_BYTES,
  MAX_PATH_BYTES,
  MAX_SEGMENT_COUNT,
} from '../../core/model/limits.ts';
import type { SourceHandle, StoreJournal, UnfinishedStore } from '../../core/ports.ts';
import { bad, boolOf, bytesOf, fieldsOf, textOf, uintOf } from '../../core/wire/decode.ts';
import type { PalmDatabase } from './idb-database.ts';
import { GroupCommit } from './idb-group-commit.ts';
import { decoded, decodeRows, ownBytes } from './idb-rows.ts';

const KEY_BYTES = 32;
const HASH_BYTES = 32;

export class IdbStoreJournal implements StoreJournal {
  readonly #database: PalmDatabase;
  readonly #writes: GroupCommit<('journal' | 'sealed')[]>;
  readonly #onDamage: (rowCount: number) => void;

  /** `onDamage` hears how many rows failed their decoder and were removed. */
  constructor(database: PalmDatabase, onDamage: (rowCount: number) => void) {
    this.#database = database;
    this.#writes = new GroupCommit(database, ['journal', 'sealed']);
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
    await this.#writes.write('strict', store.segmentHashes.length, async (transaction) => {
      await transaction.objectStore('journal').put(rowOf(store));
    });
  }

  async noteSealed(storeId: string, segment: number, blocks: readonly BlockHash[]): Promise<void> {
    const row = { storeId, segment, blocks: concatBytes(...blocks) };
    await this.#writes.write('relaxed', row.blocks.length, async (transaction) => {
      await transaction.objectStore('sealed').put(row);
    });
  }

  async sealedSegments(storeId: string): Promise<number[]> {
    const keys = await this.#database.run(['sealed'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('sealed').getAllKeys(rowsOf(storeId)),
    );
    return keys.map(([, segment]) => segment);
  }

  async sealedBlocks(storeId: string, segment: number): Promise<BlockHash[] | undefined> {
    const row = await this.#database.run(['sealed'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('sealed').get([storeId, segment]),
    );
    return row === undefined ? undefined : decoded(row, sealedRow);
  }

  async end(storeId: string): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      await Promise.all([
        transaction.objectStore('journal').delete(storeId),
        transaction.objectStore('sealed').delete(rowsOf(storeId)),
      ]);
    });
  }

  async clear(): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      await Promise.all([
        transaction.objectStore('journal').clear(),
        transaction.objectStore('sealed').clear(),
      ]);
    });
  }
}

/** In IndexedDB's order an array sorts after every number, so this is every segment of the store. */
function rowsOf(storeId: string): IDBKeyRange {
  return IDBKeyRange.bound([storeId], [storeId, []]);
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
    segmentHashes: ownBytes(store.segmentHashes),
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
  'segmentHashes',
  'handle',
  'begunAtMs',
] as const;

function unfinishedRow(row: unknown): UnfinishedStore {
  const fields = fieldsOf(row, UNFINISHED_KEYS);
  const keyOf = (name: 'linkKey' | 'sharedKey' | 'salt'): Uint8Array<ArrayBuffer> =>
    ownBytes(bytesOf(fields[name], KEY_BYTES, KEY_BYTES));
  const geometry = {
    size: uintOf(fields['size'], Number.MAX_SAFE_INTEGER),
    k: uintOf(fields['k'], MAX_FRAGMENT_COUNT),
    n: uintOf(fields['n'], MAX_FRAGMENT_COUNT),
    blockBytes: uintOf(fields['blockBytes'], BLOCK_BYTES),
  };
  const hashBytes = HASH_BYTES * segmentCountOf(checkedGeometry(geometry));
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
    segmentHashes: ownBytes(bytesOf(fields['segmentHashes'], hashBytes, hashBytes)),
    handle: handleOf(fields['handle']),
    begunAtMs: uintOf(fields['begunAtMs'], Number.MAX_SAFE_INTEGER),
  };
}

function sealedRow(row: unknown): BlockHash[] {
  const fields = fieldsOf(row, ['storeId', 'segment', 'blocks']);
  storeIdOf(fields['storeId']);
  uintOf(fields['segment'], MAX_SEGMENT_COUNT - 1);
  const bytes = bytesOf(fields['blocks'], HASH_BYTES, HASH_BYTES * MAX_FRAGMENT_COUNT);
  if (bytes.length % HASH_BYTES !== 0) throw bad('whole block hashes were expected');
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, index) =>
    parseBlockHash(bytes.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES)),
  );
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
