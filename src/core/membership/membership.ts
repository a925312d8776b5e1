// Who of the pool is reachable, away or gone, as this device sees it.
//
// Invariants:
// - Nothing is taken from another device's clock. How long a member was silent is counted by this device's
//   monotonic clock from the moment at which it heard of it, so a wall clock that is set changes nothing.
// - This device's own absence is nobody's silence: asleep or frozen, it could not hear. While its page was
//   closed a member may truly have been silent, so only the first such absence of a silence does not count.
// - A device that hears from nobody is probably cut off itself, and calls nobody gone.

import type { DeviceClass } from '../model/device-class.ts';
import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';
import type { MonotonicMs, WallMs } from '../model/time.ts';
import type { MemberState, MemberStatus } from './member-state.ts';

/** What outlives the page about one member. */
export interface SavedMember {
  readonly device: DeviceId;
  readonly isGone: boolean;
  readonly sinceMs: WallMs;
  /** How long nothing had been heard of it, ms. */
  readonly silentMs: number;
  /** Whether an absence of this device was already left out of this silence. */
  readonly isForgiven: boolean;
}

export interface SavedMembers {
  /** When they were saved, by this device's wall clock. */
  readonly atMs: WallMs;
  readonly members: readonly SavedMember[];
}

export interface MembershipRules {
  /** How long a device of this class may be silent before it is gone, ms. */
  graceMs(of: DeviceClass): number;
}

interface Member {
  state: MemberState;
  sinceMs: WallMs;
  /** When this device last heard of it; before this page began, if negative. */
  heardAtMs: MonotonicMs;
  isForgiven: boolean;
}

/**
 * After this device was absent, nobody is called gone for this long, ms: links form in seconds, and news of
 * devices that only others are linked with comes within a minute.
 */
export const SETTLE_MS = 120_000;
/** The class of a device that has not told its own. */
const UNTOLD_CLASS: DeviceClass = 'laptop';

export class Membership {
  readonly #self: DeviceId;
  readonly #ownClass: DeviceClass;
  readonly #rules: MembershipRules;
  readonly #members = new Map<DeviceId, Member>();
  readonly #linked = new Map<DeviceId, WallMs>();
  #hasRelay = false;
  #saved: SavedMembers | undefined;
  #nowMs: MonotonicMs = 0;
  #wallMs: WallMs = 0;
  #openedAtMs: WallMs | undefined;
  /** When this device was last back from being closed, asleep, frozen or cut off. */
  #backAtMs: MonotonicMs = 0;
  /** Since when it has had neither a link nor the relay; undefined while it has. */
  #cutOffAtMs: MonotonicMs | undefined;
  /** Not later than the next change of a state by time alone. */
  #dueMs: MonotonicMs = Infinity;
  #changed = new Set<DeviceId>();
  #revision = 0;

  constructor(self: DeviceId, ownClass: DeviceClass, rules: MembershipRules) {
    this.#self = self;
    this.#ownClass = ownClass;
    this.#rules = rules;
  }

  /** Changes whenever a state does. */
  get revision(): number {
    return this.#revision;
  }

  of(device: DeviceId): MemberStatus {
    const openedAtMs = this.#openedAtMs ?? this.#wallMs;
    if (device === this.#self) return { state: 'reachable', class: this.#ownClass, sinceMs: openedAtMs };
    const member = this.#members.get(device);
    if (member !== undefined) return { state: member.state, class: UNTOLD_CLASS, sinceMs: member.sinceMs };
    const linkedSinceMs = this.#linked.get(device);
    return {
      state: linkedSinceMs === undefined ? 'away' : 'reachable',
      class: UNTOLD_CLASS,
      sinceMs: linkedSinceMs ?? openedAtMs,
    };
  }

  isGone(device: DeviceId): boolean {
    return this.#members.get(device)?.state === 'gone';
  }

  /** What `saved` gave on an earlier page. It counts from the next `tell`. */
  restore(saved: SavedMembers): void {
    this.#saved = saved;
  }

  saved(): SavedMembers {
    const members = [...this.#members].map(([device, { state, sinceMs, heardAtMs, isForgiven }]) => ({
      device,
      isGone: state === 'gone',
      sinceMs,
      silentMs: state === 'reachable' ? 0 : Math.round(this.#nowMs - heardAtMs),
      isForgiven: state !== 'reachable' && isForgiven,
    }));
    return { atMs: this.#wallMs, members };
  }

  /** What time it is: before each other input. */
  tell(nowMs: MonotonicMs, wallMs: WallMs): void {
    this.#nowMs = nowMs;
    this.#wallMs = wallMs;
    if (this.#openedAtMs !== undefined) return;
    this.#openedAtMs = wallMs;
    this.#backAtMs = nowMs;
    this.#cutOffAtMs = nowMs;
    const saved = this.#saved;
    this.#saved = undefined;
    for (const member of saved?.members ?? []) this.#restored(member, wallMs - (saved?.atMs ?? wallMs));
  }

  /** The wall clock was set, or the device slept: which of the two cannot be known. */
  clockJumped(nowMs: MonotonicMs, wallMs: WallMs): void {
    if (this.#openedAtMs === undefined) return;
    this.tell(nowMs, wallMs);
    this.wasAbsent(0);
  }

  /** These are the members now. */
  know(devices: readonly DeviceId[]): void {
    const known = new Set(devices);
    for (const device of this.#members.keys()) if (!known.has(device)) this.#members.delete(device);
    for (const device of devices) {
      if (device === this.#self || this.#members.has(device) || this.#members.size >= MAX_DEVICE_COUNT)
        continue;
      const state = this.#linked.has(device) ? 'reachable' : 'away';
      const sinceMs = this.#linked.get(device) ?? this.#wallMs;
      this.#members.set(device, { state, sinceMs, heardAtMs: this.#nowMs, isForgiven: false });
    }
    this.#dueMs = -Infinity;
  }

  greeted(device: DeviceId): void {
    this.#linked.set(device, this.#wallMs);
    this.#enter(device, 'reachable');
    this.#reachChanged();
  }

  linkDown(device: DeviceId): void {
    if (!this.#linked.delete(device)) return;
    const member = this.#members.get(device);
    if (member !== undefined) this.#heard(member);
    this.#enter(device, 'away');
    this.#reachChanged();
  }

  /** Whether the relay is connected: then this device is not cut off, even if nobody is linked. */
  relay(isConnected: boolean): void {
    this.#hasRelay = isConnected;
    this.#reachChanged();
  }

  /** Graces changed. Who is gone stays so until it is heard of. */
  rulesChanged(): void {
    this.#dueMs = -Infinity;
  }

  /** This device slept, was frozen or cut off; its monotonic clock went on for `countedMs` meanwhile. */
  wasAbsent(countedMs: number): void {
    this.#backAtMs = this.#nowMs;
    for (const member of this.#members.values())
      member.heardAtMs = Math.min(this.#nowMs, member.heardAtMs + countedMs);
    this.#dueMs = -Infinity;
  }

  /** Calls devices gone whose grace is over. */
  advance(): void {
    if (this.#nowMs < this.#dueMs) return;
    this.#dueMs = Infinity;
    if (this.#cutOffAtMs !== undefined) return;
    for (const [device, member] of this.#members) {
      if (member.state === 'reachable' || member.state === 'gone') continue;
      const goneAtMs = this.#goneAtMs(member);
      if (this.#nowMs >= goneAtMs) this.#enter(device, 'gone');
      else this.#dueMs = Math.min(this.#dueMs, goneAtMs);
    }
  }

  nextDeadlineMs(): MonotonicMs {
    return this.#dueMs === -Infinity ? this.#nowMs : this.#dueMs;
  }

  /** Members whose state changed since the last call. */
  takeChanged(): ReadonlySet<DeviceId> {
    const changed = this.#changed;
    if (changed.size > 0) this.#changed = new Set();
    return changed;
  }

  #reachChanged(): void {
    this.#dueMs = -Infinity;
    if (this.#linked.size === 0 && !this.#hasRelay) {
      this.#cutOffAtMs ??= this.#nowMs;
    } else if (this.#cutOffAtMs !== undefined) {
      this.wasAbsent(this.#nowMs - this.#cutOffAtMs);
      this.#cutOffAtMs = undefined;
    }
  }

  #goneAtMs({ heardAtMs }: Member): MonotonicMs {
    const graceMs = this.#graceMs();
    return Math.max(heardAtMs + graceMs, this.#backAtMs + Math.min(SETTLE_MS, graceMs));
  }

  #graceMs(): number {
    return this.#rules.graceMs(UNTOLD_CLASS);
  }

  #heard(member: Member): void {
    member.heardAtMs = this.#nowMs;
    member.isForgiven = false;
  }

  #enter(device: DeviceId, state: MemberState): void {
    const member = this.#members.get(device);
    if (member === undefined || member.state === state) return;
    member.state = state;
    member.sinceMs = this.#wallMs;
    this.#changed.add(device);
    this.#revision += 1;
  }

  /**
   * The page was closed for `closedMs` by the wall clock, which may have been set meanwhile: to an earlier
   * time, if it is negative.
   */
  #restored(saved: SavedMember, closedMs: number): void {
    const graceMs = this.#graceMs();
    // A wall clock that was set far ahead adds no more than this, so it alone makes nobody gone.
    const countedMs = saved.isForgiven ? Math.min(Math.max(0, closedMs), graceMs / 2) : 0;
    this.#members.set(saved.device, {
      state: saved.isGone ? 'gone' : 'away',
      sinceMs: Math.min(saved.sinceMs, this.#wallMs),
      heardAtMs: this.#nowMs - saved.silentMs - countedMs,
      isForgiven: true,
    });
  }
}
