// Bounds the attempts to link that fail. Each attempt makes a connection of the browser, and Chromium gives a
// page 500 of them, closed ones included until they are collected.
//
// Invariants: a device gets DEVICE_BURST attempts and one more every DEVICE_REFILL_MS; all devices together
// get TOTAL_BURST and one more every TOTAL_REFILL_MS. An attempt that became a lasting link is given back.
// Identities cost nothing, so strangers and devices that were met (linked for STABLE_AFTER_MS) have separate
// totals. Each total is shared by turns, first asked, first served: among met devices one by one, among
// strangers by the way that their letters come. A full memory of MAX_KNOWN devices forgets the device met
// last, so made-up ones cannot push out those met before.

import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';
import type { Way } from './link-events.ts';
import { BACKOFF_MAX_MS, STABLE_AFTER_MS } from './link-timing.ts';
import type { MonotonicMs } from '../model/time.ts';

/** Enough for reloads of a page and losses of a network in a row. */
const DEVICE_BURST = 8;
/**
 * Between attempts with one device that all fail, ms: no more often than the waits of an honest device allow.
 */
const DEVICE_REFILL_MS = 2_000;
/** Enough for a pool of usual size whose devices all start together. */
const TOTAL_BURST = 64;
/** Of all devices together, ms: closed connections are collected faster. */
const TOTAL_REFILL_MS = 500;
/**
 * How long a turn is kept for an asker that does not ask again, ms: the longest wait between attempts plus
 * some delay.
 */
const TURN_KEPT_MS = BACKOFF_MAX_MS + 10_000;
/** Devices remembered, and turns waited for. */
const MAX_KNOWN = 2 * MAX_DEVICE_COUNT;

/** Who asks for an attempt. */
export interface Asker {
  readonly device: DeviceId;
  /** How its last letter came. */
  readonly way: Way;
}

export class AttemptBudget {
  readonly #devices = new Map<DeviceId, Budget>();
  /** Devices that were met, in that order, with their rank. */
  readonly #met = new Map<DeviceId, number>();
  #metCount = 0;
  readonly #strangers = new SharedBudget();
  readonly #acquaintances = new SharedBudget();

  /** Whether the device may have another attempt. */
  hasTurn(nowMs: MonotonicMs, device: DeviceId): boolean {
    return this.#devices.get(device)?.has(nowMs) ?? true;
  }

  /** Takes one of the device's own attempts; false when it has none. */
  takeTurn(nowMs: MonotonicMs, device: DeviceId): boolean {
    const own = this.#devices.get(device) ?? new Budget(DEVICE_BURST, DEVICE_REFILL_MS);
    this.#devices.delete(device);
    this.#devices.set(device, own);
    const [oldest] = this.#devices.keys();
    if (this.#devices.size > MAX_KNOWN && oldest !== undefined) this.#devices.delete(oldest);
    return own.take(nowMs);
  }

  /**
   * Takes an attempt from the device's own and from the shared total. Returns false when either is used up,
   * or when earlier askers need everything that is left. `roomCount` attempts may begin now.
   */
  take(nowMs: MonotonicMs, { device, way }: Asker, roomCount: number): boolean {
    if (!this.hasTurn(nowMs, device)) return false;
    const isTaken = this.hasMet(device)
      ? this.#acquaintances.take(nowMs, device, roomCount)
      : this.#strangers.take(nowMs, way, roomCount);
    return isTaken && this.takeTurn(nowMs, device);
  }

  /** The attempt became a link. */
  giveBack(device: DeviceId): void {
    this.#totalOf(device).giveBack();
    this.#devices.get(device)?.giveBack();
  }

  /** The link lasted: from now on the device counts as met. */
  lasted(device: DeviceId): void {
    if (this.#met.has(device)) return;
    // Made-up devices push out each other, not those that were there before.
    const newest = this.#met.size < MAX_KNOWN ? undefined : [...this.#met.keys()].at(-1);
    if (newest !== undefined) this.#met.delete(newest);
    this.#metCount += 1;
    this.#met.set(device, this.#metCount);
  }

  /** A link ended after `lastedMs`: if that was soon, its attempt counts after all. */
  ended(nowMs: MonotonicMs, device: DeviceId, lastedMs: number): void {
    if (lastedMs >= STABLE_AFTER_MS) return;
    this.#totalOf(device).charge(nowMs);
    this.takeTurn(nowMs, device);
  }

  /** Whether the device had a link with this one that lasted. */
  hasMet(device: DeviceId): boolean {
    return this.#met.has(device);
  }

  /** Grows with the time at which a device was met; Infinity for a stranger. */
  rankOf(device: DeviceId): number {
    return this.#met.get(device) ?? Number.POSITIVE_INFINITY;
  }

  #totalOf(device: DeviceId): SharedBudget {
    return this.#met.has(device) ? this.#acquaintances : this.#strangers;
  }
}

/**
 * Permits that many askers share by turns. A refused asker goes before all that were refused or served later.
 */
class SharedBudget {
  readonly #permits = new Budget(TOTAL_BURST, TOTAL_REFILL_MS);
  /** Askers that were refused and not served since, the first one first, and when each last asked. */
  readonly #waiting = new Map<DeviceId | Way, number>();

  take(nowMs: MonotonicMs, asker: DeviceId | Way, roomCount: number): boolean {
    const beforeCount = this.#beforeCount(nowMs, asker);
    if (Math.min(this.#permits.count(nowMs), roomCount) >= beforeCount + 1) {
      this.#waiting.delete(asker);
      return this.#permits.take(nowMs);
    }
    if (this.#waiting.has(asker) || this.#waiting.size < MAX_KNOWN) this.#waiting.set(asker, nowMs);
    return false;
  }

  giveBack(): void {
    this.#permits.giveBack();
  }

  /** Takes a permit, if there is one, for something that was already done. */
  charge(nowMs: MonotonicMs): void {
    this.#permits.take(nowMs);
  }

  /** How many others have a turn before `asker`. */
  #beforeCount(nowMs: MonotonicMs, asker: DeviceId | Way): number {
    let count = 0;
    for (const [other, askedMs] of this.#waiting) {
      if (other === asker) break;
      if (nowMs - askedMs < TURN_KEPT_MS) count += 1;
      else this.#waiting.delete(other);
    }
    return count;
  }
}

/** Permits that return with time (a token bucket). */
export class Budget {
  readonly #burst: number;
  readonly #refillMs: number;
  #count: number;
  /** When `#count` was last right; undefined while none was taken. */
  #sinceMs: number | undefined;

  /** `burst` permits immediately, and one more every `refillMs`. */
  constructor(burst: number, refillMs: number) {
    this.#burst = burst;
    this.#refillMs = refillMs;
    this.#count = burst;
  }

  has(nowMs: MonotonicMs): boolean {
    return this.count(nowMs) >= 1;
  }

  count(nowMs: MonotonicMs): number {
    this.#refill(nowMs);
    return this.#count;
  }

  take(nowMs: MonotonicMs): boolean {
    if (!this.has(nowMs)) return false;
    this.#count -= 1;
    return true;
  }

  giveBack(): void {
    this.#count = Math.min(this.#burst, this.#count + 1);
  }

  #refill(nowMs: MonotonicMs): void {
    const passedMs = Math.max(0, nowMs - (this.#sinceMs ?? nowMs));
    this.#count = Math.min(this.#burst, this.#count + passedMs / this.#refillMs);
    this.#sinceMs = nowMs;
  }
}
