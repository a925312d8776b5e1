// Claims that a device made and did not make good. It may have lost the fragment and be about to say so: then
// its claim is looked at again after a while, and reported if it still stands. From then on the claim does
// not count on this device, until the device proves that it has the fragment, or withdraws its claim. After
// wrong bytes or a wrong proof it does not count from that moment: an honest device checks what it sends.
//
// Only what a device itself gave and said counts, never the word of others. Slowness and silence alone are
// reported and change nothing: an honest device may be busy, asleep or cut off. Silence again and again is
// told here as what is absent (unanswered.ts).
//
// A claim that was made good, or made again, counts again, and is remembered: not given once more, it does
// not count from that moment, and nothing more of its file is placed on the device.
//
// Invariants: at most MAX_DOUBTS are remembered, and MAX_PER_DEVICE of one device; what weighs least gives
// way. A remembered doubt is reported at most twice, the second time if the claim was made again. Of one
// device at most MAX_TOLD reports are made, whatever is forgotten meanwhile.

import type { DeviceId, FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import { packFragments, unpackFragments } from '../placement/fragment-set.ts';
import type { FragmentSet, PackedFragments } from '../placement/fragment-set.ts';
import type { Place } from '../wire/places.ts';
import { Contested } from './contested.ts';
import {
  countAgain,
  counts,
  keyOf,
  newlyDoubted,
  type Doubt,
  type Doubted,
  type Evidence,
} from './doubted.ts';

/**
 * A device that finds a loss tells its holdings within moments, and notices within a pulse that another
 * missed them, ms.
 */
const CHECK_AFTER_MS = 15_000;
/** Bounds one device's doubts, so that they do not crowd out the others'. */
const MAX_PER_DEVICE = 256;
/** Of all devices: some hundred bytes each. */
const MAX_DOUBTS = 4_096;
/** Between two searches for what gives way among all of these, ms. */
const SEARCH_GAP_MS = 1_000;
/** Of a device that gave so many different fragments wrong, nothing counts that it has not shown to have. */
const MAX_WRONG = 3;
/** So of a device of which so many doubted claims stand. */
const MAX_STANDING = 8;
/** Claims of one device that are reported: who hears of so many needs to hear of no more. */
const MAX_TOLD = 2 * MAX_PER_DEVICE;
/** A claim that was found false so often is the last one of its file that the device was given. */
const MAX_FAILED = 2;
/** A distrusted device is trusted again once it proved so many in a row and no doubt of it stands. */
const PROVED_TO_TRUST = 3;
/** A claim that was found false more often counts again by a proof of all of it only, not by an audit. */
const MAX_FORGIVEN = 2;
/** Claims that a distrusted device made good: more count as doubted. */
const MAX_PROVED = 256;

/**
 * 'told': of silence, which was reported. 'withdrawn': its device makes the claim no longer. 'slight': of
 * silence that is looked at later, or of a claim that counts again. Doubts give way to a new one in this
 * order, the last only to one of more than silence.
 */
type Kind = 'told' | 'withdrawn' | 'slight' | 'weighty';
const GIVING_WAY: readonly Kind[] = ['told', 'withdrawn', 'slight'];

export interface DoubtsView {
  isClaimed(device: DeviceId, place: Place): boolean;
  /** What counts of a device's claims on the file has changed; without a file, on any. */
  changed(device: DeviceId, file?: FileId): void;
}

export class Doubts {
  readonly contested = new Contested();
  readonly #view: DoubtsView;
  readonly #devices = new Map<DeviceId, Doubted>();
  #count = 0;
  #searchedMs: MonotonicMs = -Infinity;
  /** Not later than the first look that is due. */
  #dueMs: MonotonicMs = Infinity;

  constructor(view: DoubtsView) {
    this.#view = view;
  }

  /** `device` did not give a fragment that it claims. `isReported`: people were told already. */
  notGiven(nowMs: MonotonicMs, device: DeviceId, place: Place, evidence: Evidence, isReported = false): void {
    if (!this.#view.isClaimed(device, place)) return;
    const doubted = this.#devices.get(device) ?? newlyDoubted();
    const key = keyOf(place);
    const isNew = !doubted.doubts.has(key);
    const didCount = counts(doubted, key);
    if (evidence !== 'silent') {
      doubted.provedCount = 0;
      doubted.proved.delete(key);
    }
    if (isNew && (!didCount || !this.#makeRoom(nowMs, device, doubted, evidence))) return;
    const doubt = doubted.doubts.get(key) ?? this.#add(device, doubted, place, evidence);
    doubt.isReported ||= isReported;
    if (evidence === 'silent') {
      if (!doubt.isReported && doubt.dueMs === Infinity) this.#lookLater(nowMs, doubt);
      return;
    }
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
    const doubt = doubted.doubts.get(key);
    if (doubt !== undefined) this.#madeGood(doubted, doubt);
    this.#trustAgain(device, doubted);
    this.#tidy(device, doubted);
    this.#view.changed(device, place.file);
  }

  /**
   * The device gave what an audit of this fragment asked for: it was busy for a while, or wrong. Another
   * block may be missing, so this helps it a few times only.
   */
  given(nowMs: MonotonicMs, device: DeviceId, place: Place): void {
    const doubted = this.#devices.get(device);
    if (doubted === undefined) return;
    doubted.givenMs = nowMs;
    doubted.provedCount += 1;
    const doubt = doubted.doubts.get(keyOf(place));
    if (doubt?.stands === true && doubt.failedCount <= MAX_FORGIVEN) {
      countAgain(doubt);
      this.#view.changed(device, place.file);
    }
    this.#trustAgain(device, doubted);
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
        if (!doubt.isReported && doubted.toldCount < MAX_TOLD) {
          doubted.toldCount += 1;
          reported.set(device, (reported.get(device) ?? 0) + 1);
        }
        doubt.isReported = true;
        if (doubt.evidence === 'silent' || doubt.stands) continue;
        // It counts for nothing already.
        if (!counts(doubted, keyOf(doubt))) this.#drop(doubted, keyOf(doubt));
        else this.#stand(device, doubted, doubt);
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
      if (claimed === undefined || (doubted.doubts.size === 0 && !doubted.isDistrusted)) continue;
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

  /** Whether there may be claims of the device that do not count. */
  has(device: DeviceId): boolean {
    return this.#devices.has(device);
  }

  /** When the device last gave what it was asked for, since it is doubted; -Infinity if it did not. */
  givenMs(device: DeviceId): MonotonicMs {
    return this.#devices.get(device)?.givenMs ?? -Infinity;
  }

  /** Whether this claim does not count. */
  isDoubted(device: DeviceId, place: Place): boolean {
    const doubted = this.#devices.get(device);
    return doubted !== undefined && !counts(doubted, keyOf(place));
  }

  /** Whether nothing is placed on the device, or nothing of `file`, because of what it did not give. */
  isPassedOver(device: DeviceId, file?: FileId): boolean {
    const doubted = this.#devices.get(device);
    if (doubted === undefined || doubted.isDistrusted) return doubted !== undefined;
    return [...doubted.doubts.values()].some(
      (doubt) => doubt.file === file && (doubt.failedCount >= MAX_FAILED || this.#isStanding(device, doubt)),
    );
  }

  /** Whether nothing that the device claims counts until it is shown. */
  isDistrusted(device: DeviceId): boolean {
    return this.#devices.get(device)?.isDistrusted === true;
  }

  /** A distrusted device is trusted once nothing speaks against it. */
  #trustAgain(device: DeviceId, doubted: Doubted): void {
    const isProved = doubted.provedCount >= PROVED_TO_TRUST && this.#standingCount(device, doubted) === 0;
    if (!doubted.isDistrusted || !isProved) return;
    doubted.isDistrusted = false;
    doubted.proved.clear();
    this.#view.changed(device);
  }

  #stand(device: DeviceId, doubted: Doubted, doubt: Doubt): void {
    doubt.stands = true;
    doubt.failedCount += 1;
    this.#view.changed(device, doubt.file);
    if (doubted.isDistrusted) return;
    const wrongCount = [...doubted.doubts.values()].filter(
      ({ evidence, stands }) => evidence === 'wrong' && stands,
    ).length;
    if (wrongCount < MAX_WRONG && this.#standingCount(device, doubted) < MAX_STANDING) return;
    doubted.isDistrusted = true;
    this.#view.changed(device);
  }

  #isStanding(device: DeviceId, doubt: Doubt): boolean {
    return doubt.stands && this.#view.isClaimed(device, doubt);
  }

  #standingCount(device: DeviceId, { doubts }: Doubted): number {
    return [...doubts.values()].filter((doubt) => this.#isStanding(device, doubt)).length;
  }

  /** What never stood is forgotten: it cost nothing. */
  #madeGood(doubted: Doubted, doubt: Doubt): void {
    if (doubt.failedCount === 0) {
      this.#drop(doubted, keyOf(doubt));
      return;
    }
    countAgain(doubt);
    doubt.againCount += 1;
  }

  #lookLater(nowMs: MonotonicMs, doubt: Doubt): void {
    doubt.dueMs = nowMs + CHECK_AFTER_MS;
    this.#dueMs = Math.min(this.#dueMs, doubt.dueMs);
  }

  #add(device: DeviceId, doubted: Doubted, { file, fragment }: Place, evidence: Evidence): Doubt {
    const doubt: Doubt = {
      file,
      fragment,
      evidence,
      dueMs: Infinity,
      isReported: false,
      stands: false,
      isWithdrawn: false,
      againCount: 0,
      failedCount: 0,
    };
    this.#devices.set(device, doubted);
    doubted.doubts.set(keyOf(doubt), doubt);
    this.#count += 1;
    return doubt;
  }

  #drop(doubted: Doubted, key: string): void {
    if (doubted.doubts.delete(key)) this.#count -= 1;
  }

  /** Whether one more doubt of the device, with this evidence, can be remembered. */
  #makeRoom(nowMs: MonotonicMs, device: DeviceId, doubted: Doubted, evidence: Evidence): boolean {
    const kinds = evidence === 'silent' ? GIVING_WAY.slice(0, 2) : GIVING_WAY;
    if (doubted.doubts.size >= MAX_PER_DEVICE) this.#giveWay([[device, doubted]], kinds);
    if (this.#count >= MAX_DOUBTS && nowMs >= this.#searchedMs + SEARCH_GAP_MS) {
      this.#searchedMs = nowMs;
      this.#giveWay(this.#devices, kinds);
    }
    return doubted.doubts.size < MAX_PER_DEVICE && this.#count < MAX_DOUBTS;
  }

  /** Forgets those doubts that weigh least. */
  #giveWay(devices: Iterable<readonly [DeviceId, Doubted]>, kinds: readonly Kind[]): void {
    const found = new Map<Kind, Map<Doubt, Doubted>>(kinds.map((kind) => [kind, new Map()]));
    for (const [device, doubted] of devices)
      for (const doubt of doubted.doubts.values())
        found.get(this.#kindOf(device, doubt))?.set(doubt, doubted);
    const [light = []] = [...found.values()].filter(({ size }) => size > 0);
    for (const [doubt, doubted] of light) this.#drop(doubted, keyOf(doubt));
  }

  #kindOf(device: DeviceId, doubt: Doubt): Kind {
    const { evidence, dueMs, failedCount } = doubt;
    if (evidence === 'silent' && failedCount === 0 && dueMs === Infinity) return 'told';
    if (!this.#view.isClaimed(device, doubt)) return 'withdrawn';
    const isLookedAt = evidence !== 'silent' && dueMs !== Infinity;
    return doubt.stands || isLookedAt ? 'weighty' : 'slight';
  }

  /** Forgets the device if there is nothing to remember of it. */
  #tidy(device: DeviceId, { doubts, isDistrusted, toldCount }: Doubted): void {
    if (doubts.size === 0 && !isDistrusted && toldCount === 0) this.#devices.delete(device);
  }
}
