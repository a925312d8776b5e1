// One honest sentence about a file, from confirmed holdings. Pure. It never claims a safety that the numbers
// do not show: only reachable devices count as safe; a device that is away only counts as a way back.

import { devicesNeeded, Steps } from '../../core/placement/health.ts';
import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';
import { shownDeviceName } from './device-name.ts';
import { words } from './words.ts';

/**
 * 'safe': devices may be lost. 'exposed': it opens, but one loss could end that. 'closed': it cannot be
 * opened now.
 */
export type SafetyTone = 'safe' | 'exposed' | 'closed';

export interface Safety {
  readonly tone: SafetyTone;
  readonly sentence: string;
}

export function safetyOf(file: FileStatus, devices: readonly DeviceStatus[]): Safety {
  if (file.reach < file.k) return { tone: 'closed', sentence: missingSentence(file, devices) };
  if (file.margin >= 1) return { tone: 'safe', sentence: words.safety.survives(file.margin) };
  return { tone: 'exposed', sentence: exposedSentence(file, devices) };
}

function exposedSentence(file: FileStatus, devices: readonly DeviceStatus[]): string {
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

function missingSentence(file: FileStatus, devices: readonly DeviceStatus[]): string {
  const reachable = new Set(devices.filter((d) => d.state === 'reachable').map((d) => d.id));
  const sets = (isHere: boolean): Set<number>[] =>
    file.holders
      .filter((holder) => reachable.has(holder.deviceId) === isHere)
      .map((holder) => new Set(holder.fragments));
  const steps = new Steps();
  const needed = devicesNeeded(sets(true), sets(false), file.k, steps);
  if (needed === undefined) return words.safety.lacksFragments(file.k - file.reach);
  return words.safety.needsDevices(needed, !steps.isOver);
}
