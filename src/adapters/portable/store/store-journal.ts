// StoreJournal over the rows of a database.
//
// A row has the file keys and the name of a store, sealed under a key of its own that is erased when the
// store is published or discarded (sealed-rows.ts): for a private file these are the only keys outside its
// link. A file's handle cannot be sealed, and has its name. So that of a private file is not kept, and to
// continue its store on a later page the file must be chosen again. A device with a lock keeps none.
//
// A row is strict: anything sealed with its keys needs them. The blocks are the fragment store's (`kept`),
// with the hash of each segment that they seal.

import { PalmError } from '../../../core/model/errors.ts';
import { checkGeometry } from '../../../core/model/geometry.ts';
import {
  BLOCK_BYTES,
  GCM_TAG_BYTES,
  MAX_FRAGMENT_COUNT,
  MAX_MIME_BYTES,
  MAX_NAME_UNITS,
  MAX_PATH_BYTES,
} from '../../../core/model/limits.ts';
import type { SourceHandle, StoreJournal, UnfinishedStore } from '../../../core/ports.ts';
import {
  bad,
  boolOf,
  bytesOf,
  decodeCbor,
  encodeCbor,
  fieldsOf,
  textOf,
  uintOf,
} from '../../../core/encoding/decode.ts';
import { BegunWrites } from './begun-writes.ts';
import { GroupCommit } from './group-commit.ts';
import type { RowDatabase } from './row-database.ts';
import { decoded, keySlotOf, ownBytes } from './rows.ts';
import { eachRow } from './row-scan.ts';
import { type RowSeals, SEAL_BYTES } from './sealed-rows.ts';

const KEY_BYTES = 32;
/** More than the longest name, path and type with everything else. */
const MAX_ROW_BYTES = 8 * 1024;

export class RowStoreJournal implements StoreJournal {
  readonly #database: RowDatabase;
  readonly #seals: RowSeals;
  readonly #writes: GroupCommit<'journal'>;
  readonly #onDamage: (rowCount: number) => void;
  /** By store. Each begin of a store has an entry of its own. */
  readonly #slots = new Map<string, { readonly slot: number }>();
  readonly #begun = new BegunWrites();
  readonly #hasLock: () => boolean;

  private constructor(
    database: RowDatabase,
    seals: RowSeals,
    onDamage: (rowCount: number) => void,
    hasLock: () => boolean,
  ) {
    this.#database = database;
    this.#seals = seals;
    this.#onDamage = onDamage;
    this.#hasLock = hasLock;
    this.#writes = new GroupCommit(database, ['journal'], () => seals.flush());
  }

  /**
   * `onDamage` is told how many rows failed their decoder and were removed.
   * @throws PalmError 'storage-failed'.
   */
  static async open(
    database: RowDatabase,
    seals: RowSeals,
    onDamage: (rowCount: number) => void,
    hasLock: () => boolean = () => false,
  ): Promise<RowStoreJournal> {
    const journal = new RowStoreJournal(database, seals, onDamage, hasLock);
    // Rows that fail their decoder are removed when they are loaded.
    await eachRow(database, 'journal', journalRow, ({ storeId, slot }) =>
      journal.#slots.set(storeId, { slot }),
    );
    return journal;
  }

  async load(): Promise<{ stores: UnfinishedStore[]; damagedCount: number }> {
    const rows: JournalRow[] = [];
    const damaged = await eachRow(this.#database, 'journal', journalRow, (row) => rows.push(row));
    const stores: UnfinishedStore[] = [];
    for (const row of rows) {
      const opened = await this.#seals.open(row.slot, ['journal', row.storeId], row.sealed);
      const store =
        opened.kind === 'open' ? decoded(opened.bytes, () => storeOf(row, opened.bytes)) : undefined;
      if (store !== undefined) stores.push(store);
      else if (opened.kind === 'erased') await this.end(row.storeId);
      else damaged.push(row.storeId);
    }
    for (const storeId of damaged) await this.end(storeId);
    if (damaged.length > 0) this.#onDamage(damaged.length);
    return { stores: stores.toSorted((a, b) => a.begunAtMs - b.begunAtMs), damagedCount: damaged.length };
  }

  put(store: UnfinishedStore): Promise<void> {
    return this.#begun.write(() => this.#put(store));
  }

  async #put(store: UnfinishedStore): Promise<void> {
    const { storeId, isPrivate, handle } = store;
    const entry = this.#slots.get(storeId) ?? this.#newEntry();
    const { slot } = entry;
    this.#slots.set(storeId, entry);
    const sealed = await this.#seals.seal(slot, ['journal', storeId], encodeCbor(sealedFieldsOf(store)));
    // A handle that is not the browser's cannot be kept.
    const keptHandle = !isPrivate && !this.#hasLock() && isFileHandle(handle) ? handle : undefined;
    await this.#writes.write('strict', 0, async (transaction) => {
      // Its slot belongs to another row, or soon will.
      if (this.#slots.get(storeId) !== entry)
        throw new PalmError({ code: 'cancelled', reason: 'not-wanted' });
      await transaction.objectStore('journal').put({ storeId, slot, sealed, handle: keptHandle });
    });
  }

  async end(storeId: string): Promise<void> {
    const slot = this.#slots.get(storeId)?.slot;
    const slots = slot === undefined ? [] : [slot];
    this.#slots.delete(storeId);
    this.#seals.erase(slots);
    await this.#writes.write('strict', 0, (transaction) =>
      transaction.objectStore('journal').delete(storeId),
    );
    this.#seals.free(slots);
  }

  /** Handles have the names of files: rows no longer have them from now on. */
  async forgetHandles(): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      const rows = transaction.objectStore('journal');
      for (const row of await rows.getAll()) {
        const read = decoded(row, journalRow);
        if (read?.handle !== undefined) await rows.put({ ...read, handle: undefined });
      }
    });
  }

  clear(): Promise<void> {
    return this.#begun.clear(() => this.#clear());
  }

  #newEntry(): { readonly slot: number } {
    const [slot] = this.#seals.take(1);
    if (slot === undefined) throw new Error('one slot was taken');
    return { slot };
  }

  async #clear(): Promise<void> {
    const slots = Array.from(this.#slots.values(), ({ slot }) => slot);
    this.#slots.clear();
    this.#seals.erase(slots);
    await this.#writes.write('strict', 0, (transaction) => transaction.objectStore('journal').clear());
    this.#seals.free(slots);
  }
}

interface JournalRow {
  readonly storeId: string;
  readonly slot: number;
  readonly sealed: Uint8Array<ArrayBuffer>;
  readonly handle: SourceHandle | undefined;
}

function journalRow(row: unknown): JournalRow {
  const fields = fieldsOf(row, ['storeId', 'slot', 'sealed', 'handle']);
  return {
    storeId: storeIdOf(fields['storeId']),
    slot: keySlotOf(fields['slot']),
    sealed: ownBytes(bytesOf(fields['sealed'], 1, MAX_ROW_BYTES + SEAL_BYTES)),
    handle: handleOf(fields['handle']),
  };
}

type SealedKey = Exclude<(typeof UNFINISHED_KEYS)[number], 'storeId' | 'handle'>;

function sealedFieldsOf(store: UnfinishedStore): Record<SealedKey, unknown> {
  const { name, path, mime, modifiedMs, isPrivate, size, k, n, blockBytes, begunAtMs } = store;
  const { linkKey, sharedKey, salt } = store;
  return {
    name,
    path,
    mime,
    modifiedMs,
    isPrivate,
    size,
    k,
    n,
    blockBytes,
    begunAtMs,
    linkKey,
    sharedKey,
    salt,
  };
}

function storeOf({ storeId, handle }: JournalRow, bytes: Uint8Array): UnfinishedStore {
  const keys = UNFINISHED_KEYS.filter((key) => key !== 'storeId' && key !== 'handle');
  return unfinishedRow({ ...fieldsOf(decodeCbor(bytes, MAX_ROW_BYTES), keys), storeId, handle });
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

/** All of a store together, as rows had it up to version 5. */
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
    throw new PalmError(
      { code: 'bad-message', what: 'record', detail: 'an unfinished store of impossible geometry' },
      { cause },
    );
  }
  return geometry;
}

function storeIdOf(value: unknown): string {
  if (typeof value !== 'string' || !/^[0-9a-f]{32}$/.test(value)) throw bad('a store id was expected');
  return value;
}

function nameOf(value: unknown): string {
  // Three bytes of UTF-8 for each unit at most.
  const name = textOf(value, 3 * MAX_NAME_UNITS);
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
