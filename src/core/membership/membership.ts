// Who of the pool is reachable, suspect, away or gone, as this device sees it: SWIM with Lifeguard's
// self-doubt, fitted to devices that sleep.
//
// Invariants:
// - Only a device itself says that it is alive, in signed records; others pass them on (news.ts).
// - Nothing is taken from another device's clock, and no state from another device's word.
// - This device's own absence is nobody's silence: asleep, frozen or cut off, it could not hear.
// - Who hears from nobody is probably cut off itself, and calls nobody suspect or gone.

import type { DeviceClass } from '../model/device-class.ts';
import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs, WallMs } from '../model/time.ts';
import type { AliveRecord, Belief } from './alive-record.ts';
import type { MembershipEffect } from './membership-effects.ts';
import type { MemberStatus } from './member-state.ts';
import { News } from './news.ts';
import { OwnLife } from './own-life.ts';
import {
  classOf,
  Roster,
  UNTOLD_CLASS,
  type Member,
  type MembershipRules,
  type SavedMembers,
} from './roster.ts';

export type MemberMessage =
  | { readonly kind: 'probe'; readonly beliefs: readonly Belief[] }
  | { readonly kind: 'alive'; readonly records: readonly AliveRecord[] }
  | { readonly kind: 'goodbye' };

export type MemberTold =
  /** The relay is connected, or no longer is. With it this device is not cut off, linked or not. */
  | { readonly kind: 'relay'; readonly isConnected: boolean }
  /** A `sign-alive` effect was carried out; undefined: the record could not be written. */
  | { readonly kind: 'alive-signed'; readonly record: AliveRecord | undefined }
  /** A `check-alive` effect was carried out: the signatures of these fit, those of the others do not. */
  | {
      readonly kind: 'alive-checked';
      readonly from: DeviceId;
      readonly records: readonly AliveRecord[];
      readonly refusedCount: number;
    };

interface Link {
  readonly sinceMs: WallMs;
  /** It said that it goes, or may stop for a while: until then losing its link means nothing else. */
  excusedUntilMs: MonotonicMs;
  /** Whether it is linked and no longer vouches for itself (vouching.ts). */
  isSilent: boolean;
}

/**
 * After this device was absent, nobody is called gone for this long, ms: links form in seconds, and news of
 * devices that only others are linked with comes within a minute or two.
 */
export const SETTLE_MS = 120_000;
/** How long a device that vanished is suspect, ms: within it, a link is mended or the neighbours answer. */
export const SUSPECT_MS = 20_000;
/**
 * How long a goodbye explains that a device falls silent, ms: a phone that is hidden by a file picker, camera
 * or share sheet is frozen within a minute or so, and its link is lost 20 s later.
 */
const EXCUSED_MS = 120_000;
/**
 * After this device slept, it suspects nobody for this long, ms: the links that it loses then broke while it
 * slept. It is the longest suspicion of memberlist in a pool of a thousand.
 */
const DOUBT_MS = 72_000;
/** Later than this for what was due, ms, a device with links was asleep or frozen: two pulses are missing. */
const LATE_MS = 10_000;
/** The same without links: browsers wake hidden pages once a minute. */
const LATE_ALONE_MS = 90_000;
/**
 * How often a device without links looks at the clock, ms. It finds out that it was frozen only if something
 * was due meanwhile; with links, the pulses are.
 */
const LOOK_ALONE_MS = 10_000;

export class Membership {
  readonly #self: DeviceId;
  readonly #isEvictable: boolean;
  readonly #own: OwnLife;
  readonly #roster: Roster;
  readonly #news: News;
  readonly #links = new Map<DeviceId, Link>();
  #hasRelay = false;
  #saved: SavedMembers | undefined;
  #openedAtMs: WallMs | undefined;
  /** When this device was last back from being closed, asleep, frozen or cut off. */
  #backAtMs: MonotonicMs = 0;
  /** How often this device found that it was asleep, frozen, or had its clock set. */
  absenceCount = 0;
  /** Until then this device suspects nobody. */
  #doubtsUntilMs: MonotonicMs = 0;
  /** Not later than the next change of a state by time alone. */
  #dueMs: MonotonicMs = Infinity;

  constructor(self: DeviceId, ownClass: DeviceClass, rules: MembershipRules, isEvictable = false) {
    this.#self = self;
    this.#isEvictable = isEvictable;
    this.#own = new OwnLife(ownClass);
    this.#roster = new Roster(rules);
    this.#news = new News(self, this.#own, this.#roster);
  }

  /** Changes whenever a state or a class does. */
  get revision(): number {
    return this.#roster.revision;
  }

  of(device: DeviceId): MemberStatus {
    const openedAtMs = this.#openedAtMs ?? this.#roster.wallMs;
    if (device === this.#self) {
      const graceMs = this.#roster.graceOf(this.#own.class);
      return { state: 'reachable', class: this.#own.class, sinceMs: openedAtMs, graceMs };
    }
    const member = this.#roster.get(device);
    if (member !== undefined) {
      const { state, sinceMs } = member;
      return { state, class: classOf(member), sinceMs, graceMs: this.#roster.graceMs(member) };
    }
    const link = this.#links.get(device);
    return {
      state: link === undefined ? 'away' : 'reachable',
      class: UNTOLD_CLASS,
      sinceMs: link?.sinceMs ?? openedAtMs,
      graceMs: this.#roster.graceOf(UNTOLD_CLASS),
    };
  }

  /** Whether this device trusts its own ears: it was not asleep a moment ago. */
  get mayAccuse(): boolean {
    return this.#roster.nowMs >= this.#doubtsUntilMs;
  }

  /** Whether this device sees its pool so rarely that no loss may wait for a second one. */
  get meetsRarely(): boolean {
    return this.#roster.meetsRarely;
  }

  isGone(device: DeviceId): boolean {
    return this.#roster.get(device)?.state === 'gone';
  }

  /**
   * Whether the device's browser deletes what it holds if nobody opens it for a while, as it said when it was
   * last linked.
   */
  isEvictable(device: DeviceId): boolean {
    return device === this.#self ? this.#isEvictable : this.#roster.isEvictable(device);
  }

  saysEvictable(device: DeviceId, isEvictable: boolean): void {
    this.#roster.setEvictable(device, isEvictable);
  }

  /** `incarnation`: later than those of all earlier pages. `saved` counts from the next `tell`, or now. */
  restore(incarnation: number, saved: SavedMembers | undefined): void {
    this.#own.begin(incarnation);
    this.#saved = saved;
    if (this.#openedAtMs !== undefined) this.#takeUp();
  }

  saved(): SavedMembers {
    return this.#roster.saved();
  }

  /** What time it is: before each other input. `lateMs`: how long this device may have heard nothing. */
  tell(nowMs: MonotonicMs, wallMs: WallMs, lateMs = 0): void {
    this.#roster.nowMs = nowMs;
    this.#roster.wallMs = wallMs;
    if (this.#openedAtMs === undefined) {
      this.#openedAtMs = wallMs;
      this.#backAtMs = nowMs;
      this.#roster.cutOffAtMs = nowMs;
      this.#takeUp();
    }
    if (lateMs > (this.#links.size > 0 ? LATE_MS : LATE_ALONE_MS)) this.#slept(lateMs);
  }

  #takeUp(): void {
    if (this.#saved !== undefined) this.#roster.restore(this.#saved);
    this.#saved = undefined;
  }

  /** The wall clock was set, or the device slept: which of the two cannot be known. */
  clockJumped(nowMs: MonotonicMs, wallMs: WallMs): void {
    if (this.#openedAtMs === undefined) return;
    this.tell(nowMs, wallMs);
    this.#slept(0);
  }

  /** These are the members now. */
  know(devices: readonly DeviceId[]): void {
    this.#roster.keep(new Set(devices));
    for (const device of devices) {
      if (device === this.#self || this.#roster.get(device) !== undefined) continue;
      const link = this.#links.get(device);
      const state = link === undefined ? 'away' : 'reachable';
      this.#roster.add(device, state, link?.sinceMs ?? this.#roster.wallMs);
      this.#news.hurry();
    }
    this.#dueMs = -Infinity;
  }

  greeted(device: DeviceId): void {
    this.#links.set(device, {
      sinceMs: this.#roster.wallMs,
      excusedUntilMs: -Infinity,
      isSilent: false,
    });
    // The time for which this device was cut off is nobody's silence.
    this.#reachChanged();
    this.#roster.enter(device, 'reachable');
  }

  /** The device takes messages about members. */
  speaks(device: DeviceId): void {
    if (this.#links.has(device)) this.#news.speaks(device);
  }

  /** Linked devices that take messages about members. */
  speaking(): DeviceId[] {
    return this.#news.neighbours();
  }

  /** It goes, of its own accord: losing its link means nothing else. */
  goodbye(device: DeviceId): void {
    const link = this.#links.get(device);
    if (link !== undefined) link.excusedUntilMs = this.#roster.nowMs + EXCUSED_MS;
  }

  linkDown(device: DeviceId): void {
    const link = this.#links.get(device);
    if (link === undefined) return;
    this.#links.delete(device);
    this.#news.linkDown(device);
    const member = this.#roster.get(device);
    if (member !== undefined && link.isSilent) this.#news.hurry();
    else if (member !== undefined) {
      this.#roster.heard(member);
      const isSuspect = this.mayAccuse && this.#roster.nowMs > link.excusedUntilMs;
      this.#roster.enter(device, isSuspect ? 'suspect' : 'away');
      this.#news.hurry();
    }
    this.#reachChanged();
  }

  /** The device is linked, and owes several answers: what it holds can no longer be had. */
  silent(device: DeviceId): void {
    const link = this.#links.get(device);
    if (link === undefined) return;
    link.isSilent = true;
    const member = this.#roster.get(device);
    if (member !== undefined) this.#roster.heard(member);
    this.#roster.enter(device, this.#roster.nowMs > link.excusedUntilMs ? 'suspect' : 'away');
    this.#news.hurry();
    this.#dueMs = -Infinity;
  }

  /** A device that was silent gives answers again. */
  worksAgain(device: DeviceId): void {
    const link = this.#links.get(device);
    if (link === undefined) return;
    link.isSilent = false;
    this.#roster.enter(device, 'reachable');
  }

  /** Whether it is linked, and what it holds cannot be had. */
  isSilent(device: DeviceId): boolean {
    return this.#links.get(device)?.isSilent === true;
  }

  /** What the runtime found out, or carried out. */
  told(what: MemberTold): void {
    switch (what.kind) {
      case 'relay':
        this.#hasRelay = what.isConnected;
        this.#reachChanged();
        break;
      case 'alive-signed':
        this.#news.signed(what.record);
        break;
      case 'alive-checked':
        this.#news.recordsChecked(what.from, what.records, what.refusedCount);
        this.#dueMs = -Infinity;
        break;
    }
  }

  /** Graces changed. Who is gone stays so until it is heard of; for others, news comes first. */
  rulesChanged(): void {
    this.#back(0);
    this.#backAtMs = this.#roster.nowMs;
  }

  /** `from` tells what it believes of members, passes on unchecked records, or goes of its own accord. */
  heard(from: DeviceId, message: MemberMessage): void {
    switch (message.kind) {
      case 'probe':
        this.#news.probed(from, message.beliefs);
        break;
      case 'alive':
        this.#news.heardRecords(from, message.records);
        break;
      case 'goodbye':
        this.goodbye(from);
        break;
    }
  }

  /** What follows from all that was told since the last call, and from the time. */
  advance(): readonly MembershipEffect[] {
    // Who is gone may have been why others were waited for.
    while (this.#roster.nowMs >= this.#dueMs) this.#lookAtTime();
    return this.#news.advance();
  }

  nextDeadlineMs(): MonotonicMs {
    // The time for which it is cut off counts for nothing, so nobody needs to know how much it was.
    const isAlone = this.#links.size === 0 && this.#roster.cutOffAtMs === undefined;
    const lookMs = isAlone ? this.#roster.nowMs + LOOK_ALONE_MS : Infinity;
    return Math.min(this.#dueMs, this.#news.nextDeadlineMs(), lookMs);
  }

  /** Members whose state changed since the last call. */
  takeChanged(): ReadonlySet<DeviceId> {
    return this.#roster.takeChanged();
  }

  #lookAtTime(): void {
    const { nowMs } = this.#roster;
    this.#dueMs = Infinity;
    this.#roster.countAmongOthers();
    for (const [device, member] of this.#roster.all()) {
      if (member.state === 'suspect') {
        const untilMs = member.heardAtMs + SUSPECT_MS;
        // Who has lost all links is the one that is lost.
        if (nowMs >= untilMs || this.#links.size === 0) this.#roster.enter(device, 'away');
        else this.#dueMs = Math.min(this.#dueMs, untilMs);
      }
      if (member.state === 'reachable' || member.state === 'gone' || this.#roster.cutOffAtMs !== undefined)
        continue;
      const goneAtMs = this.#goneAtMs(member);
      if (nowMs < goneAtMs) this.#dueMs = Math.min(this.#dueMs, goneAtMs);
      else {
        this.#roster.enter(device, 'gone');
        this.#dueMs = -Infinity;
      }
    }
  }

  #goneAtMs(member: Member): MonotonicMs {
    const graceMs = this.#roster.graceMs(member);
    return Math.max(member.heardAtMs + graceMs, this.#backAtMs + Math.min(SETTLE_MS, graceMs));
  }

  #reachChanged(): void {
    this.#dueMs = -Infinity;
    if (this.#links.size === 0 && !this.#hasRelay) {
      this.#roster.cutOffAtMs ??= this.#roster.nowMs;
    } else if (this.#roster.cutOffAtMs !== undefined) {
      this.#back(this.#roster.nowMs - this.#roster.cutOffAtMs);
      this.#roster.cutOffAtMs = undefined;
    }
  }

  /** It was asleep or frozen; its monotonic clock went on for `countedMs` meanwhile. */
  #slept(countedMs: number): void {
    this.absenceCount += 1;
    this.#back(countedMs);
    this.#doubtsUntilMs = this.#roster.nowMs + DOUBT_MS;
    this.#own.rise(this.#own.sign.incarnation);
    for (const [device, { state }] of this.#roster.all())
      if (state === 'suspect') this.#roster.enter(device, 'away');
  }

  #back(countedMs: number): void {
    // One that comes and goes all the time must come to a verdict, too.
    if (this.#roster.nowMs >= this.#backAtMs + SETTLE_MS) this.#backAtMs = this.#roster.nowMs;
    this.#roster.wasDeaf(countedMs);
    this.#news.hurry();
    this.#dueMs = -Infinity;
  }
}
