// The acts of a pool, and which of them were written in sight of which. Each names the acts that its writer
// had seen, so together they form a graph without circles, whatever their writers' clocks said. An act whose
// predecessors are not all here is kept back, and is not in the graph yet.
//
// Only acts that come after the pool's charter, by devices that an act before them names, ever get into the
// graph: identities that nobody admitted cannot fill it. Of those that may, each has a bound. An act beyond
// it is still taken if one of another writer has seen it: otherwise who floods two devices with different
// acts could make one of them refuse what the other wrote.

import type { DeviceId, EntryId } from '../../model/ids.ts';
import {
  MAX_ACT_COUNT,
  MAX_ACTS_OF_ADMIN,
  MAX_ACTS_OF_MEMBER,
  MAX_ADMIN_ACT_COUNT,
  MAX_MEMBER_ACT_COUNT,
  MAX_WAITING_ACTS,
} from '../../model/limits.ts';
import { NO_RANK } from '../../model/role.ts';
import type { ActBody, AdmitTerms } from './act-body.ts';

/** An act as its record says it. */
export interface Act {
  readonly id: EntryId;
  readonly by: DeviceId;
  readonly seq: number;
  /** The writer's act before this one. */
  readonly prev: EntryId | undefined;
  readonly body: ActBody;
  /** Of an admit that is right. */
  readonly terms?: AdmitTerms | undefined;
  /** What it counts for against the bounds. */
  readonly units: number;
}

/** An act that is in the graph. */
export type PlacedAct<Item extends Act = Act> = Item & {
  /** Its place in an order in which every act comes after all that it has seen. */
  readonly index: number;
  /** The acts before it: bit i stands for the act with index i. */
  readonly past: bigint;
};

/** An act that names a device as one of the pool, whether it counts or not. */
interface Naming {
  readonly index: number;
  readonly rank: number;
}

export class ActGraph<Item extends Act = Act> {
  readonly #charter: EntryId;
  readonly #acts: PlacedAct<Item>[] = [];
  readonly #byId = new Map<EntryId, PlacedAct<Item>>();
  /** Kept back, by id, the oldest first. */
  readonly #waiting = new Map<EntryId, Item>();
  readonly #namings = new Map<DeviceId, Naming[]>();
  readonly #unitsOf = new Map<DeviceId, number>();
  #units = 0;

  /** `charter`: the act that the pool begins with; others of its kind are not taken. */
  constructor(charter: EntryId) {
    this.#charter = charter;
  }

  /** In an order in which every act comes after all that it has seen. */
  get acts(): readonly PlacedAct<Item>[] {
    return this.#acts;
  }

  /** Whether acts are kept back. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Adds an act, and those that waited for it. Returns those that are in the graph now and were not before.
   */
  add(act: Item): readonly PlacedAct<Item>[] {
    if (this.#byId.has(act.id)) return [];
    this.#waiting.delete(act.id);
    this.#waiting.set(act.id, act);
    const before = this.#acts.length;
    this.#placeWaiting();
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > MAX_WAITING_ACTS && oldest !== undefined) this.#waiting.delete(oldest);
    return this.#acts.slice(before);
  }

  #placeWaiting(): void {
    let hasPlaced = true;
    while (hasPlaced) {
      hasPlaced = false;
      for (const act of this.#waiting.values()) {
        const before = this.#before(act);
        if (before === undefined) continue;
        const past = before.reduce((all, each) => all | each.past | (1n << BigInt(each.index)), 0n);
        const rank = act.id === this.#charter ? 0 : this.#rankIn(past, act.by);
        const isOtherCharter = act.body.kind === 'charter' && act.id !== this.#charter;
        const isForeign = rank === undefined || isOtherCharter || !this.#isInChain(act);
        if (!isForeign && !this.#hasRoom(act, rank)) continue;
        this.#waiting.delete(act.id);
        if (isForeign) continue;
        this.#place(act, past);
        hasPlaced = true;
      }
    }
  }

  /** The acts that it names; undefined when one of them is not here. */
  #before({ prev, body: { seen } }: Act): PlacedAct[] | undefined {
    const ids = prev === undefined ? seen : [...seen, prev];
    const before = ids.flatMap((id) => this.#byId.get(id) ?? []);
    return before.length === ids.length ? before : undefined;
  }

  #isInChain({ by, seq, prev }: Act): boolean {
    if (prev === undefined) return true;
    const last = this.#byId.get(prev);
    return last?.by === by && last.seq === seq - 1;
  }

  /**
   * The least rank that acts in `past` say of a device, whether they count or not; undefined if none does.
   */
  #rankIn(past: bigint, device: DeviceId): number | undefined {
    const ranks = (this.#namings.get(device) ?? []).filter(({ index }) => has(past, index));
    return ranks.length === 0 ? undefined : Math.min(...ranks.map(({ rank }) => rank));
  }

  #hasRoom({ id, by, units }: Act, rank: number): boolean {
    const inPool = rank === 0 ? MAX_ACT_COUNT : rank < NO_RANK ? MAX_ADMIN_ACT_COUNT : MAX_MEMBER_ACT_COUNT;
    if (this.#units + units > inPool) return false;
    const ofDevice = rank < NO_RANK ? MAX_ACTS_OF_ADMIN : MAX_ACTS_OF_MEMBER;
    return (this.#unitsOf.get(by) ?? 0) + units <= ofDevice || this.#isSeenByOthers(id, by);
  }

  #isSeenByOthers(id: EntryId, by: DeviceId): boolean {
    for (const act of this.#waiting.values()) if (act.by !== by && act.body.seen.includes(id)) return true;
    return false;
  }

  #place(act: Item, past: bigint): void {
    const placed = { ...act, index: this.#acts.length, past };
    this.#acts.push(placed);
    this.#byId.set(act.id, placed);
    this.#units += act.units;
    this.#unitsOf.set(act.by, (this.#unitsOf.get(act.by) ?? 0) + act.units);
    for (const [device, rank] of this.#namedBy(placed)) {
      const namings = this.#namings.get(device) ?? [];
      this.#namings.set(device, [...namings, { index: placed.index, rank }]);
    }
  }

  /**
   * Devices that the act names as of the pool. Of acts of those who are no admins by any act, there are none.
   */
  #namedBy({ by, body, terms, past }: PlacedAct): [DeviceId, number][] {
    const own = this.#rankIn(past, by) ?? NO_RANK;
    switch (body.kind) {
      case 'charter':
        return [[by, 0], ...body.members.map(({ device }): [DeviceId, number] => [device, NO_RANK])];
      case 'grant':
        return own < NO_RANK ? [[body.device, body.rank > own ? body.rank : NO_RANK]] : [];
      case 'admit': {
        const issuerRank = terms && this.#rankIn(past, terms.issuer);
        const isIssued = issuerRank !== undefined && issuerRank < NO_RANK;
        return terms?.charter === this.#charter && isIssued ? [[terms.device, NO_RANK]] : [];
      }
      case 'shut-out':
      case 'keep':
      case 'withdraw':
      case 'epoch':
      case 'epoch-keys':
      case 'exchange':
      case 'adopt':
      case 'recover':
      case 'merge':
      case 'unknown':
        return [];
    }
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

/** Those of `acts` that none of the others of them has seen, in the order of their ids. */
export function headsOf(acts: readonly PlacedAct[]): PlacedAct[] {
  const seen = acts.reduce((before, { past }) => before | past, 0n);
  return acts.filter(({ index }) => !has(seen, index)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
