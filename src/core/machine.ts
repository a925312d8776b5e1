// A machine: told the time and what happened, it returns what it wants done. It reads no clock, draws no
// random number and calls nobody, so that the order of events decides everything.

export interface Machine<Input, Effect> {
  /** Decides about one input. The effects are to be performed in order. */
  handle(nowMs: number, input: Input): readonly Effect[];
  /** When the machine wants to be told that time has passed, whatever else happens; Infinity: not at all. */
  nextDeadlineMs(): number;
}
