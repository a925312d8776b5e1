// Long work in slices, so that a slow phone takes taps and draws in between.

import type { Pauses } from '../core/pauses.ts';
import type { Clock } from '../core/ports.ts';

/** How long a slice may take, ms, before the piece that exceeds it: people notice a tap after some 200. */
const SLICE_MS = 40;

export class Slices {
  readonly #ports: { readonly clock: Clock; readonly pauses: Pauses };
  #beganMs: number;

  constructor(ports: { readonly clock: Clock; readonly pauses: Pauses }) {
    this.#ports = ports;
    this.#beganMs = ports.clock.monotonicMs();
  }

  /** To be awaited between two pieces of the work: pauses if this slice has taken long enough. */
  async next(): Promise<void> {
    const { clock, pauses } = this.#ports;
    if (clock.monotonicMs() - this.#beganMs < SLICE_MS) return;
    await pauses.pause();
    this.#beganMs = clock.monotonicMs();
  }
}
