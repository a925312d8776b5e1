// What the links of this device carry, measured while blocks come in: for each link, and for all together,
// which is what this device's own network carries at least. Reads, takings and repairs are measured alike.
//
// The time of one block begins when it was asked for, or when the block before it arrived, so pauses do not
// count: what a repair moves slowly on purpose is measured by how fast each single block came.

import type { DeviceId } from '../../core/model/ids.ts';
import { MIN_LINK_BYTES_PER_S } from '../../core/model/limits.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import type { Clock } from '../../core/ports.ts';

/** Before anything was measured, bytes a second: a quarter of what browsers reach on a Wi-Fi network. */
const FIRST_BYTES_PER_S = 2_000_000;
/** One measurement has at least this much, bytes, and takes at least so long, ms: timers are coarse. */
const MIN_SAMPLE_BYTES = 65_536;
const MIN_SAMPLE_MS = 20;
/** A faster measurement raises the rate by no more than this part: it may have been luck. */
const RISE = 0.1;
/** A slower one counts for this part: others may have used the link, too. */
const FALL = 0.25;

export class LinkRates {
  readonly #clock: Clock;
  readonly #links = new Map<DeviceId, RateMeter>();
  readonly #all = new RateMeter();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Measures `fetch`, which asks `from` for one block. */
  async measured(
    from: DeviceId,
    fetch: () => Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const link = this.#links.get(from) ?? new RateMeter();
    this.#links.set(from, link);
    const askedAtMs = this.#clock.monotonicMs();
    const bytes = await fetch();
    for (const meter of [link, this.#all]) meter.arrived(askedAtMs, this.#clock.monotonicMs(), bytes.length);
    return bytes;
  }

  /** The link is down: the next one may take another path. */
  forget(device: DeviceId): void {
    this.#links.delete(device);
  }

  /** Bytes a second that the link with `device` carries. */
  of(device: DeviceId): number {
    return this.#links.get(device)?.bytesPerS ?? FIRST_BYTES_PER_S;
  }

  /** Bytes a second that this device's links carry together. */
  get all(): number {
    return this.#all.bytesPerS;
  }
}

class RateMeter {
  bytesPerS = FIRST_BYTES_PER_S;
  #sinceMs: MonotonicMs = -Infinity;
  #lastMs: MonotonicMs = -Infinity;
  #bytes = 0;

  arrived(askedAtMs: MonotonicMs, nowMs: MonotonicMs, bytes: number): void {
    // Nothing was awaited between the last block and this request.
    if (askedAtMs > this.#lastMs || this.#bytes === 0) {
      this.#sinceMs = Math.max(askedAtMs, this.#lastMs);
      this.#bytes = 0;
    }
    this.#lastMs = nowMs;
    this.#bytes += bytes;
    const tookMs = nowMs - this.#sinceMs;
    if (tookMs < MIN_SAMPLE_MS || this.#bytes < MIN_SAMPLE_BYTES) return;
    this.#sample((this.#bytes * 1_000) / tookMs);
    this.#bytes = 0;
  }

  #sample(bytesPerS: number): void {
    const known = this.bytesPerS;
    const change = bytesPerS - known;
    const next = change > 0 ? known + Math.min(change, known * RISE) : known + change * FALL;
    this.bytesPerS = Math.max(MIN_LINK_BYTES_PER_S, next);
  }
}
