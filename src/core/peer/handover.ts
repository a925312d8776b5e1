// Rebuilt fragments that lie staged on this device and need homes: which is offered to whom, and when the
// staging can go. A fragment has its home once a device proved to hold it (challenges.ts), or if one that
// was lost came back with it and proved that.
//
// Invariants: no device is offered more than the cap allows with all that it claims; every handover ends:
// when all fragments have homes, or when nothing has moved for PATIENCE_MS.

import type { Manifest } from '../catalogue/manifest.ts';
import { heldBytesOf } from '../model/geometry.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { Challenges, Verdict } from './challenges.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import type { Anchors } from '../placement/anchors.ts';
import { planPlacement, type Candidate } from '../placement/placement.ts';
import type { Message, Refusal } from '../wire/messages.ts';
import type { Place } from '../wire/places.ts';
import {
  OfferDeadlines,
  placeMessages,
  RETRY_LATER_MS,
  RETRY_SOON_MS,
  type Offer,
} from './offer-deadlines.ts';

export interface HandoverView {
  /** Undefined when the file was removed or is unknown. */
  manifestOf(file: FileId): Manifest | undefined;
  /**
   * What devices hold that are not gone, this one included. Claims that are doubted are included while a
   * proof of them can be asked for: who was wrong once may still have the fragment.
   */
  claimedHoldersOf(file: FileId): ReadonlyMap<DeviceId, FragmentSet>;
  /** Other devices that take rebuilt fragments of the file. */
  takers(file: FileId): readonly Candidate[];
  anchorsOf(manifest: Manifest): Anchors;
  readonly self: DeviceId;
}

export type HandoverEffect =
  | { readonly kind: 'send'; readonly to: DeviceId; readonly message: Message }
  /** `isDone`: every fragment has its home. The staging is of no more use. */
  | { readonly kind: 'handover-over'; readonly file: FileId; readonly isDone: boolean };

/** A device that declined this often for a passing reason is not asked soon again. */
const MAX_SOON = 5;
/** A handover in which nothing moved for this long ends, ms: other devices may do better. */
const PATIENCE_MS = 120_000;

interface Staged {
  /** By staged fragment, its planned home. */
  readonly homes: ReadonlyMap<number, DeviceId>;
  readonly offers: Map<number, Offer>;
  /** Until when devices are not offered anything. */
  readonly declined: Map<DeviceId, MonotonicMs>;
  readonly declineCounts: Map<DeviceId, number>;
  /** The most fragments that were claimed, and when that last grew. */
  claimedCount: number;
  movedAtMs: MonotonicMs;
}

export class Handover {
  readonly #view: HandoverView;
  readonly #challenges: Challenges;
  readonly #files = new Map<FileId, Staged>();
  readonly #touched = new Set<FileId>();
  readonly #deadlines = new OfferDeadlines();

  constructor(view: HandoverView, challenges: Challenges) {
    this.#view = view;
    this.#challenges = challenges;
  }

  has(file: FileId): boolean {
    return this.#files.has(file);
  }

  /** These fragments of `file` are staged here, each to go to its home. */
  add(nowMs: MonotonicMs, file: FileId, homes: ReadonlyMap<number, DeviceId>): void {
    this.#files.set(file, {
      homes,
      offers: new Map(),
      declined: new Map(),
      declineCounts: new Map(),
      claimedCount: 0,
      movedAtMs: nowMs,
    });
    this.#touched.add(file);
  }

  remove(file: FileId): void {
    if (this.#files.delete(file)) this.#challenges.forget(file);
  }

  /** The holders or possible takers of `file` changed; without a file, those of all. */
  touch(file?: FileId): void {
    for (const each of file === undefined ? this.#files.keys() : [file])
      if (this.#files.has(each)) this.#touched.add(each);
  }

  linkDown(device: DeviceId): void {
    for (const { offers, declined } of this.#files.values()) {
      for (const [fragment, offer] of offers) if (offer.device === device) offers.delete(fragment);
      declined.delete(device);
    }
    this.touch();
  }

  /** The device asked for bytes: it is at work. */
  progressed(nowMs: MonotonicMs, device: DeviceId): void {
    if (this.#files.size > 0) this.#deadlines.progressed(nowMs, device);
  }

  refused(nowMs: MonotonicMs, device: DeviceId, place: Place, reason: Refusal): void {
    const staged = this.#files.get(place.file);
    if (staged?.offers.get(place.fragment)?.device !== device) return;
    staged.offers.delete(place.fragment);
    this.#decline(nowMs, staged, device, reason === 'cap' || reason === 'space');
    this.#touched.add(place.file);
  }

  judged(nowMs: MonotonicMs, { device, place, outcome }: Verdict): void {
    const staged = this.#files.get(place.file);
    if (staged === undefined) return;
    if (outcome === 'false' || outcome === 'silent') this.#decline(nowMs, staged, device, true);
    this.#touched.add(place.file);
  }

  advance(nowMs: MonotonicMs): HandoverEffect[] {
    const effects: HandoverEffect[] = [];
    for (const [file, staged] of this.#files) {
      if (this.#dueMs(staged) <= nowMs) this.#expire(nowMs, file, staged);
      if (this.#touched.has(file)) effects.push(...this.#decide(nowMs, file, staged));
    }
    this.#touched.clear();
    return effects;
  }

  nextDeadlineMs(): MonotonicMs {
    return Math.min(Infinity, ...[...this.#files.values()].map((staged) => this.#dueMs(staged)));
  }

  #dueMs({ offers, declined, movedAtMs }: Staged): MonotonicMs {
    const offersDue = Array.from(offers.values(), (offer) => this.#deadlines.dueMs(offer));
    return Math.min(movedAtMs + PATIENCE_MS, ...offersDue, ...declined.values());
  }

  #expire(nowMs: MonotonicMs, file: FileId, staged: Staged): void {
    for (const [fragment, offer] of staged.offers) {
      // That it was offered something is no sign of progress: it may never fetch anything.
      staged.movedAtMs = Math.max(staged.movedAtMs, this.#deadlines.progressOf(offer.device) ?? -Infinity);
      if (this.#deadlines.dueMs(offer) > nowMs) continue;
      staged.offers.delete(fragment);
      this.#decline(nowMs, staged, offer.device, false);
    }
    for (const [device, untilMs] of staged.declined) if (untilMs <= nowMs) staged.declined.delete(device);
    this.#touched.add(file);
  }

  #decide(nowMs: MonotonicMs, file: FileId, staged: Staged): HandoverEffect[] {
    const manifest = this.#view.manifestOf(file);
    if (manifest === undefined) return this.#over(file, false);
    const holders = this.#view.claimedHoldersOf(file);
    const claims = this.#claimsOn(staged, holders, manifest.k);
    this.#challenges.claimed(nowMs, file, claims);
    for (const [fragment, { device }] of staged.offers)
      if (claims.get(device)?.has(fragment) === true) staged.offers.delete(fragment);
    const believed = this.#challenges.believedOf(file, claims);
    const claimed = new Set([...believed.values()].flatMap((fragments) => [...fragments]));
    if (claimed.size > staged.claimedCount) {
      staged.movedAtMs = nowMs;
      staged.claimedCount = claimed.size;
    }
    if (staged.offers.size === 0) this.#challenges.want(nowMs, file, claims);
    const proved = this.#challenges.provedOf(file, claims);
    const withHome = new Set([...proved.values()].flatMap((fragments) => [...fragments]));
    if ([...staged.homes.keys()].every((fragment) => withHome.has(fragment))) return this.#over(file, true);
    if (nowMs >= staged.movedAtMs + PATIENCE_MS) return this.#over(file, false);
    // A device whose proof failed is not the fragment's home.
    const held = new Map(
      Array.from(holders, ([device, has]) => {
        const failed = [...(claims.get(device) ?? [])].filter(
          (fragment) => believed.get(device)?.has(fragment) !== true,
        );
        return [device, new Set([...has].filter((fragment) => !failed.includes(fragment)))] as const;
      }),
    );
    return this.#offer(nowMs, file, manifest, staged, held);
  }

  /** What other devices claim of the staged fragments, those with more than the cap left out. */
  #claimsOn(
    { homes }: Staged,
    holders: ReadonlyMap<DeviceId, FragmentSet>,
    k: number,
  ): Map<DeviceId, FragmentSet> {
    const claims = new Map<DeviceId, FragmentSet>();
    for (const [device, fragments] of holders) {
      if (device === this.#view.self || fragments.size > fragmentCap(k)) continue;
      const some = new Set([...fragments].filter((fragment) => homes.has(fragment)));
      if (some.size > 0) claims.set(device, some);
    }
    return claims;
  }

  #offer(
    nowMs: MonotonicMs,
    file: FileId,
    manifest: Manifest,
    { homes, offers, declined }: Staged,
    held: Map<DeviceId, Set<number>>,
  ): HandoverEffect[] {
    const { salt, k } = manifest;
    for (const [fragment, { device }] of offers)
      held.set(device, (held.get(device) ?? new Set()).add(fragment));
    const candidates = this.#view
      .takers(file)
      .filter(({ device }) => !declined.has(device) && (held.get(device)?.size ?? 0) <= fragmentCap(k));
    const fragments = homes.keys();
    const fragmentBytes = heldBytesOf(manifest);
    const placed = planPlacement({
      salt,
      k,
      fragments,
      fragmentBytes,
      candidates,
      held,
      preferred: homes,
      anchors: this.#view.anchorsOf(manifest),
    });
    const places = new Map<DeviceId, Place[]>();
    for (const [fragment, device] of placed) {
      offers.set(fragment, { device, madeAtMs: nowMs });
      places.set(device, [...(places.get(device) ?? []), { file, fragment }]);
    }
    return placeMessages(places);
  }

  #over(file: FileId, isDone: boolean): HandoverEffect[] {
    this.remove(file);
    return [{ kind: 'handover-over', file, isDone }];
  }

  #decline(nowMs: MonotonicMs, staged: Staged, device: DeviceId, isFull: boolean): void {
    if (staged.declined.has(device)) return;
    const count = (staged.declineCounts.get(device) ?? 0) + 1;
    staged.declineCounts.set(device, count);
    const isSoon = !isFull && count <= MAX_SOON;
    staged.declined.set(device, nowMs + (isSoon ? RETRY_SOON_MS : RETRY_LATER_MS));
  }
}
