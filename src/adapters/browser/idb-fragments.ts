// FragmentStore over IndexedDB.
//
// A block exists while somebody claims it: a job that is writing ('job:…') or a fragment ('fragment:…'). Invariants, kept
// by each transaction whole: a block row has at least one claim; a fragment row has an index row and claims on all its
// blocks. A claim may outlive its block (lost to a failing disk): the fragment then lacks that block until it is written
// again, by anybody.
//
// Blocks are written with relaxed durability, and a fragment's row with strict. Should power fail right after, an engine
// may have kept the row and lost a block (Chromium keeps large values in files of their own); reading finds that out,
// because every block is checked against its hash.

import type { IDBPTransaction } from 'idb';
import { equalBytes } from '../../core/model/bytes.ts';
import { PalmError } from '../../core/model/errors.ts';
import { type BlockHash, type FragmentId, fragmentIdOf } from '../../core/model/ids.ts';
import type { FragmentStore, StoredFragment } from '../../core/ports.ts';
import type { PalmDatabase, PalmSchema } from './idb-database.ts';
import { GroupCommit } from './idb-group-commit.ts';
import { blockRow, decoded, decodeRows, fragmentRow, indexRow, ownBytes } from './idb-rows.ts';

type FragmentStores = ('blocks' | 'claims' | 'fragments' | 'indexes')[];
type ClaimChange = IDBPTransaction<PalmSchema, FragmentStores, 'readwrite'>;

/** Beside what `FragmentStore` says: `commit` and `getIndex` throw 'corrupt' when an index does not match its id. */
export class IdbFragmentStore implements FragmentStore {
  readonly #database: PalmDatabase;
  readonly #writes: GroupCommit<FragmentStores>;
  readonly #onDamage: (rowCount: number) => void;

  /** `onDamage` hears how many rows failed their decoder and were removed. */
  constructor(database: PalmDatabase, onDamage: (rowCount: number) => void) {
    this.#database = database;
    this.#writes = new GroupCommit(database, ['blocks', 'claims', 'fragments', 'indexes']);
    this.#onDamage = onDamage;
  }

  async putBlocks(
    owner: string,
    blocks: readonly { hash: BlockHash; bytes: Uint8Array<ArrayBuffer> }[],
  ): Promise<void> {
    const sound = await Promise.all(blocks.map(({ hash, bytes }) => matches(hash, bytes)));
    if (sound.includes(false)) {
      throw new PalmError('corrupt', 'A block does not match its hash and was not stored.');
    }
    const byteCount = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    await this.#writes.write('relaxed', byteCount, async (transaction) => {
      const blockRows = transaction.objectStore('blocks');
      const claims = transaction.objectStore('claims');
      await Promise.all(
        blocks.flatMap(({ hash, bytes }) => [
          blockRows.put(ownBytes(bytes), keyOf(hash)), // a view would drag its whole buffer along
          claims.put({ hash: keyOf(hash), owner: jobOwner(owner) }),
        ]),
      );
    });
  }

  async getBlock(hash: BlockHash): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const row = await this.#database.run(['blocks'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('blocks').get(keyOf(hash)),
    );
    if (row === undefined) return undefined;
    const bytes = decoded(row, blockRow);
    if (bytes !== undefined && (await matches(hash, bytes))) return bytes;
    await this.#dropUnlessReplaced(hash, bytes);
    throw new PalmError('corrupt', 'A stored block did not match its hash and was dropped.');
  }

  async hasBlocks(hashes: readonly BlockHash[]): Promise<boolean[]> {
    const counts = await this.#database.run(['blocks'], 'readonly', 'relaxed', (transaction) =>
      Promise.all(hashes.map((hash) => transaction.objectStore('blocks').count(keyOf(hash)))),
    );
    return counts.map((count) => count > 0);
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
    await this.#writes.write('strict', indexBytes.length, async (transaction) => {
      const blocks = transaction.objectStore('blocks');
      const counts = await Promise.all(hashes.map((hash) => blocks.count(keyOf(hash))));
      if (counts.includes(0)) {
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
    await this.#writes.write('relaxed', 0, (transaction) => unclaim(transaction, jobOwner(owner)));
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
    await this.#writes.write('strict', 0, async (transaction) => {
      await Promise.all([
        transaction.objectStore('blocks').clear(),
        transaction.objectStore('claims').clear(),
        transaction.objectStore('fragments').clear(),
        transaction.objectStore('indexes').clear(),
      ]);
    });
  }

  async #dropAll(fragmentIds: readonly string[]): Promise<void> {
    await this.#writes.write('relaxed', 0, async (transaction) => {
      for (const fragmentId of fragmentIds) {
        await transaction.objectStore('fragments').delete(fragmentId);
        await transaction.objectStore('indexes').delete(fragmentId);
        await unclaim(transaction, FRAGMENT + fragmentId);
      }
    });
  }

  /** Deletes a block that was found corrupt, unless somebody wrote it anew meanwhile. Its claims stay. */
  async #dropUnlessReplaced(hash: BlockHash, corrupt: Uint8Array | undefined): Promise<void> {
    await this.#writes.write('relaxed', 0, async (transaction) => {
      const blocks = transaction.objectStore('blocks');
      const now = decoded(await blocks.get(keyOf(hash)), blockRow);
      const replaced = now !== undefined && (corrupt === undefined || !equalBytes(now, corrupt));
      if (!replaced) await blocks.delete(keyOf(hash));
    });
  }
}

const JOB = 'job:';
const FRAGMENT = 'fragment:';

function jobOwner(owner: string): string {
  return JOB + owner;
}

function fragmentOwner(fragmentId: FragmentId): string {
  return FRAGMENT + fragmentId;
}

/** Ends `owner`'s claims, and deletes each block that nobody claims any more. */
async function unclaim(transaction: ClaimChange, owner: string): Promise<void> {
  const claims = transaction.objectStore('claims');
  const blocks = transaction.objectStore('blocks');
  const keys = await claims.index('owner').getAllKeys(owner);
  await Promise.all(keys.map((key) => claims.delete(key)));
  await Promise.all(
    keys.map(async ([hash]) => {
      // In IndexedDB's order an array sorts after every string, so this is every key that begins with the hash.
      const claimCount = await claims.count(IDBKeyRange.bound([hash], [hash, []]));
      if (claimCount === 0) await blocks.delete(hash);
    }),
  );
}

async function matches(hash: BlockHash, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  return equalBytes(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), hash);
}

/** A copy with a buffer of its own, which is what IndexedDB takes for a key. */
function keyOf(hash: BlockHash): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hash);
}
