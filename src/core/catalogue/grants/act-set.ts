// The acts that a device knows, the charter that it follows, and what follows from both: who is in the pool,
// and as what. A device that follows no charter is in a pool as it was before there were acts: it keeps the
// charters that others wrote, and none of them has an effect.

import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, equalBytes, hexOf } from '../../model/bytes.ts';
import { digestOf, type DeviceId, type EntryId } from '../../model/ids.ts';
import { MAX_CHARTERS, MAX_SEEN_ACTS } from '../../model/limits.ts';
import { NO_RANK, type Role } from '../../model/role.ts';
import { unitsOf, type CheckedAct } from './act.ts';
import type { Act } from './act-body.ts';
import { ActGraph, has, headsOf, type PlacedAct } from './act-graph.ts';
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

interface KnownAct extends Act {
  readonly checked: CheckedAct;
}

export class ActSet {
  #charter: EntryId | undefined;
  #graph: ActGraph<KnownAct> | undefined;
  /** Those in the graph; without a charter, charters of others. */
  readonly #records = new Map<EntryId, CheckedAct>();
  /** While a charter is followed: those of parts of the pool that were upgraded apart. */
  readonly #others = new Map<EntryId, CheckedAct>();
  #standings: Standings | undefined;
  #digest: string | undefined;
  #members: ReadonlySet<DeviceId> | undefined;

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
    return [...(this.#charter === undefined ? this.#records : this.#others).values()];
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
      else if (isOtherCharter(checked, this.#charter)) keepCharter(checked, this.#others, []);
      else this.#place(checked, this.#graph, added);
    }
    if (added.length > 0) this.#changed();
    return added;
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
  }
}

function knownAct(checked: CheckedAct): KnownAct {
  const { record, terms } = checked;
  const { id, by, seq, prev, body } = record;
  return { id, by, seq, prev, body, terms, units: unitsOf(record), checked };
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
  counts: () => false,
};
