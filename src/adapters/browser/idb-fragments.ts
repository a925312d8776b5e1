// FragmentStore over IndexedDB and, where there are any, files (block-files.ts). What is here and who counts it is in memory
// (held-blocks.ts); on the disk a fragment is one row with its blocks' hashes and places, and a job whose blocks must outlive
// the page has a row for each set of them. So a block costs a write in place, and a transaction is a fragment's.
//
// Invariants: a fragment exists exactly when its row does, and its blocks were durable before; what no row names is free, and
// was never promised to anybody: after a crash it is written over, or deleted when the store is opened; a block that is
// answered matches its hash.

import { equalBytes } from '../../core/model/bytes.ts';
import { PalmError } from '../../core/model/errors.ts';
import {
  type BlockHash,
  blockKey,
  type FragmentId,
  fragmentIdOf,
  parseBlockHash,
} from '../../core/model/ids.ts';
import type { FragmentStore, Keep, Kept, NewFragment, StoredFragment } from '../../core/ports.ts';
import { BlockFiles, type PackFolder } from './block-files.ts';
import { HeldBlocks, type HeldBlock } from './held-blocks.ts';
import type { PalmDatabase, PalmSchema } from './idb-database.ts';
import { GroupCommit } from './idb-group-commit.ts';
import {
  blockRow,
  decoded,
  decodeRows,
  fragmentRow,
  indexRow,
  keptRow,
  ownBytes,
  type PlacedBlock,
  placesOf,
} from './idb-rows.ts';

type FragmentStores = ('blocks' | 'kept' | 'fragments' | 'indexes')[];

/** Larger blocks lie in files, bytes: smaller ones share a transaction better than they fill a slot. */
const LARGE_BYTES = 128 * 1024;
/** Rows read at once when the store is opened: each has 40 bytes for each of its blocks. */
const ROWS_AT_ONCE = 64;
/** Counts what is being loaded until its fragments do. */
const LOADING = 'loading';
/** A block may be written anew while it is read; it is looked at again this often. */
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
  readonly #held: HeldBlocks;
  /** Jobs with rows in `kept`. */
  readonly #keepers: Set<string>;

  private constructor(
    database: PalmDatabase,
    files: BlockFiles | undefined,
    { held, keepers }: Held,
    onDamage: (rowCount: number) => void,
  ) {
    this.#database = database;
    this.#files = files;
    this.#held = held;
    this.#keepers = keepers;
    this.#writes = new GroupCommit(database, ['blocks', 'kept', 'fragments', 'indexes']);
    this.#onDamage = onDamage;
  }

  /**
   * Opens what is on the disk; without a folder every block is a row. `onDamage` hears how many rows failed their decoder and
   * were removed. @throws PalmError 'storage-failed'.
   */
  static async open(
    database: PalmDatabase,
    folder: PackFolder | undefined,
    onDamage: (rowCount: number) => void,
  ): Promise<{ readonly fragments: IdbFragmentStore; readonly files: BlockFiles | undefined }> {
    const held = await heldBlocks(database, onDamage);
    const slots = Array.from(held.held.all(), ({ slot }) => slot).filter((slot) => slot !== undefined);
    const files = folder === undefined ? undefined : await BlockFiles.over(folder, slots);
    return { fragments: new IdbFragmentStore(database, files, held, onDamage), files };
  }

  async putBlocks(
    owner: string,
    given: readonly Block[],
    hashes: 'claimed' | 'computed',
    keep?: Keep,
  ): Promise<void> {
    if (hashes === 'claimed' && !(await allMatch(given))) {
      throw new PalmError('corrupt', 'A block does not match its hash and was not stored.');
    }
    const claims = new Map(given.map((block) => [blockKey(block.hash), this.#claim(owner, block)]));
    const held = new Set(Array.from(claims.values(), (claim) => claim.held));
    // A job that ends meanwhile does not free a place that is being written.
    this.#held.count(held);
    try {
      await this.#write(owner, given, [...claims.values()], keep);
      for (const block of held) {
        block.isHere = true;
        block.writeCount += 1;
      }
    } catch (error) {
      const claimed = [...claims.values()].filter(({ isNew }) => isNew);
      await this.#free(
        this.#held.unclaim(
          owner,
          claimed.map((claim) => claim.held),
        ),
      );
      throw error;
    } finally {
      await this.#free(this.#held.uncount(held));
    }
  }

  async kept(owner: string): Promise<Map<number, Kept>> {
    const range = allKeptBy(owner);
    const [keys, rows] = await this.#database.run(['kept'], 'readonly', 'relaxed', (transaction) => {
      const kept = transaction.objectStore('kept');
      return Promise.all([kept.getAllKeys(range), kept.getAll(range)]);
    });
    const { sound, damaged } = decodeRows(keys, rows, keptRow);
    if (damaged.length > 0) return new Map();
    return new Map(
      sound.map(({ keptAs, note, blocks }) => {
        const hashes = blocks.map(({ hash }) => hash);
        const isWhole = hashes.length > 0 && hashes.every((hash) => this.#isHere(hash));
        return [keptAs, { note, blocks: isWhole ? hashes : undefined }];
      }),
    );
  }

  async getBlock(
    hash: BlockHash,
    into?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (let look = 1; look <= MAX_LOOKS; look++) {
      const held = this.#held.get(hash);
      if (held?.isHere !== true) return undefined;
      const { writeCount } = held;
      const bytes = await this.#load(held, into);
      if (bytes !== 'absent' && bytes !== 'damaged' && (await matches(hash, bytes))) return bytes;
      if (held.writeCount !== writeCount || this.#held.get(hash) !== held) continue;
      // Its place stays its own: whoever puts the block again writes it there.
      held.isHere = false;
      if (bytes === 'absent') return undefined;
      break;
    }
    throw new PalmError('corrupt', 'A stored block did not match its hash and was dropped.');
  }

  async hasBlocks(hashes: readonly BlockHash[]): Promise<boolean[]> {
    return hashes.map((hash) => this.#isHere(hash));
  }

  async commit(fragments: readonly NewFragment[]): Promise<void> {
    const making = fragments.map((fragment) => this.#whole(fragment));
    for (const { counted } of making) this.#held.count(counted);
    try {
      this.#files?.flush();
      const byteCount = fragments.reduce((sum, { indexBytes }) => sum + indexBytes.length, 0);
      await this.#writes.write('strict', byteCount, async (transaction) => {
        const rows = transaction.objectStore('fragments');
        const indexes = transaction.objectStore('indexes');
        await Promise.all(
          making.flatMap(({ stored, indexBytes, blocks }) => [
            rows.put({ ...stored, ...placesOf(blocks) }),
            indexes.put(new Uint8Array(indexBytes), stored.fragmentId),
          ]),
        );
      });
    } catch (error) {
      await this.#free(making.flatMap(({ counted }) => this.#held.uncount(counted)));
      throw error;
    }
    await this.#free(making.flatMap(({ stored, counted }) => this.#held.made(stored.fragmentId, counted)));
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

  /** Rows that fail their decoder are removed, and not listed. */
  async list(): Promise<StoredFragment[]> {
    const fragments: StoredFragment[] = [];
    const damaged = await eachRow(this.#database, 'fragments', fragmentRow, ({ stored }) =>
      fragments.push(stored),
    );
    if (damaged.length > 0) {
      await this.#dropAll(damaged);
      this.#onDamage(damaged.length);
    }
    return fragments;
  }

  async drop(fragmentIds: readonly FragmentId[]): Promise<void> {
    await this.#dropAll(fragmentIds);
  }

  async release(owner: string): Promise<void> {
    // Before its blocks are free: a row never names a place that somebody else has.
    if (this.#keepers.has(owner)) {
      await this.#writes.write('relaxed', 0, (transaction) =>
        transaction.objectStore('kept').delete(allKeptBy(owner)),
      );
      this.#keepers.delete(owner);
    }
    await this.#free(this.#held.release(owner));
  }

  async owners(): Promise<string[]> {
    return this.#held.jobs();
  }

  async clear(): Promise<void> {
    await this.#writes.write('strict', 0, async (transaction) => {
      const stores = (['blocks', 'kept', 'fragments', 'indexes'] as const).map((name) =>
        transaction.objectStore(name),
      );
      await Promise.all(stores.map((store) => store.clear()));
    });
    this.#keepers.clear();
    for (const { slot } of this.#held.clear()) this.#freeSlot(slot);
  }

  async #dropAll(fragmentIds: readonly string[]): Promise<void> {
    let rows: unknown[] = [];
    await this.#writes.write('relaxed', 0, async (transaction) => {
      const fragments = transaction.objectStore('fragments');
      rows = await Promise.all(fragmentIds.map((fragmentId) => fragments.get(fragmentId)));
      await Promise.all(
        fragmentIds.flatMap((fragmentId) => [
          fragments.delete(fragmentId),
          transaction.objectStore('indexes').delete(fragmentId),
        ]),
      );
    });
    const dropped = rows.flatMap((row) => decoded(row, fragmentRow) ?? []);
    await this.#free(
      dropped.flatMap(({ stored, blocks }) =>
        this.#held.dropped(
          stored.fragmentId,
          blocks.map(({ hash }) => hash),
        ),
      ),
    );
  }

  /** `counted`: its blocks, each once. @throws PalmError as `commit`. */
  #whole({ stored, indexBytes, hashes }: NewFragment): NewFragment & {
    readonly blocks: readonly HeldBlock[];
    readonly counted: ReadonlySet<HeldBlock>;
  } {
    if (fragmentIdOf(indexBytes) !== stored.fragmentId) {
      throw new PalmError('corrupt', 'A fragment index does not match its id and was not stored.');
    }
    const blocks = hashes.flatMap((hash) => this.#held.get(hash) ?? []);
    if (blocks.length < hashes.length || blocks.some(({ isHere }) => !isHere)) {
      throw new PalmError('storage-failed', 'A fragment cannot be kept: one of its blocks is not here.');
    }
    return { stored, indexBytes, hashes, blocks, counted: new Set(blocks) };
  }

  #claim(owner: string, block: Block): Claim {
    const { hash, bytes } = block;
    const newSlot = (): number | undefined =>
      bytes.length > LARGE_BYTES ? this.#files?.take(bytes.length) : undefined;
    const { block: held, isNew } = this.#held.claim(owner, { hash, byteCount: bytes.length, newSlot });
    return { held, isNew, bytes };
  }

  async #write(
    owner: string,
    given: readonly Block[],
    claims: readonly Claim[],
    keep: Keep | undefined,
  ): Promise<void> {
    const writing = claims.map(async ({ held, bytes }) => {
      held.byteCount = bytes.length;
      if (held.slot !== undefined) await this.#openFiles().write(held.slot, bytes);
    });
    const failed = (await Promise.allSettled(writing)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    const rows = claims.filter(({ held }) => held.slot === undefined);
    if (rows.length === 0 && keep === undefined) return;
    const placed = given.flatMap(({ hash }) => this.#held.get(hash) ?? []);
    if (keep !== undefined) this.#keepers.add(owner);
    const byteCount = rows.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const durability = keep === undefined ? 'relaxed' : 'strict';
    await this.#writes.write(durability, byteCount, async (transaction) => {
      const blocks = transaction.objectStore('blocks');
      // A view would drag its whole buffer along.
      await Promise.all(rows.map(({ held, bytes }) => blocks.put(ownBytes(bytes), keyOf(held.hash))));
      if (keep === undefined) return;
      const kept = transaction.objectStore('kept');
      // Somebody else goes on with the same: what was noted first stays.
      const before = decoded(await kept.get([owner, keep.as]), keptRow);
      if (before !== undefined && !equalBytes(before.note, keep.note)) throw otherNote();
      await kept.put({ owner, keptAs: keep.as, note: ownBytes(keep.note), ...placesOf(placed) });
    });
  }

  #openFiles(): BlockFiles {
    if (this.#files !== undefined) return this.#files;
    throw new PalmError(
      'storage-failed',
      'This browser does not give Palm its files now. Other devices keep their fragments; reload to try again.',
    );
  }

  async #load(
    { hash, slot, byteCount }: HeldBlock,
    into: Uint8Array<ArrayBuffer> | undefined,
  ): Promise<Uint8Array<ArrayBuffer> | 'absent' | 'damaged'> {
    if (slot !== undefined) {
      const isRoom = into !== undefined && into.length >= byteCount;
      return this.#openFiles().read(slot, isRoom ? into.subarray(0, byteCount) : new Uint8Array(byteCount));
    }
    const row = await this.#database.run(['blocks'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('blocks').get(keyOf(hash)),
    );
    return row === undefined ? 'absent' : (decoded(row, blockRow) ?? 'damaged');
  }

  #isHere(hash: BlockHash): boolean {
    return this.#held.get(hash)?.isHere === true;
  }

  /** Nobody counts these any more. */
  async #free(blocks: readonly HeldBlock[]): Promise<void> {
    const rows = blocks.filter(({ slot }) => slot === undefined);
    for (const { slot } of blocks) this.#freeSlot(slot);
    if (rows.length === 0) return;
    // Whoever puts one of them anew comes later, and writes after this.
    await this.#writes.write('relaxed', 0, async (transaction) => {
      await Promise.all(rows.map(({ hash }) => transaction.objectStore('blocks').delete(keyOf(hash))));
    });
  }

  #freeSlot(slot: number | undefined): void {
    if (slot !== undefined) this.#files?.free(slot);
  }
}

interface Claim {
  readonly held: HeldBlock;
  /** The owner did not claim it before. */
  readonly isNew: boolean;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Held {
  readonly held: HeldBlocks;
  /** Jobs with rows in `kept`. */
  readonly keepers: Set<string>;
}

/** What the disk says is here. Rows of blocks that nobody names, left by a crash, are deleted. */
async function heldBlocks(database: PalmDatabase, onDamage: (rowCount: number) => void): Promise<Held> {
  const held = new HeldBlocks();
  const keepers = new Set<string>();
  const takenSlots = new Set<number>();
  const place = ({ slot }: PlacedBlock): number | undefined => {
    // Two rows that name one slot: the second's block is not there.
    if (slot === undefined || takenSlots.has(slot)) return undefined;
    takenSlots.add(slot);
    return slot;
  };
  const claim = (owner: string, placed: PlacedBlock): HeldBlock => {
    const { hash, byteCount } = placed;
    const { block } = held.claim(owner, { hash, byteCount, newSlot: () => place(placed) });
    block.isHere = block.slot !== undefined;
    return block;
  };
  const damagedFragments = await eachRow(database, 'fragments', fragmentRow, ({ stored, blocks }) => {
    const counted = new Set(blocks.map((placed) => claim(LOADING, placed)));
    held.count(counted);
    held.made(stored.fragmentId, counted);
  });
  const damagedKept = await eachRow(database, 'kept', keptRow, ({ owner, blocks }) => {
    keepers.add(owner);
    for (const placed of blocks) claim(owner, placed);
  });
  held.release(LOADING);
  // Its owner cannot say any more what all of it was.
  const damagedOwners = new Set(damagedKept.map(([owner]) => owner));
  for (const owner of damagedOwners) {
    held.release(owner);
    keepers.delete(owner);
  }
  if (damagedFragments.length + damagedKept.length > 0)
    onDamage(damagedFragments.length + damagedKept.length);
  await database.run(
    ['blocks', 'fragments', 'indexes', 'kept'],
    'readwrite',
    'relaxed',
    async (transaction) => {
      const blocks = transaction.objectStore('blocks');
      const strays = (await blocks.getAllKeys()).filter((key) => {
        const block = held.get(hashOfKey(key));
        const isRow = block !== undefined && block.slot === undefined;
        if (isRow) block.isHere = true;
        return !isRow;
      });
      await Promise.all([
        ...strays.map((key) => blocks.delete(key)),
        ...damagedFragments.flatMap((key) => [
          transaction.objectStore('fragments').delete(key),
          transaction.objectStore('indexes').delete(key),
        ]),
        ...[...damagedOwners].map((owner) => transaction.objectStore('kept').delete(allKeptBy(owner))),
      ]);
    },
  );
  return { held, keepers };
}

function otherNote(): PalmError {
  return new PalmError(
    'refused',
    'Another tab is storing the same file from other bytes. Close all but one, then go on here.',
  );
}

/** The keys of everything that `owner` kept. */
function allKeptBy(owner: string): IDBKeyRange {
  return IDBKeyRange.bound([owner], [owner, []]);
}

/** Calls `take` with each row that `decode` does not refuse, some at a time, and answers the keys of the others. */
async function eachRow<Name extends 'fragments' | 'kept', Row>(
  database: PalmDatabase,
  name: Name,
  decode: (row: unknown) => Row,
  take: (row: Row) => void,
): Promise<PalmSchema[Name]['key'][]> {
  const damaged: PalmSchema[Name]['key'][] = [];
  let range: IDBKeyRange | null = null;
  for (;;) {
    const from: IDBKeyRange | null = range;
    const [keys, rows] = await database.run([name], 'readonly', 'relaxed', (transaction) => {
      const store = transaction.objectStore(name);
      return Promise.all([store.getAllKeys(from, ROWS_AT_ONCE), store.getAll(from, ROWS_AT_ONCE)]);
    });
    const decodedRows = decodeRows(keys, rows, decode);
    damaged.push(...decodedRows.damaged);
    for (const row of decodedRows.sound) take(row);
    if (keys.length < ROWS_AT_ONCE) return damaged;
    range = IDBKeyRange.lowerBound(keys.at(-1), true);
  }
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

/** Keys are written as views and come back as buffers. */
function hashOfKey(key: BufferSource): BlockHash {
  const bytes =
    key instanceof ArrayBuffer
      ? new Uint8Array(key)
      : new Uint8Array(key.buffer, key.byteOffset, key.byteLength);
  return parseBlockHash(bytes);
}
