// The outbox: files whose fragments this device still has to place. It decides which fragment to offer to
// which device, and when this device may let go of the copies that are not its own to keep.
//
// The rule: all n fragments stay here until each has a home AND the holders give a margin of at least 1 (or k
// = n, where no placement could). A home is a device that proved to hold the fragment (challenges.ts). A
// fragment that is merely claimed is not offered to others while the claim may be true, but nothing is let go
// for it: until the proof, this device's copy is the safety. A fragment that was damaged here is rebuilt
// (core/repair). Until then, and if it cannot be, it counts as nothing: it is not offered, not shown as
// placed, and not waited for.

import type { DeviceId, FileId } from '../model/ids.ts';
import { quorumOf } from '../model/geometry.ts';
import type { Manifest } from '../catalogue/manifest.ts';
import { fragmentCap } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import type { Anchors } from '../placement/anchors.ts';
import { marginOf, reachOf } from '../placement/health.ts';
import type { Candidate } from '../placement/placement.ts';
import type { Message, Refusal } from '../wire/messages.ts';
import type { Place } from '../wire/places.ts';
import type { Challenges, Verdict } from './challenges.ts';
import { OfferDeadlines, placeMessages, RETRY_LATER_MS, RETRY_SOON_MS } from './offer-deadlines.ts';
import { newPlacing, type OutboxProgress, type Placing } from './placing.ts';
import { planOffers, secondCopyAmong } from './planned-homes.ts';

/** What the outbox needs to see for its decisions. */
export interface OutboxView {
  readonly self: DeviceId;
  /** Undefined when the file was removed or is unknown. */
  manifestOf(file: FileId): Manifest | undefined;
  /** What this device has of the file now, sound and durable. */
  ownOf(file: FileId): FragmentSet;
  /** Devices other than this one that claim some of the file and have not left, reachable or away. */
  holdersOf(file: FileId): Map<DeviceId, FragmentSet>;
  /** Devices that may take fragments of the file now, this one included. */
  candidates(file: FileId): readonly Candidate[];
  isReachable(device: DeviceId): boolean;
  /** Devices that are placed as anchors of the file. */
  anchorsOf(manifest: Manifest): Anchors;
  /** Whether this device rebuilds damaged copies of the file. */
  isRebuilding(file: FileId): boolean;
}

export type OutboxEffect =
  | { readonly kind: 'send'; readonly to: DeviceId; readonly message: Message }
  /** The file is placed: keep `keep` here, drop the rest. */
  | { readonly kind: 'outbox-done'; readonly file: FileId; readonly keep: FragmentSet };

/** Second copies that devices are asked to give up, per file: more than any reload leaves behind. */
const MAX_RELEASES = 64;
/** Up to this many files are all looked at whenever a device comes or goes. */
const FEW_FILES = 64;
/** For more files, the gap between two such looks, ms per file: a look takes a tenth of that. */
const ALL_GAP_MS_PER_FILE = 3;
/** Holders that come within this, ms, of a quorum join its round; for small files all do. */
const GATHER_MS = 500;
/** How long to wait for a device that went away before it proved its claims, ms; then others are asked. */
const MISSING_PATIENCE_MS = 60_000;
/** A device that failed this often is not waited for until it takes something or is linked again. */
const MAX_FAILURES = 3;

export class Outbox {
  readonly #view: OutboxView;
  readonly #challenges: Challenges;
  readonly #files = new Map<FileId, Placing>();
  /** Files to decide for: with thousands in the outbox, an event must not cost a look at each. */
  readonly #touched = new Set<FileId>();
  readonly #deadlines = new OfferDeadlines();
  #dueMs = Infinity;
  /** Decide for all files once `#nextAllMs` has come: others may cause this at any rate. */
  #isAllTouched = false;
  #nextAllMs = -Infinity;

  constructor(view: OutboxView, challenges: Challenges) {
    this.#view = view;
    this.#challenges = challenges;
  }

  has(file: FileId): boolean {
    return this.#files.has(file);
  }

  /** Undefined when the file is not in the outbox. */
  progressOf(file: FileId): OutboxProgress | undefined {
    return this.#files.get(file)?.progress;
  }

  add(file: FileId, homes?: ReadonlyMap<number, DeviceId>): void {
    if (this.#files.has(file)) return;
    this.#files.set(file, newPlacing(homes));
    this.#touched.add(file);
  }

  remove(file: FileId): void {
    this.#files.delete(file);
    this.#challenges.forget(file);
  }

  /** Whether a fragment that was planned for `device` from the start has no home yet. */
  awaits(file: FileId, device: DeviceId): boolean {
    const homes = this.#files.get(file)?.homes;
    if (homes === undefined) return false;
    const placed = new Set([...this.#view.holdersOf(file).values()].flatMap((fragments) => [...fragments]));
    return [...homes].some(([fragment, home]) => home === device && !placed.has(fragment));
  }

  /** The holders or possible takers of `file` changed; without a file, those of all. */
  touch(file?: FileId): void {
    if (file === undefined) this.#isAllTouched = true;
    else this.#touched.add(file);
  }

  /** The device offers more space than before: what it declined may fit now. */
  madeRoom(device: DeviceId): void {
    for (const { declined } of this.#files.values()) declined.delete(device);
    this.touch();
  }

  linkDown(device: DeviceId): void {
    for (const placing of this.#files.values()) {
      for (const [fragment, offer] of placing.offers)
        if (offer.device === device) placing.offers.delete(fragment);
      placing.declined.delete(device);
      placing.failures.delete(device);
    }
    this.touch();
  }

  /** The device asked for bytes: it is at work. */
  progressed(nowMs: MonotonicMs, device: DeviceId): void {
    this.#deadlines.progressed(nowMs, device);
  }

  refused(nowMs: MonotonicMs, device: DeviceId, place: Place, reason: Refusal): void {
    const placing = this.#files.get(place.file);
    if (placing?.offers.get(place.fragment)?.device !== device) return;
    placing.offers.delete(place.fragment);
    this.#decline(nowMs, placing, device, reason === 'cap' || reason === 'space');
    this.#touched.add(place.file);
  }

  /** A claim was put to the proof. A device that failed rests a while; the fragment goes to another. */
  judged(nowMs: MonotonicMs, { device, place, outcome }: Verdict): void {
    const placing = this.#files.get(place.file);
    if (placing === undefined) return;
    if (outcome === 'false' || outcome === 'silent') this.#decline(nowMs, placing, device, true);
    this.#touched.add(place.file);
  }

  /** Decides for every file that was touched. */
  advance(nowMs: MonotonicMs): OutboxEffect[] {
    const places = new Map<DeviceId, Place[]>();
    const effects: OutboxEffect[] = [];
    if (nowMs >= this.#dueMs) this.#expireAll(nowMs);
    if (this.#isAllTouched && nowMs >= this.#nextAllMs) {
      this.#isAllTouched = false;
      this.#nextAllMs = nowMs + (this.#files.size > FEW_FILES ? this.#files.size * ALL_GAP_MS_PER_FILE : 0);
      for (const file of this.#files.keys()) this.#touched.add(file);
    }
    const touched = [...this.#touched];
    this.#touched.clear();
    for (const file of touched) {
      const placing = this.#files.get(file);
      if (placing === undefined) continue;
      const done = this.#decide(nowMs, file, placing, places);
      if (done !== undefined) effects.push(done);
    }
    return [...effects, ...placeMessages(places)];
  }

  /** Never later than the first offer or refusal that expires. */
  nextDeadlineMs(): MonotonicMs {
    return this.#isAllTouched ? Math.min(this.#dueMs, this.#nextAllMs) : this.#dueMs;
  }

  /** Ends the offers and refusals that expired, and touches their files. */
  #expireAll(nowMs: MonotonicMs): void {
    this.#dueMs = Infinity;
    for (const [file, placing] of this.#files) {
      for (const [fragment, offer] of placing.offers) {
        const dueMs = this.#deadlines.dueMs(offer);
        this.#dueMs = Math.min(this.#dueMs, dueMs > nowMs ? dueMs : Infinity);
        if (dueMs > nowMs) continue;
        placing.offers.delete(fragment);
        this.#decline(nowMs, placing, offer.device, false);
        this.#touched.add(file);
      }
      if (placing.releases.againAtMs > nowMs) this.#dueMs = Math.min(this.#dueMs, placing.releases.againAtMs);
      else if (placing.releases.count > 0) this.#touched.add(file);
      if (placing.quorumAtMs !== undefined) {
        const gatheredMs = placing.quorumAtMs + GATHER_MS;
        if (gatheredMs > nowMs) this.#dueMs = Math.min(this.#dueMs, gatheredMs);
        else this.#touched.add(file);
      }
      for (const sinceMs of placing.missing.values()) {
        const untilMs = sinceMs + MISSING_PATIENCE_MS;
        if (untilMs > nowMs) this.#dueMs = Math.min(this.#dueMs, untilMs);
        else this.#touched.add(file);
      }
      for (const [device, { untilMs }] of placing.declined) {
        this.#dueMs = Math.min(this.#dueMs, untilMs > nowMs ? untilMs : Infinity);
        if (untilMs > nowMs) continue;
        placing.declined.delete(device);
        this.#touched.add(file);
      }
    }
  }

  #decide(
    nowMs: MonotonicMs,
    file: FileId,
    placing: Placing,
    places: Map<DeviceId, Place[]>,
  ): OutboxEffect | undefined {
    const manifest = this.#view.manifestOf(file);
    if (manifest === undefined) return undefined;
    const claims = withinCap(this.#view.holdersOf(file), manifest.k);
    this.#challenges.claimed(nowMs, file, claims);
    // An offer to a device whose claim failed stands until the claim is put to the proof again.
    const plausible = this.#challenges.believedOf(file, claims);
    for (const [fragment, offer] of placing.offers) {
      if (plausible.get(offer.device)?.has(fragment) !== true) continue;
      placing.offers.delete(fragment);
      placing.failures.delete(offer.device);
    }
    if (placing.offers.size === 0) this.#challenges.want(nowMs, file, claims);
    const believed = this.#believed(nowMs, file, placing, claims);
    const { own, offered } = planOffers({
      self: this.#view.self,
      manifest,
      fragments: this.#view.ownOf(file),
      candidates: this.#view.candidates(file).filter(({ device }) => !placing.declined.has(device)),
      believed,
      anchors: this.#view.anchorsOf(manifest),
      offers: placing.offers,
      homes: placing.homes,
    });
    for (const [fragment, device] of offered) {
      const offer = { device, madeAtMs: nowMs };
      placing.offers.set(fragment, offer);
      this.#dueMs = Math.min(this.#dueMs, this.#deadlines.dueMs(offer));
      const list = places.get(device) ?? [];
      list.push({ file, fragment });
      places.set(device, list);
    }
    const believedCount = reachOf(new Map(believed).set(this.#view.self, own));
    if (this.#isLongEnough(nowMs, placing, believedCount >= quorumOf(manifest)))
      this.#challenges.want(nowMs, file, claims);
    const proved = this.#challenges.provedOf(file, claims);
    const homes = new Map(proved).set(this.#view.self, own);
    const placedCount = reachOf(homes);
    const retries = [...placing.declined.values()].filter(({ soon }) => soon).length;
    const proofs = this.#challenges.pendingCount(file);
    const pendingCount = placing.offers.size + retries + proofs;
    placing.progress = { placedCount, claimedCount: believedCount, pendingCount };
    const thereCount = reachOf(new Map(homes).set(this.#view.self, this.#view.ownOf(file)));
    // What is being rebuilt counts among all n copies, and only while the file is in the outbox.
    if (placing.offers.size > 0 || proofs > 0 || this.#view.isRebuilding(file)) return undefined;
    if (believedCount < thereCount) return this.#makeRoom(nowMs, file, placing, proved);
    if (placedCount < thereCount) return undefined;
    const reachable = new Map(
      [...homes].filter(([device]) => device === this.#view.self || this.#view.isReachable(device)),
    );
    const { k, n } = manifest;
    if (n > k ? marginOf(reachable, k) < 1 : placedCount < n) return undefined;
    // A machine with several names must have everything they claim at the same time.
    if (!this.#challenges.wereProvedTogether(file, claims)) return undefined;
    this.remove(file);
    return { kind: 'outbox-done', file, keep: own };
  }

  /** Whether a quorum has been claimed for a while; later claims in that time join its round. */
  #isLongEnough(nowMs: MonotonicMs, placing: Placing, isQuorum: boolean): boolean {
    if (!isQuorum) placing.quorumAtMs = undefined;
    else placing.quorumAtMs ??= nowMs;
    if (placing.quorumAtMs === undefined) return false;
    const dueMs = placing.quorumAtMs + GATHER_MS;
    if (nowMs < dueMs) this.#dueMs = Math.min(this.#dueMs, dueMs);
    return nowMs >= dueMs;
  }

  /** Claims that may be true, without those whose devices were away or unable to prove them for long. */
  #believed(
    nowMs: MonotonicMs,
    file: FileId,
    placing: Placing,
    claims: ReadonlyMap<DeviceId, FragmentSet>,
  ): Map<DeviceId, FragmentSet> {
    const proved = this.#challenges.provedOf(file, claims);
    const believed = this.#challenges.believedOf(file, claims);
    for (const [device, fragments] of believed) {
      const isProved = proved.get(device)?.size === fragments.size;
      // Being reachable for a moment is not enough: only a proof ends the wait for one.
      if (isProved) placing.missing.delete(device);
      if (isProved || this.#challenges.canProve(device)) continue;
      const sinceMs = placing.missing.get(device) ?? nowMs;
      placing.missing.set(device, sinceMs);
      const untilMs = sinceMs + MISSING_PATIENCE_MS;
      if (nowMs < untilMs) {
        this.#dueMs = Math.min(this.#dueMs, untilMs);
        continue;
      }
      believed.set(device, proved.get(device) ?? new Set());
      // Otherwise it would be offered what it claims again and again.
      this.#decline(nowMs, placing, device, true);
    }
    return believed;
  }

  /**
   * Some fragments fit nowhere under the cap. If another one lies on two devices (this device had forgotten
   * the first when it offered it again), the fuller of them gives its copy up and has room for one more.
   */
  #makeRoom(
    nowMs: MonotonicMs,
    file: FileId,
    placing: Placing,
    proved: ReadonlyMap<DeviceId, FragmentSet>,
  ): OutboxEffect | undefined {
    const { releases } = placing;
    if (releases.count >= MAX_RELEASES || nowMs < releases.againAtMs) return undefined;
    const open = new Set(this.#view.candidates(file).map(({ device }) => device));
    const holders = [...proved].filter(([device]) => open.has(device) && !placing.declined.has(device));
    const copy = secondCopyAmong(holders);
    if (copy === undefined) return undefined;
    placing.releases = { count: releases.count + 1, againAtMs: nowMs + RETRY_SOON_MS };
    placing.progress = { ...placing.progress, pendingCount: placing.progress.pendingCount + 1 };
    this.#dueMs = Math.min(this.#dueMs, placing.releases.againAtMs);
    return {
      kind: 'send',
      to: copy.device,
      message: { kind: 'release', place: { file, fragment: copy.fragment } },
    };
  }

  /** Leaves `device` alone for a while. Several offers that it declines together count as one failure. */
  #decline(nowMs: MonotonicMs, placing: Placing, device: DeviceId, isFull: boolean): void {
    if (placing.declined.has(device)) return;
    const failureCount = (placing.failures.get(device) ?? 0) + 1;
    placing.failures.set(device, failureCount);
    const soon = !isFull && failureCount <= MAX_FAILURES;
    const untilMs = nowMs + (soon ? RETRY_SOON_MS : RETRY_LATER_MS);
    placing.declined.set(device, { untilMs, soon });
    this.#dueMs = Math.min(this.#dueMs, untilMs);
  }
}

/** Ignores devices that claim more than any device is given: they would keep all of that from the others. */
function withinCap(
  claims: ReadonlyMap<DeviceId, FragmentSet>,
  k: number,
): ReadonlyMap<DeviceId, FragmentSet> {
  return new Map([...claims].filter(([, fragments]) => fragments.size <= fragmentCap(k)));
}
