// Which of the devices that owe a read something are silent: linked, and nothing is heard of them, not even
// the answer to a ping. A slow device is not silent: every frame of a block counts, and so does every answer.
//
// A page that slept, or was busy, heard nothing meanwhile: only silence since then counts.

import type { DeviceId } from '../../core/model/ids.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import type { Clock, Transport } from '../../core/ports.ts';

export interface SilenceWatchOptions {
  readonly clock: Clock;
  readonly transport: Pick<Transport, 'silentForMs'>;
  /** Called with all silent devices whenever these change. */
  readonly changed: (silent: ReadonlySet<DeviceId>) => void;
}

/** Silence that is no delay any more, ms: a link is pinged after 2.5 s of it, and answers in a round trip. */
const SILENT_AFTER_MS = 4_000;
/** The interval of looking, ms: with the above, a read waits at most 4.5 s. */
const LOOK_EVERY_MS = 500;
/** A look that comes this late means that the page slept or was busy, ms. */
const LATE_MS = 1_000;

interface Debt {
  /** What the device was asked for and has not answered. */
  count: number;
  readonly sinceMs: MonotonicMs;
}

export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  readonly #debts = new Map<DeviceId, Debt>();
  #silent: ReadonlySet<DeviceId> = new Set();
  /** Since when this page has listened without a gap. */
  #listensSinceMs: MonotonicMs = 0;
  #lookedAtMs: MonotonicMs = 0;
  #stopTimer: (() => void) | undefined;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  /** `device` is asked for something. Returns what to call when that ended, however it did. */
  asked(device: DeviceId): () => void {
    const debt = this.#debts.get(device) ?? { count: 0, sinceMs: this.#options.clock.monotonicMs() };
    debt.count += 1;
    this.#debts.set(device, debt);
    if (this.#stopTimer === undefined) this.#begin();
    return () => {
      debt.count -= 1;
      if (debt.count === 0) this.#debts.delete(device);
    };
  }

  stop(): void {
    this.#debts.clear();
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #begin(): void {
    this.#listensSinceMs = this.#options.clock.monotonicMs();
    this.#lookedAtMs = this.#listensSinceMs;
    this.#lookLater();
  }

  #lookLater(): void {
    this.#stopTimer = this.#options.clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs > this.#lookedAtMs + LOOK_EVERY_MS + LATE_MS) this.#listensSinceMs = nowMs;
    this.#lookedAtMs = nowMs;
    const silent = new Set<DeviceId>();
    for (const [device, { sinceMs }] of this.#debts) {
      const owesForMs = nowMs - Math.max(sinceMs, this.#listensSinceMs);
      if (Math.min(owesForMs, this.#options.transport.silentForMs(device)) >= SILENT_AFTER_MS)
        silent.add(device);
    }
    const isSame =
      silent.size === this.#silent.size && [...silent].every((device) => this.#silent.has(device));
    this.#silent = silent;
    this.#stopTimer = undefined;
    if (this.#debts.size > 0) this.#lookLater();
    if (!isSame) this.#options.changed(silent);
  }
}
