// Honest words about a file, from confirmed holdings: which losses it survives, and whether it opens now.
// Pure. They never claim a safety that the numbers do not show: a device that is gone counts for nothing, and
// one that is away does not open a file before it is back.

import { devicesNeeded, Steps } from '../../core/placement/health.ts';
import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';
import { shownDeviceName } from './device-name.ts';
import { words } from './words.ts';

/**
 * 'safe': it opens, and devices may be lost. 'exposed': it opens, but one loss could end that for good.
 * 'closed': it cannot be opened now.
 */
export type SafetyTone = 'safe' | 'exposed' | 'closed';

export interface Safety {
  readonly tone: SafetyTone;
  readonly sentence: string;
}

export function safetyOf(file: FileStatus, devices: readonly DeviceStatus[]): Safety {
  const isDurable = file.durableMargin >= 1;
  const survives = words.safety.survives(file.durableMargin);
  if (file.reach < file.k) {
    const missing = missingOf(file, devices);
    if (!isDurable || missing.kind === 'nowhere') return { tone: 'closed', sentence: needsSentence(missing) };
    const opens = words.safety.opensWhenBack(missing.deviceCount, missing.isExact);
    return { tone: 'closed', sentence: words.safety.both(survives, opens) };
  }
  if (isDurable) {
    const opens = opensAnyTime(file, devices) ? words.safety.opensAnyTime : words.safety.opensNow;
    return { tone: 'safe', sentence: words.safety.both(survives, opens) };
  }
  return { tone: 'exposed', sentence: exposedSentence(file, devices) };
}

/**
 * Whether each device that is not gone opens the file beside an anchor that is there, by confirmed holdings.
 */
function opensAnyTime(file: FileStatus, devices: readonly DeviceStatus[]): boolean {
  const heldBy = (id: string): readonly number[] =>
    file.holders.filter(({ deviceId }) => deviceId === id).flatMap(({ fragments }) => fragments);
  const others = devices.filter(({ anchor, state }) => anchor !== true && state !== 'gone');
  return devices.some(
    ({ id, anchor, state }) =>
      anchor === true &&
      state === 'reachable' &&
      !file.inOutbox &&
      others.length > 0 &&
      others.every((other) => new Set([...heldBy(id), ...heldBy(other.id)]).size >= file.k),
  );
}

/** With everything that the devices of now hold it would survive a loss, but a browser may delete a part. */
function evictableSentence(file: FileStatus, devices: readonly DeviceStatus[]): string | undefined {
  const holders = new Set(file.holders.map(({ deviceId }) => deviceId));
  const [first, ...more] = devices.filter(({ id, evictable }) => evictable === true && holders.has(id));
  if (first === undefined || file.margin < 1) return undefined;
  if (more.length > 0) return words.safety.evictables(1 + more.length);
  return words.safety.evictable(first.self ? undefined : shownDeviceName(first.name));
}

function exposedSentence(file: FileStatus, devices: readonly DeviceStatus[]): string {
  const evictable = evictableSentence(file, devices);
  if (evictable !== undefined) return evictable;
  const others = devices.filter((device) => !device.self);
  if (others.length === 0) return words.safety.onlyHere;
  const alone = reachableHolderWithAll(file, devices);
  if (alone === undefined) return words.safety.oneMore;
  const name = shownDeviceName(alone.name);
  if (others.length === 1) return words.safety.aloneAddThird(alone.self ? undefined : name);
  if (!alone.self) return words.safety.aloneKeep(name);
  const here = others.filter((device) => device.state === 'reachable').length;
  if (here >= 2 && file.inOutbox) return words.safety.aloneSpreading;
  return here < others.length ? words.safety.aloneBringBack : words.safety.aloneAdd;
}

/** A reachable device that alone holds k fragments or more. */
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

/** What it lacks to open now. */
type Missing =
  /** The fewest devices that must be back; fewer may do unless `isExact`. `isGone`: without gone ones. */
  | {
      readonly kind: 'devices';
      readonly deviceCount: number;
      readonly isExact: boolean;
      readonly isGone: boolean;
    }
  | { readonly kind: 'nowhere'; readonly fragmentCount: number };

function missingOf(file: FileStatus, devices: readonly DeviceStatus[]): Missing {
  const states = new Map(devices.map(({ id, state }) => [id, state]));
  const reachable: Set<number>[] = [];
  const expected: Set<number>[] = [];
  const gone: Set<number>[] = [];
  for (const { deviceId, fragments } of file.holders) {
    const state = states.get(deviceId) ?? 'away';
    (state === 'reachable' ? reachable : state === 'gone' ? gone : expected).push(new Set(fragments));
  }
  const steps = new Steps();
  const fromExpected = devicesNeeded(reachable, expected, file.k, steps);
  const needed = fromExpected ?? devicesNeeded(reachable, [...expected, ...gone], file.k, steps);
  if (needed === undefined) return { kind: 'nowhere', fragmentCount: file.k - file.reach };
  return {
    kind: 'devices',
    deviceCount: needed,
    isExact: !steps.isOver,
    isGone: fromExpected === undefined,
  };
}

function needsSentence(missing: Missing): string {
  if (missing.kind === 'nowhere') return words.safety.lacksFragments(missing.fragmentCount);
  const { deviceCount, isExact, isGone } = missing;
  return isGone
    ? words.safety.needsGone(deviceCount, isExact)
    : words.safety.needsDevices(deviceCount, isExact);
}
