// How the sources of a file have behaved so far: how fast each answers, which of them lag, and which just
// failed and rest for a moment.

import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';

interface Pace {
  /** Moving average of how long a block took, ms; undefined before the first. */
  usualMs: number | undefined;
  /** It let a request go overdue, or failed, and has delivered nothing since. */
  lagging: boolean;
  restUntilMs: number;
}

/** A block that takes this long, ms, or this many times its device's usual time, is overdue and hedged. */
const HEDGE_FLOOR_MS = 1_500;
const HEDGE_FACTOR = 4;
/** The assumed time of a device before its first block, ms: a LAN's round trip and a read from disk. */
const EXPECTED_MS = 50;
/**
 * After a failure a device is not asked for this long, ms. Otherwise one that fails immediately would be
 * asked endlessly.
 */
const REST_MS = 500;

export class HolderPace {
  readonly #paces = new Map<DeviceId, Pace>();

  /** A block came after `tookMs`; an index is only a sign of life. */
  delivered(device: DeviceId, tookMs?: number): void {
    const pace = this.#of(device);
    pace.lagging = false;
    if (tookMs !== undefined) pace.usualMs = (pace.usualMs ?? tookMs) * 0.8 + tookMs * 0.2;
  }

  overdue(device: DeviceId): void {
    this.#of(device).lagging = true;
  }

  failed(nowMs: MonotonicMs, device: DeviceId): void {
    const pace = this.#of(device);
    pace.lagging = true;
    pace.restUntilMs = nowMs + REST_MS;
  }

  isLagging(device: DeviceId): boolean {
    return this.#paces.get(device)?.lagging === true;
  }

  isResting(nowMs: MonotonicMs, device: DeviceId): boolean {
    return (this.#paces.get(device)?.restUntilMs ?? 0) > nowMs;
  }

  /** When the next device has rested; Infinity when none rests. */
  nextRestEndMs(nowMs: MonotonicMs): number {
    const ends = [...this.#paces.values()].map(({ restUntilMs }) => restUntilMs);
    return Math.min(Infinity, ...ends.filter((endMs) => endMs > nowMs));
  }

  usualMs(device: DeviceId): number {
    return this.#paces.get(device)?.usualMs ?? EXPECTED_MS;
  }

  hedgeAfterMs(device: DeviceId): number {
    return Math.max(HEDGE_FLOOR_MS, HEDGE_FACTOR * this.usualMs(device));
  }

  #of(device: DeviceId): Pace {
    const known = this.#paces.get(device);
    if (known !== undefined) return known;
    const pace: Pace = { usualMs: undefined, lagging: false, restUntilMs: 0 };
    this.#paces.set(device, pace);
    return pace;
  }
}
