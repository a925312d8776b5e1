// Sizes and repeats: PALM_BENCH_SCALE (a fraction of the sizes in the lines' names, default 1) and
// PALM_BENCH_REPEATS (default 5) make a bench short enough to work on. Both are recorded with every result;
// only results at scale 1 are published.

/** Odd, so that the median is one of the measurements; enough to show a spread. */
const DEFAULT_REPEATS = 5;

export const SCALE = positive('PALM_BENCH_SCALE', 1);
export const REPEATS = Math.round(positive('PALM_BENCH_REPEATS', DEFAULT_REPEATS));

/** `count` bytes or files at this run's scale, at least one. */
export function scaled(count: number): number {
  return Math.max(1, Math.round(count * SCALE));
}

function positive(variable: string, otherwise: number): number {
  const text = process.env[variable];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${variable} must be a number above 0, not "${text}".`);
}
