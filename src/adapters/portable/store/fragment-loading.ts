// Reads what this device has from the disk once, when its store is opened, and makes it consistent: a row
// whose key was erased was let go, and is deleted silently; a row that fails its decoder is damaged; blocks
// that no row names are deleted.
//
// Invariant: when `loadFragments` resolves, each row of `indexes` belongs to a fragment, and no two rows have
// one slot.

import {
  type BlockOwner,
  type FragmentId,
  ownerOfLoading,
  parseBlockOwner,
} from '../../../core/model/ids.ts';
import { hashOfKey } from './block-hashes.ts';
import { HeldBlocks, type HeldBlock } from './held-blocks.ts';
import {
  decoded,
  fragmentRow,
  type FragmentRow,
  indexKey,
  keptRow,
  type KeptRow,
  keySlotOf,
  type LocatedBlock,
} from './rows.ts';
import { allKeys, eachRow } from './row-scan.ts';
import type { PackFolder } from './pack-file.ts';
import type { KeyRange, RowDatabase } from './row-database.ts';
import { NO_SLOT, type RowSeals } from './sealed-rows.ts';

export interface FragmentDisk {
  readonly database: RowDatabase;
  /** Where large blocks lie; without, every block is a row. */
  readonly folder: PackFolder | undefined;
  readonly seals: RowSeals;
  /** Is told how many rows failed their decoder and were removed. */
  readonly onDamage: (rowCount: number) => void;
}

export interface LoadedFragments {
  readonly held: HeldBlocks;
  /** Slots of the keys of indexes. */
  readonly slots: Map<FragmentId, number>;
  /** Owners with rows in `kept`, with the slots of their keys. */
  readonly keepers: Map<BlockOwner, number>;
}

function asItIs(row: unknown): { readonly row: unknown } {
  return { row };
}

function slotOf(row: unknown): number {
  const slot = typeof row === 'object' && row !== null && 'slot' in row ? row.slot : NO_SLOT;
  return decoded(slot, keySlotOf) ?? NO_SLOT;
}

/**
 * Every slot that a row names, as often as it is named, before any row can be opened. The rows of a keeper
 * are one.
 */
export async function slotsNamed(database: RowDatabase): Promise<number[]> {
  const slots: number[] = [];
  for (const key of await allKeys(database, 'indexes')) slots.push(decoded(key, indexKey)?.slot ?? NO_SLOT);
  const keepers = new Map<string, number>();
  await eachRow(database, 'kept', asItIs, ({ row }, [owner]) => {
    const slot = slotOf(row);
    keepers.set(`${slot} ${owner}`, slot);
  });
  slots.push(...keepers.values());
  for (const name of ['journal', 'secrets'] as const)
    await eachRow(database, name, asItIs, ({ row }) => slots.push(slotOf(row)));
  return slots.filter((slot) => slot !== NO_SLOT);
}

export async function loadFragments({ database, seals, onDamage }: FragmentDisk): Promise<LoadedFragments> {
  const indexes = await soundIndexes(database, seals);
  const blocks = new NamedBlocks();
  const slots = new Map<FragmentId, number>();
  const letGo: string[] = [];
  const damaged = await eachRow(database, 'fragments', fragmentRow, (row) => {
    const { fragmentId } = row.stored;
    const slot = indexes.sound.get(fragmentId);
    if (slot === undefined && indexes.letGo.has(fragmentId)) {
      letGo.push(fragmentId);
      return;
    }
    // It is listed even without an index: a read of the index will find the damage.
    if (slot !== undefined) slots.set(fragmentId, slot);
    blocks.addFragment(row);
  });
  const keepers = new Map<BlockOwner, number>();
  const foreign = new Set<BlockOwner>();
  const damagedKept = await eachRow(database, 'kept', keptRow, (row) => {
    if ((keepers.get(row.owner) ?? row.slot) !== row.slot) foreign.add(row.owner);
    keepers.set(row.owner, row.slot);
    blocks.addKept(row);
  });
  const held = blocks.loaded();
  // Its owner can no longer say what belonged to it.
  const damagedOwners = new Set([...damagedKept.map(([owner]) => owner), ...foreign]);
  const erasedOwners = [...keepers].flatMap(([owner, slot]) => (seals.isErased(slot) ? [owner] : []));
  const endedOwners = [...damagedOwners, ...erasedOwners];
  const endedSlots: number[] = [];
  for (const owner of endedOwners.flatMap((name) => decoded(name, parseBlockOwner) ?? [])) {
    held.release(owner);
    endedSlots.push(keepers.get(owner) ?? NO_SLOT);
    keepers.delete(owner);
  }
  const strays = indexes.keys.filter(({ fragmentId, slot }) => slots.get(fragmentId) !== slot);
  endedSlots.push(...strays.map(({ slot }) => slot));
  seals.erase(endedSlots);
  seals.flush();
  await sweep(database, held, {
    fragments: [...damaged, ...letGo],
    indexes: [...indexes.unreadable, ...strays.map(({ fragmentId, slot }) => [fragmentId, slot])],
    owners: endedOwners,
  });
  seals.free(endedSlots);
  // Reported immediately. A read of one of these finds the damage, and then it is removed.
  const missingCount = [...slots.values(), ...keepers.values()].filter((slot) =>
    seals.isMissing(slot),
  ).length;
  const damageCount = damaged.length + damagedKept.length + foreign.size + missingCount;
  if (damageCount > 0) onDamage(damageCount);
  return { held, slots, keepers };
}

interface Indexes {
  /** All that can be read. */
  readonly keys: readonly { readonly fragmentId: FragmentId; readonly slot: number }[];
  readonly unreadable: readonly unknown[];
  readonly sound: ReadonlyMap<FragmentId, number>;
  /** Fragments whose index can no longer be opened. */
  readonly letGo: ReadonlySet<FragmentId>;
}

async function soundIndexes(database: RowDatabase, seals: RowSeals): Promise<Indexes> {
  const keys: { fragmentId: FragmentId; slot: number }[] = [];
  const unreadable: unknown[] = [];
  for (const key of await allKeys(database, 'indexes')) {
    const read = decoded(key, indexKey);
    if (read === undefined) unreadable.push(key);
    else keys.push(read);
  }
  const erased = keys.filter(({ slot }) => seals.isErased(slot));
  const isErased = new Set(erased);
  const sound = keys.filter((key) => !isErased.has(key));
  return {
    keys,
    unreadable,
    sound: new Map(sound.map(({ fragmentId, slot }) => [fragmentId, slot])),
    letGo: new Set(erased.map(({ fragmentId }) => fragmentId)),
  };
}

/** Blocks as rows name them. */
class NamedBlocks {
  readonly #held = new HeldBlocks();
  readonly #taken = new Set<number>();

  addFragment({ stored, blocks }: FragmentRow): void {
    const counted = new Set(blocks.map((located) => this.#claim(ownerOfLoading(), located)));
    this.#held.count(counted);
    this.#held.made(stored.fragmentId, counted);
  }

  addKept({ owner, blocks }: KeptRow): void {
    for (const located of blocks) this.#claim(owner, located);
  }

  loaded(): HeldBlocks {
    this.#held.release(ownerOfLoading());
    return this.#held;
  }

  #claim(owner: BlockOwner, located: LocatedBlock): HeldBlock {
    const { hash, byteCount } = located;
    const { block } = this.#held.claim(owner, { hash, byteCount, newSlot: () => this.#slotOf(located) });
    block.isHere = block.slot !== undefined;
    return block;
  }

  /** Two rows name one slot: the second's block is missing. */
  #slotOf({ slot }: LocatedBlock): number | undefined {
    if (slot === undefined || this.#taken.has(slot)) return undefined;
    this.#taken.add(slot);
    return slot;
  }
}

/** Deletes blocks that no row names, and their rows. Returns the remaining ones. */
async function sweep(
  database: RowDatabase,
  held: HeldBlocks,
  gone: {
    readonly fragments: readonly string[];
    readonly indexes: readonly unknown[];
    readonly owners: readonly string[];
  },
): Promise<void> {
  const hasSealed = gone.fragments.length + gone.indexes.length + gone.owners.length > 0;
  await database.run(
    ['blocks', 'fragments', 'indexes', 'kept'],
    'readwrite',
    hasSealed ? 'strict' : 'relaxed',
    async (transaction) => {
      const blocks = transaction.objectStore('blocks');
      const strays = (await blocks.getAllKeys()).filter((key) => {
        const block = held.get(hashOfKey(key));
        const isRow = block !== undefined && block.slot === undefined;
        if (isRow) block.isHere = true;
        return !isRow;
      });
      const indexes = transaction.objectStore('indexes');
      await Promise.all([
        ...strays.map((key) => blocks.delete(key)),
        ...gone.fragments.flatMap((key) => [
          transaction.objectStore('fragments').delete(key),
          indexes.delete(allIndexesOf(key)),
        ]),
        ...gone.indexes.map((key) => indexes.delete({ kind: 'only', key })),
        ...gone.owners.map((owner) => transaction.objectStore('kept').delete(allKeptBy(owner))),
      ]);
    },
  );
}

/** The keys of everything that `owner` kept. */
export function allKeptBy(owner: string): KeyRange {
  return { kind: 'of', item: owner };
}

/** The keys of a fragment's index, whichever slot it has: one at most. */
export function allIndexesOf(fragmentId: string): KeyRange {
  return { kind: 'of', item: fragmentId };
}
