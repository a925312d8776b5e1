// The acts of a pool: entries that change who may what, and which of them were written in sight of which.
// Each names the acts that its writer had seen, so together they form a graph without circles, whatever
// their writers' clocks said. An act whose predecessors are not all here is kept back, and is not in the
// graph yet.

import type { DeviceId, EntryId } from '../../model/ids.ts';
import { MAX_ACT_COUNT } from '../../model/limits.ts';
import type { ActBody } from './act-body.ts';

/** An act as its entry says it. */
export interface Act {
  readonly id: EntryId;
  readonly by: DeviceId;
  readonly body: ActBody;
}

/** An act that is in the graph. */
export interface PlacedAct extends Act {
  /** Its place in an order in which every act comes after all that it has seen. */
  readonly index: number;
  /** The acts before it: bit i stands for the act with index i. */
  readonly past: bigint;
}

export class ActGraph {
  readonly #acts: PlacedAct[] = [];
  readonly #byId = new Map<EntryId, PlacedAct>();
  /** Kept back, by id. */
  readonly #waiting = new Map<EntryId, Act>();

  /** In an order in which every act comes after all that it has seen. */
  get acts(): readonly PlacedAct[] {
    return this.#acts;
  }

  /** Acts that no other act has seen, in the order of their ids: what a new act names. */
  heads(): EntryId[] {
    const seen = this.#acts.reduce((before, { past }) => before | past, 0n);
    return this.#acts
      .filter(({ index }) => !has(seen, index))
      .map(({ id }) => id)
      .toSorted();
  }

  /** Adds an act, and those that waited for it. Returns whether the graph has changed. */
  add(act: Act): boolean {
    if (this.#byId.has(act.id) || this.#waiting.has(act.id)) return false;
    if (this.#acts.length + this.#waiting.size >= MAX_ACT_COUNT) return false;
    this.#waiting.set(act.id, act);
    const before = this.#acts.length;
    this.#placeWaiting();
    return this.#acts.length > before;
  }

  #placeWaiting(): void {
    let hasPlaced = true;
    while (hasPlaced) {
      hasPlaced = false;
      for (const act of this.#waiting.values()) {
        const seen = act.body.seen.map((id) => this.#byId.get(id));
        if (!seen.every((each) => each !== undefined)) continue;
        this.#waiting.delete(act.id);
        this.#place(act, seen);
        hasPlaced = true;
      }
    }
  }

  #place(act: Act, seen: readonly PlacedAct[]): void {
    const past = seen.reduce((before, each) => before | each.past | (1n << BigInt(each.index)), 0n);
    const placed = { ...act, index: this.#acts.length, past };
    this.#acts.push(placed);
    this.#byId.set(act.id, placed);
  }
}

/** Whether `a` was seen by the writer of `b`. */
export function isBefore(a: PlacedAct, b: PlacedAct): boolean {
  return has(b.past, a.index);
}

/** Whether the act with this index is in a set of acts. */
export function has(acts: bigint, index: number): boolean {
  return ((acts >> BigInt(index)) & 1n) === 1n;
}
