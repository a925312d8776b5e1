// The acts of a pool, and which of them were written in sight of which. Each names the acts that its writer
// had seen, so together they form a graph without circles, whatever their writers' clocks said. An act whose
// predecessors are not all here is kept back, and is not in the graph yet.
//
// Only acts that come after the pool's charter, by devices that an act before them names, ever get into the
// graph: identities that nobody admitted cannot fill it. Of those that may, each has a bound, and so has each
// class of ranks. An act beyond them is still taken if an act of another named writer needs it, directly or
// through others: otherwise who gives two devices different acts could make one of them refuse what the other
// wrote. What one writer gets that way is bounded, too.

import { hexOf } from '../../model/bytes.ts';
import type { DeviceId, EntryId } from '../../model/ids.ts';
import {
  MAX_ACT_COUNT,
  MAX_ACTS_OF_ADMIN,
  MAX_ACTS_OF_MEMBER,
  MAX_ADMIN_ACT_COUNT,
  MAX_MEMBER_ACT_COUNT,
  MAX_WAITING_ACTS,
  MAX_WAITING_ACTS_OF_STRANGERS,
} from '../../model/limits.ts';
import { NO_RANK } from '../../model/role.ts';
import type { Act, ActBody } from './act-body.ts';
import { WaitingActs } from './waiting-acts.ts';

/** What a writer's acts may count for if others need them, in terms of its own bound. */
const NEEDED_TIMES = 4;

/** An act that is in the graph. */
export type PlacedAct<Item extends Act = Act> = Item & {
  /** Its place in an order in which every act comes after all that it has seen. */
  readonly index: number;
  /** The acts before it: bit i stands for the act with index i. */
  readonly past: bigint;
  /** Devices that it names as of the pool, whether it counts or not. */
  readonly names: readonly DeviceId[];
  /** The recovery code that it makes, as it may by its past alone: the public key, in hexadecimal. */
  readonly makes: string | undefined;
};

/** An act that names a device as one of the pool, whether it counts or not. */
interface Naming {
  readonly index: number;
  readonly rank: number;
}

/** A recovery code that an act makes, whether it counts or not. */
interface MadeCode {
  readonly index: number;
  /** In hexadecimal. */
  readonly key: string;
}

export class ActGraph<Item extends Act = Act> {
  readonly #charter: EntryId;
  readonly #acts: PlacedAct<Item>[] = [];
  readonly #byId = new Map<EntryId, PlacedAct<Item>>();
  /** Kept back. */
  readonly #waiting = new WaitingActs<Item>();
  readonly #namings = new Map<DeviceId, Naming[]>();
  readonly #codes: MadeCode[] = [];
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
    return !this.#waiting.isEmpty;
  }

  /** What all acts that are here count for. */
  get units(): number {
    return this.#units;
  }

  has(id: EntryId): boolean {
    return this.#byId.has(id);
  }

  /** What the acts of a device that are here count for. */
  unitsOf(device: DeviceId): number {
    return this.#unitsOf.get(device) ?? 0;
  }

  /** Whether an act whose predecessors are here would be placed at once. */
  takes(act: Item): boolean {
    const before = this.#before(act);
    if (before === undefined || !this.#isInChain(act)) return false;
    const past = before.reduce((all, each) => all | each.past | (1n << BigInt(each.index)), 0n);
    const rank = this.#rankIn(past, act.by);
    return rank !== undefined && this.#hasRoom(act, rank);
  }

  /**
   * Adds an act, and those that waited for it. Returns those that are in the graph now and were not before.
   */
  add(act: Item): readonly PlacedAct<Item>[] {
    if (this.#byId.has(act.id)) return [];
    this.#waiting.put(act);
    const before = this.#acts.length;
    this.#tryAll([act]);
    if (this.#waiting.get(act.id) !== undefined) this.#trimWaiting(act.by);
    return this.#acts.slice(before);
  }

  /** Tries to place these, and all that follows from it. */
  #tryAll(acts: Item[]): void {
    const open = new Set(acts);
    for (const act of open) {
      open.delete(act);
      if (this.#waiting.get(act.id) === undefined) continue;
      const before = this.#before(act);
      const past = before?.reduce((all, each) => all | each.past | (1n << BigInt(each.index)), 0n);
      const placed = past === undefined ? 'waits' : this.#tryOne(act, past);
      if (placed === 'waits') for (const more of this.#learn(act)) open.add(more);
      if (placed !== 'placed') continue;
      for (const next of this.#waiting.after(act.id)) open.add(next);
      for (const device of this.#byId.get(act.id)?.names ?? []) {
        for (const own of this.#waiting.of(device)) for (const more of this.#learn(own)) open.add(more);
      }
    }
  }

  #tryOne(act: Item, past: bigint): 'placed' | 'waits' | 'foreign' {
    const rank = act.id === this.#charter ? 0 : this.#rankIn(past, act.by);
    const isOtherCharter = act.body.kind === 'charter' && act.id !== this.#charter;
    const isForeign = rank === undefined || isOtherCharter || !this.#isInChain(act);
    if (!isForeign && !this.#hasRoom(act, rank)) return 'waits';
    this.#waiting.delete(act);
    if (isForeign) return 'foreign';
    this.#place(act, past);
    return 'placed';
  }

  #learn(act: Item): Item[] {
    const namings = this.#namings.get(act.by);
    const rank = namings && Math.min(...namings.map((naming) => naming.rank));
    return this.#waiting.learn(act, rank === undefined ? undefined : { by: act.by, rank });
  }

  /** Of each writer so many wait, and so many of all whom no act here names. */
  #trimWaiting(by: DeviceId): void {
    const isNamed = this.#namings.has(by);
    const waiting = isNamed
      ? this.#waiting.of(by)
      : [...this.#waiting.values()].filter((act) => !this.#namings.has(act.by));
    const [oldest] = waiting;
    const most = isNamed ? MAX_WAITING_ACTS : MAX_WAITING_ACTS_OF_STRANGERS;
    if (waiting.length > most && oldest !== undefined) this.#waiting.delete(oldest);
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

  #hasRoom(act: Act, rank: number): boolean {
    const ofDevice = rank < NO_RANK ? MAX_ACTS_OF_ADMIN : MAX_ACTS_OF_MEMBER;
    const own = (this.#unitsOf.get(act.by) ?? 0) + act.units;
    const all = this.#units + act.units;
    if (own <= ofDevice && all <= inPool(rank)) return true;
    const needed = this.#waiting.neededRank(act);
    return needed !== undefined && own <= NEEDED_TIMES * ofDevice && all <= inPool(Math.min(rank, needed));
  }

  #place(act: Item, past: bigint): void {
    const named = this.#namedBy(act, past);
    const code = this.#codeBy(act, past);
    const makes = code && hexOf(code);
    if (makes !== undefined) this.#codes.push({ index: this.#acts.length, key: makes });
    const names = named.map(([device]) => device);
    const placed = { ...act, index: this.#acts.length, past, names, makes };
    this.#acts.push(placed);
    this.#byId.set(act.id, placed);
    this.#waiting.forgetNeeds(act.id);
    this.#units += act.units;
    this.#unitsOf.set(act.by, (this.#unitsOf.get(act.by) ?? 0) + act.units);
    for (const [device, rank] of named) {
      const namings = this.#namings.get(device) ?? [];
      this.#namings.set(device, [...namings, { index: placed.index, rank }]);
    }
  }

  /**
   * Devices that the act names as of the pool. Of acts of those who are no admins by any act, there are none.
   */
  #namedBy({ by, body, terms, takesIn }: Act, past: bigint): [DeviceId, number][] {
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
      case 'recover':
        return this.#isOrdered(body, past) ? [[body.admin, 0]] : [];
      case 'take-in': {
        const members = own === 0 && takesIn?.charter === this.#charter ? takesIn.members : [];
        return members.map(({ device }): [DeviceId, number] => [device, NO_RANK]);
      }
      case 'shut-out':
      case 'keep':
      case 'withdraw':
      case 'epoch':
      case 'epoch-keys':
      case 'exchange':
      case 'code':
      case 'offer':
      case 'merge':
      case 'unknown':
        return [];
    }
  }

  /** The recovery code that the act makes, by who may make one. */
  #codeBy({ by, body }: Act, past: bigint): Uint8Array | undefined {
    if (body.kind === 'charter') return body.recovery;
    if (body.kind === 'code') return this.#rankIn(past, by) === 0 ? body.recovery : undefined;
    return body.kind === 'recover' && this.#isOrdered(body, past) ? body.recovery : undefined;
  }

  /** By a code that was made before, for a device of the pool: nobody brings strangers in by it. */
  #isOrdered({ code, admin }: ActBody & { readonly kind: 'recover' }, past: bigint): boolean {
    const key = hexOf(code);
    const isMade = this.#codes.some((made) => made.key === key && has(past, made.index));
    return isMade && this.#rankIn(past, admin) !== undefined;
  }
}

/** Acts of a pool of which one of this rank may still be taken, in units. */
function inPool(rank: number): number {
  if (rank === 0) return MAX_ACT_COUNT;
  return rank < NO_RANK ? MAX_ADMIN_ACT_COUNT : MAX_MEMBER_ACT_COUNT;
}

/** Whether `a` was seen by the writer of `b`. */
export function isBefore(a: PlacedAct, b: PlacedAct): boolean {
  return has(b.past, a.index);
}

/** Whether neither writer had seen the other's. */
export function isBeside(a: PlacedAct, b: PlacedAct): boolean {
  return a !== b && !isBefore(a, b) && !isBefore(b, a);
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
