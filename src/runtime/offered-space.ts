// How much space this device offers its pool: measured periodically, and soon after a store.

import type { RuntimePorts } from './runtime-ports.ts';

/** How often free space is measured, ms: other sites and files use it too. */
const SPACE_EVERY_MS = 30_000;
/**
 * Delay of the measurement after a store, ms. It covers all stores that end until then, because measuring is
 * expensive.
 */
const SPACE_SOON_MS = 500;
/** The part of the origin's quota that the pool may fill; the rest is for this device's own outbox. */
const OFFERED_PART = 0.8;

export class OfferedSpace {
  readonly #ports: Pick<RuntimePorts, 'clock' | 'quota'>;
  /** Runs work that nobody waits for. */
  readonly #inBackground: (work: Promise<void>) => void;
  readonly #measured: (freeBytes: number) => void;
  #stopTimer: () => void = () => undefined;
  #measuresSoon = false;
  #isStopped = false;

  constructor(
    ports: Pick<RuntimePorts, 'clock' | 'quota'>,
    inBackground: (work: Promise<void>) => void,
    measured: (freeBytes: number) => void,
  ) {
    this.#ports = ports;
    this.#inBackground = inBackground;
    this.#measured = measured;
  }

  measure(): void {
    this.#inBackground(this.#measure());
  }

  measureSoon(): void {
    if (this.#isStopped || this.#measuresSoon) return;
    this.#measuresSoon = true;
    this.#stopTimer();
    this.#measureAfter(SPACE_SOON_MS);
  }

  /** Stops measuring. */
  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
  }

  async #measure(): Promise<void> {
    this.#stopTimer();
    this.#measuresSoon = false;
    if (this.#isStopped) return;
    const { usedBytes, quotaBytes } = await this.#ports.quota.estimate();
    if (this.#isStopped) return;
    this.#measured(quotaBytes * OFFERED_PART - usedBytes);
    this.#measureAfter(SPACE_EVERY_MS);
  }

  #measureAfter(delayMs: number): void {
    this.#stopTimer = this.#ports.clock.after(delayMs, () => this.measure());
  }
}
