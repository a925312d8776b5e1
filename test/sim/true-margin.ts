// The margin of a file by its definition: every set of holders is lost, the smallest first.

/** How many of `holdings` may be lost, whichever they are, with k distinct fragments left. */
export function trueMargin(holdings: readonly ReadonlySet<number>[], k: number): number {
  const holders = holdings.filter((set) => set.size > 0);
  for (let lostCount = 0; lostCount <= holders.length; lostCount++)
    if (mayBeFatal(holders, k, lostCount, 0, new Set())) return lostCount - 1;
  return holders.length;
}

function mayBeFatal(
  holders: readonly ReadonlySet<number>[],
  k: number,
  lostCount: number,
  start: number,
  lost: ReadonlySet<number>,
): boolean {
  if (lostCount === 0) {
    const kept = new Set(holders.flatMap((set, index) => (lost.has(index) ? [] : [...set])));
    return kept.size < k;
  }
  for (let index = start; index <= holders.length - lostCount; index++)
    if (mayBeFatal(holders, k, lostCount - 1, index + 1, new Set(lost).add(index))) return true;
  return false;
}
