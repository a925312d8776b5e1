// When repair begins: Palm's own rule (src/core/repair/repair-need.ts), and others beside it.

import { learnedGraceMs } from '../../src/core/membership/learned-grace.ts';
import { repairNeedOf, type RepairedFile, type RepairNeed } from '../../src/core/repair/repair-need.ts';
import type { DeviceId } from '../../src/core/model/ids.ts';
import type { Holders } from '../../src/core/placement/health.ts';
import { reachOf } from '../../src/core/placement/health.ts';
import { DAY_MS, HOUR_MS, type Kind, type Population } from './populations.ts';

export interface Trigger {
  readonly name: string;
  /**
   * How long a device of this kind may be away until it counts as gone, ms; undefined: the model tells the
   * truth. `sharedMs`: how long most devices were away at some time, or are.
   */
  readonly graceMs: ((kind: Kind, longestAwayMs: number, sharedMs: number) => number) | undefined;
  /** Undefined while the file needs no repair. `deviceCount`: devices that are not gone. */
  need(
    file: RepairedFile,
    claims: Holders,
    isGone: (device: DeviceId) => boolean,
    deviceCount: number,
  ): RepairNeed | undefined;
}

/** By class, as the default policy has it. */
const byClass = (kind: Kind): number => {
  if (kind === 'anchor') return 4 * HOUR_MS;
  return kind === 'phone' || kind === 'visitor' || kind === 'member' ? 3 * DAY_MS : DAY_MS;
};

/**
 * Losses a day of a device that is not watched: what the populations have, three years and storage that is
 * cleared.
 */
const LOSSES_PER_DEVICE_AND_DAY = 1 / (3 * 365) + 0.001 / 30;
const TARGET_DAYS = 30;
const own = (...given: Parameters<Trigger['need']>): RepairNeed | undefined =>
  repairNeedOf(given[0], given[1], given[2]);

export const PALM: Trigger = {
  name: 'half of the spare lost',
  graceMs: (kind, longestAwayMs, sharedMs) =>
    learnedGraceMs(byClass(kind), longestAwayMs, kind === 'anchor' ? 0 : sharedMs),
  need: own,
};

/** Palm's in a pool that meets rarely (src/core/membership/meetings.ts). */
const FIRST_LOSS: Trigger = { name: 'first loss', graceMs: PALM.graceMs, need: whenMissing(() => true) };

/** Palm's rule in such a population. */
export function palmIn({ meetsRarely }: Population): Trigger {
  return meetsRarely === true ? FIRST_LOSS : PALM;
}

/** Palm's rule by one who knows who comes back. */
export const ORACLE: Trigger = { name: 'oracle', graceMs: undefined, need: own };

export const TRIGGERS: readonly Trigger[] = [
  PALM,
  {
    name: 'half, each learned alone',
    graceMs: (kind, longestAwayMs) => learnedGraceMs(byClass(kind), longestAwayMs, 0),
    need: own,
  },
  { name: 'half, grace by class', graceMs: byClass, need: own },
  FIRST_LOSS,
  {
    name: 'days to loss below 30',
    graceMs: PALM.graceMs,
    need: whenMissing(({ k }, durableCount, deviceCount) => {
      return daysToLoss(durableCount, k, deviceCount) < TARGET_DAYS;
    }),
  },
  { name: 'away for 4 hours', graceMs: () => 4 * HOUR_MS, need: own },
];

/**
 * Storj's expected days until k - 1 fragments are left, if devices are lost one after the other, whichever it
 * is: satellite/repair/priority.go of storj/storj (negative hypergeometric distribution).
 */
export function daysToLoss(durableCount: number, k: number, deviceCount: number): number {
  const r = durableCount - k + 1;
  if (r <= 0) return 0;
  const others = Math.max(0, deviceCount - durableCount);
  const draws = (r * others) / (deviceCount - others + 1) + r;
  return draws / (deviceCount * LOSSES_PER_DEVICE_AND_DAY);
}

/** Repairs everything missing once something is and `isTime`. */
function whenMissing(
  isTime: (file: RepairedFile, durableCount: number, deviceCount: number) => boolean,
): Trigger['need'] {
  return (file, claims, isGone, deviceCount) => {
    const durable = new Map([...claims].filter(([device, { size }]) => size > 0 && !isGone(device)));
    const durableCount = reachOf(durable);
    if (durableCount === file.n || !isTime(file, durableCount, deviceCount)) return undefined;
    const there = new Set([...durable.values()].flatMap((fragments) => [...fragments]));
    const missing = Array.from({ length: file.n }, (_, at) => at).filter((each) => !there.has(each));
    return { durable, durableCount, missing, isUrgent: durableCount <= file.k + 1, isOfStorer: false };
  };
}
