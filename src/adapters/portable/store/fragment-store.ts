// FragmentStore over the rows of a database and, where there are any, files (block-files.ts). Which blocks
// are here, and who counts them, is in memory (held-blocks.ts). On the disk a fragment is one row with its
// blocks' hashes and locations, and an owner whose blocks must outlive the page has a row for each set of
// them. So a block costs a write in place, and only a fragment costs a transaction.
//
// A fragment's index, which has its key share, and the hashes of kept segments are sealed, each under a key
// that is erased before its row is deleted (sealed-rows.ts). Blocks are ciphertext and need no sealing.
//
// Invariants: a fragment exists exactly when its row does and its key was not erased, and its blocks were
// durable before. A location that no row names is free: nobody was promised its bytes, so after a crash they
// are overwritten, or deleted when the store is opened. A returned block matches its hash.

import { PalmError } from '../../../core/model/errors.ts';
import {
  type BlockHash,
  blockKey,
  type BlockOwner,
  type FragmentId,
  fragmentIdOf,
  parseFragmentId,
} from '../../../core/model/ids.ts';
import type { FragmentStore, Keep, Kept, NewFragment, StoredFragment } from '../../../core/ports.ts';
import { BegunWrites } from './begun-writes.ts';
import { BlockBytes, type BlockWrite, putBlockRows } from './block-bytes.ts';
import { BlockFiles } from './block-files.ts';
import { type Block, matches, keyOf, allMatch } from './block-hashes.ts';
import type { HeldBlock, HeldBlocks } from './held-blocks.ts';
import { GroupCommit } from './group-commit.ts';
import { Keepers } from './keepers.ts';
import {
  allIndexesOf,
  allKeptBy,
  type FragmentDisk,
  type LoadedFragments,
  loadFragments,
} from './fragment-loading.ts';
import { decoded, decodeRows, fragmentRow, indexRow, keptRow, rowOfKept, locationsOf } from './rows.ts';
import { eachRow } from './row-scan.ts';
import type { RowDatabase, RowTransaction } from './row-database.ts';
import type { RowSeals } from './sealed-rows.ts';

type FragmentStores = 'blocks' | 'kept' | 'fragments' | 'indexes';
type Writing = RowTransaction<FragmentStores>;

/** A block may be rewritten while it is read; this is how often the read is tried. */
const MAX_LOOKS = 4;

/**
 * In addition to what `FragmentStore` says: `commit` and `getIndex` throw 'corrupt' when an index does not
 * match its id.
 */
export class RowFragmentStore implements FragmentStore {
  readonly #database: RowDatabase;
  readonly #files: BlockFiles | undefined;
  readonly #bytes: BlockBytes;
  readonly #seals: RowSeals;
  readonly #writes: GroupCommit<FragmentStores>;
  readonly #onDamage: (rowCount: number) => void;
  readonly #held: HeldBlocks;
  readonly #keepers: Keepers;
  /** Of the keys of their indexes. */
  readonly #slots: Map<FragmentId, number>;
  readonly #begun = new BegunWrites();

  private constructor(
    { database, seals, onDamage }: FragmentDisk,
    files: BlockFiles | undefined,
    { held, keepers, slots }: LoadedFragments,
  ) {
    this.#database = database;
    this.#files = files;
    this.#bytes = new BlockBytes(database, files);
    this.#seals = seals;
    this.#held = held;
    this.#keepers = new Keepers(seals, keepers);
    this.#slots = slots;
    this.#writes = new GroupCommit(database, ['blocks', 'kept', 'fragments', 'indexes'], () => seals.flush());
    this.#onDamage = onDamage;
  }

  /** Opens the store on the disk. @throws PalmError 'storage-failed'. */
  static async open(
    disk: FragmentDisk,
  ): Promise<{ readonly fragments: RowFragmentStore; readonly files: BlockFiles | undefined }> {
    const loaded = await loadFragments(disk);
    const slots = Array.from(loaded.held.all(), ({ slot }) => slot).filter((slot) => slot !== undefined);
    const files = disk.folder === undefined ? undefined : await BlockFiles.over(disk.folder, slots);
    return { fragments: new RowFragmentStore(disk, files, loaded), files };
  }

  putBlocks(...given: Parameters<FragmentStore['putBlocks']>): Promise<void> {
    return this.#begun.write(() => this.#putBlocks(...given));
  }

  async #putBlocks(
    owner: BlockOwner,
    given: readonly Block[],
    hashes: 'claimed' | 'computed',
    keep?: Keep,
  ): Promise<void> {
    if (hashes === 'claimed' && !(await allMatch(given))) {
      throw new PalmError({ code: 'corrupt', reason: 'block-not-stored' });
    }
    const claims = new Map(given.map((block) => [blockKey(block.hash), this.#claim(owner, block)]));
    const held = new Set(Array.from(claims.values(), (claim) => claim.held));
    // If its owner ends in the meantime, the slot being written must not be freed.
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

  async kept(owner: BlockOwner): Promise<Map<number, Kept>> {
    const range = allKeptBy(owner);
    const [keys, rows] = await this.#database.run(['kept'], 'readonly', 'relaxed', (transaction) => {
      const kept = transaction.objectStore('kept');
      return Promise.all([kept.getAllKeys(range), kept.getAll(range)]);
    });
    const { sound, damaged } = decodeRows(keys, rows, keptRow);
    if (damaged.length > 0) return new Map();
    const opened = await Promise.all(
      sound.map(({ slot, keptAs, note }) => this.#seals.open(slot, ['kept', owner, keptAs], note)),
    );
    const notes = opened.flatMap((hash) => (hash.kind === 'open' ? [hash.bytes] : []));
    if (notes.length < sound.length) return new Map();
    const kept = new Map(
      sound.map(({ keptAs, blocks }, at): [number, Kept] => {
        const hashes = blocks.map(({ hash }) => hash);
        const isWhole = hashes.length > 0 && hashes.every((hash) => this.#isHere(hash));
        return [keptAs, { note: itemAt(notes, at), blocks: isWhole ? hashes : undefined }];
      }),
    );
    this.#keepers.learn(owner, new Map(Array.from(kept, ([keptAs, { note }]) => [keptAs, note])));
    return kept;
  }

  async getBlock(
    hash: BlockHash,
    into?: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (let look = 1; look <= MAX_LOOKS; look++) {
      const held = this.#held.get(hash);
      if (held?.isHere !== true) return undefined;
      const { writeCount } = held;
      const bytes = await this.#bytes.read(held, into);
      if (bytes !== 'absent' && bytes !== 'damaged' && (await matches(hash, bytes))) return bytes;
      if (held.writeCount !== writeCount || this.#held.get(hash) !== held) continue;
      // It keeps its slot: the next put of the block writes there.
      held.isHere = false;
      if (bytes === 'absent') return undefined;
      break;
    }
    throw new PalmError({ code: 'corrupt', reason: 'block-dropped' });
  }

  async hasBlocks(hashes: readonly BlockHash[]): Promise<boolean[]> {
    return hashes.map((hash) => this.#isHere(hash));
  }

  commit(fragments: readonly NewFragment[]): Promise<void> {
    return this.#begun.write(() => this.#commit(fragments));
  }

  async #commit(fragments: readonly NewFragment[]): Promise<void> {
    const making = fragments.map((fragment) => this.#whole(fragment));
    for (const { counted } of making) this.#held.count(counted);
    let slots: readonly number[] = [];
    try {
      slots = this.#seals.take(making.length);
      const sealed = await Promise.all(
        making.map(({ stored, indexBytes }, at) =>
          this.#seals.seal(itemAt(slots, at), ['index', stored.fragmentId], indexBytes),
        ),
      );
      this.#files?.flush();
      const byteCount = fragments.reduce((sum, { indexBytes }) => sum + indexBytes.length, 0);
      await this.#writes.write('strict', byteCount, async (transaction) => {
        const rows = transaction.objectStore('fragments');
        const indexes = transaction.objectStore('indexes');
        await Promise.all(
          making.flatMap(({ stored, blocks }, at) => [
            // A request for a missing key costs as much as a write.
            ...(this.#slots.has(stored.fragmentId) ? [indexes.delete(allIndexesOf(stored.fragmentId))] : []),
            indexes.put(itemAt(sealed, at), [stored.fragmentId, itemAt(slots, at)]),
            rows.put({ ...stored, ...locationsOf(blocks) }),
          ]),
        );
      });
    } catch (error) {
      this.#giveUp(slots);
      await this.#free(making.flatMap(({ counted }) => this.#held.uncount(counted)));
      throw error;
    }
    this.#giveUp(making.flatMap(({ stored }) => this.#slots.get(stored.fragmentId) ?? []));
    for (const [at, { stored }] of making.entries()) this.#slots.set(stored.fragmentId, itemAt(slots, at));
    await this.#free(making.flatMap(({ stored, counted }) => this.#held.made(stored.fragmentId, counted)));
  }

  async getIndex(fragmentId: FragmentId): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const slot = this.#slots.get(fragmentId);
    if (slot === undefined) return undefined;
    const row = await this.#database.run(['indexes'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('indexes').get([fragmentId, slot]),
    );
    const sealed = row === undefined ? undefined : decoded(row, indexRow);
    const opened = sealed && (await this.#seals.open(slot, ['index', fragmentId], sealed));
    if (opened?.kind === 'open' && fragmentIdOf(opened.bytes) === fragmentId) return opened.bytes;
    // Rewritten, or let go, while it was read.
    if (this.#slots.get(fragmentId) !== slot) return this.getIndex(fragmentId);
    if (row === undefined || opened?.kind === 'erased') return undefined;
    // A fragment needs its index; dropped, it can be repaired from others.
    await this.#dropAll([fragmentId]);
    this.#onDamage(1);
    throw new PalmError({ code: 'corrupt', reason: 'fragment-dropped' });
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

  async release(owner: BlockOwner): Promise<void> {
    // Before its blocks are free: a row never names a slot that somebody else has.
    await this.#keepers.end(owner, () =>
      this.#writes.write('strict', 0, (transaction) =>
        transaction.objectStore('kept').delete(allKeptBy(owner)),
      ),
    );
    await this.#free(this.#held.release(owner));
  }

  async owners(): Promise<BlockOwner[]> {
    return this.#held.owners();
  }

  clear(): Promise<void> {
    return this.#begun.clear(() => this.#clear());
  }

  async #clear(): Promise<void> {
    const slots = [...this.#slots.values(), ...(await this.#keepers.takeAll())];
    this.#slots.clear();
    this.#seals.erase(slots);
    await this.#writes.write('strict', 0, async (transaction) => {
      const stores = (['blocks', 'kept', 'fragments', 'indexes'] as const).map((name) =>
        transaction.objectStore(name),
      );
      await Promise.all(stores.map((store) => store.clear()));
    });
    this.#seals.free(slots);
    this.#bytes.freeSlots(this.#held.clear());
  }

  /** From now on they are not here; then their keys are erased, and then their rows deleted. */
  async #dropAll(fragmentIds: readonly string[]): Promise<void> {
    const ids = fragmentIds.flatMap((id) => decoded(id, parseFragmentId) ?? []);
    const slots = ids.flatMap((id) => this.#slots.get(id) ?? []);
    for (const id of ids) this.#slots.delete(id);
    this.#seals.erase(slots);
    let rows: unknown[] = [];
    // Strict: a row that came back after a crash would name a slot that somebody else has by then.
    await this.#writes.write('strict', 0, async (transaction) => {
      const fragments = transaction.objectStore('fragments');
      rows = await Promise.all(fragmentIds.map((fragmentId) => fragments.get(fragmentId)));
      await Promise.all(
        fragmentIds.flatMap((fragmentId) => [
          fragments.delete(fragmentId),
          transaction.objectStore('indexes').delete(allIndexesOf(fragmentId)),
        ]),
      );
    });
    this.#seals.free(slots);
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
      throw new PalmError({ code: 'corrupt', reason: 'index-not-stored' });
    }
    const blocks = hashes.flatMap((hash) => this.#held.get(hash) ?? []);
    if (blocks.length < hashes.length || blocks.some(({ isHere }) => !isHere)) {
      throw new PalmError({ code: 'storage-failed', reason: 'block-missing' });
    }
    return { stored, indexBytes, hashes, blocks, counted: new Set(blocks) };
  }

  #claim(owner: BlockOwner, block: Block): Claim {
    const { hash, bytes } = block;
    const newSlot = (): number | undefined => this.#bytes.newSlot(bytes.length);
    const { block: held, isNew } = this.#held.claim(owner, { hash, byteCount: bytes.length, newSlot });
    return { held, isNew, bytes };
  }

  async #write(
    owner: BlockOwner,
    given: readonly Block[],
    claims: readonly Claim[],
    keep: Keep | undefined,
  ): Promise<void> {
    const { rows, byteCount } = await this.#bytes.write(claims);
    const putRows = (transaction: Writing): Promise<void> =>
      putBlockRows(transaction.objectStore('blocks'), rows);
    if (keep === undefined) {
      if (rows.length > 0) await this.#writes.write('relaxed', byteCount, putRows);
      return;
    }
    const blocks = given.flatMap(({ hash }) => this.#held.get(hash) ?? []);
    const readHashes = (): Promise<unknown> => this.kept(owner);
    await this.#keepers.write(owner, keep, readHashes, (slot, note) =>
      this.#writes.write('strict', byteCount, async (transaction) => {
        await putRows(transaction);
        const row = rowOfKept({ owner, keptAs: keep.as, slot, note, blocks });
        await transaction.objectStore('kept').put(row);
      }),
    );
  }

  #isHere(hash: BlockHash): boolean {
    return this.#held.get(hash)?.isHere === true;
  }

  /** These are no longer counted. */
  async #free(blocks: readonly HeldBlock[]): Promise<void> {
    const rows = this.#bytes.freeSlots(blocks);
    if (rows.length === 0) return;
    // A later put of one of them writes after this.
    await this.#writes.write('relaxed', 0, async (transaction) => {
      await Promise.all(rows.map(({ hash }) => transaction.objectStore('blocks').delete(keyOf(hash))));
    });
  }

  /** Keys that no row was written under, or whose rows were replaced. */
  #giveUp(slots: readonly number[]): void {
    this.#seals.erase(slots);
    this.#seals.free(slots);
  }
}

interface Claim extends BlockWrite {
  /** The owner did not claim it before. */
  readonly isNew: boolean;
}

/** Always defined: lists of the same length are walked together. */
function itemAt<Item>(items: readonly Item[], at: number): Item {
  const item = items[at];
  if (item === undefined) throw new Error('the lists have different lengths');
  return item;
}
