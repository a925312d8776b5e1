// Fragments that a device claimed and did not give when asked. It may have lost them and be about to say so,
// so its claim is looked at again after a while, and reported only if it still stands.
//
// Invariants: at most MAX_DOUBTS are remembered, and MAX_PER_DEVICE of one device; each is reported at most
// once.

import type { DeviceId, FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';

/**
 * A device that finds a loss tells its holdings within moments, and notices within a pulse that another
 * missed them, ms.
 */
const CHECK_AFTER_MS = 15_000;
/** Bounds one device's doubts, so that they do not crowd out the others'. */
const MAX_PER_DEVICE = 256;
/** Of all devices: some hundred bytes each. */
const MAX_DOUBTS = 4_096;

interface Doubt {
  readonly device: DeviceId;
  readonly file: FileId;
  readonly fragment: number;
  /** Infinity once it was reported. */
  dueMs: number;
}

export class Doubts {
  readonly #doubts = new Map<string, Doubt>();
  readonly #counts = new Map<DeviceId, number>();

  /** `device` said that it has no such fragment, or gave something else. */
  notGiven(nowMs: MonotonicMs, device: DeviceId, file: FileId, fragment: number): void {
    const key = `${device}/${file}/${fragment}`;
    const count = this.#counts.get(device) ?? 0;
    if (this.#doubts.has(key) || count >= MAX_PER_DEVICE || this.#doubts.size >= MAX_DOUBTS) return;
    this.#doubts.set(key, { device, file, fragment, dueMs: nowMs + CHECK_AFTER_MS });
    this.#counts.set(device, count + 1);
  }

  /** How many of each device's claims that are due now still stand. Forgets the withdrawn ones. */
  standing(
    nowMs: MonotonicMs,
    isClaimed: (device: DeviceId, file: FileId, fragment: number) => boolean,
  ): Map<DeviceId, number> {
    const standing = new Map<DeviceId, number>();
    if (nowMs < this.nextDeadlineMs()) return standing;
    for (const [key, doubt] of this.#doubts) {
      const { device, file, fragment } = doubt;
      if (!isClaimed(device, file, fragment)) {
        this.#forget(key, device);
      } else if (doubt.dueMs <= nowMs) {
        doubt.dueMs = Infinity;
        standing.set(device, (standing.get(device) ?? 0) + 1);
      }
    }
    return standing;
  }

  nextDeadlineMs(): MonotonicMs {
    let next = Infinity;
    for (const { dueMs } of this.#doubts.values()) next = Math.min(next, dueMs);
    return next;
  }

  #forget(key: string, device: DeviceId): void {
    this.#doubts.delete(key);
    const count = (this.#counts.get(device) ?? 1) - 1;
    if (count === 0) this.#counts.delete(device);
    else this.#counts.set(device, count);
  }
}
