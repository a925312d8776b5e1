// Whether a file is safe, given who holds what. Only confirmed holdings count; intent never does.
//
// Holders may lie, and there may be many. So the work is bounded: all claims are read once, and a search
// takes at most MAX_STEPS.

import type { DeviceId } from '../model/ids.ts';
import type { FragmentSet } from './fragment-set.ts';

export type Holders = ReadonlyMap<DeviceId, FragmentSet>;
/** By whatever names the devices. */
type SomeHolders = ReadonlyMap<unknown, FragmentSet>;

/**
 * Times that one search may look at a fragment of a device, some 0.2 ms of work: enough for any loss of some
 * ten devices.
 */
export const MAX_STEPS = 20_000;
/** Sums of thirds and sevenths are slightly inexact. */
const ROUNDING = 1e-9;

/** What a search has cost, and may cost. */
export class Steps {
  readonly #most: number;
  #taken = 0;

  constructor(most = MAX_STEPS) {
    this.#most = most;
  }

  get taken(): number {
    return this.#taken;
  }

  /** False when the limit is exceeded: the search ends. */
  take(count: number): boolean {
    this.#taken += count;
    return !this.isOver;
  }

  get isOver(): boolean {
    return this.#taken > this.#most;
  }
}

/** Distinct fragments that `holders` have together. */
export function reachOf(holders: SomeHolders): number {
  return unionSize([...holders.values()]);
}

/**
 * How many of `holders` may be lost, whichever they are, with k distinct fragments left; -1 when fewer than k
 * are there now. Exact if `steps` suffice to try everything; otherwise a lower bound.
 */
export function marginOf(holders: SomeHolders, k: number, steps = new Steps()): number {
  const sets = [...holders.values()].filter((set) => set.size > 0);
  const holderCounts = countsOf(sets);
  // Losing `fatalCount` of its fragments loses the file; losing all of its holders loses a fragment.
  const fatalCount = holderCounts.size - k + 1;
  if (fatalCount < 1) return -1;
  const sortedCounts = [...holderCounts.values()].toSorted((a, b) => a - b);
  const fewest = sortedCounts[fatalCount - 1] ?? sets.length;
  const loads = loadsOf(sets, holderCounts);
  for (let lostCount = fewest; lostCount < sets.length; lostCount++) {
    if (heaviest(loads, 0, lostCount) < fatalCount - ROUNDING) continue;
    const search = new LossSearch(loads, holderCounts, fatalCount, steps);
    if (search.mayBeFatal(lostCount)) return lostCount - 1;
  }
  return sets.length - 1;
}

/**
 * The fewest holders of `away` that, with those `present`, would make k distinct fragments; undefined when no
 * number would. Exact if `steps` suffice to try everything; otherwise it may be too many, never too few.
 */
export function devicesNeeded(
  present: Iterable<FragmentSet>,
  away: Iterable<FragmentSet>,
  k: number,
  steps = new Steps(),
): number | undefined {
  const have = new Set([...present].flatMap((set) => [...set]));
  const wanted = k - have.size;
  const news = [...away]
    .map((set) => [...set].filter((fragment) => !have.has(fragment)))
    .filter((fragments) => fragments.length > 0)
    .toSorted((a, b) => b.length - a.length);
  const most = countTaken(news, wanted);
  if (most === undefined) return undefined;
  for (let deviceCount = 1; deviceCount < most; deviceCount++) {
    const found = reaches(news, deviceCount, wanted, 0, new Map(), steps);
    if (found) return deviceCount;
    if (steps.isOver) return most;
  }
  return most;
}

/** One holder, and the most that its loss adds: its fragments, each shared equally among its holders. */
interface Load {
  readonly fragments: readonly number[];
  readonly weight: number;
  /** The sum of the weights of this one and all heavier ones. */
  readonly sum: number;
}

/** The heaviest first. */
function loadsOf(sets: readonly FragmentSet[], holderCounts: ReadonlyMap<number, number>): Load[] {
  let sum = 0;
  return sets
    .map((set) => {
      const fragments = [...set];
      const weight = fragments.reduce((total, fragment) => total + 1 / (holderCounts.get(fragment) ?? 1), 0);
      return { fragments, weight };
    })
    .toSorted((a, b) => b.weight - a.weight)
    .map((load) => {
      sum += load.weight;
      return { ...load, sum };
    });
}

/** No `count` of the holders from `start` on lose more fragments than this. */
function heaviest(loads: readonly Load[], start: number, count: number): number {
  return (loads[start + count - 1]?.sum ?? 0) - (loads[start - 1]?.sum ?? 0);
}

/** Looks for a set of holders whose loss is fatal. */
class LossSearch {
  readonly #loads: readonly Load[];
  readonly #fatalCount: number;
  readonly #steps: Steps;
  /** By fragment, its holders that are not lost. */
  readonly #left: Map<number, number>;

  constructor(
    loads: readonly Load[],
    holderCounts: ReadonlyMap<number, number>,
    fatalCount: number,
    steps: Steps,
  ) {
    this.#loads = loads;
    this.#fatalCount = fatalCount;
    this.#steps = steps;
    this.#left = new Map(holderCounts);
  }

  /** False only when every loss of `lostCount` holders was ruled out. */
  mayBeFatal(lostCount: number): boolean {
    return this.#mayLose(lostCount, 0, 0, 0);
  }

  #mayLose(moreCount: number, start: number, lostFragments: number, lostWeight: number): boolean {
    if (lostFragments >= this.#fatalCount) return true;
    if (moreCount === 0) return false;
    for (let index = start; index <= this.#loads.length - moreCount; index++) {
      if (lostWeight + heaviest(this.#loads, index, moreCount) < this.#fatalCount - ROUNDING) return false;
      const load = this.#loads[index];
      if (load === undefined || !this.#steps.take(load.fragments.length)) return true;
      const lost = this.#lose(load);
      const isFatal = this.#mayLose(moreCount - 1, index + 1, lostFragments + lost, lostWeight + load.weight);
      for (const fragment of load.fragments) this.#left.set(fragment, (this.#left.get(fragment) ?? 0) + 1);
      if (isFatal) return true;
    }
    return false;
  }

  /** Returns how many fragments are lost with it. */
  #lose({ fragments }: Load): number {
    let lost = 0;
    for (const fragment of fragments) {
      const left = (this.#left.get(fragment) ?? 0) - 1;
      this.#left.set(fragment, left);
      if (left === 0) lost += 1;
    }
    return lost;
  }
}

/**
 * Whether `count` of `news` from `start` on, the largest first, add `wanted` fragments to those in `have`.
 */
function reaches(
  news: readonly (readonly number[])[],
  count: number,
  wanted: number,
  start: number,
  have: Map<number, number>,
  steps: Steps,
): boolean {
  if (have.size >= wanted) return true;
  if (count === 0) return false;
  for (let index = start; index <= news.length - count; index++) {
    const fragments = news[index] ?? [];
    // The following ones are no larger.
    if (have.size + count * fragments.length < wanted || !steps.take(fragments.length)) return false;
    for (const fragment of fragments) have.set(fragment, (have.get(fragment) ?? 0) + 1);
    if (reaches(news, count - 1, wanted, index + 1, have, steps)) return true;
    for (const fragment of fragments) {
      const times = (have.get(fragment) ?? 1) - 1;
      if (times === 0) have.delete(fragment);
      else have.set(fragment, times);
    }
  }
  return false;
}

/**
 * How many of `news` are taken, in order and only if they add something, until there are `wanted` fragments.
 */
function countTaken(news: readonly (readonly number[])[], wanted: number): number | undefined {
  const have = new Set<number>();
  let count = 0;
  for (const fragments of news) {
    if (have.size >= wanted) break;
    const before = have.size;
    for (const fragment of fragments) have.add(fragment);
    if (have.size > before) count += 1;
  }
  return have.size >= wanted ? count : undefined;
}

/** By fragment, its number of holders. */
function countsOf(sets: readonly FragmentSet[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const set of sets) for (const fragment of set) counts.set(fragment, (counts.get(fragment) ?? 0) + 1);
  return counts;
}

function unionSize(sets: readonly FragmentSet[]): number {
  const union = new Set<number>();
  for (const set of sets) for (const fragment of set) union.add(fragment);
  return union.size;
}
