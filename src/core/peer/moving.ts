// Moves fragments to devices where they make files safer, and drops second copies. A move is a copy first:
// this device offers a fragment, the taker pulls it, and from then on one of the two is surplus. Surplus is
// dropped only once the other device has proved the fragment (letting-go.ts). Wherever a move ends halfway,
// there are two copies, never none.
//
// Second copies come from moves, from devices that return after what they held was rebuilt, and from parts of
// a pool that meet again. Which of them stay is in core/placement/spread.ts. This part decides when: nothing
// is dropped before what is known of a file has settled, nor for a device that came only just now, which
// could take many fragments and vanish with them. What a device that leaves does is in handing-over.ts.
//
// Invariants: no device is offered more than the cap allows with all that it claims; at most one move a file,
// MAX_MOVES at a time, and no more bytes over time than repairs may use; no move of a file that is being
// placed or repaired, or has fragments missing, and none while this device repairs any.

import type { Manifest } from '../catalogue/manifest.ts';
import { heldBytesOf } from '../model/geometry.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import { anchoredMove } from '../placement/anchored-move.ts';
import type { Anchors } from '../placement/anchors.ts';
import { reachOf, type Holders } from '../placement/health.ts';
import type { Candidate } from '../placement/placement.ts';
import { evenMove, HASTE, roomMove, spreadOf, type MoveInput, type Spread } from '../placement/spread.ts';
import type { Message, Refusal } from '../wire/messages.ts';
import type { Place } from '../wire/places.ts';
import { Avoided } from './avoided.ts';
import type { Verdict } from './challenges.ts';
import { DueFiles } from './due-files.ts';
import type { LettingGo } from './letting-go.ts';
import { OfferDeadlines, placeMessages, type Offer } from './offer-deadlines.ts';
import { FULL_PART, isFull, ROOMY_PART, SpaceLevels, TAKER_PART, type Space } from './space-levels.ts';

/** What moving needs to see for its decisions. */
export interface MovingView {
  readonly self: DeviceId;
  /** Files of which this device holds something. */
  ownFiles(): Iterable<FileId>;
  ownOf(file: FileId): FragmentSet;
  /** Undefined when the file was removed or is unknown. */
  manifestOf(file: FileId): Manifest | undefined;
  /** What devices hold that are not gone, this one included, without claims that are doubted. */
  countedHoldersOf(file: FileId): ReadonlyMap<DeviceId, FragmentSet>;
  /** Whether the file is being placed, repaired or handed over here. */
  isBusy(file: FileId): boolean;
  /** Whether this device keeps as much of the file as it may. */
  isPinned(file: FileId): boolean;
  /** Whether this device rebuilds any file. */
  isRepairing(): boolean;
  /**
   * Since when the device would be linked if all its links were one; undefined unless it is now, and can be
   * asked for proofs that are promises.
   */
  provesSinceMs(device: DeviceId): MonotonicMs | undefined;
  /** Whether the device said that it leaves. */
  isLeaving(device: DeviceId): boolean;
  /** Other devices that take fragments of the file, with their free space. */
  takers(file: FileId): readonly Candidate[];
  /** Bytes of fragments that a device holds, and bytes that it offers. */
  spaceOf(device: DeviceId): Space;
  /** How long a device must have been linked before copies are dropped because of it, ms. */
  trustMs(): number;
  /** Devices that are placed as anchors of the file. */
  anchorsOf(manifest: Manifest): Anchors;
  /** What moves may use of the link, bytes a second. */
  bytesPerS(): number;
}

export interface MovingEffect {
  readonly kind: 'send';
  readonly to: DeviceId;
  readonly message: Message;
}

/** What is known of a file must be the same for this long, ms, before anything is moved or dropped for it. */
const SETTLE_MS = 5_000;
/** A device whose turn it is to move a fragment has this long, ms; then the next one may. */
const TURN_MS = 60_000;
/** Moves at a time. */
const MAX_MOVES = 4;
/** Files at a time for whose copies proofs are awaited. */
const MAX_ATTEMPTS = 64;
/** Between two looks: at least this, ms, and for many files this much for each. */
const LOOK_GAP_MS = 250;
const LOOK_GAP_MS_PER_FILE = 3;
/** Files at one look: some ms of work. */
const MAX_FILES_PER_LOOK = 200;
interface Watched {
  /** All that the decision depends on. */
  readonly key: string;
  readonly sinceMs: MonotonicMs;
}

export class Moving {
  readonly #view: MovingView;
  readonly #lettingGo: LettingGo;
  readonly #deadlines = new OfferDeadlines();
  readonly #avoided = new Avoided();
  /** Files that have something to move or drop. */
  readonly #watched = new Map<FileId, Watched>();
  readonly #offers = new Map<FileId, Offer & { readonly fragment: number }>();
  readonly #touched = new Set<FileId>();
  #isAllTouched = false;
  #nextLookMs: MonotonicMs = -Infinity;
  readonly #due = new DueFiles();
  readonly #levels = new SpaceLevels();
  /** Before this no further move begins: the last ones used up the share of the link. */
  #nextMoveMs: MonotonicMs = -Infinity;
  /** Bytes on their way from here since this device last measured its space, and what it measured. */
  #leavingBytes = 0;
  #measuredBytes = -1;

  constructor(view: MovingView, lettingGo: LettingGo) {
    this.#view = view;
    this.#lettingGo = lettingGo;
  }

  /** The holders or possible takers of `file` changed; without a file, those of all. */
  touch(file?: FileId): void {
    if (file === undefined) this.#isAllTouched = true;
    else this.#touched.add(file);
  }

  linkDown(device: DeviceId): void {
    for (const [file, offer] of this.#offers) if (offer.device === device) this.#offers.delete(file);
    this.#avoided.linkDown(device);
    this.touch();
  }

  /** The device, perhaps this one, said how much space it has. */
  spaceTold(device: DeviceId): void {
    if (this.#levels.hasChanged(device, this.#view.spaceOf(device))) this.touch();
  }

  /** The device asked for bytes: it is at work. */
  progressed(nowMs: MonotonicMs, device: DeviceId): void {
    if (this.#offers.size > 0) this.#deadlines.progressed(nowMs, device);
  }

  refused(nowMs: MonotonicMs, device: DeviceId, place: Place, reason: Refusal): void {
    const offer = this.#offers.get(place.file);
    if (offer?.device !== device || offer.fragment !== place.fragment) return;
    this.#offers.delete(place.file);
    this.#avoided.add(nowMs, place.file, device, reason === 'cap' || reason === 'space');
    this.#touched.add(place.file);
  }

  /** A device was asked for a proof, so that a copy here can go. */
  judged(nowMs: MonotonicMs, { device, place, outcome }: Verdict): void {
    if (outcome === 'false' || outcome === 'silent') this.#avoided.add(nowMs, place.file, device, true, true);
    this.#touched.add(place.file);
  }

  advance(nowMs: MonotonicMs): MovingEffect[] {
    for (const file of this.#lettingGo.expired(nowMs)) this.#touched.add(file);
    this.#expireOffers(nowMs);
    for (const file of this.#due.take(nowMs)) this.#touched.add(file);
    if (nowMs < this.#nextLookMs || (this.#touched.size === 0 && !this.#isAllTouched)) return [];
    if (this.#isAllTouched) for (const file of this.#view.ownFiles()) this.#touched.add(file);
    this.#isAllTouched = false;
    const touched: FileId[] = [];
    for (const file of this.#touched) {
      if (touched.length === MAX_FILES_PER_LOOK) break;
      this.#touched.delete(file);
      if (this.#concerns(file)) touched.push(file);
    }
    this.#nextLookMs = nowMs + Math.max(LOOK_GAP_MS, touched.length * LOOK_GAP_MS_PER_FILE);
    const places = new Map<DeviceId, Place[]>();
    for (const file of touched) this.#look(nowMs, file, places);
    return placeMessages(places);
  }

  nextDeadlineMs(): MonotonicMs {
    const isTouched = this.#touched.size > 0 || this.#isAllTouched;
    const offersDue = Array.from(this.#offers.values(), (offer) => this.#deadlines.dueMs(offer));
    const dueMs = Math.min(this.#due.nextMs, ...offersDue, this.#lettingGo.nextDeadlineMs());
    return Math.max(this.#nextLookMs, isTouched ? -Infinity : dueMs);
  }

  #concerns(file: FileId): boolean {
    const isKnown = this.#watched.has(file) || this.#due.has(file) || this.#offers.has(file);
    return isKnown || this.#view.ownOf(file).size > 0;
  }

  #expireOffers(nowMs: MonotonicMs): void {
    for (const [file, offer] of this.#offers) {
      if (this.#deadlines.dueMs(offer) > nowMs) continue;
      this.#offers.delete(file);
      this.#avoided.add(nowMs, file, offer.device, false);
      this.#touched.add(file);
    }
  }

  #look(nowMs: MonotonicMs, file: FileId, places: Map<DeviceId, Place[]>): void {
    this.#due.delete(file);
    const manifest = this.#view.manifestOf(file);
    const own = this.#view.ownOf(file);
    if (manifest === undefined || own.size === 0) {
      this.#forget(file);
      return;
    }
    if (this.#lettingGo.isLeaving || this.#view.isBusy(file)) {
      this.#watched.delete(file);
      this.#offers.delete(file);
      return;
    }
    const holders = this.#holdersOf(nowMs, file, manifest);
    if (holders === undefined) {
      this.#watched.delete(file);
      return;
    }
    const offer = this.#offers.get(file);
    if (offer !== undefined && holders.get(offer.device)?.has(offer.fragment) === true)
      this.#offers.delete(file);
    const input = this.#inputOf(nowMs, file, manifest, holders);
    const spread = spreadOf(input);
    const isPinned = this.#isPinned(file, manifest, input);
    const surplus = isPinned ? [] : spread.surplus.filter(({ device }) => device === this.#view.self);
    const move = this.#offers.has(file) ? undefined : this.#moveOf(manifest, spread, input, isPinned);
    if (surplus.length === 0 && move === undefined) {
      this.#watched.delete(file);
      this.#due.add(file, this.#avoided.nextMs(nowMs, file));
      return;
    }
    const settledMs = this.#settledMs(nowMs, file, holders);
    if (nowMs < settledMs) {
      this.#due.add(file, settledMs);
      return;
    }
    if (surplus.length > 0)
      this.#dropSurplus(
        nowMs,
        file,
        spread,
        surplus.map(({ fragment }) => fragment),
      );
    if (move !== undefined) {
      const startMs = Math.max(settledMs + move.turn * TURN_MS, this.#nextMoveMs);
      if (nowMs < startMs) this.#due.add(file, startMs);
      else if (this.#offers.size >= MAX_MOVES) this.#due.add(file, nowMs + SETTLE_MS);
      else {
        const { fragment, to } = move;
        this.#offers.set(file, { device: to, fragment, madeAtMs: nowMs });
        places.set(to, [...(places.get(to) ?? []), { file, fragment }]);
        const bytes = heldBytesOf(manifest);
        this.#nextMoveMs = Math.max(this.#nextMoveMs, nowMs) + (bytes * 1_000) / this.#view.bytesPerS();
        this.#leavingBytes += bytes;
      }
    }
  }

  /** What is believed of a file; undefined while its storer still places it. */
  #holdersOf(nowMs: MonotonicMs, file: FileId, { k, by }: Manifest): Map<DeviceId, FragmentSet> | undefined {
    const holders = new Map<DeviceId, FragmentSet>();
    for (const [device, fragments] of this.#view.countedHoldersOf(file)) {
      const isWithinCap = fragments.size <= fragmentCap(k);
      if (!isWithinCap && device === by) return undefined;
      if (isWithinCap && !this.#avoided.isDisbelieved(nowMs, file, device)) holders.set(device, fragments);
    }
    return holders;
  }

  #inputOf(nowMs: MonotonicMs, file: FileId, manifest: Manifest, holders: Holders): MoveInput {
    const { self } = this.#view;
    const bytes = heldBytesOf(manifest);
    const takers = this.#view
      .takers(file)
      .filter(
        ({ device, freeBytes }) =>
          freeBytes >= bytes && !this.#avoided.has(nowMs, file, device) && !this.#isFull(device, ROOMY_PART),
      )
      .map(({ device }) => device);
    return {
      file: manifest,
      holders,
      self,
      takers,
      isThere: (device) => device === self || this.#view.provesSinceMs(device) !== undefined,
      hasteOf: (device) => this.#hasteOf(device),
      anchors: this.#view.anchorsOf(manifest),
      lacksHomes: [self, ...takers].every(
        (device) => (holders.get(device)?.size ?? 0) >= fragmentCap(manifest.k),
      ),
    };
  }

  #hasteOf(device: DeviceId): number {
    if (this.#view.isLeaving(device)) return HASTE.leaving;
    // By the same measure as the others: whoever of two is to drop a copy, both must conclude the same.
    return this.#isFull(device, ROOMY_PART) ? HASTE.full : HASTE.none;
  }

  #isFull(device: DeviceId, part: number): boolean {
    return isFull(this.#view.spaceOf(device), part);
  }

  /** Copies of a pinned file stay, unless a fragment is missing and fits on no other device. */
  #isPinned(file: FileId, { k, n }: Manifest, { holders, takers }: MoveInput): boolean {
    if (!this.#view.isPinned(file)) return false;
    const isOpen = (device: DeviceId): boolean => (holders.get(device)?.size ?? 0) < fragmentCap(k);
    return reachOf(holders) === n || takers.some(isOpen);
  }

  #moveOf(manifest: Manifest, spread: Spread, input: MoveInput, isPinned: boolean) {
    if (this.#view.isRepairing() || reachOf(input.holders) < manifest.n) return undefined;
    const { self } = this.#view;
    if (this.#isHandingOver()) {
      // What it gives away would stay here, too.
      if (isPinned) return undefined;
      const roomy = input.takers.filter((device) => !this.#isFull(device, TAKER_PART));
      return roomMove(spread, { ...input, takers: roomy });
    }
    // Its copies go first, and free space with them.
    if (this.#isFull(self, FULL_PART)) return undefined;
    return input.anchors.size > 0 ? anchoredMove(spread, input) : evenMove(spread, input);
  }

  /** Whether this device is short of space, and what is on its way from here does not free enough. */
  #isHandingOver(): boolean {
    const { heldBytes, freeBytes } = this.#view.spaceOf(this.#view.self);
    if (freeBytes !== this.#measuredBytes) {
      this.#measuredBytes = freeBytes;
      this.#leavingBytes = 0;
    }
    const wantedBytes = ROOMY_PART * (heldBytes + freeBytes);
    return this.#isFull(this.#view.self, FULL_PART) && freeBytes + this.#leavingBytes < wantedBytes;
  }

  #dropSurplus(nowMs: MonotonicMs, file: FileId, { after }: Spread, surplus: readonly number[]): void {
    if (this.#lettingGo.has(file)) return;
    const keepers = new Map<DeviceId, Set<number>>();
    let dueMs = Infinity;
    for (const fragment of surplus) {
      const keptUntilMs = this.#lettingGo.keepUntilMs(nowMs, file, fragment);
      for (const [device, kept] of after) {
        const sinceMs = kept.has(fragment) ? this.#view.provesSinceMs(device) : undefined;
        if (sinceMs === undefined || this.#view.isLeaving(device)) continue;
        const fromMs = Math.max(keptUntilMs, sinceMs + this.#view.trustMs());
        dueMs = Math.min(dueMs, fromMs);
        if (fromMs <= nowMs) keepers.set(device, (keepers.get(device) ?? new Set()).add(fragment));
      }
    }
    if (keepers.size === 0) {
      this.#due.add(file, dueMs);
      return;
    }
    const isBegun = this.#lettingGo.size < MAX_ATTEMPTS && this.#lettingGo.begin(nowMs, file, keepers);
    if (!isBegun) this.#due.add(file, nowMs + SETTLE_MS);
  }

  /** From when on all that is known of a file has been the same for a while. */
  #settledMs(nowMs: MonotonicMs, file: FileId, holders: Holders): MonotonicMs {
    const key = Array.from(holders, ([device, held]) => {
      const isThere = device === this.#view.self || this.#view.provesSinceMs(device) !== undefined;
      return `${device} ${isThere} ${[...held].join()}`;
    })
      .toSorted()
      .join(' / ');
    const known = this.#watched.get(file);
    const watched = known?.key === key ? known : { key, sinceMs: nowMs };
    this.#watched.set(file, watched);
    return watched.sinceMs + SETTLE_MS;
  }

  #forget(file: FileId): void {
    this.#watched.delete(file);
    this.#offers.delete(file);
    this.#avoided.forget(file);
    this.#lettingGo.forget(file);
  }
}
