// A machine: told the time and what happened, it returns what it wants done. It reads no clock, draws no
// random number and calls nothing, so the order of events decides everything.

import type { MonotonicMs } from './model/time.ts';

export interface Machine<Input, Effect> {
  /** Decides about one input. The effects must be performed in order. */
  handle(nowMs: MonotonicMs, input: Input): readonly Effect[];
  /** When the machine must be told that time has passed, at the latest; Infinity: not at all. */
  nextDeadlineMs(): MonotonicMs;
}
