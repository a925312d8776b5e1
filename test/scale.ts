// The size of slow tests. `npm test` runs them at a fraction of their size, and their titles name the factor;
// `npm run test:long` runs them in full. They lie in files named `*.long.test.ts`; those in `*.long.spec.ts`,
// and others with the tag `@long`, need browsers and run only in the long run.

/** Whether this is the long run. */
export const IS_LONG = process.env['PALM_LONG'] === '1';

/** `full` in a long run, otherwise `full` divided by `factor`, at least 1. */
export function scaled(full: number, factor: number): number {
  return IS_LONG ? full : Math.max(1, Math.round(full / factor));
}

/** For a title: what `scaled` does with `factor` in this run. */
export function scaleNote(factor: number): string {
  return IS_LONG ? 'in full' : `at 1/${factor} of its size`;
}

/** `longMs` in a long run, else `shortMs`: a time limit. */
export function timeLimitMs(shortMs: number, longMs: number): number {
  return IS_LONG ? longMs : shortMs;
}
