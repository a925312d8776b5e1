// One honest sentence about a file, from what devices confirmed that they hold. Pure. It never claims a safety that the
// numbers do not show: 'reachable now' is all that counts as safe; a device that is away only counts as a way back.

import { devicesNeeded, Steps } from '../../core/placement/health.ts';
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
  const sets = (isHere: boolean): Set<number>[] =>
    file.holders
      .filter((holder) => reachable.has(holder.deviceId) === isHere)
      .map((holder) => new Set(holder.fragments));
  const steps = new Steps();
  const needed = devicesNeeded(sets(true), sets(false), file.k, steps);
  if (needed === undefined) {
    const neededFragments = file.k - file.reach;
    const few = neededFragments === 1 ? 'it' : 'them';
    return `Needs ${countOf(neededFragments, 'more fragment')}, and no known device has ${few}`;
  }
  const bound = steps.isOver ? 'up to ' : '';
  return `Needs ${bound}${needed} more ${needed === 1 ? 'device' : 'devices'} to open`;
}
