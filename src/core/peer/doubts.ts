// Claims that a device made and did not make good. It may have lost the fragment and be about to say so: then
// its claim is looked at again after a while, and reported if it still stands. From then on the claim does
// not count on this device, until the device proves that it has the fragment, or withdraws its claim. After
// wrong bytes or a wrong proof it does not count from that moment: an honest device checks what it sends.
//
// Only what a device itself gave and said counts, never the word of others. Slowness and silence alone are
// reported and change nothing: an honest device may be busy, asleep or cut off.
//
// Invariants: at most MAX_DOUBTS are remembered, and MAX_PER_DEVICE of one device; each is reported at most
// once.

import type { DeviceId, FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import { packFragments, unpackFragments } from '../placement/fragment-set.ts';
import type { FragmentSet, PackedFragments } from '../placement/fragment-set.ts';
import type { Place } from '../wire/places.ts';

/**
 * 'wrong': wrong bytes, or a wrong proof. 'absent': it said that it has no such fragment, or that its copy is
 * damaged. 'silent': it gave no proof when it was asked.
 */
export type Evidence = 'silent' | 'absent' | 'wrong';

/**
 * A device that finds a loss tells its holdings within moments, and notices within a pulse that another
 * missed them, ms.
 */
const CHECK_AFTER_MS = 15_000;
/** Bounds one device's doubts, so that they do not crowd out the others'. */
const MAX_PER_DEVICE = 256;
/** Of all devices: some hundred bytes each. */
const MAX_DOUBTS = 4_096;
/** Of a device that gave so many different fragments wrong, nothing counts that it has not shown to have. */
const MAX_WRONG = 3;
/** So of a device of which so many doubted claims stand. */
const MAX_STANDING = 8;
/** A distrusted device is trusted again once it proved so many in a row and no doubt of it stands. */
const PROVED_TO_TRUST = 3;
/** Claims that a distrusted device made good: more count as doubted. */
const MAX_PROVED = 256;

interface Doubt extends Place {
  evidence: Evidence;
  /** When it is looked at; Infinity once it was. */
  dueMs: MonotonicMs;
  isReported: boolean;
  /** Whether the claim does not count while it is made. */
  stands: boolean;
  /** Whether the device no longer makes the claim. It may again, with a new copy. */
  isWithdrawn: boolean;
  /** How often the claim was withdrawn and made again: once for a new copy, more often in order to hinder. */
  againCount: number;
}

interface Doubted {
  readonly doubts: Map<string, Doubt>;
  /** Fragments that it proved in a row. */
  provedCount: number;
  /** Claims that it made good since it is distrusted. */
  readonly proved: Set<string>;
  isDistrusted: boolean;
}

export interface DoubtsView {
  isClaimed(device: DeviceId, place: Place): boolean;
  /** What counts of a device's claims on the file has changed; without a file, on any. */
  changed(device: DeviceId, file?: FileId): void;
}

export class Doubts {
  readonly #view: DoubtsView;
  readonly #devices = new Map<DeviceId, Doubted>();
  #count = 0;
  /** Not later than the first look that is due. */
  #dueMs: MonotonicMs = Infinity;

  constructor(view: DoubtsView) {
    this.#view = view;
  }

  /** `device` did not give a fragment that it claims. `isReported`: people were told already. */
  notGiven(nowMs: MonotonicMs, device: DeviceId, place: Place, evidence: Evidence, isReported = false): void {
    if (!this.#view.isClaimed(device, place)) return;
    const doubted = this.#doubtedOf(device);
    const doubt = doubted && this.#doubtOf(doubted, place, evidence);
    if (doubted === undefined || doubt === undefined) return;
    doubt.isReported ||= isReported;
    if (evidence === 'silent') {
      if (!doubt.isReported && doubt.dueMs === Infinity) this.#lookLater(nowMs, doubt);
      return;
    }
    doubted.provedCount = 0;
    doubted.proved.delete(keyOf(place));
    if (evidence === 'wrong') doubt.evidence = 'wrong';
    else if (doubt.evidence === 'silent') doubt.evidence = 'absent';
    if (!doubt.stands && (evidence === 'wrong' || doubt.againCount > 0)) this.#stand(device, doubted, doubt);
    if (doubt.dueMs === Infinity && !(doubt.stands && doubt.isReported)) this.#lookLater(nowMs, doubt);
  }

  /** The device proved that it has this fragment. */
  proved(device: DeviceId, place: Place): void {
    const doubted = this.#devices.get(device);
    if (doubted === undefined) return;
    const key = keyOf(place);
    doubted.provedCount += 1;
    if (doubted.isDistrusted && doubted.proved.size < MAX_PROVED) doubted.proved.add(key);
    if (doubted.doubts.delete(key)) this.#count -= 1;
    if (
      doubted.isDistrusted &&
      doubted.provedCount >= PROVED_TO_TRUST &&
      this.#standingCount(doubted) === 0
    ) {
      this.forget(device);
      return;
    }
    if (doubted.doubts.size === 0 && !doubted.isDistrusted) this.#devices.delete(device);
    this.#view.changed(device, place.file);
  }

  /** The device said what it claims now. */
  told(device: DeviceId): void {
    for (const doubt of this.#devices.get(device)?.doubts.values() ?? []) {
      const isWithdrawn = !this.#view.isClaimed(device, doubt);
      if (isWithdrawn === doubt.isWithdrawn) continue;
      doubt.isWithdrawn = isWithdrawn;
      if (isWithdrawn) continue;
      // It may have a new copy by now. Not given again, it stands at once, and whenever it is made again.
      if (doubt.againCount === 0) {
        doubt.stands = false;
        doubt.isReported = false;
        doubt.dueMs = Infinity;
      }
      doubt.againCount += 1;
      this.#view.changed(device, doubt.file);
    }
  }

  /** Nothing is held against the device any longer. */
  forget(device: DeviceId): void {
    const doubted = this.#devices.get(device);
    if (doubted === undefined) return;
    this.#count -= doubted.doubts.size;
    this.#devices.delete(device);
    this.#view.changed(device);
  }

  /** Looks at the claims that are due. Returns how many of each device stand that were not reported. */
  standing(nowMs: MonotonicMs): Map<DeviceId, number> {
    const reported = new Map<DeviceId, number>();
    if (nowMs < this.#dueMs) return reported;
    this.#dueMs = Infinity;
    for (const [device, doubted] of this.#devices) {
      for (const doubt of doubted.doubts.values()) {
        if (doubt.dueMs > nowMs) {
          this.#dueMs = Math.min(this.#dueMs, doubt.dueMs);
          continue;
        }
        doubt.dueMs = Infinity;
        if (!this.#view.isClaimed(device, doubt)) {
          doubt.isWithdrawn = true;
          continue;
        }
        if (!doubt.isReported) reported.set(device, (reported.get(device) ?? 0) + 1);
        doubt.isReported = true;
        if (doubt.evidence !== 'silent' && !doubt.stands) this.#stand(device, doubted, doubt);
      }
    }
    return reported;
  }

  nextDeadlineMs(): MonotonicMs {
    return this.#dueMs;
  }

  /** Those of these claims that count. */
  countedOf(file: FileId, holders: ReadonlyMap<DeviceId, FragmentSet>): Map<DeviceId, FragmentSet> {
    const counted = new Map(holders);
    for (const [device, doubted] of this.#devices) {
      const claimed = holders.get(device);
      if (claimed === undefined) continue;
      const some = [...claimed].filter((fragment) => counts(doubted, keyOf({ file, fragment })));
      if (some.length === claimed.size) continue;
      if (some.length > 0) counted.set(device, new Set(some));
      else counted.delete(device);
    }
    return counted;
  }

  /** The same of one device. */
  countedPacked(device: DeviceId, file: FileId, claimed: PackedFragments): PackedFragments {
    const doubted = this.#devices.get(device);
    if (doubted === undefined) return claimed;
    const some = [...unpackFragments(claimed)];
    return packFragments(some.filter((fragment) => counts(doubted, keyOf({ file, fragment }))));
  }

  /** Whether this claim does not count. */
  isDoubted(device: DeviceId, place: Place): boolean {
    const doubted = this.#devices.get(device);
    return doubted !== undefined && !counts(doubted, keyOf(place));
  }

  /** Whether nothing that the device claims counts until it is shown. */
  isDistrusted(device: DeviceId): boolean {
    return this.#devices.get(device)?.isDistrusted === true;
  }

  #stand(device: DeviceId, doubted: Doubted, doubt: Doubt): void {
    doubt.stands = true;
    this.#view.changed(device, doubt.file);
    if (doubted.isDistrusted) return;
    const wrongCount = [...doubted.doubts.values()].filter(({ evidence }) => evidence === 'wrong').length;
    if (wrongCount < MAX_WRONG && this.#standingCount(doubted) < MAX_STANDING) return;
    doubted.isDistrusted = true;
    this.#view.changed(device);
  }

  #standingCount({ doubts }: Doubted): number {
    return [...doubts.values()].filter(({ stands, isWithdrawn }) => stands && !isWithdrawn).length;
  }

  #lookLater(nowMs: MonotonicMs, doubt: Doubt): void {
    doubt.dueMs = nowMs + CHECK_AFTER_MS;
    this.#dueMs = Math.min(this.#dueMs, doubt.dueMs);
  }

  #doubtedOf(device: DeviceId): Doubted | undefined {
    const known = this.#devices.get(device);
    if (known !== undefined || !this.#hasRoom()) return known;
    const doubted = { doubts: new Map(), provedCount: 0, proved: new Set<string>(), isDistrusted: false };
    this.#devices.set(device, doubted);
    return doubted;
  }

  #doubtOf({ doubts }: Doubted, { file, fragment }: Place, evidence: Evidence): Doubt | undefined {
    const key = keyOf({ file, fragment });
    const known = doubts.get(key);
    if (known !== undefined) return known;
    if (doubts.size >= MAX_PER_DEVICE) this.#forgetWithdrawn(doubts);
    if (doubts.size >= MAX_PER_DEVICE || !this.#hasRoom()) return undefined;
    const doubt: Doubt = {
      file,
      fragment,
      evidence,
      dueMs: Infinity,
      isReported: false,
      stands: false,
      isWithdrawn: false,
      againCount: 0,
    };
    doubts.set(key, doubt);
    this.#count += 1;
    return doubt;
  }

  #hasRoom(): boolean {
    if (this.#count < MAX_DOUBTS) return true;
    for (const [device, doubted] of this.#devices) {
      this.#forgetWithdrawn(doubted.doubts);
      if (doubted.doubts.size === 0 && !doubted.isDistrusted) this.#devices.delete(device);
    }
    return this.#count < MAX_DOUBTS;
  }

  #forgetWithdrawn(doubts: Map<string, Doubt>): void {
    for (const [key, { isWithdrawn }] of doubts) if (isWithdrawn && doubts.delete(key)) this.#count -= 1;
  }
}

function counts({ doubts, isDistrusted, proved }: Doubted, key: string): boolean {
  if (doubts.get(key)?.stands === true) return false;
  return !isDistrusted || proved.has(key);
}

function keyOf({ file, fragment }: Place): string {
  return `${file}/${fragment}`;
}
