// The latest of the entries that say one thing, such as the pool's name: by hybrid time, among the last that
// each device said. An entry dated more than 12 hours ahead of this device's clock waits until it no longer
// is. So devices agree once each one's clock has passed the date less 12 hours; they keep and pass on the
// same entries all along.

import type { DeviceId } from '../model/ids.ts';
import { MAX_FOLLOWED_MS } from '../model/limits.ts';
import type { WallMs } from '../model/time.ts';
import { compareTimes, type HybridTime } from './clock.ts';
import type { DeviceLog } from './device-log.ts';
import type { PackedEntry } from './packed-entry.ts';

export interface LatestEntryPorts {
  logOf(device: DeviceId): Pick<DeviceLog, 'last'> | undefined;
  /** Whether an entry says it. */
  says(entry: PackedEntry): boolean;
  /** The entry waits no longer: clocks follow it. */
  arrived(entry: PackedEntry): void;
}

export class LatestEntry {
  readonly #ports: LatestEntryPorts;
  /** The last of each log that does not wait; undefined where it must be looked up again. */
  readonly #lasts = new Map<DeviceId, PackedEntry | undefined>();
  /** Entries dated too far ahead, the latest first. */
  readonly #waiting: PackedEntry[] = [];
  #winner: PackedEntry | undefined;
  #isWinnerKnown = true;
  #nowMs: WallMs = 0;

  constructor(ports: LatestEntryPorts) {
    this.#ports = ports;
  }

  /** Whether the winner may have changed. */
  tell(nowMs: WallMs): boolean {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    let hasArrived = false;
    for (
      let next = this.#waiting.at(-1);
      next !== undefined && !isAhead(next.at, this.#nowMs);
      next = this.#waiting.at(-1)
    ) {
      this.#waiting.pop();
      this.#ports.arrived(next);
      this.#said(next);
      hasArrived = true;
    }
    return hasArrived;
  }

  nextDeadlineMs(): WallMs {
    const next = this.#waiting.at(-1);
    return next === undefined ? Infinity : next.at.ms - MAX_FOLLOWED_MS;
  }

  /** An entry that says it is kept (1), or no longer (-1). */
  apply(entry: PackedEntry, change: 1 | -1): void {
    if (change === 1 && isAhead(entry.at, this.#nowMs)) {
      this.#waiting.splice(this.#positionOf(entry), 0, entry);
    } else if (change === 1) {
      this.#said(entry);
    } else {
      const at = this.#positionOf(entry);
      if (this.#waiting[at] === entry) this.#waiting.splice(at, 1);
      if (this.#lasts.get(entry.deviceId) !== entry) return;
      this.#lasts.set(entry.deviceId, undefined);
      this.#isWinnerKnown = false;
    }
  }

  get winner(): PackedEntry | undefined {
    if (!this.#isWinnerKnown) this.#findWinner();
    return this.#winner;
  }

  /** Of those that wait, the one whose time comes first. */
  get firstWaiting(): PackedEntry | undefined {
    return this.#waiting.at(-1);
  }

  #said(entry: PackedEntry): void {
    const last = this.#lasts.get(entry.deviceId);
    const isUnknown = last === undefined && this.#lasts.has(entry.deviceId);
    if (isUnknown || !comesAfter(entry, last)) return;
    this.#lasts.set(entry.deviceId, entry);
    this.#isWinnerKnown = false;
  }

  #findWinner(): void {
    let winner: PackedEntry | undefined;
    for (const [device, known] of this.#lasts) {
      const entry = known ?? this.#lastOf(device);
      if (entry === undefined) this.#lasts.delete(device);
      else this.#lasts.set(device, entry);
      if (entry !== undefined && (winner === undefined || compareEntries(entry, winner) > 0)) winner = entry;
    }
    this.#winner = winner;
    this.#isWinnerKnown = true;
  }

  #lastOf(device: DeviceId): PackedEntry | undefined {
    return this.#ports
      .logOf(device)
      ?.last((entry) => this.#ports.says(entry) && !isAhead(entry.at, this.#nowMs));
  }

  /** Where `entry` is, or would be, among those that wait. */
  #positionOf(entry: PackedEntry): number {
    let [low, high] = [0, this.#waiting.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = this.#waiting[middle];
      if (there !== undefined && compareEntries(there, entry) > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Dated too far ahead to be followed. */
export function isAhead({ ms }: HybridTime, nowMs: WallMs): boolean {
  return ms - MAX_FOLLOWED_MS > nowMs;
}

/** Within one log: by number, and of equals the smaller id is later, because a log continues from it. */
export function comesAfter(entry: PackedEntry, than: PackedEntry | undefined): boolean {
  if (than === undefined || entry.seq !== than.seq) return entry.seq > (than?.seq ?? 0);
  return entry.entryId < than.entryId;
}

/** What says which of two entries is later. */
export type DatedEntry = Pick<PackedEntry, 'at' | 'entryId'>;

/** Negative when `a` is earlier, by hybrid time and then by id. */
export function compareEntries(a: DatedEntry, b: DatedEntry): number {
  return compareTimes(a.at, b.at) || (a.entryId === b.entryId ? 0 : a.entryId < b.entryId ? -1 : 1);
}
