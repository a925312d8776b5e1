// Jobs that kept blocks beyond their page, and what each noted with them: hashes of plaintext, which are sealed under one key
// for each job.
//
// Invariants: a job has one slot from its first keep until it is released; a number has one note; a slot is given up only when
// nobody writes a row under it any more.

import { equalBytes } from '../../../core/model/bytes.ts';
import { PalmError } from '../../../core/model/errors.ts';
import type { Keep } from '../../../core/ports.ts';
import type { RowSeals } from './sealed-rows.ts';

interface Keeper {
  readonly slot: number;
  /** By number; undefined while those of earlier pages were not read. */
  notes: Map<number, Uint8Array> | undefined;
  /** What is being written; it never rejects. */
  readonly writing: Set<Promise<unknown>>;
}

export class Keepers {
  readonly #seals: RowSeals;
  readonly #keepers: Map<string, Keeper>;

  /** `slots` are those of jobs that earlier pages left. */
  constructor(seals: RowSeals, slots: ReadonlyMap<string, number>) {
    this.#seals = seals;
    this.#keepers = new Map(
      Array.from(slots, ([owner, slot]) => [owner, { slot, notes: undefined, writing: new Set() }]),
    );
  }

  has(owner: string): boolean {
    return this.#keepers.has(owner);
  }

  /** What `owner` noted, as it was read from the disk. */
  learn(owner: string, notes: ReadonlyMap<number, Uint8Array>): void {
    const keeper = this.#keepers.get(owner);
    if (keeper !== undefined) keeper.notes ??= new Map(notes);
  }

  /**
   * Has `write` write the note, sealed, under a slot. `read` reads what was noted before.
   * @throws PalmError 'refused' when another note has the number; what `write` throws.
   */
  async write(
    owner: string,
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

  /** Has `deleteRows` delete the rows of a job, once nothing opens them any more. */
  async end(owner: string, deleteRows: () => Promise<void>): Promise<void> {
    const keeper = this.#keepers.get(owner);
    if (keeper === undefined) return;
    this.#keepers.delete(owner);
    await Promise.all(keeper.writing);
    this.#seals.erase([keeper.slot]);
    await deleteRows();
    this.#seals.free([keeper.slot]);
  }

  /** Forgets all jobs, and returns their slots, under which nobody writes any more. */
  async takeAll(): Promise<number[]> {
    const keepers = [...this.#keepers.values()];
    this.#keepers.clear();
    await Promise.all(keepers.flatMap(({ writing }) => [...writing]));
    return keepers.map(({ slot }) => slot);
  }

  #keeperOf(owner: string): Keeper {
    const known = this.#keepers.get(owner);
    if (known !== undefined) return known;
    const [slot] = this.#seals.take(1);
    if (slot === undefined) throw new Error('One slot was taken.');
    const keeper = { slot, notes: new Map<number, Uint8Array>(), writing: new Set<Promise<unknown>>() };
    this.#keepers.set(owner, keeper);
    return keeper;
  }

  async #write(
    owner: string,
    keeper: Keeper,
    { as, note }: Keep,
    read: () => Promise<unknown>,
    write: (slot: number, sealedNote: Uint8Array<ArrayBuffer>) => Promise<void>,
  ): Promise<void> {
    if (keeper.notes === undefined) await read();
    const notes = (keeper.notes ??= new Map());
    const before = notes.get(as);
    // Somebody else goes on with the same: what was noted first stays.
    if (before !== undefined && !equalBytes(before, note)) throw otherNote();
    notes.set(as, note);
    try {
      await write(keeper.slot, await this.#seals.seal(keeper.slot, ['kept', owner, as], note));
    } catch (error) {
      if (before === undefined) notes.delete(as);
      throw error;
    }
  }
}

function otherNote(): PalmError {
  return new PalmError(
    'refused',
    'Another tab is storing the same file from other bytes. Close all but one, then go on here.',
  );
}
