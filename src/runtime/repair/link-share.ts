// The part of this device's link that repairs may use: a token bucket. Repairs wait while it is overdrawn, so
// that over any longer time they use no more than their part, whatever a single block costs.

import type { Clock } from '../../core/ports.ts';

/**
 * What a link carries, bytes a second: an assumption on the careful side of what data channels reach on a
 * Wi-Fi network (7 to 31 MB/s between browsers). It is not measured.
 */
const LINK_BYTES_PER_S = 8_000_000;
/** Unused for this long, the share grows no further, ms. */
const MAX_SAVED_MS = 1_000;

export class LinkShare {
  readonly #clock: Clock;
  readonly #share: () => number;
  /** Bytes that may be moved now; negative while it is overdrawn. */
  #bytes = 0;
  #atMs: number;

  /** `share`: the part of the link, above 0 and at most 1. */
  constructor(clock: Clock, share: () => number) {
    this.#clock = clock;
    this.#share = share;
    this.#atMs = clock.monotonicMs();
  }

  /** These were moved for a repair. */
  spend(bytes: number): void {
    this.#fill();
    this.#bytes -= bytes;
  }

  /** Resolves once the share is not overdrawn. @throws the signal's reason. */
  async ready(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      this.#fill();
      if (this.#bytes >= 0) return;
      const waitMs = (-this.#bytes * 1_000) / (this.#share() * LINK_BYTES_PER_S);
      await this.#pause(Math.min(MAX_SAVED_MS, Math.ceil(waitMs)), signal);
    }
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    const bytesPerMs = (this.#share() * LINK_BYTES_PER_S) / 1_000;
    this.#bytes = Math.min(this.#bytes + (nowMs - this.#atMs) * bytesPerMs, MAX_SAVED_MS * bytesPerMs);
    this.#atMs = nowMs;
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
