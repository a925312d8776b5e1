// Hands everything that this device holds to others, because it leaves: each fragment is offered, pulled, and
// dropped here once its taker has proved it (letting-go.ts). Files that this device still places are left to
// the outbox, which then counts this device as no home. What others hold already is only proved.
//
// Nobody waits to be trusted for long here: what this device does not hand over is lost for certain. Devices
// that are linked for long come first.
//
// Invariants: no device is offered more than the cap allows with all that it claims; nothing is taken from
// others meanwhile; at most MAX_OFFERS are under way.

import type { Manifest } from '../catalogue/manifest.ts';
import { heldBytesOf } from '../model/geometry.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import type { Holders } from '../placement/health.ts';
import { planPlacement, type Candidate } from '../placement/placement.ts';
import type { Refusal } from '../wire/messages.ts';
import type { Place } from '../wire/places.ts';
import { Avoided } from './avoided.ts';
import type { Verdict } from './challenges.ts';
import { DueFiles } from './due-files.ts';
import type { LettingGo } from './letting-go.ts';
import type { MovingEffect, MovingView } from './moving.ts';
import { OfferDeadlines, placeMessages, type Offer } from './offer-deadlines.ts';

export interface HandingOverProgress {
  /** Fragments that are still here. */
  readonly leftCount: number;
  /** Whether any of them is offered, pulled, being proved, or kept for a moment because of a promise. */
  readonly isMoving: boolean;
}

/** Offers that are not answered yet: takers fetch small fragments by the dozen. */
const MAX_OFFERS = 128;
/** Files at a time for which proofs are awaited: they are asked for within the time of an attempt. */
const MAX_ATTEMPTS = 256;
/** Between two looks at files that changed, ms: answers come by the dozen as well. */
const LOOK_GAP_MS = 100;

export class HandingOver {
  readonly #view: MovingView;
  readonly #lettingGo: LettingGo;
  readonly #deadlines = new OfferDeadlines();
  readonly #offers = new Map<FileId, Map<number, Offer>>();
  readonly #touched = new Set<FileId>();
  readonly #due = new DueFiles();
  #avoided = new Avoided();
  #offerCount = 0;
  #nextLookMs: MonotonicMs = -Infinity;
  /** As last told. */
  #nowMs: MonotonicMs = 0;

  constructor(view: MovingView, lettingGo: LettingGo) {
    this.#view = view;
    this.#lettingGo = lettingGo;
  }

  /** This device leaves, or stays after all: then offers that stand may still be taken. */
  leave(isLeaving: boolean): void {
    this.#lettingGo.isLeaving = isLeaving;
    this.#avoided = new Avoided();
    this.#offers.clear();
    this.#due.clear();
    this.#offerCount = 0;
    this.touch();
  }

  touch(file?: FileId): void {
    if (!this.#lettingGo.isLeaving) this.#touched.clear();
    else if (file !== undefined) this.#touched.add(file);
    else for (const each of this.#view.ownFiles()) this.#touched.add(each);
  }

  linkDown(device: DeviceId): void {
    for (const [file, offers] of this.#offers)
      for (const [fragment, offer] of offers) if (offer.device === device) this.#endOffer(file, fragment);
    this.#avoided.linkDown(device);
    this.touch();
  }

  progressed(nowMs: MonotonicMs, device: DeviceId): void {
    if (this.#offerCount > 0) this.#deadlines.progressed(nowMs, device);
  }

  refused(nowMs: MonotonicMs, device: DeviceId, { file, fragment }: Place, reason: Refusal): void {
    if (this.#offers.get(file)?.get(fragment)?.device !== device) return;
    this.#endOffer(file, fragment);
    this.#avoided.add(nowMs, file, device, reason === 'cap' || reason === 'space');
    this.#touched.add(file);
  }

  judged(nowMs: MonotonicMs, { device, place, outcome }: Verdict): void {
    if (!this.#lettingGo.isLeaving) return;
    if (outcome === 'false' || outcome === 'silent') this.#avoided.add(nowMs, place.file, device, true, true);
    this.#touched.add(place.file);
  }

  advance(nowMs: MonotonicMs): MovingEffect[] {
    this.#nowMs = nowMs;
    if (!this.#lettingGo.isLeaving) return [];
    for (const [file, offers] of this.#offers)
      for (const [fragment, offer] of offers) {
        if (this.#deadlines.dueMs(offer) > nowMs) continue;
        this.#endOffer(file, fragment);
        this.#avoided.add(nowMs, file, offer.device, false);
        this.#touched.add(file);
      }
    for (const file of this.#lettingGo.expired(nowMs)) this.#touched.add(file);
    for (const file of this.#due.take(nowMs)) this.#touched.add(file);
    if (nowMs < this.#nextLookMs || this.#touched.size === 0) return [];
    this.#nextLookMs = nowMs + LOOK_GAP_MS;
    const places = new Map<DeviceId, Place[]>();
    for (const file of this.#touched) {
      if (!this.#canBegin) break;
      this.#touched.delete(file);
      this.#look(nowMs, file, places);
    }
    return placeMessages(places);
  }

  nextDeadlineMs(): MonotonicMs {
    if (!this.#lettingGo.isLeaving) return Infinity;
    let dueMs = Math.min(this.#due.nextMs, this.#lettingGo.nextDeadlineMs());
    for (const offers of this.#offers.values())
      for (const offer of offers.values()) dueMs = Math.min(dueMs, this.#deadlines.dueMs(offer));
    const canLook = this.#touched.size > 0 && this.#canBegin;
    return Math.max(this.#nextLookMs, canLook ? -Infinity : dueMs);
  }

  get #canBegin(): boolean {
    return this.#offerCount < MAX_OFFERS && this.#lettingGo.size < MAX_ATTEMPTS;
  }

  progress(isPlacing: (file: FileId) => boolean): HandingOverProgress {
    let leftCount = 0;
    let isMoving = this.#offerCount > 0 || this.#lettingGo.size > 0;
    for (const file of this.#view.ownFiles()) {
      if (this.#view.manifestOf(file) === undefined) continue;
      const own = [...this.#view.ownOf(file)];
      leftCount += own.length;
      isMoving ||= isPlacing(file) || own.some((fragment) => this.#isPromised(file, fragment));
    }
    return { leftCount, isMoving };
  }

  #isPromised(file: FileId, fragment: number): boolean {
    return this.#lettingGo.keepUntilMs(this.#nowMs, file, fragment) > this.#nowMs;
  }

  #look(nowMs: MonotonicMs, file: FileId, places: Map<DeviceId, Place[]>): void {
    this.#due.delete(file);
    const manifest = this.#view.manifestOf(file);
    const own = this.#view.ownOf(file);
    if (manifest === undefined || own.size === 0 || this.#view.isBusy(file)) {
      for (const fragment of this.#offers.get(file)?.keys() ?? []) this.#endOffer(file, fragment);
      return;
    }
    const holders = this.#holdersOf(nowMs, file, manifest);
    const offers = this.#offers.get(file);
    for (const [fragment, { device }] of offers ?? [])
      if (holders.get(device)?.has(fragment) === true) this.#endOffer(file, fragment);
    const homeless = this.#askForProofs(nowMs, file, own, holders);
    this.#offer(nowMs, file, manifest, homeless, holders, places);
    this.#lookAgain(nowMs, file);
  }

  /** Those of the others that can prove what they have, and stay. */
  #holdersOf(nowMs: MonotonicMs, file: FileId, { k }: Manifest): Map<DeviceId, FragmentSet> {
    const { self } = this.#view;
    const holders = new Map<DeviceId, FragmentSet>();
    for (const [device, fragments] of this.#view.countedHoldersOf(file)) {
      if (device === self || fragments.size > fragmentCap(k) || this.#view.isLeaving(device)) continue;
      const isThere = this.#view.provesSinceMs(device) !== undefined;
      if (isThere && !this.#avoided.isDisbelieved(nowMs, file, device)) holders.set(device, fragments);
    }
    return holders;
  }

  /** Returns the fragments that nobody else has. */
  #askForProofs(nowMs: MonotonicMs, file: FileId, own: FragmentSet, holders: Holders): number[] {
    const homeless: number[] = [];
    const keepers = new Map<DeviceId, Set<number>>();
    for (const fragment of own) {
      const having = [...holders].filter(([, fragments]) => fragments.has(fragment));
      if (having.length === 0) homeless.push(fragment);
      for (const [device] of having) keepers.set(device, (keepers.get(device) ?? new Set()).add(fragment));
    }
    if (keepers.size > 0 && !this.#lettingGo.has(file)) this.#lettingGo.begin(nowMs, file, keepers);
    return homeless;
  }

  #offer(
    nowMs: MonotonicMs,
    file: FileId,
    manifest: Manifest,
    homeless: readonly number[],
    holders: Holders,
    places: Map<DeviceId, Place[]>,
  ): void {
    const offers = this.#offers.get(file) ?? new Map<number, Offer>();
    const held = new Map(Array.from(holders, ([device, has]) => [device, new Set(has)] as const));
    for (const [fragment, { device }] of offers)
      held.set(device, (held.get(device) ?? new Set()).add(fragment));
    const candidates = this.#view
      .takers(file)
      .filter(({ device }) => !this.#avoided.has(nowMs, file, device));
    const isTrusted = ({ device }: Candidate): boolean =>
      (this.#view.provesSinceMs(device) ?? Infinity) + this.#view.trustMs() <= nowMs;
    for (const some of [candidates.filter(isTrusted), candidates]) {
      const { salt, k } = manifest;
      const fragmentBytes = heldBytesOf(manifest);
      const homes = planPlacement({
        salt,
        k,
        fragments: homeless,
        fragmentBytes,
        candidates: some,
        held,
        anchors: this.#view.anchorsOf(manifest),
      });
      for (const [fragment, device] of homes) {
        offers.set(fragment, { device, madeAtMs: nowMs });
        this.#offerCount += 1;
        held.set(device, (held.get(device) ?? new Set()).add(fragment));
        places.set(device, [...(places.get(device) ?? []), { file, fragment }]);
      }
    }
    if (offers.size > 0) this.#offers.set(file, offers);
  }

  #lookAgain(nowMs: MonotonicMs, file: FileId): void {
    let dueMs = this.#avoided.nextMs(nowMs, file);
    if (!this.#lettingGo.has(file))
      for (const fragment of this.#view.ownOf(file)) {
        const keptUntilMs = this.#lettingGo.keepUntilMs(nowMs, file, fragment);
        if (keptUntilMs > nowMs) dueMs = Math.min(dueMs, keptUntilMs);
      }
    this.#due.add(file, dueMs);
  }

  #endOffer(file: FileId, fragment: number): void {
    const offers = this.#offers.get(file);
    if (offers?.delete(fragment) === true) this.#offerCount -= 1;
    if (offers?.size === 0) this.#offers.delete(file);
  }
}
