// What the catalogue's entries say of the pool: its name, its policy, the names of its devices, and the
// hybrid clock that dates them.
//
// A device's own name is the last one in its log, whatever its date: only the device writes there. Of the
// pool's name and of each part of its policy, the latest counts (latest-entry.ts); no hybrid clock follows an
// entry while it waits.

import type { DeviceId } from '../model/ids.ts';
import type { PoolPolicy } from '../model/policy.ts';
import type { WallMs } from '../model/time.ts';
import { compareTimes, ZERO_TIME, type HybridTime } from './clock.ts';
import type { DeviceLog } from './device-log.ts';
import { comesAfter, isAhead, LatestEntry } from './latest-entry.ts';
import type { PackedEntry } from './packed-entry.ts';
import { PolicyIndex } from './policy-index.ts';

export class PoolIndex {
  readonly #logOf: (device: DeviceId) => Pick<DeviceLog, 'last'> | undefined;
  /** The last profile of each log; undefined where it must be looked up again. */
  readonly #profiles = new Map<DeviceId, PackedEntry | undefined>();
  readonly #profileCounts = new Map<DeviceId, number>();
  readonly #poolName: LatestEntry;
  readonly #policy: PolicyIndex;
  readonly #liveInvites = new Set<PackedEntry>();
  #latest: HybridTime = ZERO_TIME;
  #nowMs: WallMs = 0;

  constructor(logOf: (device: DeviceId) => Pick<DeviceLog, 'last'> | undefined) {
    this.#logOf = logOf;
    const arrived = (entry: PackedEntry): void => this.#saw(entry);
    this.#poolName = new LatestEntry({ logOf, arrived, says: ({ kind }) => kind === 'pool' });
    this.#policy = new PolicyIndex({ logOf, arrived });
  }

  /** The next entry's time comes after this one. */
  get latest(): HybridTime {
    return this.#latest;
  }

  tell(nowMs: WallMs): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    this.#poolName.tell(nowMs);
    this.#policy.tell(nowMs);
  }

  nextDeadlineMs(): WallMs {
    return Math.min(this.#poolName.nextDeadlineMs(), this.#policy.nextDeadlineMs());
  }

  /** An entry of any kind is kept (1), or no longer (-1). */
  apply(entry: PackedEntry, change: 1 | -1): void {
    this.#saw(entry);
    if (entry.kind === 'profile') this.#applyProfile(entry, change);
    else if (entry.kind === 'pool') this.#poolName.apply(entry, change);
    else if (entry.kind === 'policy') this.#policy.apply(entry, change);
    else if (entry.kind !== 'live-invite') return;
    else if (change === 1) this.#liveInvites.add(entry);
    else this.#liveInvites.delete(entry);
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
    // A device whose clock is far behind would show a pool without a name.
    return (this.#poolName.winner ?? this.#poolName.firstWaiting)?.name ?? '';
  }

  /** Entries of invites, live or over. */
  get liveInvites(): ReadonlySet<PackedEntry> {
    return this.#liveInvites;
  }

  get policy(): PoolPolicy {
    return this.#policy.policy;
  }

  /** The hybrid clock follows an entry, unless it is dated far ahead. */
  #saw({ at }: PackedEntry): void {
    if (!isAhead(at, this.#nowMs) && compareTimes(at, this.#latest) > 0) this.#latest = at;
  }

  #applyProfile(entry: PackedEntry, change: 1 | -1): void {
    const { deviceId } = entry;
    this.#profileCounts.set(deviceId, (this.#profileCounts.get(deviceId) ?? 0) + change);
    const last = this.#profiles.get(deviceId);
    const isUnknown = last === undefined && this.#profiles.has(deviceId);
    if (change === -1 ? entry === last : !isUnknown && comesAfter(entry, last)) {
      this.#profiles.set(deviceId, change === -1 ? undefined : entry);
    }
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
}
