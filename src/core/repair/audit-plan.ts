// Chooses which claims of others to audit: a device is asked for one block of one fragment that it says it
// holds, as a read would ask. What nobody reads is so found missing while it can still be made up for.
//
// The device that was audited the longest ago is next, and a file of which this device holds something comes
// before others: it may be the one to repair it. Who does not give what it claims is asked for more at once.
// So is what somebody else offers to this device although it is claimed, because that may know better, and
// what this device would rebuild only because it does not count. What does not count any more is asked for
// again, less and less often: a device may have been wrong, or busy, for a while only.
//
// Invariants: on the average one audit in REFILL_MS, and MAX_SAVED at a time after a quiet while, besides
// those of contested claims, one of a device in CONTESTED_EVERY_MS, and of devices that failed, at most
// MAX_PURSUED of one in a row; one device at a time.

import type { DeviceId, FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import { unpackFragments, type PackedFragments } from '../placement/fragment-set.ts';
import type { Place } from '../wire/places.ts';

/**
 * 'given': the block that was asked for. 'absent': it said that it has none, or that its copy is damaged.
 * 'wrong': it gave something else. 'none': no answer, or that it cannot now. 'cut': its link ended. 'own': it
 * was not asked for a block, but for a proof, because this device has a copy to compare.
 */
export type AuditOutcome = 'given' | 'absent' | 'wrong' | 'none' | 'cut' | 'own';

/** What a device is asked for. */
export interface Audit extends Place {
  readonly device: DeviceId;
}

/** Fragments of a file that a device claims. */
export type Claim = readonly [FileId, PackedFragments];

export interface AuditView {
  /** Other members that can be asked now. */
  devices(): Iterable<DeviceId>;
  /** What counts of the device's claims, of files that can be asked for. */
  countedOf(device: DeviceId): Iterable<Claim>;
  /** Whether there may be some that do not count. */
  isDoubted(device: DeviceId): boolean;
  /** Those that do not count. */
  doubtedOf(device: DeviceId): Iterable<Claim>;
  /**
   * Claims to look into at once, since the last call: others offer the same, or repair waits for the answer.
   */
  takeContested(): ReadonlyMap<DeviceId, Place>;
  /** Whether this device holds something of the file. */
  holdsOf(file: FileId): boolean;
  /** A whole number below 2^32 that nobody can foretell. */
  draw(): number;
}

/** A pool of nine is audited whole within a minute and a half. */
const MAX_SAVED = 8;
/** A large block an hour is some 70 bytes a second. */
const REFILL_MS = 3_600_000;
/** A device that was audited is left alone so long, ms. */
const AGAIN_AFTER_MS = 6 * 3_600_000;
/** Between two audits, ms. */
const GAP_MS = 10_000;
/** The same after one that failed: a meeting may be over in minutes. */
const PURSUIT_GAP_MS = 5_000;
/** Who gave no answer may be busy: it is asked for the same once more after this, ms. */
const PATIENCE_MS = 30_000;
/** More than it takes until nothing counts of a device that has nothing. */
const MAX_PURSUED = 16;

/** One device's claims are looked into so often, whoever contests them, ms. */
const CONTESTED_EVERY_MS = 10 * 60_000;
/** What does not count is asked for again after this; after twice as long each time that it fails, ms. */
const RETRY_MS = 60_000;
/** In the end, ms: most of those that fail give nothing, which costs nothing. */
const MAX_RETRY_MS = 10 * 60_000;

/** A device that did not give what it was asked for. */
interface Failing {
  /** How often it is asked at once. */
  leftCount: number;
  /** What to ask for once more. */
  again: Audit | undefined;
  retryMs: number;
  /** When what does not count is asked for again. */
  dueMs: MonotonicMs;
}

export class AuditPlan {
  readonly #view: AuditView;
  readonly #auditedMs = new Map<DeviceId, MonotonicMs>();
  readonly #failing = new Map<DeviceId, Failing>();
  /** Contested claims to look into. */
  readonly #contested = new Map<DeviceId, Audit>();
  readonly #contestedMs = new Map<DeviceId, MonotonicMs>();
  #savedCount = MAX_SAVED;
  /** When `#savedCount` was right. */
  #savedMs: MonotonicMs;

  constructor(nowMs: MonotonicMs, view: AuditView) {
    this.#view = view;
    this.#savedMs = nowMs;
  }

  /** What to ask for now; undefined if nothing is due. Each audit must be `ended` before the next. */
  next(nowMs: MonotonicMs): Audit | undefined {
    const devices = [...this.#view.devices()];
    const failing = this.#ofFailing(nowMs, devices);
    if (failing !== undefined) return failing;
    const contested = this.#nextContested(nowMs, devices);
    if (contested !== undefined) return contested;
    this.#refill(nowMs);
    if (this.#savedCount < 1) return undefined;
    const audit = this.#longestAgo(nowMs, devices);
    if (audit === undefined) return undefined;
    this.#savedCount -= 1;
    this.#auditedMs.set(audit.device, nowMs);
    return audit;
  }

  /** How the audit ended. Returns the time until the next may begin, ms. */
  ended(nowMs: MonotonicMs, audit: Audit, outcome: AuditOutcome): number {
    const { device } = audit;
    const known = this.#failing.get(device);
    if (outcome === 'cut') return GAP_MS;
    if (outcome === 'given') {
      if (known === undefined) return GAP_MS;
      // The rest of what does not count, if there is any, is next.
      this.#failing.set(device, { leftCount: 0, again: undefined, retryMs: RETRY_MS, dueMs: nowMs });
      return PURSUIT_GAP_MS;
    }
    const { leftCount, retryMs } = known ?? { leftCount: MAX_PURSUED, retryMs: RETRY_MS };
    const again = outcome === 'none' ? audit : undefined;
    const left = outcome === 'own' ? 0 : Math.max(0, leftCount - 1);
    this.#failing.set(device, {
      leftCount: left,
      again: left > 0 ? again : undefined,
      retryMs: left > 0 ? retryMs : Math.min(MAX_RETRY_MS, 2 * retryMs),
      dueMs: nowMs + retryMs,
    });
    return outcome === 'none' ? PATIENCE_MS : PURSUIT_GAP_MS;
  }

  /** More of a device that did not give what it was asked for. */
  #ofFailing(nowMs: MonotonicMs, devices: readonly DeviceId[]): Audit | undefined {
    for (const device of devices) {
      const failing = this.#failing.get(device) ?? this.#foundDoubted(nowMs, device);
      if (failing === undefined) continue;
      const { again, leftCount, dueMs } = failing;
      if (again !== undefined && isAmong(again, this.#view.countedOf(device))) return again;
      const pursued = leftCount > 0 ? this.#drawn(device, this.#view.countedOf(device)) : undefined;
      if (pursued !== undefined) return pursued;
      failing.leftCount = 0;
      if (dueMs > nowMs) continue;
      const doubted = this.#drawn(device, this.#view.doubtedOf(device));
      if (doubted !== undefined) return doubted;
      this.#failing.delete(device);
    }
    return undefined;
  }

  /** Somebody who read from it, or had it prove something, was not given that. */
  #foundDoubted(nowMs: MonotonicMs, device: DeviceId): Failing | undefined {
    if (!this.#view.isDoubted(device)) return undefined;
    const failing = { leftCount: 0, again: undefined, retryMs: RETRY_MS, dueMs: nowMs + RETRY_MS };
    this.#failing.set(device, failing);
    return failing;
  }

  #nextContested(nowMs: MonotonicMs, devices: readonly DeviceId[]): Audit | undefined {
    for (const [device, place] of this.#view.takeContested())
      if (nowMs - (this.#contestedMs.get(device) ?? -Infinity) >= CONTESTED_EVERY_MS)
        this.#contested.set(device, { device, ...place });
    for (const [device, audit] of this.#contested) {
      this.#contested.delete(device);
      if (!devices.includes(device)) continue;
      const isClaimed =
        isAmong(audit, this.#view.countedOf(device)) || isAmong(audit, this.#view.doubtedOf(device));
      if (!isClaimed) continue;
      this.#contestedMs.set(device, nowMs);
      return audit;
    }
    return undefined;
  }

  #longestAgo(nowMs: MonotonicMs, devices: readonly DeviceId[]): Audit | undefined {
    const due = devices
      .map((device) => ({
        device,
        atMs: this.#auditedMs.get(device) ?? -Infinity,
        order: this.#view.draw(),
      }))
      .filter(({ atMs }) => nowMs - atMs >= AGAIN_AFTER_MS)
      .toSorted((a, b) => (a.atMs === b.atMs ? a.order - b.order : a.atMs - b.atMs));
    for (const { device } of due) {
      const audit = this.#drawn(device, this.#view.countedOf(device));
      if (audit !== undefined) return audit;
    }
    return undefined;
  }

  /** Any of the claims; of those on files that this device holds something of, if there are some. */
  #drawn(device: DeviceId, claims: Iterable<Claim>): Audit | undefined {
    let drawn: Claim | undefined;
    let isOwn = false;
    let count = 0;
    for (const claim of claims) {
      const holds = this.#view.holdsOf(claim[0]);
      if (isOwn && !holds) continue;
      if (holds && !isOwn) [isOwn, count] = [true, 0];
      count += 1;
      if (this.#below(count) === 0) drawn = claim;
    }
    if (drawn === undefined) return undefined;
    const fragments = [...unpackFragments(drawn[1])];
    const fragment = fragments[this.#below(fragments.length)];
    return fragment === undefined ? undefined : { device, file: drawn[0], fragment };
  }

  #below(count: number): number {
    return this.#view.draw() % Math.max(1, count);
  }

  #refill(nowMs: MonotonicMs): void {
    this.#savedCount = Math.min(MAX_SAVED, this.#savedCount + (nowMs - this.#savedMs) / REFILL_MS);
    this.#savedMs = nowMs;
  }
}

function isAmong({ file, fragment }: Audit, claims: Iterable<Claim>): boolean {
  return [...claims].some(([of, fragments]) => of === file && unpackFragments(fragments).has(fragment));
}
