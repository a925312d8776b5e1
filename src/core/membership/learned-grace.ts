// How long a member may be silent before it is gone, as this device learned it: who once came back after a
// weekend is given the next weekend, and half of a long one.

/** Who was away for a weekend may be away for a long one. */
const FACTOR = 2;
/**
 * Nobody is waited for longer because of what was learned, ms: what a device that is lost for good holds
 * counts as durable meanwhile.
 */
const MAX_LEARNED_GRACE_MS = 14 * 24 * 60 * 60_000;

/** The longest silence that is worth knowing, ms. */
export const MAX_LEARNED_SILENCE_MS = MAX_LEARNED_GRACE_MS / FACTOR;

/** `ofClassMs`: the grace of its class. `longestMs`: the longest silence from which it came back. */
export function learnedGraceMs(ofClassMs: number, longestMs: number): number {
  return Math.max(ofClassMs, Math.min(FACTOR * longestMs, MAX_LEARNED_GRACE_MS));
}
