// Which files this device repairs, and when: a machine. It looks at all files whenever something changed,
// starts with the most endangered one that is its own to repair, and gives up what is needed no longer.
//
// Each file has one repairer (repair-need.ts). The others wait, each longer than the one before it, and
// begin only when no fragment came back meanwhile: the repairer has stopped, or cannot. Two at once do no
// harm, because a rebuilt fragment is the same whoever rebuilt it, and no device takes one twice.
//
// A device that places a file keeps all n fragments of it meanwhile. If some of these copies are damaged, it
// rebuilds them for itself.
//
// Invariants: but for that, a rebuilt fragment is planned only for a device that stays within the cap with
// it, this one included, and what is staged here fits what this device offers.

import { heldBytesOf } from '../model/geometry.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import type { Anchors } from '../placement/anchors.ts';
import { reachOf } from '../placement/health.ts';
import { planPlacement, type Candidate } from '../placement/placement.ts';
import { Leftovers } from './leftovers.ts';
import { RepairWaits, type Wait } from './repair-waits.ts';
import {
  dangerOf,
  durableOf,
  isStillPlaced,
  mixed,
  placingNeedOf,
  repairersOf,
  repairNeedOf,
  type RepairedFile,
  type RepairNeed,
} from './repair-need.ts';

/** What repair needs to see for its decisions. */
export interface RepairView {
  readonly self: DeviceId;
  /** Contents that have a name. */
  files(): ReadonlyMap<FileId, RepairedFile>;
  /**
   * Devices that claim some of the file, are not doubted and have not left: reachable, away or gone; this one
   * included. Who claims more than any device is given is here with all of it, doubted or not.
   */
  holdersOf(file: FileId): ReadonlyMap<DeviceId, FragmentSet>;
  isGone(device: DeviceId): boolean;
  isReachable(device: DeviceId): boolean;
  /**
   * Reachable devices that take part in repair, this one included, and what each offers. Those that are
   * taking fragments of `file` already may be left out.
   */
  candidates(file: FileId): readonly Candidate[];
  /** Devices that are placed as anchors of the file. */
  anchorsOf(file: FileId): Anchors;
  /** Whether this device itself still places the file: it keeps all n copies. */
  isPlacing(file: FileId): boolean;
  /** Whether damaged copies of the file lie on this device: it was placed once, whoever claims it now. */
  hasDamaged(file: FileId): boolean;
  /**
   * Undefined unless a reachable device's claim on the file is doubted: such devices are asked again. When
   * one of them last gave what it was asked for; -Infinity if none did.
   */
  askedAgain(file: FileId): MonotonicMs | undefined;
  /** Whether this device sees its pool so rarely that no loss may wait for a second one. */
  meetsRarely(): boolean;
  /** The part of a link that repairs use, above 0 and at most 1. */
  share(): number;
}

/** The same of the pool alone, without what only the disk knows. */
export type PoolRepairView = Omit<RepairView, 'hasDamaged'>;

export type RepairInput =
  /** Files, claims, links, space, or who is gone may have changed. */
  | { readonly kind: 'changed' }
  /** A person wants everything that is missing restored now, without waits for turns and further losses. */
  | { readonly kind: 'asked' }
  /** Repair must stop for now, or may go on. */
  | { readonly kind: 'paused'; readonly isPaused: boolean }
  /** A repair has rebuilt its fragments: from now on it ends by itself, unless the storer places the file. */
  | { readonly kind: 'rebuilt'; readonly file: FileId }
  /** A repair of the file, perhaps on an earlier page, left staged blocks on this disk. */
  | { readonly kind: 'left-over'; readonly file: FileId }
  /** A repair ended: all of its fragments found homes, or it failed, or was cancelled. */
  | { readonly kind: 'ended'; readonly file: FileId; readonly outcome: 'done' | 'failed' | 'cancelled' }
  | { readonly kind: 'tick' };

export type RepairEffect =
  | {
      readonly kind: 'rebuild';
      readonly file: FileId;
      /** By fragment to rebuild, its home; this device's own share included. */
      readonly homes: ReadonlyMap<number, DeviceId>;
      /** Devices that are gone and had some of these. */
      readonly lostWith: readonly DeviceId[];
    }
  /** It is needed no longer, or must stop for now (`isPause`). Answered by 'ended'. */
  | { readonly kind: 'cancel'; readonly file: FileId; readonly isPause: boolean }
  /** So many files would be repaired here if repairs were not paused. */
  | { readonly kind: 'held-back'; readonly fileCount: number }
  /** Nobody uses the staged blocks that were left over. */
  | { readonly kind: 'discard'; readonly file: FileId };

/** Losses that belong together come within this, ms: a household switched off, a class that went home. */
const SETTLE_MS = 10_000;
/** Where no loss may be waited for, only claims that are under way are, ms. */
const URGENT_SETTLE_MS = 2_000;
/** A device that is doubted and there is asked again before what it claims is rebuilt, ms. */
const ASK_AGAIN_MS = 30_000;
/** However much it gives meanwhile, ms. */
const MAX_ASK_AGAIN_MS = 5 * 60_000;
/** A repairer that brought nothing back for this long, ms, and long enough for its bytes, is replaced. */
const TAKEOVER_MS = 60_000;
/** What a poor Wi-Fi link carries, bytes a second: even a slow repairer fetches its share of that. */
const SLOW_LINK_BYTES_PER_S = 1_250_000;
/** A repair that failed is tried again after this, ms; the wait doubles with each failure. */
const RETRY_MS = 30_000;
/** In the end it is tried about once an hour. */
const MAX_DOUBLINGS = 7;
/** Repairs at a time: small files mostly wait for others' answers. */
export const MAX_REPAIRS = 4;
/** Between two looks at all files: at least this, ms; and for many files this much for each. */
const LOOK_GAP_MS = 500;
const LOOK_GAP_MS_PER_FILE = 3;

/** A file that lacks fragments. */
export interface Lacking {
  readonly file: FileId;
  readonly missingCount: number;
}

interface Ready {
  readonly file: FileId;
  readonly manifest: RepairedFile;
  readonly need: RepairNeed;
  readonly danger: number;
  readonly startAtMs: MonotonicMs;
}

export class RepairPlan {
  readonly #view: RepairView;
  readonly #waits: RepairWaits;
  /** By file under repair here: whether it has everything rebuilt. */
  readonly #running = new Map<FileId, { isRebuilt: boolean; isCancelled: boolean }>();
  /** By file: repairs that failed in a row, and until when the next waits. */
  readonly #failures = new Map<FileId, { readonly count: number; readonly untilMs: MonotonicMs }>();
  /** Files to repair because a person asked; each until it has all fragments, or was tried. */
  readonly #asked = new Set<FileId>();
  readonly #leftovers = new Leftovers();
  #isPaused = false;
  #heldBackCount = 0;
  #hasChanged = false;
  #nextLookMs: MonotonicMs = -Infinity;
  /** When the next file is due, as of the last look. */
  #dueMs: MonotonicMs = Infinity;

  constructor(view: RepairView) {
    this.#view = view;
    this.#waits = new RepairWaits(view.self);
  }

  handle(nowMs: MonotonicMs, input: RepairInput): RepairEffect[] {
    switch (input.kind) {
      case 'changed':
        this.#hasChanged = true;
        break;
      case 'asked':
        for (const { file } of lackingFiles(this.#view)) this.#asked.add(file);
        this.#nextLookMs = nowMs;
        this.#hasChanged = true;
        break;
      case 'paused':
        if (this.#isPaused && !input.isPaused) this.#leftovers.waitAgain(nowMs);
        this.#isPaused = input.isPaused;
        this.#hasChanged = true;
        break;
      case 'left-over':
        // A repair of this page may have taken it up already.
        if (!this.#running.has(input.file)) this.#leftovers.add(nowMs, input.file);
        this.#hasChanged = true;
        break;
      case 'rebuilt': {
        const running = this.#running.get(input.file);
        if (running !== undefined) running.isRebuilt = true;
        break;
      }
      case 'ended':
        this.#ended(nowMs, input.file, input.outcome);
        break;
      case 'tick':
        break;
    }
    if (nowMs < this.#nextLookMs || !(this.#hasChanged || nowMs >= this.#dueMs)) return [];
    return this.#look(nowMs);
  }

  nextDeadlineMs(): MonotonicMs {
    return Math.max(this.#nextLookMs, this.#hasChanged ? -Infinity : this.#dueMs);
  }

  #ended(nowMs: MonotonicMs, file: FileId, outcome: 'done' | 'failed' | 'cancelled'): void {
    this.#running.delete(file);
    this.#asked.delete(file);
    this.#hasChanged = true;
    if (outcome === 'failed') {
      const count = (this.#failures.get(file)?.count ?? 0) + 1;
      const waitMs = RETRY_MS * 2 ** Math.min(count - 1, MAX_DOUBLINGS);
      this.#failures.set(file, { count, untilMs: nowMs + waitMs });
    } else this.#failures.delete(file);
  }

  #look(nowMs: MonotonicMs): RepairEffect[] {
    const files = this.#view.files();
    this.#hasChanged = false;
    this.#nextLookMs = nowMs + Math.max(LOOK_GAP_MS, files.size * LOOK_GAP_MS_PER_FILE);
    const needy = this.#needy(nowMs, files);
    const needyFiles = new Set(needy.map(({ file }) => file));
    const effects = this.#cancelled(needyFiles);
    const discarded = this.#leftovers.discarded(nowMs, (file) => needyFiles.has(file), !this.#isPaused);
    for (const file of discarded) effects.push({ kind: 'discard', file });
    this.#dueMs = this.#leftovers.nextDeadlineMs(nowMs);
    const mostEndangeredFirst = needy.toSorted(
      (a, b) => a.danger - b.danger || mixed(a.file) - mixed(b.file),
    );
    let heldBackCount = 0;
    for (const ready of mostEndangeredFirst) {
      if (this.#running.has(ready.file)) continue;
      if (ready.startAtMs > nowMs) this.#dueMs = Math.min(this.#dueMs, ready.startAtMs);
      else if (this.#isPaused) heldBackCount += this.#homesOf(ready).size > 0 ? 1 : 0;
      else if (this.#running.size < MAX_REPAIRS) effects.push(...this.#start(ready));
    }
    if (heldBackCount !== this.#heldBackCount) {
      this.#heldBackCount = heldBackCount;
      effects.push({ kind: 'held-back', fileCount: heldBackCount });
    }
    return effects;
  }

  /** Files that need repair, each with the time from which on this device may begin. */
  #needy(nowMs: MonotonicMs, files: ReadonlyMap<FileId, RepairedFile>): Ready[] {
    const needy: Ready[] = [];
    const isHasty = this.#view.meetsRarely();
    for (const [file, manifest] of files) {
      const isPlacing = this.#view.isPlacing(file);
      const claims = this.#waits.steadyOf(file, this.#view.holdersOf(file), fragmentCap(manifest.k));
      const isGone = (device: DeviceId): boolean => this.#view.isGone(device);
      const need = isPlacing
        ? placingNeedOf(manifest, claims, this.#view.self, isGone)
        : repairNeedOf(manifest, claims, isGone, isHasty || this.#asked.has(file), this.#wasPlaced(file));
      if (need === undefined) {
        this.#asked.delete(file);
        // No claim of others ends what a storer rebuilds for itself.
        if (this.#waits.has(file))
          this.#waits.over(nowMs, file, isPlacing ? new Map() : durableOf(manifest.k, claims, isGone));
        this.#failures.delete(file);
        continue;
      }
      const startAtMs = this.#startAtMs(nowMs, file, manifest, need);
      needy.push({ file, manifest, need, danger: dangerOf(manifest, need), startAtMs });
    }
    this.#waits.keepOnly(files);
    for (const file of this.#failures.keys()) if (!files.has(file)) this.#failures.delete(file);
    for (const file of this.#asked) if (!files.has(file)) this.#asked.delete(file);
    return needy;
  }

  #wasPlaced(file: FileId): boolean {
    return this.#waits.has(file) || this.#view.hasDamaged(file);
  }

  #startAtMs(nowMs: MonotonicMs, file: FileId, manifest: RepairedFile, need: RepairNeed): MonotonicMs {
    const waiting = this.#waits.needed(nowMs, file, need.durable, (device) => this.#view.isGone(device));
    const able = this.#view.candidates(file).map(({ device }) => device);
    const rank = need.isOfStorer ? 0 : repairersOf(file, need, able).indexOf(this.#view.self);
    if (rank < 0 || !this.#canGather(manifest, need)) return Infinity;
    if (this.#asked.has(file)) return nowMs;
    const settledMs = this.#settledMs(file, need, waiting);
    const slowBytesPerS = this.#view.share() * SLOW_LINK_BYTES_PER_S;
    const patienceMs = TAKEOVER_MS + (manifest.k * heldBytesOf(manifest) * 1_000) / slowBytesPerS;
    const turnMs = rank === 0 ? settledMs : Math.max(settledMs, waiting.progressMs) + rank * patienceMs;
    return Math.max(turnMs, this.#failures.get(file)?.untilMs ?? turnMs);
  }

  /** When nothing is expected any more that would make the repair needless. */
  #settledMs(file: FileId, need: RepairNeed, { sinceMs }: Wait): MonotonicMs {
    const settledMs = sinceMs + (need.isUrgent ? URGENT_SETTLE_MS : SETTLE_MS);
    const givenMs = need.isOfStorer ? undefined : this.#view.askedAgain(file);
    if (givenMs === undefined) return settledMs;
    return Math.min(Math.max(sinceMs, givenMs) + ASK_AGAIN_MS, sinceMs + MAX_ASK_AGAIN_MS);
  }

  /**
   * Whether k fragments can be read now. If fewer than k are claimed at all, it is worth a try: a device that
   * withdrew a fragment over one damaged block still has the others.
   */
  #canGather({ k }: RepairedFile, { durable, durableCount }: RepairNeed): boolean {
    const reachable = [...durable].filter(([device]) => this.#view.isReachable(device));
    return durableCount < k || reachOf(new Map(reachable)) >= k;
  }

  #start(ready: Ready): RepairEffect[] {
    const { file } = ready;
    const homes = this.#homesOf(ready);
    if (homes.size === 0) return [];
    this.#running.set(file, { isRebuilt: false, isCancelled: false });
    this.#leftovers.take(file);
    if (ready.need.isOfStorer) return [{ kind: 'rebuild', file, homes, lostWith: [] }];
    const lostWith = [...this.#view.holdersOf(file)]
      .filter(
        ([device, held]) => this.#view.isGone(device) && [...homes.keys()].some((each) => held.has(each)),
      )
      .map(([device]) => device);
    return [{ kind: 'rebuild', file, homes, lostWith }];
  }

  /** Homes for what is missing. Without one a fragment is not rebuilt: it would only lie here. */
  #homesOf({ file, manifest, need }: Ready): Map<number, DeviceId> {
    const { salt, k } = manifest;
    const { durable, missing, isOfStorer } = need;
    if (isOfStorer) return new Map(missing.map((fragment) => [fragment, this.#view.self]));
    const fragmentBytes = heldBytesOf(manifest);
    const claims = this.#view.holdersOf(file);
    // Who claims more than that, or now this and now that, is not believed, and is given nothing.
    const candidates = this.#view
      .candidates(file)
      .filter(
        ({ device }) =>
          (claims.get(device)?.size ?? 0) <= fragmentCap(k) && !this.#waits.isUnsteady(file, device),
      );
    const offeredBytes = candidates.find(({ device }) => device === this.#view.self)?.freeBytes ?? 0;
    const stageableCount = Math.floor(offeredBytes / fragmentBytes);
    const fragments = missing.slice(0, stageableCount);
    const anchors = this.#view.anchorsOf(file);
    // Of a file that nobody claims others take nothing, unless whoever offers it has some of it.
    const [one] = durable.size === 0 ? fragments : [];
    const preferred = one === undefined ? undefined : new Map([[one, this.#view.self]]);
    const held = durable;
    return planPlacement({ salt, k, fragments, fragmentBytes, candidates, held, preferred, anchors });
  }

  /**
   * Ends repairs of files that are gone or have enough again; all while paused. What is rebuilt already is
   * handed over nevertheless, unless the storer is back with the whole file: it would find homes for
   * everything, and wait for this device, which takes nothing of a file that it repairs.
   */
  #cancelled(needy: ReadonlySet<FileId>): RepairEffect[] {
    const effects: RepairEffect[] = [];
    for (const [file, running] of this.#running) {
      const endsByItself = running.isRebuilt && !this.#isStillPlaced(file);
      if (running.isCancelled || endsByItself || (needy.has(file) && !this.#isPaused)) continue;
      running.isCancelled = true;
      effects.push({ kind: 'cancel', file, isPause: needy.has(file) });
    }
    return effects;
  }

  #isStillPlaced(file: FileId): boolean {
    const manifest = this.#view.files().get(file);
    if (manifest === undefined) return false;
    return isStillPlaced(manifest, this.#view.holdersOf(file), (device) => this.#view.isGone(device));
  }
}

/** Files that lack fragments, counting what devices that are away bring back; the most endangered first. */
export function lackingFiles(
  view: Pick<RepairView, 'files' | 'holdersOf' | 'isGone' | 'isPlacing' | 'hasDamaged'>,
): Lacking[] {
  const lacking: (Lacking & { readonly danger: number })[] = [];
  for (const [file, manifest] of view.files()) {
    if (view.isPlacing(file)) continue;
    const isGone = (device: DeviceId): boolean => view.isGone(device);
    const need = repairNeedOf(manifest, view.holdersOf(file), isGone, true, view.hasDamaged(file));
    if (need === undefined) continue;
    const { length: missingCount } = need.missing;
    lacking.push({ file, missingCount, danger: dangerOf(manifest, need) });
  }
  return lacking
    .toSorted((a, b) => a.danger - b.danger || mixed(a.file) - mixed(b.file))
    .map(({ file, missingCount }) => ({ file, missingCount }));
}
