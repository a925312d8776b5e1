// How long running work still takes. Pure.

/** Seconds until `totalBytes` are done at the present speed; undefined while the speed is unknown. */
export function secondsLeft(
  doneBytes: number,
  totalBytes: number,
  bytesPerSecond: number,
): number | undefined {
  if (bytesPerSecond <= 0 || totalBytes <= 0) return undefined;
  return Math.max(0, totalBytes - doneBytes) / bytesPerSecond;
}
