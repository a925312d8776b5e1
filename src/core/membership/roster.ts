// The members, the state of each, since when, and for how long nothing was heard of it.
//
// Silence is counted by this device's monotonic clock from the moment at which it heard of the member. Wall
// time only says since when a state holds, and for how long the page was closed.

import type { DeviceClass } from '../model/device-class.ts';
import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';
import type { MonotonicMs, WallMs } from '../model/time.ts';
import type { AliveRecord } from './alive-record.ts';
import { learnedGraceMs, MAX_LEARNED_SILENCE_MS, sharedSilenceMs } from './learned-grace.ts';
import { Meetings } from './meetings.ts';
import type { MemberState } from './member-state.ts';

/** What outlives the page about one member. */
export interface SavedMember {
  readonly device: DeviceId;
  readonly isGone: boolean;
  readonly sinceMs: WallMs;
  /** How long nothing had been heard of it, ms. */
  readonly silentMs: number;
  /** Whether an absence of this device was already left out of this silence. */
  readonly isForgiven: boolean;
  /** Its last word, whose signature was checked. */
  readonly record: AliveRecord | undefined;
  /** Of this silence, the longest time in which this device's page was closed, as far as it counts, ms. */
  readonly closedMs: number;
  /** The longest silence from which it came back, ms. */
  readonly longestMs: number;
  /** Whether its browser deletes what it holds if nobody opens it for a while. */
  readonly isEvictable: boolean;
  /** The longest silence that ended, ms, also by a word of it that others passed on. */
  readonly longestToldMs: number;
}

export interface SavedMembers {
  /** When they were saved, by this device's wall clock. */
  readonly atMs: WallMs;
  readonly members: readonly SavedMember[];
  /** As in Meetings. */
  readonly metDays: readonly number[];
}

export interface MembershipRules {
  /** How long a device of this class may be silent before it is gone, ms. */
  graceMs(of: DeviceClass): number;
  /** Whether people set that: then nothing else is learned. */
  isGraceSet(of: DeviceClass): boolean;
}

export interface Member {
  state: MemberState;
  sinceMs: WallMs;
  /** When this device last heard of it; before this page began, if negative. */
  heardAtMs: MonotonicMs;
  isForgiven: boolean;
  /** Its last word, whose signature was checked. */
  record: AliveRecord | undefined;
  /** Whether somebody calls the incarnation of `record` gone. */
  isAccused: boolean;
  /** As in SavedMember. */
  closedMs: number;
  /** The longest silence from which it came back and linked with this device, ms. */
  longestMs: number;
  isEvictable: boolean;
  /** As in SavedMember. */
  longestToldMs: number;
  /** Whether this page heard of it. */
  isHeard: boolean;
  /** Of this silence, the time in which the page was closed first: it counts only among most others, ms. */
  uncountedMs: number;
}

/**
 * What an evictable device holds is made up for before its browser may have deleted it, whatever people or
 * earlier absences say, ms: Safari deletes after seven days of its own use, and repair takes its time.
 */
const MAX_EVICTABLE_GRACE_MS = 4 * 24 * 60 * 60_000;

/** The class of a device that has not told its own. */
export const UNTOLD_CLASS: DeviceClass = 'laptop';

export class Roster {
  readonly #rules: MembershipRules;
  readonly #members = new Map<DeviceId, Member>();
  /** Those that said so, the earliest first; some may not be members yet. */
  readonly #evictable = new Set<DeviceId>();
  nowMs: MonotonicMs = 0;
  wallMs: WallMs = 0;
  /** Changes whenever a state or a class does. */
  revision = 0;
  #changed = new Set<DeviceId>();
  /** Since when this device is cut off: nobody's silence counts from then on. Undefined while it is not. */
  cutOffAtMs: MonotonicMs | undefined;
  /** What was computed last; undefined when silences changed other than by time. */
  #shared: { readonly nowMs: MonotonicMs; readonly ms: number } | undefined;
  readonly #meetings = new Meetings();

  constructor(rules: MembershipRules) {
    this.#rules = rules;
  }

  get(device: DeviceId): Member | undefined {
    return this.#members.get(device);
  }

  all(): ReadonlyMap<DeviceId, Member> {
    return this.#members;
  }

  /** The grace of a class, of whose device nothing was learned. */
  graceOf(of: DeviceClass): number {
    return this.#rules.graceMs(of);
  }

  graceMs(member: Member): number {
    const of = classOf(member);
    const ofClassMs = this.#rules.graceMs(of);
    const graceMs = this.#rules.isGraceSet(of)
      ? ofClassMs
      : learnedGraceMs(ofClassMs, member.longestMs, of === 'alwaysOn' ? 0 : this.#sharedSilenceMs());
    return member.isEvictable ? Math.min(graceMs, MAX_EVICTABLE_GRACE_MS) : graceMs;
  }

  /**
   * Of members that were heard of, and are not always on: what is on all the time shares nobody's nights. Of
   * those that are gone only the silences that ended count: nobody waits for them.
   */
  #sharedSilenceMs(): number {
    const nowMs = this.cutOffAtMs ?? this.nowMs;
    if (this.#shared?.nowMs === nowMs) return this.#shared.ms;
    const silences: number[] = [];
    for (const member of this.#members.values()) {
      if (member.record === undefined || member.record.class === 'alwaysOn') continue;
      const isSilent = member.state === 'away' || member.state === 'suspect';
      silences.push(Math.max(member.longestToldMs, isSilent ? nowMs - member.heardAtMs : 0));
    }
    const ms = sharedSilenceMs(silences);
    this.#shared = { nowMs, ms };
    return ms;
  }

  isEvictable(device: DeviceId): boolean {
    return this.#evictable.has(device);
  }

  setEvictable(device: DeviceId, isEvictable: boolean): void {
    if (this.#evictable.has(device) === isEvictable) return;
    if (!isEvictable) this.#evictable.delete(device);
    else this.#addEvictable(device);
    const member = this.#members.get(device);
    if (member !== undefined) member.isEvictable = this.#evictable.has(device);
    this.#changed.add(device);
    this.revision += 1;
  }

  #addEvictable(device: DeviceId): void {
    this.#evictable.add(device);
    if (this.#evictable.size <= MAX_DEVICE_COUNT) return;
    // One that never became a member makes way; there are no more members than fit.
    const stranger = [...this.#evictable].find((each) => !this.#members.has(each));
    this.#evictable.delete(stranger ?? device);
  }

  /** Those that are not linked, and the shortest grace of one. */
  absent(): { readonly absent: readonly DeviceId[]; readonly leastGraceMs: number } {
    const absent = [...this.#members].filter(([, { state }]) => state !== 'reachable');
    const graces = absent.map(([, member]) => this.graceMs(member));
    return { absent: absent.map(([device]) => device), leastGraceMs: Math.min(Infinity, ...graces) };
  }

  /** Adds a member, unless there are too many. */
  add(device: DeviceId, state: MemberState, sinceMs: WallMs): void {
    if (this.#members.size >= MAX_DEVICE_COUNT) return;
    const member = newMember(state, sinceMs, this.nowMs);
    member.isEvictable = this.#evictable.has(device);
    this.#members.set(device, member);
    this.#shared = undefined;
  }

  /** Drops all but these. */
  keep(devices: ReadonlySet<DeviceId>): void {
    this.#shared = undefined;
    for (const device of this.#members.keys()) {
      if (devices.has(device)) continue;
      this.#members.delete(device);
      this.#evictable.delete(device);
    }
  }

  enter(device: DeviceId, state: MemberState): void {
    const member = this.#members.get(device);
    if (member === undefined || member.state === state) return;
    if (state === 'reachable') {
      // Only from its own link: words of it that others kept back teach nothing of it alone.
      member.longestMs = Math.max(member.longestMs, this.#endedMs(member));
      member.longestToldMs = Math.max(member.longestToldMs, member.longestMs);
      member.isHeard = true;
      this.#meetings.meets(this.wallMs);
    }
    member.state = state;
    member.sinceMs = this.wallMs;
    this.#changed.add(device);
    this.revision += 1;
    this.#shared = undefined;
  }

  /** Its silence, which ends now, as far as something is learned from it, ms. */
  #endedMs(member: Member): number {
    const silentMs = Math.max(0, Math.round(this.nowMs - member.heardAtMs) - member.closedMs);
    return Math.min(silentMs, MAX_LEARNED_SILENCE_MS);
  }

  /** This device heard of it. */
  heard(member: Member): void {
    if (member.state !== 'reachable')
      member.longestToldMs = Math.max(member.longestToldMs, this.#endedMs(member));
    this.#shared = undefined;
    member.heardAtMs = this.nowMs;
    member.isForgiven = false;
    member.closedMs = 0;
    member.isHeard = true;
    member.uncountedMs = 0;
  }

  /** A later word of a member than its last: it lives. */
  heardWord(record: AliveRecord): void {
    const member = this.#members.get(record.device);
    if (member === undefined) return;
    if (record.incarnation > (member.record?.incarnation ?? 0)) member.isAccused = false;
    if (record.class !== classOf(member)) this.revision += 1;
    member.record = record;
    this.heard(member);
    if (member.state !== 'reachable') this.enter(record.device, 'away');
  }

  /** This device could not hear for `countedMs` of its monotonic clock until now. */
  wasDeaf(countedMs: number): void {
    this.#shared = undefined;
    for (const member of this.#members.values())
      member.heardAtMs = Math.min(this.nowMs, member.heardAtMs + countedMs);
  }

  /** Whether this device sees its pool so rarely that no loss may wait for a second one. */
  get meetsRarely(): boolean {
    return this.#meetings.areRare;
  }

  /**
   * Counts the first time of each silence in which this page was closed, once most others were heard of since
   * it opened: what kept this device from hearing did not keep them from coming.
   */
  countAmongOthers(): void {
    const members = [...this.#members.values()];
    if (members.every(({ uncountedMs }) => uncountedMs === 0)) return;
    const others = members.filter((member) => member.state !== 'gone' && classOf(member) !== 'alwaysOn');
    if (others.filter(({ isHeard }) => isHeard).length * 2 <= others.length) return;
    for (const member of members) {
      member.heardAtMs -= member.uncountedMs;
      member.closedMs = Math.max(member.closedMs, member.uncountedMs);
      member.uncountedMs = 0;
    }
    this.#shared = undefined;
  }

  /** Members whose state changed since the last call. */
  takeChanged(): ReadonlySet<DeviceId> {
    const changed = this.#changed;
    if (changed.size > 0) this.#changed = new Set();
    return changed;
  }

  saved(): SavedMembers {
    const members = [...this.#members].map(([device, member]) => {
      const isThere = member.state === 'reachable';
      return {
        device,
        isGone: member.state === 'gone',
        sinceMs: member.sinceMs,
        silentMs: isThere ? 0 : Math.round(this.nowMs - member.heardAtMs),
        isForgiven: !isThere && member.isForgiven,
        record: member.record,
        closedMs: isThere ? 0 : Math.round(member.closedMs),
        longestMs: member.longestMs,
        isEvictable: member.isEvictable,
        longestToldMs: member.longestToldMs,
      };
    });
    return { atMs: this.wallMs, members, metDays: this.#meetings.days };
  }

  /**
   * The members of an earlier page. It was closed for some time by the wall clock, which may have been set
   * meanwhile. A member may truly have been silent all the while, but this device could not hear it: the
   * first such time of a silence does not count by itself.
   */
  restore({ atMs, members, metDays }: SavedMembers): void {
    this.#shared = undefined;
    this.#meetings.restore(metDays);
    for (const saved of members) {
      const { device, isGone, sinceMs, silentMs, isForgiven, record, longestMs } = saved;
      const member = newMember(isGone ? 'gone' : 'away', Math.min(sinceMs, this.wallMs), this.nowMs);
      member.record = record;
      member.longestMs = longestMs;
      // Earlier versions wrote the first of them alone.
      member.longestToldMs = Math.max(longestMs, saved.longestToldMs);
      member.isEvictable = saved.isEvictable;
      if (saved.isEvictable) this.#evictable.add(device);
      // A wall clock that was set far ahead adds no more than this, so it alone makes nobody gone.
      const mostMs = this.#rules.graceMs(classOf(member)) / 2;
      const atMostMs = Math.min(Math.max(0, this.wallMs - atMs), mostMs);
      const closedMs = isForgiven ? atMostMs : 0;
      member.uncountedMs = isForgiven ? 0 : atMostMs;
      member.heardAtMs = this.nowMs - silentMs - closedMs;
      // The longest such time teaches nothing: the clock may have been set.
      member.closedMs = Math.max(saved.closedMs, closedMs);
      member.isForgiven = true;
      this.#members.set(device, member);
    }
  }
}

export function classOf({ record }: Member): DeviceClass {
  return record?.class ?? UNTOLD_CLASS;
}

function newMember(state: MemberState, sinceMs: WallMs, heardAtMs: MonotonicMs): Member {
  return {
    state,
    sinceMs,
    heardAtMs,
    isForgiven: false,
    record: undefined,
    isAccused: false,
    closedMs: 0,
    longestMs: 0,
    isEvictable: false,
    longestToldMs: 0,
    isHeard: state === 'reachable',
    uncountedMs: 0,
  };
}
