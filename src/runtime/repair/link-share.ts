// The part of this device's links that repairs may use: a token bucket for each link, and one for all of them
// together. Repairs wait while one that they used is overdrawn, so that over any longer time they use no
// more than their part, whatever a single block costs.

import type { DeviceId } from '../../core/model/ids.ts';
import { MAX_DEVICE_COUNT } from '../../core/model/limits.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import type { Clock } from '../../core/ports.ts';
import type { LinkRates } from '../peer/link-rates.ts';

/** Unused for this long, the share grows no further, ms. */
const MAX_SAVED_MS = 1_000;

export class LinkShare {
  readonly #clock: Clock;
  readonly #rates: Pick<LinkRates, 'of' | 'all'>;
  readonly #share: () => number;
  readonly #links = new Map<DeviceId, Bucket>();
  readonly #all: Bucket;

  /** `share`: the part of the links, above 0 and at most 1. */
  constructor(clock: Clock, rates: Pick<LinkRates, 'of' | 'all'>, share: () => number) {
    this.#clock = clock;
    this.#rates = rates;
    this.#share = share;
    this.#all = newBucket(clock.monotonicMs());
  }

  /** These were moved for a repair, over the link with `device`. */
  spend(device: DeviceId, bytes: number): void {
    const link = this.#links.get(device) ?? newBucket(this.#clock.monotonicMs());
    if (this.#links.size < MAX_DEVICE_COUNT) this.#links.set(device, link);
    this.#fill(link, this.#rates.of(device));
    this.#fill(this.#all, this.#rates.all);
    link.bytes -= bytes;
    this.#all.bytes -= bytes;
  }

  /**
   * Resolves once the share of all links together is not overdrawn, nor that of any link with `devices`.
   * @throws the signal's reason.
   */
  async ready(devices: Iterable<DeviceId>, signal: AbortSignal): Promise<void> {
    const used = new Set(devices);
    for (;;) {
      signal.throwIfAborted();
      let waitMs = this.#waitMs(this.#all, this.#rates.all);
      for (const device of used) {
        const link = this.#links.get(device);
        if (link !== undefined) waitMs = Math.max(waitMs, this.#waitMs(link, this.#rates.of(device)));
      }
      if (waitMs === 0) return;
      await this.#pause(Math.min(MAX_SAVED_MS, Math.ceil(waitMs)), signal);
    }
  }

  #waitMs(bucket: Bucket, bytesPerS: number): number {
    this.#fill(bucket, bytesPerS);
    return bucket.bytes >= 0 ? 0 : (-bucket.bytes * 1_000) / (this.#share() * bytesPerS);
  }

  #fill(bucket: Bucket, linkBytesPerS: number): void {
    const nowMs = this.#clock.monotonicMs();
    const bytesPerMs = (this.#share() * linkBytesPerS) / 1_000;
    bucket.bytes = Math.min(bucket.bytes + (nowMs - bucket.atMs) * bytesPerMs, MAX_SAVED_MS * bytesPerMs);
    bucket.atMs = nowMs;
  }

  #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#clock.after(delayMs, done);
      signal.addEventListener('abort', done);
    });
  }
}

interface Bucket {
  /** Bytes that may be moved now; negative while it is overdrawn. */
  bytes: number;
  atMs: MonotonicMs;
}

function newBucket(atMs: MonotonicMs): Bucket {
  return { bytes: 0, atMs };
}
