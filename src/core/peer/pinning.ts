// Pinned files: this device is to hold as much of each as one device may, k - 1 fragments, so that any device
// with another fragment makes it readable here. It fetches copies of what others hold, from them; it tells of
// these like of all that it holds, and keeps them although others have the same.
//
// Copies may make nothing worse: none is fetched while the file's storer still places it, while a fragment
// is missing, or while this device repairs or leaves. And where a missing fragment fits on no other device,
// they give way (moving.ts).
//
// Invariant: what is here and on its way never exceeds the cap (taking.ts).

import { fragmentCap } from '../model/limits.ts';
import type { Manifest } from '../catalogue/manifest.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import { reachOf, type Holders } from '../placement/health.ts';
import type { Place } from '../wire/places.ts';
import { DueFiles } from './due-files.ts';
import type { PeerState } from './peer-state.ts';
import type { Pins } from './pins.ts';
import type { Taking } from './taking.ts';

/** What is known of a file must have had this long to arrive, ms, before copies are fetched. */
const SETTLE_MS = 5_000;
/** A file of which a copy could not be fetched rests this long, ms. */
const RETRY_MS = 60_000;
/** Files looked at together: some ms of work. */
const MAX_FILES_PER_LOOK = 200;

/** What pinning needs to see for its decisions. */
export interface PinningView {
  readonly self: DeviceId;
  readonly pins: Pins;
  /** Undefined when the file was removed or is unknown. */
  manifestOf(file: FileId): Manifest | undefined;
  ownOf(file: FileId): FragmentSet;
  /** What devices hold that are not gone, this one included, without claims that are doubted. */
  countedHoldersOf(file: FileId): ReadonlyMap<DeviceId, FragmentSet>;
  isReachable(device: DeviceId): boolean;
  /** Whether the file is being placed, repaired or handed over here, or this device leaves. */
  isBusy(file: FileId): boolean;
  /** Fragments of the file that are on their way here. */
  takingCountOf(file: FileId): number;
  /** Takes a copy of a fragment from a device that has it. Whether there is room for it. */
  take(from: DeviceId, place: Place, manifest: Manifest): boolean;
}

export class Pinning {
  readonly #view: PinningView;
  readonly #due = new DueFiles();
  readonly #restsUntilMs = new Map<FileId, MonotonicMs>();

  constructor(view: PinningView) {
    this.#view = view;
  }

  advance(nowMs: MonotonicMs): void {
    const { pins } = this.#view;
    for (const file of pins.touched)
      this.#due.add(file, Math.max(nowMs + SETTLE_MS, this.#restsUntilMs.get(file) ?? nowMs));
    pins.touched.clear();
    for (const [at, file] of this.#due.take(nowMs).entries())
      if (at >= MAX_FILES_PER_LOOK) this.#due.add(file, nowMs);
      else this.#look(file);
  }

  nextDeadlineMs(): MonotonicMs {
    return this.#due.nextMs;
  }

  /** A fragment that was fetched, or could not be. */
  ended(nowMs: MonotonicMs, file: FileId, isHeld: boolean): void {
    if (!this.#view.pins.has(file)) return;
    if (isHeld) this.#restsUntilMs.delete(file);
    else this.#restsUntilMs.set(file, nowMs + RETRY_MS);
    this.#view.pins.touch(file);
  }

  #look(file: FileId): void {
    const { self, pins } = this.#view;
    const manifest = this.#view.manifestOf(file);
    if (!pins.has(file) || manifest === undefined) {
      this.#restsUntilMs.delete(file);
      return;
    }
    const cap = fragmentCap(manifest.k);
    const own = this.#view.ownOf(file);
    const lackedCount = cap - own.size - this.#view.takingCountOf(file);
    if (lackedCount <= 0 || this.#view.isBusy(file)) return;
    const holders = this.#view.countedHoldersOf(file);
    // Whoever claims more than that places the file, or is not believed.
    if ([...holders].some(([device, held]) => device === manifest.by && held.size > cap)) return;
    const believed: Holders = new Map([...holders].filter(([, { size }]) => size <= cap));
    if (reachOf(believed) < manifest.n) return;
    const sources = [...believed].filter(([device]) => device !== self && this.#view.isReachable(device));
    for (const { fragment, from } of rarestOf(own, believed, sources).slice(0, lackedCount))
      if (!this.#view.take(from, { file, fragment }, manifest)) return;
  }
}

export function pinningViewOf(state: PeerState, taking: Pick<Taking, 'countOf' | 'wanted'>): PinningView {
  const { self, pins, catalogue, own } = state;
  return {
    self,
    pins,
    manifestOf: (file) => catalogue.files().get(file),
    ownOf: (file) => own.of(file),
    countedHoldersOf: (file) => state.countedHoldersOf(file),
    isReachable: (device) => state.isReachable(device),
    isBusy: (file) => state.lettingGo.isLeaving || state.outbox.has(file) || state.isRebuilding(file),
    takingCountOf: (file) => taking.countOf(file),
    take: (...given) => taking.wanted(...given),
  };
}

/** What this device lacks and can have, the rarest first, each from one of those that hold it. */
function rarestOf(
  own: FragmentSet,
  holders: Holders,
  sources: readonly (readonly [DeviceId, FragmentSet])[],
): { readonly fragment: number; readonly from: DeviceId }[] {
  const found = new Map<number, DeviceId>();
  for (const [device, held] of sources)
    for (const fragment of held) if (!own.has(fragment) && !found.has(fragment)) found.set(fragment, device);
  return [...found]
    .map(([fragment, from]) => ({
      fragment,
      from,
      count: [...holders.values()].filter((held) => held.has(fragment)).length,
    }))
    .toSorted((a, b) => a.count - b.count || a.fragment - b.fragment);
}
