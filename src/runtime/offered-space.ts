// How much space this device offers its pool: measured now and then, and soon after a store.

import type { RuntimePorts } from './runtime-ports.ts';

/** Free space is measured again this often, ms: other sites and other files use it too. */
const SPACE_EVERY_MS = 30_000;
/**
 * After a store it is measured within this, ms, once for all stores that end until then: measuring costs the
 * browser much.
 */
const SPACE_SOON_MS = 500;
/**
 * Part of the origin's quota that may fill up for the pool; the rest is left for this device's own outbox.
 */
const OFFERED_PART = 0.8;

export class OfferedSpace {
  readonly #ports: Pick<RuntimePorts, 'clock' | 'quota'>;
  /** Watches over work that nobody waits for. */
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

  /** Nothing is measured any more. */
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
