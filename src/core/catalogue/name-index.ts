// The names that the catalogue's entries give, and the hybrid clock that dates them.
//
// A device's own name is the last one in its log, whatever its date: only the device writes there. The pool's
// name is the latest by hybrid time among the last names that each device gave. A name dated more than 12
// hours ahead of this device's clock waits until it no longer is, and no hybrid clock follows it before that.
// So devices agree on names once each one's clock has passed the date less 12 hours; they keep and pass on
// the same entries all along.

import type { DeviceId } from '../model/ids.ts';
import { MAX_FOLLOWED_MS } from '../model/limits.ts';
import { compareTimes, ZERO_TIME, type HybridTime } from './clock.ts';
import type { DeviceLog } from './device-log.ts';
import type { PackedEntry } from './packed-entry.ts';
import type { WallMs } from '../model/time.ts';

export class NameIndex {
  readonly #logOf: (device: DeviceId) => DeviceLog | undefined;
  /** The last profile of each log; undefined where it must be looked up again. */
  readonly #profiles = new Map<DeviceId, PackedEntry | undefined>();
  readonly #profileCounts = new Map<DeviceId, number>();
  /** The last pool name of each log that does not wait; undefined where it must be looked up again. */
  readonly #poolNames = new Map<DeviceId, PackedEntry | undefined>();
  /** Pool names dated too far ahead, the latest first. */
  readonly #waiting: PackedEntry[] = [];
  #winner: PackedEntry | undefined;
  #isWinnerKnown = true;
  #latest: HybridTime = ZERO_TIME;
  #nowMs = 0;

  constructor(logOf: (device: DeviceId) => DeviceLog | undefined) {
    this.#logOf = logOf;
  }

  /** The next entry's time comes after this one. */
  get latest(): HybridTime {
    return this.#latest;
  }

  tell(nowMs: WallMs): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    for (
      let next = this.#waiting.at(-1);
      next !== undefined && !this.#isAhead(next.at);
      next = this.#waiting.at(-1)
    ) {
      this.#waiting.pop();
      this.saw(next);
      this.#gives(next);
    }
  }

  nextDeadlineMs(): WallMs {
    const next = this.#waiting.at(-1);
    return next === undefined ? Infinity : next.at.ms - MAX_FOLLOWED_MS;
  }

  /** The hybrid clock follows an entry, unless it is dated far ahead. */
  saw({ at }: PackedEntry): void {
    if (!this.#isAhead(at) && compareTimes(at, this.#latest) > 0) this.#latest = at;
  }

  apply(entry: PackedEntry, kind: 'profile' | 'pool', change: 1 | -1): void {
    const { deviceId } = entry;
    if (kind === 'profile') {
      this.#profileCounts.set(deviceId, (this.#profileCounts.get(deviceId) ?? 0) + change);
      const last = this.#profiles.get(deviceId);
      const isUnknown = last === undefined && this.#profiles.has(deviceId);
      if (change === -1 ? entry === last : !isUnknown && comesAfter(entry, last)) {
        this.#profiles.set(deviceId, change === -1 ? undefined : entry);
      }
    } else if (change === 1 && this.#isAhead(entry.at)) {
      this.#waiting.splice(this.#positionOf(entry), 0, entry);
    } else if (change === 1) {
      this.saw(entry);
      this.#gives(entry);
    } else {
      const at = this.#positionOf(entry);
      if (this.#waiting[at] === entry) this.#waiting.splice(at, 1);
      if (this.#poolNames.get(deviceId) !== entry) return;
      this.#poolNames.set(deviceId, undefined);
      this.#isWinnerKnown = false;
    }
  }

  deviceName(device: DeviceId): string {
    return this.#profileOf(device)?.name ?? '';
  }

  /** When the device took its name. */
  namedAt(device: DeviceId): HybridTime | undefined {
    return this.#profileOf(device)?.at;
  }

  /** Devices that gave themselves a name. */
  profiled(): DeviceId[] {
    return [...this.#profileCounts].filter(([, count]) => count > 0).map(([device]) => device);
  }

  isProfiled(device: DeviceId): boolean {
    return (this.#profileCounts.get(device) ?? 0) > 0;
  }

  get poolName(): string {
    if (!this.#isWinnerKnown) this.#findWinner();
    // A device whose clock is far behind would show a pool without a name.
    return (this.#winner ?? this.#waiting.at(-1))?.name ?? '';
  }

  #profileOf(device: DeviceId): PackedEntry | undefined {
    if (!this.#profiles.has(device)) return undefined;
    const known = this.#profiles.get(device);
    if (known !== undefined) return known;
    const found = this.#logOf(device)?.last(({ kind }) => kind === 'profile');
    if (found === undefined) this.#profiles.delete(device);
    else this.#profiles.set(device, found);
    return found;
  }

  #gives(entry: PackedEntry): void {
    const last = this.#poolNames.get(entry.deviceId);
    const isUnknown = last === undefined && this.#poolNames.has(entry.deviceId);
    if (isUnknown || !comesAfter(entry, last)) return;
    this.#poolNames.set(entry.deviceId, entry);
    this.#isWinnerKnown = false;
  }

  #findWinner(): void {
    let winner: PackedEntry | undefined;
    for (const [device, known] of this.#poolNames) {
      const entry =
        known ?? this.#logOf(device)?.last(({ kind, at }) => kind === 'pool' && !this.#isAhead(at));
      if (entry === undefined) this.#poolNames.delete(device);
      else this.#poolNames.set(device, entry);
      if (entry !== undefined && (winner === undefined || compareEntries(entry, winner) > 0)) winner = entry;
    }
    this.#winner = winner;
    this.#isWinnerKnown = true;
  }

  #isAhead({ ms }: HybridTime): boolean {
    return ms - MAX_FOLLOWED_MS > this.#nowMs;
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

/** Within one log: by number, and of equals the smaller id is later, because a log continues from it. */
function comesAfter(entry: PackedEntry, than: PackedEntry | undefined): boolean {
  if (than === undefined || entry.seq !== than.seq) return entry.seq > (than?.seq ?? 0);
  return entry.entryId < than.entryId;
}

/** Negative when `a` is earlier, by hybrid time and then by id. */
function compareEntries(a: PackedEntry, b: PackedEntry): number {
  return compareTimes(a.at, b.at) || (a.entryId === b.entryId ? 0 : a.entryId < b.entryId ? -1 : 1);
}
