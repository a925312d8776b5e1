// Upgrades a database of version 1 to 4 to version 5, the last under its name (old-database.ts), in the one
// transaction that IndexedDB gives for it: as a whole or not at all, and with everything in it.
//
// Version 2 added `journal`, and `sealed`: {storeId, segment, blocks}, the hashes of a sealed segment's
// blocks. Version 3 added `slots`: {slot, bytes} by block hash, the location of a block that is no row of
// `blocks`. Version 4 has locations in the rows of `fragments` and `kept` instead, so it has no `slots`,
// `sealed` or `claims` (which counted each block's owners). Version 5 has the hash of a sealed segment's
// plaintext next to its blocks, as `note`; before, all of a file's were `segmentHashes` in `journal`.

import { type IDBPTransaction, wrap } from 'idb';
import { decodeFragmentIndex } from '../../../core/coding/fragment-index.ts';
import { segmentCountOf } from '../../../core/model/geometry.ts';
import { type BlockHash, ownerOfStore } from '../../../core/model/ids.ts';
import { BLOCK_BYTES, MAX_FRAGMENT_COUNT, MAX_SEGMENT_COUNT } from '../../../core/model/limits.ts';
import { fieldsOf, textOf, tupleOf, uintOf } from '../../../core/encoding/decode.ts';
import { unfinishedRow } from '../../portable/store/store-journal.ts';
import { decoded, hashesOf, indexRow, type LocatedBlock, locationsOf } from '../../portable/store/rows.ts';

/** 32 hexadecimal digits. */
const STORE_ID_BYTES = 32;
const HASH_BYTES = 32;

type Upgrading = IDBPTransaction<unknown, string[], 'versionchange'>;

/** Upgrades `database`; `oldVersion` 0 means that it is new. If this rejects, abort the transaction. */
export async function upgrade(
  database: IDBDatabase,
  oldVersion: number,
  transaction: IDBTransaction,
): Promise<void> {
  const old = new Set<string>(database.objectStoreNames);
  for (const [name, keyPath] of STORES) {
    if (!old.has(name)) database.createObjectStore(name, { keyPath });
  }
  if (oldVersion === 0) return;
  const wrapped: unknown = wrap(transaction);
  const upgrading = wrapped as Upgrading; // idb does not know its mode
  if (oldVersion < 4) await locateFragments(upgrading);
  if (old.has('sealed')) await keepSealed(upgrading);
  if (old.has('journal')) await keepHashes(upgrading);
  for (const name of ['slots', 'claims', 'sealed']) if (old.has(name)) database.deleteObjectStore(name);
}

/** Of version 5. */
const STORES: readonly (readonly [string, string | string[] | null])[] = [
  ['blocks', null],
  ['kept', ['owner', 'keptAs']],
  ['fragments', 'fragmentId'],
  ['indexes', null],
  ['records', 'entryId'],
  ['outbox', null],
  ['meta', null],
  ['journal', 'storeId'],
];

/**
 * Gives each fragment's row the locations of its blocks. A fragment with an unreadable index is deleted:
 * nothing of it can be read.
 */
async function locateFragments(transaction: Upgrading): Promise<void> {
  const fragments = transaction.objectStore('fragments');
  const indexes = transaction.objectStore('indexes');
  for (let cursor = await fragments.openCursor(); cursor !== null; cursor = await cursor.continue()) {
    const hashes = blocksOfIndex(await indexes.get(cursor.primaryKey));
    if (hashes === undefined) {
      await Promise.all([cursor.delete(), indexes.delete(cursor.primaryKey)]);
      continue;
    }
    const row: unknown = cursor.value;
    const located = locationsOf(await locatedIn(transaction, hashes));
    await cursor.update({ ...(typeof row === 'object' ? row : {}), ...located });
  }
}

async function keepSealed(transaction: Upgrading): Promise<void> {
  const sealed = transaction.objectStore('sealed');
  for (let cursor = await sealed.openCursor(); cursor !== null; cursor = await cursor.continue()) {
    const row = decoded(cursor.value, sealedRow);
    if (row === undefined) continue;
    const { storeId, segment, blocks } = row;
    const located = locationsOf(await locatedIn(transaction, blocks));
    await transaction.objectStore('kept').put({ owner: ownerOfStore(storeId), keptAs: segment, ...located });
  }
}

/**
 * Moves the hashes of segments from the journal to their sealed blocks. Blocks without a hash are useless,
 * and are deleted.
 */
async function keepHashes(transaction: Upgrading): Promise<void> {
  const kept = transaction.objectStore('kept');
  const hashesByOwner = new Map<string, Uint8Array>();
  const journal = transaction.objectStore('journal');
  for (let cursor = await journal.openCursor(); cursor !== null; cursor = await cursor.continue()) {
    const row: unknown = cursor.value;
    if (typeof row !== 'object' || row === null || !('segmentHashes' in row)) continue;
    const { segmentHashes, ...others } = row;
    const store = decoded(others, unfinishedRow);
    const isWhole =
      store !== undefined &&
      segmentHashes instanceof Uint8Array &&
      segmentHashes.length === HASH_BYTES * segmentCountOf(store);
    if (!isWhole) {
      await cursor.delete();
      continue;
    }
    const owner = ownerOfStore(store.storeId);
    hashesByOwner.set(owner, segmentHashes);
    // The row of a segment may have been lost after its blocks left: it must have its hash all the same.
    for (let keptAs = 0; keptAs < segmentCountOf(store); keptAs++) {
      if ((await kept.count([owner, keptAs])) === 0) await kept.put({ owner, keptAs, ...locationsOf([]) });
    }
    await cursor.update(others);
  }
  for (let cursor = await kept.openCursor(); cursor !== null; cursor = await cursor.continue()) {
    const [owner, keptAs] = tupleOf(cursor.primaryKey, 2);
    const at = HASH_BYTES * Number(keptAs);
    const plainHash = hashesByOwner.get(String(owner))?.slice(at, at + HASH_BYTES);
    const row: unknown = cursor.value;
    if (typeof row === 'object' && plainHash?.length === HASH_BYTES)
      await cursor.update({ ...row, note: plainHash });
    else await cursor.delete();
  }
}

/** Where version 3 had these blocks; earlier versions had rows only. */
async function locatedIn(transaction: Upgrading, hashes: readonly BlockHash[]): Promise<LocatedBlock[]> {
  if (!transaction.objectStoreNames.contains('slots'))
    return hashes.map((hash) => ({ hash, slot: undefined, byteCount: 0 }));
  const slots = transaction.objectStore('slots');
  const rows: unknown[] = await Promise.all(hashes.map((hash) => slots.get(new Uint8Array(hash))));
  return hashes.map((hash, at) => {
    const location = decoded(rows[at], slotRow);
    return { hash, slot: location?.slot, byteCount: location?.bytes ?? 0 };
  });
}

function slotRow(row: unknown): { readonly slot: number; readonly bytes: number } {
  const fields = fieldsOf(row, ['slot', 'bytes']);
  return { slot: uintOf(fields['slot'], 2 ** 32 - 2), bytes: uintOf(fields['bytes'], BLOCK_BYTES) };
}

function sealedRow(row: unknown): {
  readonly storeId: string;
  readonly segment: number;
  readonly blocks: readonly BlockHash[];
} {
  const fields = fieldsOf(row, ['storeId', 'segment', 'blocks']);
  return {
    storeId: textOf(fields['storeId'], STORE_ID_BYTES),
    segment: uintOf(fields['segment'], MAX_SEGMENT_COUNT - 1),
    blocks: hashesOf(fields['blocks'], MAX_FRAGMENT_COUNT),
  };
}

function blocksOfIndex(index: unknown): readonly BlockHash[] | undefined {
  return decoded(index, (row) => decodeFragmentIndex(indexRow(row)).blocks);
}
