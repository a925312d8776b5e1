// Notices when the wall clock moves otherwise than the monotonic one: it was set, or the device slept and its
// monotonic clock stood still.

import type { WallMs } from './model/time.ts';
import type { Clock } from './ports.ts';

export interface ClockJump {
  /** How far the wall clock moved beside the monotonic one, ms. Sleep is a jump forward. */
  readonly byMs: number;
  /** The wall clock after the jump. */
  readonly wallMs: WallMs;
}

/** Less than this, ms, is a clock that is being slewed, or a reading that took a while. */
export const JUMP_MS = 1_000;

export class ClockWatch {
  readonly #clock: Clock;
  #offsetMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The jump since the last look, if there was one. The first look tells the time, as a jump by 0. */
  look(): ClockJump | undefined {
    const wallMs = this.#clock.wallMs();
    const offsetMs = wallMs - this.#clock.monotonicMs();
    const byMs = this.#offsetMs === undefined ? 0 : offsetMs - this.#offsetMs;
    if (this.#offsetMs !== undefined && Math.abs(byMs) < JUMP_MS) return undefined;
    this.#offsetMs = offsetMs;
    return { byMs, wallMs };
  }
}
