// How long a member may be silent before it is gone, as this device learned it: who once came back after a
// weekend is given the next weekend, and half of a long one. And nobody is missed while most of the pool is
// silent: on its first weekend a class has learned of nobody, and everybody is away.

/** Who was away for a weekend may be away for a long one. */
const FACTOR = 2;
/**
 * Nobody is waited for longer because of what was learned, ms: what a device that is lost for good holds
 * counts as durable meanwhile.
 */
const MAX_LEARNED_GRACE_MS = 14 * 24 * 60 * 60_000;
/**
 * Nor longer because most others are silent too, ms: a week has every day on which a pool meets, and members
 * who left together are made up for after it.
 */
const MAX_SHARED_GRACE_MS = 7 * 24 * 60 * 60_000;
/** Among fewer members nobody is most of them. */
const LEAST_MEMBERS = 4;
/** What is shown of a grace does not change all the time, ms. */
const STEP_MS = 60 * 60_000;

/** The longest silence that is worth knowing, ms. */
export const MAX_LEARNED_SILENCE_MS = MAX_LEARNED_GRACE_MS / FACTOR;

/**
 * `ofClassMs`: the grace of its class. `longestMs`: the longest silence from which it came back. `sharedMs`:
 * what sharedSilenceMs gives.
 */
export function learnedGraceMs(ofClassMs: number, longestMs: number, sharedMs: number): number {
  return Math.max(
    ofClassMs,
    Math.min(FACTOR * longestMs, MAX_LEARNED_GRACE_MS),
    Math.min(FACTOR * sharedMs, MAX_SHARED_GRACE_MS),
  );
}

/**
 * The silence that more than half of the members have had, ms, in whole hours; 0 in pools of few. `silences`:
 * of each member, the longest from which it came back or the present one, whichever is longer.
 *
 * More than half have to be silent to move it, so a few that are lost, or that pretend to be, do not.
 */
export function sharedSilenceMs(silences: readonly number[]): number {
  if (silences.length < LEAST_MEMBERS) return 0;
  const sorted = silences.toSorted((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  return Math.floor(median / STEP_MS) * STEP_MS;
}
