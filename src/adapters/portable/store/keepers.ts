// Owners that kept blocks beyond their page, and the notes that they kept with them (`Keep`). The notes are
// sealed under one key for each owner.
//
// Invariants: an owner has one slot from its first keep until it is released; a number has one note; a slot
// is given up only when no row is being written under it.

import { equalBytes } from '../../../core/model/bytes.ts';
import { PalmError } from '../../../core/model/errors.ts';
import type { BlockOwner } from '../../../core/model/ids.ts';
import type { Keep } from '../../../core/ports.ts';
import type { RowSeals } from './sealed-rows.ts';

interface Keeper {
  readonly slot: number;
  /** By number; undefined while those of earlier pages were not read. */
  notes: Map<number, Uint8Array> | undefined;
  /** Running writes; never rejects. */
  readonly writing: Set<Promise<unknown>>;
}

export class Keepers {
  readonly #seals: RowSeals;
  readonly #keepers: Map<BlockOwner, Keeper>;

  /** `slots` are those of owners that earlier pages left. */
  constructor(seals: RowSeals, slots: ReadonlyMap<BlockOwner, number>) {
    this.#seals = seals;
    this.#keepers = new Map(
      Array.from(slots, ([owner, slot]) => [owner, { slot, notes: undefined, writing: new Set() }]),
    );
  }

  has(owner: BlockOwner): boolean {
    return this.#keepers.has(owner);
  }

  /** The notes that `owner` kept, as read from the disk. */
  learn(owner: BlockOwner, notes: ReadonlyMap<number, Uint8Array>): void {
    const keeper = this.#keepers.get(owner);
    if (keeper !== undefined) keeper.notes ??= new Map(notes);
  }

  /**
   * Has `write` write the sealed note under a slot. `read` reads those that were kept before.
   * @throws PalmError 'refused' when another note has the number; the errors of `write`.
   */
  async write(
    owner: BlockOwner,
    { as, note }: Keep,
    read: () => Promise<unknown>,
    write: (slot: number, sealedNote: Uint8Array<ArrayBuffer>) => Promise<void>,
  ): Promise<void> {
    const keeper = this.#keeperOf(owner);
    const writing = this.#write(owner, keeper, { as, note: new Uint8Array(note) }, read, write);
    const settled = writing.catch(() => undefined);
    keeper.writing.add(settled);
    try {
      await writing;
    } finally {
      keeper.writing.delete(settled);
    }
  }

  /** Has `deleteRows` delete an owner's rows, once nothing opens them. */
  async end(owner: BlockOwner, deleteRows: () => Promise<void>): Promise<void> {
    const keeper = this.#keepers.get(owner);
    if (keeper === undefined) return;
    this.#keepers.delete(owner);
    await Promise.all(keeper.writing);
    this.#seals.erase([keeper.slot]);
    await deleteRows();
    this.#seals.free([keeper.slot]);
  }

  /** Forgets all owners. Returns their slots, under which nobody writes now. */
  async takeAll(): Promise<number[]> {
    const keepers = [...this.#keepers.values()];
    this.#keepers.clear();
    await Promise.all(keepers.flatMap(({ writing }) => [...writing]));
    return keepers.map(({ slot }) => slot);
  }

  #keeperOf(owner: BlockOwner): Keeper {
    const known = this.#keepers.get(owner);
    if (known !== undefined) return known;
    const [slot] = this.#seals.take(1);
    if (slot === undefined) throw new Error('one slot was taken');
    const keeper = { slot, notes: new Map<number, Uint8Array>(), writing: new Set<Promise<unknown>>() };
    this.#keepers.set(owner, keeper);
    return keeper;
  }

  async #write(
    owner: BlockOwner,
    keeper: Keeper,
    { as, note }: Keep,
    read: () => Promise<unknown>,
    write: (slot: number, sealedNote: Uint8Array<ArrayBuffer>) => Promise<void>,
  ): Promise<void> {
    if (keeper.notes === undefined) await read();
    const notes = (keeper.notes ??= new Map());
    const before = notes.get(as);
    // Another job continues with the same note: the first one kept stays.
    if (before !== undefined && !equalBytes(before, note)) throw otherBytes();
    notes.set(as, note);
    try {
      await write(keeper.slot, await this.#seals.seal(keeper.slot, ['kept', owner, as], note));
    } catch (error) {
      if (before === undefined) notes.delete(as);
      throw error;
    }
  }
}

function otherBytes(): PalmError {
  return new PalmError({ code: 'refused', reason: 'stored-in-another-tab' });
}
