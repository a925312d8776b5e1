// The acts that a device knows, the charter that it follows, and what follows from both: who is in the pool,
// and as what. A device that follows no charter is in a pool as it was before there were acts: it keeps the
// charters that others wrote, and none of them has an effect.

import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes, hexOf } from '../../model/bytes.ts';
import { digestOf, type DeviceId, type EntryId } from '../../model/ids.ts';
import { MAX_CHARTERS, MAX_SEEN_ACTS } from '../../model/limits.ts';
import { NO_RANK, type Role } from '../../model/role.ts';
import type { CheckedAct } from './act.ts';
import { takenParts, moveTo, openOffers, type Move, type Part } from './part-joins.ts';
import { ActGraph, has, headsOf, type PlacedAct } from './act-graph.ts';
import { knownAct, type KnownAct } from './known-act.ts';
import { OtherParts } from './other-parts.ts';
import { overusedInvites, type OverusedInvite } from './overuse.ts';
import { witnessesOf } from './recovers.ts';
import { standingsOf, type Standings } from './standing.ts';

/** Bytes of an act's digest that tell which act it is: nobody makes two that share them. */
export const ACT_MARK_BYTES = 16;

/** What the next act of a writer must say of its position. */
export interface ActPosition {
  readonly seq: number;
  readonly prev: EntryId | undefined;
  readonly seen: readonly EntryId[];
}

export class ActSet {
  readonly #self: DeviceId | undefined;
  #charter: EntryId | undefined;
  #graph: ActGraph<KnownAct> | undefined;
  /** Those in the graph; without a charter, charters of others. */
  readonly #records = new Map<EntryId, CheckedAct>();
  /** While a charter is followed: of the pool's parts that were upgraded apart. */
  readonly parts = new OtherParts();
  #standings: Standings | undefined;
  #digest: string | undefined;
  #members: ReadonlySet<DeviceId> | undefined;
  #overused: readonly OverusedInvite[] | undefined;

  /** `self`: whose set it is, if it takes acts of other parts for its person to judge. */
  constructor(self?: DeviceId) {
    this.#self = self;
  }

  /** The charter that this device follows. */
  get charter(): EntryId | undefined {
    return this.#charter;
  }

  /**
   * From now on this charter decides who is in. Acts of other charters are forgotten; it cannot be changed.
   */
  follow(charter: EntryId): void {
    if (this.#charter === charter) return;
    if (this.#charter !== undefined) throw new Error('another charter is followed already');
    this.#charter = charter;
    this.#graph = new ActGraph<KnownAct>(charter);
    const known = [...this.#records.values()];
    this.#records.clear();
    this.#changed();
    this.add(known);
  }

  /** Those that others wrote. One that follows none may follow one; else parts that do are other pools. */
  charters(): readonly CheckedAct[] {
    return this.#charter === undefined ? [...this.#records.values()] : this.parts.charters();
  }

  /** Whether a device that has the acts with these marks follows another charter. */
  isOther(marks: Uint8Array): boolean {
    if (this.#charter === undefined || marks.length < ACT_MARK_BYTES) return false;
    const own = markOf(this.#charter);
    return !marksIn(marks).some((mark) => equalBytes(mark, own));
  }

  /**
   * Adds checked acts. Returns those that are kept now and were not before, each after those that it has
   * seen.
   */
  add(acts: readonly CheckedAct[]): readonly CheckedAct[] {
    const added: CheckedAct[] = [];
    for (const checked of acts) {
      if (this.#records.has(checked.record.id)) continue;
      if (this.#graph === undefined) keepCharter(checked, this.#records, added);
      else if (isOtherCharter(checked, this.#charter)) this.#addOther(checked);
      else if (!this.#isOfPart(checked)) this.#place(checked, this.#graph, added);
    }
    if (added.length > 0) this.#changed();
    return added;
  }

  /** This pool by its acts, as its other parts see it. Undefined where they are not here. */
  get own(): Part | undefined {
    const { charter, placed, standings } = this;
    return charter === undefined || !this.isObeyed ? undefined : { charter, placed, standings };
  }

  /** The pool that took in the part which this device is in, if it follows now: its charter. */
  successor(self: DeviceId): EntryId | undefined {
    const { own } = this;
    const others = own === undefined ? [] : openOffers(own).flatMap(({ body }) => body.charter);
    return others.find((charter) => this.moveTo(charter, self)?.isDue === true);
  }

  /** As `successor`, of one pool. */
  moveTo(charter: EntryId, self: DeviceId): Move | undefined {
    const [own, pool] = [this.own, this.parts.find(charter)];
    return own && pool && moveTo(pool, own, self);
  }

  /** All that is kept on disk. */
  kept(): readonly CheckedAct[] {
    const others = this.parts.charters().flatMap(({ record }) => this.parts.actsOf(record.id));
    return [...this.acts(), ...others];
  }

  /** What a device with these marks, which follows another charter, is told. */
  tellingAcross(device: DeviceId, marks: Uint8Array): CheckedAct[] {
    const { own } = this;
    if (own === undefined) return [];
    const known = new Set(marksIn(marks).map((mark) => hexOf(mark)));
    const isTheirs = (charter: EntryId): boolean => known.has(hexOf(markOf(charter)));
    const taken = new Set(takenParts(own).flatMap(({ from }) => (isTheirs(from) ? [from] : [])));
    const writers = openOffers(own)
      .filter(({ body }) => isTheirs(body.charter))
      .flatMap(({ body }) => this.parts.find(body.charter)?.charter.record.by ?? []);
    const mayHear = this.isIn(device) || writers.includes(device);
    const isOneOf = mayHear && (taken.size > 0 || writers.length > 0);
    // Theirs first: they know by these that they shall keep the others.
    const all = [...taken].flatMap((charter) => this.parts.actsOf(charter)).concat(this.acts());
    return all.filter(({ record: { id } }) => (isOneOf || id === own.charter) && !isTheirs(id));
  }

  /** What the acts of a device count for against its bound. */
  unitsOf(device: DeviceId): number {
    return this.#graph?.unitsOf(device) ?? 0;
  }

  /** Whether a new act of this device would be one of the set, and not be left out for want of room. */
  takes(checked: CheckedAct): boolean {
    return this.#graph?.takes(knownAct(checked)) ?? false;
  }

  /** Whether acts are kept back until others are here. */
  get isWaiting(): boolean {
    return this.#graph?.isWaiting ?? false;
  }

  find(id: EntryId): CheckedAct | undefined {
    return this.#records.get(id);
  }

  /** Each after those that it has seen. */
  acts(): readonly CheckedAct[] {
    return this.#graph?.acts.map(({ checked }) => checked) ?? [...this.#records.values()];
  }

  /** The same with what each of them has seen. None without a charter. */
  get placed(): readonly PlacedAct[] {
    return this.#graph?.acts ?? [];
  }

  /** Without a charter, nobody is in. */
  get standings(): Standings {
    const { charter } = this;
    if (charter === undefined || this.#graph === undefined) return NOBODY;
    this.#standings ??= standingsOf(this.#graph.acts, charter);
    return this.#standings;
  }

  /**
   * Whether acts decide here: this device follows a charter, and has it. Without it, it knows nothing of who
   * is who, and waits for what others tell it.
   */
  get isObeyed(): boolean {
    return this.#charter !== undefined && this.#records.has(this.#charter);
  }

  /** Invites by which more devices came in than they were for. */
  overused(): readonly OverusedInvite[] {
    this.#overused ??= overusedInvites(this.placed, this.standings);
    return this.#overused;
  }

  /** Devices to which acts give a role, whether these count or not. */
  members(): ReadonlySet<DeviceId> {
    this.#members ??= new Set((this.#graph?.acts ?? []).flatMap(({ names }) => names));
    return this.#members;
  }

  /** Whether the device has a place in this pool. In one without a charter, whoever has its secret has. */
  isIn(device: DeviceId): boolean {
    return this.#charter === undefined || this.standings.of(device) !== undefined;
  }

  /** Whether the device was shut out. */
  isOut(device: DeviceId): boolean {
    return this.standings.outsOf(device).length > 0;
  }

  /** Undefined for who is not in. In a pool without a charter all may do the same. */
  roleOf(device: DeviceId): Role | undefined {
    return this.#charter === undefined ? 'admin' : this.standings.of(device)?.role;
  }

  /** The rank by which an admin acts. */
  rankOf(device: DeviceId): number {
    return this.standings.of(device)?.rank ?? NO_RANK;
  }

  /** Equal for equal sets: 64 hex digits. */
  digest(): string {
    this.#digest ??= hexOf(sha256(concatBytes(...[...this.#records.keys()].toSorted().map(digestOf))));
    return this.#digest;
  }

  /** The start of each act's digest, one after another, sorted: what another device need not send. */
  marks(): Uint8Array<ArrayBuffer> {
    const marks = [...this.#records.keys()].map((id) => markOf(id));
    return concatBytes(...marks.toSorted((a, b) => (hexOf(a) < hexOf(b) ? -1 : 1)));
  }

  /** Acts that a device with these marks lacks, each after those that it has seen. */
  missingFor(marks: Uint8Array): CheckedAct[] {
    const known = new Set(marksIn(marks).map((mark) => hexOf(mark)));
    return this.acts().filter(({ record }) => !known.has(hexOf(markOf(record.id))));
  }

  /** The shut-outs of a device that is out, and all that they need to be believed. */
  evidenceAgainst(device: DeviceId): ReadonlySet<EntryId> {
    return this.#withPast(this.standings.outsOf(device));
  }

  /** What gives the device its role, and all that this needs to be believed. */
  evidenceFor(device: DeviceId): ReadonlySet<EntryId> {
    return this.#withPast(
      (this.#graph?.acts ?? []).filter((act) => act.names.includes(device) && this.standings.counts(act.id)),
    );
  }

  #withPast(acts: readonly PlacedAct[]): ReadonlySet<EntryId> {
    const all = this.#graph?.acts ?? [];
    const claimed = withPast(acts);
    // That a recovery code was used is believed once others say so.
    const needed = claimed | withPast(witnessesOf(all, claimed));
    return new Set(all.filter(({ index }) => has(needed, index)).map(({ id }) => id));
  }

  /**
   * Where the writer's next act goes, after the longest of its chains. Of the heads of what counts, it names
   * those first that give the writer its right, then those of the smallest ranks.
   */
  positionOf(device: DeviceId): ActPosition {
    const acts = this.#graph?.acts ?? [];
    const own = acts.filter(({ by }) => by === device);
    const last = own.reduce<PlacedAct | undefined>(
      (longest, each) => (longest === undefined || each.seq > longest.seq ? each : longest),
      undefined,
    );
    return { seq: (last?.seq ?? 0) + 1, prev: last?.id, seen: this.#seenBy(device) };
  }

  #seenBy(device: DeviceId): EntryId[] {
    const counting = (this.#graph?.acts ?? []).filter(({ id }) => this.standings.counts(id));
    const naming = counting.filter((act) => act.names.includes(device));
    const rightOf = (head: PlacedAct): number =>
      naming.filter(({ index }) => index === head.index || has(head.past, index)).length;
    return headsOf(counting)
      .toSorted((a, b) => rightOf(b) - rightOf(a) || this.rankOf(a.by) - this.rankOf(b.by))
      .slice(0, MAX_SEEN_ACTS)
      .map(({ id }) => id)
      .toSorted();
  }

  /** So whoever has the old invite, and made up charters, does not keep those out of devices that are in. */
  #addOther(checked: CheckedAct): void {
    const isOfPool = this.isIn(checked.record.by);
    this.parts.addCharter(
      checked,
      ({ record: { id, by } }) => isOfPool && !this.isIn(by) && !this.#needs(id),
    );
  }

  /** Whether it is an act of another part. It is kept there if this device needs it. */
  #isOfPart(checked: CheckedAct): boolean {
    const home = this.parts.homeOf(checked);
    if (home === undefined) return false;
    if (this.#needs(home)) this.parts.add(home, checked);
    return true;
  }

  #needs(charter: EntryId): boolean {
    const { own } = this;
    if (own === undefined) return false;
    const writer = this.parts.find(charter)?.charter.record.by;
    const isFirst = this.#self !== undefined && this.rankOf(this.#self) === 0;
    if (isFirst && writer !== undefined && this.isIn(writer)) return true;
    return (
      openOffers(own).some(({ body }) => body.charter === charter) ||
      takenParts(own).some(({ from }) => from === charter)
    );
  }

  #place(checked: CheckedAct, graph: ActGraph<KnownAct>, added: CheckedAct[]): void {
    for (const placed of graph.add(knownAct(checked))) {
      this.#records.set(placed.id, placed.checked);
      added.push(placed.checked);
    }
  }

  #changed(): void {
    this.#standings = undefined;
    this.#digest = undefined;
    this.#members = undefined;
    this.#overused = undefined;
  }
}

/** As bits. */
function withPast(acts: readonly PlacedAct[]): bigint {
  return acts.reduce((all, { past, index }) => all | past | (1n << BigInt(index)), 0n);
}

function keepCharter(checked: CheckedAct, kept: Map<EntryId, CheckedAct>, added: CheckedAct[]): void {
  if (checked.record.body.kind !== 'charter' || kept.size >= MAX_CHARTERS) return;
  kept.set(checked.record.id, checked);
  added.push(checked);
}

function isOtherCharter({ record: { id, body } }: CheckedAct, followed: EntryId | undefined): boolean {
  return body.kind === 'charter' && id !== followed;
}

function marksIn(marks: Uint8Array): Uint8Array[] {
  const each: Uint8Array[] = [];
  for (let at = 0; at + ACT_MARK_BYTES <= marks.length; at += ACT_MARK_BYTES) {
    each.push(marks.subarray(at, at + ACT_MARK_BYTES));
  }
  return each;
}

function markOf(id: EntryId): Uint8Array {
  return digestOf(id).subarray(0, ACT_MARK_BYTES);
}

const NOBODY: Standings = {
  of: () => undefined,
  outsOf: () => [],
  giftsOf: () => ({ gifts: [], admits: [] }),
  keepsOf: () => [],
  stretchesOf: () => [],
  counts: () => false,
};
