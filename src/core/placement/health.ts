// Whether a file is safe, from who holds what. Only confirmed holdings go in; intent never does.

import type { DeviceId } from '../model/ids.ts';
import type { FragmentSet } from './fragment-set.ts';

export type Holders = ReadonlyMap<DeviceId, FragmentSet>;

/** Combinations of lost devices that are tried one by one; beyond it a bound that never promises too much is used. */
const MAX_COMBINATIONS = 20_000;

/** Distinct fragments that `holders` have together. */
export function reachOf(holders: Holders): number {
  return unionSize([...holders.values()]);
}

/**
 * How many of `holders` may be lost, whichever they are, with k distinct fragments left; -1 when fewer than k are there
 * now. Exact where at most MAX_COMBINATIONS sets of devices must be tried, otherwise a lower bound.
 */
export function marginOf(holders: Holders, k: number): number {
  const sets = [...holders.values()].filter((set) => set.size > 0).toSorted((a, b) => b.size - a.size);
  if (unionSize(sets) < k) return -1;
  for (let lostCount = 1; lostCount <= sets.length; lostCount++) {
    if (!survivesAnyLossOf(lostCount, sets, k)) return lostCount - 1;
  }
  return sets.length;
}

/**
 * The fewest more holders, of `away`, that with `present` would make k distinct fragments; undefined when none would.
 * Exact where at most MAX_COMBINATIONS sets of devices of each size must be tried; otherwise it may be too many, never
 * too few.
 */
export function devicesNeeded(present: Holders, away: Holders, k: number): number | undefined {
  const have = new Set([...present.values()].flatMap((set) => [...set]));
  const news = [...away.values()]
    .map((set) => new Set([...set].filter((fragment) => !have.has(fragment))))
    .filter((set) => set.size > 0);
  const most = greedyCount(news, k - have.size);
  for (let deviceCount = 1; deviceCount < (most ?? 0); deviceCount++) {
    if (combinationCount(news.length, deviceCount) > MAX_COMBINATIONS) break;
    for (const chosen of combinations(news, deviceCount)) {
      if (have.size + unionSize(chosen) >= k) return deviceCount;
    }
  }
  return most;
}

/** How many sets it takes to have `wanted` fragments together when the one that adds most is always taken next. */
function greedyCount(sets: readonly FragmentSet[], wanted: number): number | undefined {
  const have = new Set<number>();
  const gainOf = (set: FragmentSet): number => [...set].filter((fragment) => !have.has(fragment)).length;
  let setCount = 0;
  for (; have.size < wanted; setCount++) {
    const [best] = sets.toSorted((a, b) => gainOf(b) - gainOf(a));
    if (best === undefined || gainOf(best) === 0) return undefined;
    for (const fragment of best) have.add(fragment);
  }
  return setCount;
}

function survivesAnyLossOf(lostCount: number, sets: readonly FragmentSet[], k: number): boolean {
  // Losing the largest sets loses at most the sum of their sizes: where that leaves k, no need to look further.
  const worstLoss = sets.slice(0, lostCount).reduce((sum, set) => sum + set.size, 0);
  if (unionSize(sets) - worstLoss >= k) return true;
  if (combinationCount(sets.length, lostCount) > MAX_COMBINATIONS) return false;
  for (const kept of combinations(sets, sets.length - lostCount)) {
    if (unionSize(kept) < k) return false;
  }
  return true;
}

function unionSize(sets: readonly FragmentSet[]): number {
  const union = new Set<number>();
  for (const set of sets) for (const fragment of set) union.add(fragment);
  return union.size;
}

function combinationCount(from: number, pick: number): number {
  let count = 1;
  for (let step = 1; step <= pick; step++) count = (count * (from - pick + step)) / step;
  return count;
}

function* combinations<Item>(items: readonly Item[], pick: number, start = 0): Generator<Item[]> {
  if (pick === 0) {
    yield [];
    return;
  }
  for (let index = start; index <= items.length - pick; index++) {
    const item = items[index];
    if (item === undefined) continue;
    for (const rest of combinations(items, pick - 1, index + 1)) yield [item, ...rest];
  }
}
