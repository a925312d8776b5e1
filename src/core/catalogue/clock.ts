// A hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", OPODIS 2014): orders records by wall
// time where clocks agree and by cause where they do not.

import type { WallMs } from '../model/time.ts';

/** Wall ms since the Unix epoch, and a counter within that ms. */
export interface HybridTime {
  readonly ms: number;
  readonly count: number;
}

export const ZERO_TIME: HybridTime = { ms: 0, count: 0 };

/** The end of time (year 9999), ms: records beyond it are refused. */
export const MAX_HYBRID_MS = 253_402_300_799_999;
export const MAX_HYBRID_COUNT = 0xffff_ffff;

/** `ms` as records have dates: whole, from 1970 to 9999. Odd clocks make odd dates of files. */
export function dateOf(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, Math.floor(ms)), MAX_HYBRID_MS);
}

/**
 * A time after `last` and not before `nowMs`. At the end of time, where one hostile record can push every
 * clock, it stands still: such records are all equally late, and comparisons fall back on their ids.
 */
export function tickAfter(last: HybridTime, nowMs: WallMs): HybridTime {
  const wallMs = dateOf(nowMs);
  if (wallMs > last.ms) return { ms: wallMs, count: 0 };
  if (last.count < MAX_HYBRID_COUNT) return { ms: last.ms, count: last.count + 1 };
  return last.ms < MAX_HYBRID_MS ? { ms: last.ms + 1, count: 0 } : last;
}

/** Negative when `a` is earlier. */
export function compareTimes(a: HybridTime, b: HybridTime): number {
  return a.ms - b.ms || a.count - b.count;
}
