// One honest sentence about a file, from what devices confirmed that they hold. Pure. It never claims a safety that the
// numbers do not show: 'reachable now' is all that counts as safe; a device that is away only counts as a way back.

import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';
import { shownDeviceName } from './device-name.ts';
import { countOf } from './units.ts';

/** 'safe': devices may be lost. 'exposed': it opens, but one loss could end that. 'closed': it cannot be opened now. */
export type SafetyTone = 'safe' | 'exposed' | 'closed';

export interface Safety {
  readonly tone: SafetyTone;
  readonly sentence: string;
}

export function safetyOf(file: FileStatus, devices: readonly DeviceStatus[]): Safety {
  if (file.reach < file.k) return { tone: 'closed', sentence: missingSentence(file, devices) };
  if (file.margin === 1) return { tone: 'safe', sentence: 'Survives the loss of any one device' };
  if (file.margin > 1) return { tone: 'safe', sentence: `Survives the loss of any ${file.margin} devices` };
  return { tone: 'exposed', sentence: exposedSentence(file, devices) };
}

function exposedSentence(file: FileStatus, devices: readonly DeviceStatus[]): string {
  const others = devices.filter((device) => !device.self);
  if (others.length === 0) return 'Only on this device: invite another';
  const alone = reachableHolderWithAll(file, devices);
  if (alone === undefined) return 'Losing one more device could make it unreadable';
  const who = alone.self ? 'this device' : shownDeviceName(alone.name);
  if (others.length === 1) return `Only ${who} can open it alone: add a third device`;
  if (!alone.self) return `Only ${who} can open it alone: keep that device`;
  const here = others.filter((device) => device.state === 'reachable').length;
  if (here >= 2 && file.inOutbox) return 'Only this device can open it alone: still spreading to the others';
  return here < others.length
    ? 'Only this device can open it alone: bring another device back'
    : 'Only this device can open it alone: add another device';
}

/** A reachable device that holds k fragments or more by itself. */
function reachableHolderWithAll(
  file: FileStatus,
  devices: readonly DeviceStatus[],
): DeviceStatus | undefined {
  return devices.find((device) => {
    if (device.state !== 'reachable') return false;
    const holding = file.holders.find((holder) => holder.deviceId === device.id);
    return holding !== undefined && new Set(holding.fragments).size >= file.k;
  });
}

function missingSentence(file: FileStatus, devices: readonly DeviceStatus[]): string {
  const reachable = new Set(devices.filter((d) => d.state === 'reachable').map((d) => d.id));
  const here = new Set<number>();
  for (const holder of file.holders) {
    if (reachable.has(holder.deviceId)) for (const fragment of holder.fragments) here.add(fragment);
  }
  const away = file.holders
    .filter((holder) => !reachable.has(holder.deviceId))
    .map((holder) => holder.fragments.filter((fragment) => !here.has(fragment)));
  const neededFragments = file.k - file.reach;
  const needed = fewestHolders(away, neededFragments);
  if (needed === undefined) {
    const few = neededFragments === 1 ? 'it' : 'them';
    return `Needs ${countOf(neededFragments, 'more fragment')}, and no known device has ${few}`;
  }
  const bound = needed.exact ? '' : 'up to ';
  return `Needs ${bound}${needed.count} more ${needed.count === 1 ? 'device' : 'devices'} to open`;
}

/** Steps of the exact search: enough for any household; beyond it the greedy answer is given as an upper bound. */
const MAX_SEARCH_STEPS = 20_000;

/**
 * The fewest of `sets` whose union has at least `wanted` elements; undefined when all together have fewer.
 * `exact` is false when the search was cut short and `count` is only an upper bound.
 */
export function fewestHolders(
  sets: readonly (readonly number[])[],
  wanted: number,
): { readonly count: number; readonly exact: boolean } | undefined {
  const bySize = sets.toSorted((a, b) => b.length - a.length);
  const greedy = greedyCount(bySize, wanted);
  if (greedy === undefined) return undefined;
  for (let count = 1; count < greedy; count++) {
    const search = { steps: 0 };
    if (reaches(bySize, 0, new Set(), count, wanted, search)) return { count, exact: true };
    if (search.steps >= MAX_SEARCH_STEPS) return { count: greedy, exact: false };
  }
  return { count: greedy, exact: true };
}

/** Whether `left` more sets from `from` on can bring the union to `wanted`. Sets are sorted by falling size. */
function reaches(
  sets: readonly (readonly number[])[],
  from: number,
  union: ReadonlySet<number>,
  left: number,
  wanted: number,
  search: { steps: number },
): boolean {
  if (union.size >= wanted) return true;
  for (let index = from; index < sets.length; index++) {
    const set = sets[index] ?? [];
    // No later set is larger: even disjoint ones could not fill the gap.
    if (left === 0 || union.size + set.length * left < wanted) return false;
    if (++search.steps >= MAX_SEARCH_STEPS) return false;
    if (reaches(sets, index + 1, new Set([...union, ...set]), left - 1, wanted, search)) return true;
  }
  return false;
}

function greedyCount(sets: readonly (readonly number[])[], wanted: number): number | undefined {
  const union = new Set<number>();
  const rest = [...sets];
  for (let count = 0; ; count++) {
    if (union.size >= wanted) return count;
    let best = -1;
    let bestGain = 0;
    rest.forEach((set, index) => {
      const gain = new Set(set.filter((element) => !union.has(element))).size;
      if (gain > bestGain) [best, bestGain] = [index, gain];
    });
    const chosen = rest[best];
    if (chosen === undefined) return undefined;
    for (const element of chosen) union.add(element);
    rest.splice(best, 1);
  }
}
