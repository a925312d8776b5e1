// News of members that this device is not linked with: it asks its neighbours, answers theirs, and passes
// signed records on. Records are checked once, and only those that say something new.
//
// Invariants: a record that is not of a later incarnation than the one that was called gone revives nobody,
// because it may be older than the silence. What this device calls gone is news to nobody.

import type { DeviceId } from '../model/ids.ts';
import { MAX_RECORDS_PER_MESSAGE } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import { isLater, NO_SIGN, type AliveRecord, type Belief } from './alive-record.ts';
import { Inquiry } from './inquiry.ts';
import type { MembershipEffect } from './membership-effects.ts';
import type { OwnLife } from './own-life.ts';
import type { Roster } from './roster.ts';

/** A member is asked for news on behalf of others at most this often, ms. */
const ASK_GAP_MS = 1_000;

interface Neighbour {
  /** Whether records of it are being checked: more are not taken meanwhile. */
  isChecking: boolean;
}

export class News {
  readonly #self: DeviceId;
  readonly #own: OwnLife;
  readonly #roster: Roster;
  /** Linked devices that take messages about members. */
  readonly #neighbours = new Map<DeviceId, Neighbour>();
  /** By member: the neighbours that wait for news of it. */
  readonly #askers = new Map<DeviceId, Set<DeviceId>>();
  /** By member: before that it is not asked for others again, ms. */
  readonly #mayAskMs = new Map<DeviceId, number>();
  readonly #inquiry = new Inquiry();
  #effects: MembershipEffect[] = [];

  constructor(self: DeviceId, own: OwnLife, roster: Roster) {
    this.#self = self;
    this.#own = own;
    this.#roster = roster;
  }

  /** The device takes messages about members: it is asked what it knows, first of all of itself. */
  speaks(device: DeviceId): void {
    if (this.#neighbours.has(device)) return;
    this.#neighbours.set(device, { isChecking: false });
    this.#probe(device, [device]);
    this.hurry();
  }

  neighbours(): DeviceId[] {
    return [...this.#neighbours.keys()];
  }

  linkDown(device: DeviceId): void {
    this.#own.linkDown(device);
    this.#neighbours.delete(device);
    this.#askers.delete(device);
    this.#mayAskMs.delete(device);
    for (const askers of this.#askers.values()) askers.delete(device);
  }

  /** Somebody came or went, or this device was absent: ask soon. */
  hurry(): void {
    this.#inquiry.hurry(this.#roster.nowMs);
  }

  /** `from` tells what it believes: this device says what it knows better, or finds it out. */
  probed(from: DeviceId, beliefs: readonly Belief[]): void {
    if (!this.#neighbours.has(from)) return;
    const news: AliveRecord[] = [];
    for (const belief of beliefs) {
      const record = belief.device === this.#self ? this.#refute(from, belief) : this.#newsOf(from, belief);
      if (record !== undefined) news.push(record);
    }
    this.#send(from, news);
  }

  /** Records arrived. Those that say nothing new are not worth checking. */
  heardRecords(from: DeviceId, records: readonly AliveRecord[]): void {
    const neighbour = this.#neighbours.get(from);
    if (neighbour === undefined || neighbour.isChecking) return;
    const fresh = records.filter((record) => this.#isNews(record));
    if (fresh.length > 0) {
      neighbour.isChecking = true;
      this.#effects.push({ kind: 'check-alive', from, records: fresh });
    }
    const last = this.#roster.get(from)?.record;
    const own = records.find(({ device }) => device === from);
    // Its disk forgot some of its lives: shown its own word, it begins a later one.
    if (last !== undefined && own !== undefined && isLater(last, own)) this.#send(from, [last]);
  }

  /** The signatures of records that `from` sent were checked; `refusedCount` did not fit. */
  recordsChecked(from: DeviceId, records: readonly AliveRecord[], refusedCount: number): void {
    const neighbour = this.#neighbours.get(from);
    if (neighbour !== undefined) neighbour.isChecking = false;
    // Whoever passes records on has checked them.
    if (neighbour !== undefined && refusedCount > 0)
      this.#effects.push({ kind: 'close-link', device: from, reason: 'passed on a forged sign of life' });
    for (const record of records) if (this.#isNews(record)) this.#accept(record);
  }

  /** A record of this device is there; undefined: it could not be written. */
  signed(record: AliveRecord | undefined): void {
    const askers = this.#own.signed(this.#roster.nowMs, record);
    for (const asker of askers) if (record !== undefined) this.#send(asker, [record]);
  }

  /** What is to be sent, signed and checked now. */
  advance(): readonly MembershipEffect[] {
    const signing = this.#own.advance(this.#roster.nowMs);
    if (signing !== undefined) this.#effects.push({ kind: 'sign-alive', ...signing });
    if (this.#roster.nowMs >= this.#inquiry.nextDeadlineMs()) this.#inquire();
    const effects = this.#effects;
    if (effects.length > 0) this.#effects = [];
    return effects;
  }

  nextDeadlineMs(): MonotonicMs {
    return Math.min(this.#own.nextDeadlineMs(), this.#inquiry.nextDeadlineMs());
  }

  /** This device's record, if it is news to `from` now; otherwise it is sent once it is signed. */
  #refute(from: DeviceId, belief: Belief): AliveRecord | undefined {
    const isBelievedGone = belief.state === 'gone' && belief.incarnation === this.#own.sign.incarnation;
    if (isBelievedGone) this.#own.rise(belief.incarnation);
    return this.#own.tell(from, belief);
  }

  /** A record that is news to `from` now; otherwise the member is asked for one, if it is linked. */
  #newsOf(from: DeviceId, belief: Belief): AliveRecord | undefined {
    const member = this.#roster.get(belief.device);
    if (member === undefined || belief.device === from) return undefined;
    const known = member.record ?? NO_SIGN;
    if (belief.state === 'gone' && belief.incarnation === known.incarnation) member.isAccused = true;
    // What this device calls gone is not news, however little the other knows.
    if (member.state === 'gone') return undefined;
    const refutes = belief.state !== 'gone' || known.incarnation > belief.incarnation;
    if (refutes && isLater(known, belief)) return member.record;
    if (this.#neighbours.has(belief.device)) this.#askFor(from, belief.device);
    return undefined;
  }

  #askFor(asker: DeviceId, device: DeviceId): void {
    this.#askers.set(device, (this.#askers.get(device) ?? new Set()).add(asker));
    const { nowMs } = this.#roster;
    if (nowMs < (this.#mayAskMs.get(device) ?? -Infinity)) return;
    this.#mayAskMs.set(device, nowMs + ASK_GAP_MS);
    this.#probe(device, [device]);
  }

  #isNews(record: AliveRecord): boolean {
    const { device, incarnation } = record;
    // Of a life that this device forgot, or that a copy of its profile leads.
    if (device === this.#self) return isLater(record, this.#own.sign);
    const member = this.#roster.get(device);
    if (member === undefined) return false;
    const known = member.record ?? NO_SIGN;
    if (member.state === 'gone' && incarnation <= known.incarnation) return false;
    return isLater(record, known);
  }

  #accept(record: AliveRecord): void {
    const { device } = record;
    if (device === this.#self) {
      this.#own.rise(record.incarnation);
      return;
    }
    this.#roster.heardWord(record);
    for (const asker of this.#askers.get(device) ?? []) this.#send(asker, [record]);
    this.#askers.delete(device);
  }

  #inquire(): void {
    const { nowMs } = this.#roster;
    const { absent, leastGraceMs } = this.#roster.absent();
    const round = this.#inquiry.round(nowMs, this.neighbours(), absent, leastGraceMs);
    for (const device of round?.asked ?? []) this.#probe(device, round?.about ?? []);
  }

  #probe(to: DeviceId, about: readonly DeviceId[]): void {
    const beliefs = about.map((device): Belief => {
      const member = this.#roster.get(device);
      const { incarnation, beat } = member?.record ?? NO_SIGN;
      const state = member?.isAccused === true ? 'gone' : (member?.state ?? 'away');
      return { device, incarnation, beat, state };
    });
    this.#effects.push({ kind: 'probe', to, beliefs });
  }

  #send(to: DeviceId, records: readonly AliveRecord[]): void {
    if (records.length === 0 || !this.#neighbours.has(to)) return;
    this.#effects.push({ kind: 'alive', to, records: records.slice(0, MAX_RECORDS_PER_MESSAGE) });
  }
}
