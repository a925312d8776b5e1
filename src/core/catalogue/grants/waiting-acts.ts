// Acts that are not in the graph yet, because one before them is not here or there is no room, and what is
// known of acts that others need.

import type { DeviceId, EntryId } from '../../model/ids.ts';
import { MAX_NEEDS } from '../../model/limits.ts';
import type { Act } from './act-body.ts';

/** A writer whose waiting acts come after an act, and its least rank. */
export interface Need {
  readonly by: DeviceId;
  readonly rank: number;
}

/** All ids are those of acts. */
export class WaitingActs<Item extends Act> {
  /** The oldest first. */
  readonly #acts = new Map<EntryId, Item>();
  readonly #byWriter = new Map<DeviceId, Set<EntryId>>();
  /** By an act that is not in the graph: the waiting ones that name it. */
  readonly #after = new Map<EntryId, Set<EntryId>>();
  /** Of two writers each: one may be the act's own. */
  readonly #needs = new Map<EntryId, readonly Need[]>();

  get isEmpty(): boolean {
    return this.#acts.size === 0;
  }

  get(id: EntryId): Item | undefined {
    return this.#acts.get(id);
  }

  values(): Iterable<Item> {
    return this.#acts.values();
  }

  put(act: Item): void {
    this.#acts.delete(act.id);
    this.#acts.set(act.id, act);
    insert(this.#byWriter, act.by, act.id);
    for (const before of namedBy(act)) insert(this.#after, before, act.id);
  }

  delete(act: Item): void {
    this.#acts.delete(act.id);
    withdraw(this.#byWriter, act.by, act.id);
    for (const before of namedBy(act)) withdraw(this.#after, before, act.id);
  }

  /** The oldest first. */
  of(writer: DeviceId): Item[] {
    return this.#all(this.#byWriter.get(writer));
  }

  /** Those that name this act. */
  after(id: EntryId): Item[] {
    return this.#all(this.#after.get(id));
  }

  /** The least rank of another writer that needs the act; undefined if none does. */
  neededRank({ id, by }: Act): number | undefined {
    const ranks = (this.#needs.get(id) ?? []).flatMap((need) => (need.by === by ? [] : [need.rank]));
    return ranks.length === 0 ? undefined : Math.min(...ranks);
  }

  /** No more than that it is in the graph now. */
  forgetNeeds(id: EntryId): void {
    this.#needs.delete(id);
  }

  /**
   * What an act needs, all that is before it and not in the graph, needs it as well: `own`, if its writer is
   * named, and who else does. Returns waiting acts of which more is known now.
   */
  learn(act: Item, own: Need | undefined): Item[] {
    if (this.#needs.size > MAX_NEEDS) this.#needs.clear();
    const learned = new Set<Item>();
    const open = [act];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const needs = [...(this.#needs.get(next.id) ?? []), ...(own === undefined ? [] : [own])];
      for (const id of namedBy(next)) {
        if (!this.#note(id, needs)) continue;
        const before = this.#acts.get(id);
        if (before === undefined) continue;
        learned.add(before);
        open.push(before);
      }
    }
    return [...learned];
  }

  /** Whether it says more than was known. */
  #note(id: EntryId, needs: readonly Need[]): boolean {
    const known = this.#needs.get(id) ?? [];
    const least = new Map<DeviceId, number>();
    for (const { by, rank } of [...known, ...needs]) least.set(by, Math.min(rank, least.get(by) ?? rank));
    const two = [...least].toSorted(([, a], [, b]) => a - b).slice(0, 2);
    const isSame =
      two.length === known.length &&
      two.every(([by, rank], at) => known[at]?.by === by && known[at].rank === rank);
    if (!isSame)
      this.#needs.set(
        id,
        two.map(([by, rank]) => ({ by, rank })),
      );
    return !isSame;
  }

  #all(ids: Iterable<EntryId> = []): Item[] {
    return [...ids].flatMap((id) => this.#acts.get(id) ?? []);
  }
}

function namedBy({ prev, body: { seen } }: Act): readonly EntryId[] {
  return prev === undefined ? seen : [...seen, prev];
}

function insert<Key>(sets: Map<Key, Set<EntryId>>, key: Key, id: EntryId): void {
  const set = sets.get(key) ?? new Set();
  set.add(id);
  sets.set(key, set);
}

function withdraw<Key>(sets: Map<Key, Set<EntryId>>, key: Key, id: EntryId): void {
  const set = sets.get(key);
  set?.delete(id);
  if (set?.size === 0) sets.delete(key);
}
