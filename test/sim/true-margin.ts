// The margin of a file by its definition: every set of holders is lost, the smallest first.

/** By what is held: pools that are left alone are looked at again and again. */
const known = new Map<string, number>();
const MAX_KNOWN = 10_000;

/** How many of `holdings` may be lost, whichever they are, with k distinct fragments left. */
export function trueMargin(holdings: readonly ReadonlySet<number>[], k: number): number {
  const holders = holdings.filter((set) => set.size > 0);
  const lists = holders.map((set) => [...set].toSorted((a, b) => a - b).join(' ')).toSorted();
  const key = `${k}: ${lists.join(', ')}`;
  const margin = known.get(key) ?? searched(holders, k);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, margin);
  return margin;
}

function searched(holders: readonly ReadonlySet<number>[], k: number): number {
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
