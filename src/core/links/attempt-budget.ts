// How many attempts to link come to nothing. Each makes a connection of the browser, and Chromium gives a page 500 of them,
// closed ones included until they are collected.
//
// Invariants: a device gets DEVICE_BURST attempts and one more every DEVICE_REFILL_MS; all devices together get TOTAL_BURST
// and one more every TOTAL_REFILL_MS. An attempt that became a link that lasts is given back. Devices that were linked
// before and strangers each have a total of their own: identities cost nothing, and however many are made up must not keep
// the known devices from linking again. Memory is bounded by MAX_KNOWN devices.

import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';
import { STABLE_AFTER_MS } from './link-timing.ts';

/** Reloads of a page and losses of a network, one after the other. */
const DEVICE_BURST = 8;
/** Between attempts with one device that all fail, ms: no more than the waits of an honest one bring about. */
const DEVICE_REFILL_MS = 2_000;
/** A pool of usual size whose devices all start at once. */
const TOTAL_BURST = 64;
/** Of all devices together, ms: closed connections are collected faster. */
const TOTAL_REFILL_MS = 500;
/** Devices remembered; the one that tried or linked longest ago is forgotten first. */
const MAX_KNOWN = 2 * MAX_DEVICE_COUNT;

export class AttemptBudget {
  readonly #devices = new Map<DeviceId, Budget>();
  readonly #met = new Set<DeviceId>();
  readonly #strangers = new Budget(TOTAL_BURST, TOTAL_REFILL_MS);
  readonly #acquaintances = new Budget(TOTAL_BURST, TOTAL_REFILL_MS);

  /** Whether the device may have another attempt. */
  hasTurn(nowMs: number, device: DeviceId): boolean {
    return this.#devices.get(device)?.has(nowMs) ?? true;
  }

  /** Takes an attempt of the device's own; false when it has none. */
  takeTurn(nowMs: number, device: DeviceId): boolean {
    const own = this.#devices.get(device) ?? new Budget(DEVICE_BURST, DEVICE_REFILL_MS);
    this.#devices.delete(device);
    this.#devices.set(device, own);
    forgetOldest(this.#devices);
    return own.take(nowMs);
  }

  /** Takes an attempt of the device's own and of all together; false when either is used up. */
  take(nowMs: number, device: DeviceId): boolean {
    const total = this.#totalOf(device);
    return total.has(nowMs) && this.takeTurn(nowMs, device) && total.take(nowMs);
  }

  /** The attempt became a link. */
  giveBack(device: DeviceId): void {
    this.#totalOf(device).giveBack();
    this.#devices.get(device)?.giveBack();
    this.#met.delete(device);
    this.#met.add(device);
    forgetOldest(this.#met);
  }

  /** A link ended after `lastedMs`: if that was soon, its attempt counts after all. */
  ended(nowMs: number, device: DeviceId, lastedMs: number): void {
    if (lastedMs >= STABLE_AFTER_MS) return;
    this.#totalOf(device).take(nowMs);
    this.takeTurn(nowMs, device);
  }

  /** Whether the device was linked with this one before. */
  hasMet(device: DeviceId): boolean {
    return this.#met.has(device);
  }

  #totalOf(device: DeviceId): Budget {
    return this.#met.has(device) ? this.#acquaintances : this.#strangers;
  }
}

/** Permits that come back with time (a token bucket). */
export class Budget {
  readonly #burst: number;
  readonly #refillMs: number;
  #count: number;
  /** When `#count` was right; undefined while nothing was taken. */
  #sinceMs: number | undefined;

  /** `burst` permits at once, and one more every `refillMs`. */
  constructor(burst: number, refillMs: number) {
    this.#burst = burst;
    this.#refillMs = refillMs;
    this.#count = burst;
  }

  has(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#count >= 1;
  }

  take(nowMs: number): boolean {
    if (!this.has(nowMs)) return false;
    this.#count -= 1;
    return true;
  }

  giveBack(): void {
    this.#count = Math.min(this.#burst, this.#count + 1);
  }

  #refill(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - (this.#sinceMs ?? nowMs));
    this.#count = Math.min(this.#burst, this.#count + passedMs / this.#refillMs);
    this.#sinceMs = nowMs;
  }
}

function forgetOldest(known: Map<DeviceId, unknown> | Set<DeviceId>): void {
  if (known.size <= MAX_KNOWN) return;
  const [oldest] = known.keys();
  if (oldest !== undefined) known.delete(oldest);
}
