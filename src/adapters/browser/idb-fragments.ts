// FragmentStore over IndexedDB, with large blocks in files (block-files.ts) where there are some.
//
// A block exists while somebody claims it: a job that is writing ('job:…') or a fragment ('fragment:…'). It is one row, of
// `blocks` (its bytes) or of `slots` (where they lie). Invariants, kept by each transaction whole: such a row has at least
// one claim; a fragment row has an index row and claims on all its blocks. A claim may outlive its block (lost to a failing
// disk): the fragment then lacks that block until it is written again, by anybody. A slot is freed only once the
// transaction that removed its row is complete; one that a crash leaves without a row is free at the next start.
//
// Blocks are written with relaxed durability, and a fragment's row with strict, after the files were flushed. Should power
// fail right after, an engine may have kept the row and lost a block; reading finds that out, because every block is checked
// against its hash.

import type { IDBPTransaction } from 'idb';
import { equalBytes } from '../../core/model/bytes.ts';
import { PalmError } from '../../core/model/errors.ts';
import { blockKey, type BlockHash, type FragmentId, fragmentIdOf } from '../../core/model/ids.ts';
import type { FragmentStore, StoredFragment } from '../../core/ports.ts';
import type { Durability, PalmDatabase, PalmSchema } from './idb-database.ts';
import { GroupCommit } from './idb-group-commit.ts';
import type { BlockFiles } from './block-files.ts';
import {
  blockRow,
  decoded,
  decodeRows,
  fragmentRow,
  indexRow,
  ownBytes,
  slotRow,
  type SlotRow,
} from './idb-rows.ts';

type FragmentStores = ('blocks' | 'slots' | 'claims' | 'fragments' | 'indexes')[];
type ClaimChange = IDBPTransaction<PalmSchema, FragmentStores, 'readwrite'>;

/** Larger blocks lie in files, bytes: smaller ones share a transaction better than they fill a slot. */
const LARGE_BYTES = 128 * 1024;
/** A block may be replaced while it is read; it is looked for again this often. */
const MAX_LOOKS = 4;

interface Block {
  readonly hash: BlockHash;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Beside what `FragmentStore` says: `commit` and `getIndex` throw 'corrupt' when an index does not match its id. */
export class IdbFragmentStore implements FragmentStore {
  readonly #database: PalmDatabase;
  readonly #files: BlockFiles | undefined;
  readonly #writes: GroupCommit<FragmentStores>;
  readonly #onDamage: (rowCount: number) => void;

  /**
   * `files` know which slots the database names; without files, every block is a row. `onDamage` hears how many rows failed
   * their decoder and were removed.
   */
  constructor(database: PalmDatabase, files: BlockFiles | undefined, onDamage: (rowCount: number) => void) {
    this.#database = database;
    this.#files = files;
    this.#writes = new GroupCommit(database, ['blocks', 'slots', 'claims', 'fragments', 'indexes']);
    this.#onDamage = onDamage;
  }

  async putBlocks(owner: string, given: readonly Block[], hashes: 'claimed' | 'computed'): Promise<void> {
    const blocks = [...new Map(given.map((block) => [blockKey(block.hash), block])).values()];
    if (hashes === 'claimed' && !(await allMatch(blocks))) {
      throw new PalmError('corrupt', 'A block does not match its hash and was not stored.');
    }
    const slots = await this.#writeSlots(blocks);
    const rowBytes = blocks.reduce(
      (sum, { bytes }, at) => sum + (slots[at] === undefined ? bytes.length : 0),
      0,
    );
    try {
      await this.#change('relaxed', rowBytes, async (transaction, freed) => {
        const claims = transaction.objectStore('claims');
        await Promise.all(
          blocks.flatMap(({ hash, bytes }, at) => [
            putBlock(transaction, keyOf(hash), bytes, slots[at], freed),
            claims.put({ hash: keyOf(hash), owner: jobOwner(owner) }),
          ]),
        );
      });
    } catch (error) {
      for (const slot of slots) this.#free(slot);
      throw error;
    }
  }

  async getBlock(hash: BlockHash): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (let look = 1; ; look++) {
      const place = await this.#placeOf(hash);
      if (place === undefined) return undefined;
      const bytes = await this.#load(place);
      if (bytes !== undefined && (await matches(hash, bytes))) return bytes;
      const isDropped = await this.#dropUnlessReplaced(hash, place, bytes);
      if (isDropped || look === MAX_LOOKS) break;
    }
    throw new PalmError('corrupt', 'A stored block did not match its hash and was dropped.');
  }

  async hasBlocks(hashes: readonly BlockHash[]): Promise<boolean[]> {
    return this.#database.run(['blocks', 'slots'], 'readonly', 'relaxed', (transaction) =>
      Promise.all(
        hashes.map((hash) =>
          isThere(transaction.objectStore('blocks'), transaction.objectStore('slots'), hash),
        ),
      ),
    );
  }

  async commit(
    fragment: StoredFragment,
    indexBytes: Uint8Array,
    hashes: readonly BlockHash[],
  ): Promise<void> {
    const { fragmentId, fileId, fragment: index, blockBytes } = fragment;
    if (fragmentIdOf(indexBytes) !== fragmentId) {
      throw new PalmError('corrupt', 'A fragment index does not match its id and was not stored.');
    }
    this.#files?.flush();
    await this.#writes.write('strict', indexBytes.length, async (transaction) => {
      const [blocks, slots] = [transaction.objectStore('blocks'), transaction.objectStore('slots')];
      const present = await Promise.all(hashes.map((hash) => isThere(blocks, slots, hash)));
      if (present.includes(false)) {
        throw new PalmError('storage-failed', 'A fragment cannot be kept: one of its blocks is not here.');
      }
      const owner = fragmentOwner(fragmentId);
      await Promise.all([
        transaction.objectStore('fragments').put({ fragmentId, fileId, fragment: index, blockBytes }),
        transaction.objectStore('indexes').put(new Uint8Array(indexBytes), fragmentId),
        ...hashes.map((hash) => transaction.objectStore('claims').put({ hash: keyOf(hash), owner })),
      ]);
    });
  }

  async getIndex(fragmentId: FragmentId): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const row = await this.#database.run(['indexes'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('indexes').get(fragmentId),
    );
    if (row === undefined) return undefined;
    const bytes = decoded(row, indexRow);
    if (bytes !== undefined && fragmentIdOf(bytes) === fragmentId) return bytes;
    // Without its index a fragment is of no use; dropped, it can be repaired from others.
    await this.#dropAll([fragmentId]);
    this.#onDamage(1);
    throw new PalmError('corrupt', 'A stored fragment index did not match its id; the fragment was dropped.');
  }

  /** Rows that fail their decoder are removed with what they claim, and not listed. */
  async list(): Promise<StoredFragment[]> {
    const [keys, rows] = await this.#database.run(['fragments'], 'readonly', 'relaxed', (transaction) => {
      const fragments = transaction.objectStore('fragments');
      return Promise.all([fragments.getAllKeys(), fragments.getAll()]);
    });
    const { sound, damaged } = decodeRows(keys, rows, fragmentRow);
    if (damaged.length > 0) {
      await this.#dropAll(damaged);
      this.#onDamage(damaged.length);
    }
    return sound;
  }

  async drop(fragmentIds: readonly FragmentId[]): Promise<void> {
    await this.#dropAll(fragmentIds);
  }

  async release(owner: string): Promise<void> {
    await this.#change('relaxed', 0, (transaction, freed) => unclaim(transaction, jobOwner(owner), freed));
  }

  async owners(): Promise<string[]> {
    return this.#database.run(['claims'], 'readonly', 'relaxed', async (transaction) => {
      const jobs: string[] = [];
      const range = IDBKeyRange.bound(JOB, JOB + '\uffff');
      const index = transaction.objectStore('claims').index('owner');
      let cursor = await index.openKeyCursor(range, 'nextunique');
      while (cursor !== null) {
        jobs.push(cursor.key.slice(JOB.length));
        cursor = await cursor.continue();
      }
      return jobs;
    });
  }

  async clear(): Promise<void> {
    await this.#change('strict', 0, async (transaction, freed) => {
      for (const row of await transaction.objectStore('slots').getAll())
        freed.push(decoded(row, slotRow)?.slot);
      await Promise.all([
        transaction.objectStore('blocks').clear(),
        transaction.objectStore('slots').clear(),
        transaction.objectStore('claims').clear(),
        transaction.objectStore('fragments').clear(),
        transaction.objectStore('indexes').clear(),
      ]);
    });
  }

  async #dropAll(fragmentIds: readonly string[]): Promise<void> {
    await this.#change('relaxed', 0, async (transaction, freed) => {
      for (const fragmentId of fragmentIds) {
        await transaction.objectStore('fragments').delete(fragmentId);
        await transaction.objectStore('indexes').delete(fragmentId);
        await unclaim(transaction, FRAGMENT + fragmentId, freed);
      }
    });
  }

  /** A slot for each large block, with the block in it. */
  async #writeSlots(blocks: readonly Block[]): Promise<(number | undefined)[]> {
    const writing = blocks.map(async ({ bytes }) =>
      bytes.length > LARGE_BYTES ? this.#files?.write(bytes) : undefined,
    );
    const outcomes = await Promise.allSettled(writing);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    const slots = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined));
    if (failed === undefined) return slots;
    for (const slot of slots) this.#free(slot);
    throw failed.reason;
  }

  /** A change that may free slots: those that `body` pushes to `freed`, once it is complete. It may be carried out again. */
  async #change(
    durability: Durability,
    byteCount: number,
    body: (transaction: ClaimChange, freed: FreedSlots) => Promise<void>,
  ): Promise<void> {
    let freed: FreedSlots = [];
    await this.#writes.write(durability, byteCount, (transaction) => {
      freed = [];
      return body(transaction, freed);
    });
    for (const slot of freed) this.#free(slot);
  }

  #free(slot: number | undefined): void {
    if (slot !== undefined) this.#files?.free(slot);
  }

  async #placeOf(hash: BlockHash): Promise<Place | undefined> {
    const key = keyOf(hash);
    const [row, slot] = await this.#database.run(['blocks', 'slots'], 'readonly', 'relaxed', (transaction) =>
      Promise.all([transaction.objectStore('blocks').get(key), transaction.objectStore('slots').get(key)]),
    );
    return placeOf(row, slot);
  }

  /** The block's bytes as they are there; undefined when the row is damaged. */
  async #load(place: Place): Promise<Uint8Array<ArrayBuffer> | undefined> {
    switch (place.kind) {
      case 'damaged':
        return undefined;
      case 'row':
        return place.bytes;
      case 'slot':
        if (this.#files === undefined) {
          throw new PalmError(
            'storage-failed',
            'This browser does not give Palm its files now. Other devices keep their fragments; reload to try again.',
          );
        }
        return this.#files.read(place.row.slot, place.row.bytes);
    }
  }

  /** Deletes a block that was found corrupt, unless somebody wrote it anew meanwhile. Its claims stay. */
  async #dropUnlessReplaced(
    hash: BlockHash,
    place: Place,
    corrupt: Uint8Array | undefined,
  ): Promise<boolean> {
    let isDropped = false;
    await this.#change('relaxed', 0, async (transaction, freed) => {
      const key = keyOf(hash);
      const now = placeOf(
        await transaction.objectStore('blocks').get(key),
        await transaction.objectStore('slots').get(key),
      );
      isDropped = now !== undefined && isSamePlace(now, place, corrupt);
      if (isDropped) await deleteBlock(transaction, key, freed);
    });
    return isDropped;
  }
}

type FreedSlots = (number | undefined)[];

/** Where a block is. */
type Place =
  | { readonly kind: 'row'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'slot'; readonly row: SlotRow }
  | { readonly kind: 'damaged' };

function placeOf(row: unknown, slot: unknown): Place | undefined {
  if (slot !== undefined) {
    const sound = decoded(slot, slotRow);
    return sound === undefined ? { kind: 'damaged' } : { kind: 'slot', row: sound };
  }
  if (row === undefined) return undefined;
  const bytes = decoded(row, blockRow);
  return bytes === undefined ? { kind: 'damaged' } : { kind: 'row', bytes };
}

/** Whether `now` still is what was read as `corrupt` from `before`. */
function isSamePlace(now: Place, before: Place, corrupt: Uint8Array | undefined): boolean {
  if (now.kind === 'slot') return before.kind === 'slot' && now.row.slot === before.row.slot;
  if (now.kind === 'row') return corrupt !== undefined && equalBytes(now.bytes, corrupt);
  return before.kind === 'damaged';
}

const JOB = 'job:';
const FRAGMENT = 'fragment:';

function jobOwner(owner: string): string {
  return JOB + owner;
}

function fragmentOwner(fragmentId: FragmentId): string {
  return FRAGMENT + fragmentId;
}

interface Countable {
  count(key: BufferSource): Promise<number>;
}

async function isThere(blocks: Countable, slots: Countable, hash: BlockHash): Promise<boolean> {
  const key = keyOf(hash);
  const counts = await Promise.all([blocks.count(key), slots.count(key)]);
  return counts.some((count) => count > 0);
}

/** Puts a block in place of whatever is there under its hash: in `slot`, or as a row. */
async function putBlock(
  transaction: ClaimChange,
  key: Uint8Array<ArrayBuffer>,
  bytes: Uint8Array<ArrayBuffer>,
  slot: number | undefined,
  freed: FreedSlots,
): Promise<void> {
  const slots = transaction.objectStore('slots');
  const before = await slots.get(key);
  if (before !== undefined) freed.push(decoded(before, slotRow)?.slot);
  if (slot === undefined) {
    if (before !== undefined) await slots.delete(key);
    await transaction.objectStore('blocks').put(ownBytes(bytes), key); // a view would drag its whole buffer along
  } else {
    await transaction.objectStore('blocks').delete(key);
    await slots.put({ slot, bytes: bytes.length }, key);
  }
}

async function deleteBlock(transaction: ClaimChange, key: BufferSource, freed: FreedSlots): Promise<void> {
  const slots = transaction.objectStore('slots');
  const row = await slots.get(key);
  if (row !== undefined) freed.push(decoded(row, slotRow)?.slot);
  await Promise.all([slots.delete(key), transaction.objectStore('blocks').delete(key)]);
}

/** Ends `owner`'s claims, and deletes each block that nobody claims any more. */
async function unclaim(transaction: ClaimChange, owner: string, freed: FreedSlots): Promise<void> {
  const claims = transaction.objectStore('claims');
  const keys = await claims.index('owner').getAllKeys(owner);
  await Promise.all(keys.map((key) => claims.delete(key)));
  await Promise.all(
    keys.map(async ([hash]) => {
      // In IndexedDB's order an array sorts after every string, so this is every key that begins with the hash.
      const claimCount = await claims.count(IDBKeyRange.bound([hash], [hash, []]));
      if (claimCount === 0) await deleteBlock(transaction, hash, freed);
    }),
  );
}

async function allMatch(blocks: readonly Block[]): Promise<boolean> {
  const sound = await Promise.all(blocks.map(({ hash, bytes }) => matches(hash, bytes)));
  return !sound.includes(false);
}

async function matches(hash: BlockHash, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  return equalBytes(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), hash);
}

/** A copy with a buffer of its own, which is what IndexedDB takes for a key. */
function keyOf(hash: BlockHash): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hash);
}
