// English: what happened in the pool. One plain sentence each, without a full stop, as in a list.

import { visibleName } from '../../../core/model/visible-name.ts';
import { POLICY_PARTS, type PolicyParts } from '../../../core/model/policy.ts';
import type { Activity } from '../../../runtime/activity/told-activity.ts';
import type { QuotedDevice } from '../../../runtime/notice.ts';
import { deviceText } from './notices.ts';
import { countOf, formatBytes, formatDuration } from './units.ts';

export function activityText(activity: Activity): string {
  switch (activity.kind) {
    case 'device-gone':
      return `${nameOf(activity.device)} has not been heard of for ${formatDuration(activity.forMs)} and counts as gone`;
    case 'device-back':
      return `${nameOf(activity.device)} came back after ${formatDuration(activity.forMs)}`;
    case 'device-left':
      return `${nameOf(activity.device)} left the pool`;
    case 'fragments-restored':
      return restored(activity);
    case 'file-removed': {
      const more = activity.fileCount - 1;
      const others = more === 0 ? '' : ` and ${countOf(more, 'more file')}`;
      return `${nameOf(activity.by)} removed ${fileName(activity.file)}${others}`;
    }
    case 'policy-changed': {
      const who = activity.isSelf ? 'This device' : nameOf(activity.by);
      return `${who} changed the pool's settings: ${settings(activity.parts)}`;
    }
  }
}

function restored(activity: Extract<Activity, { kind: 'fragments-restored' }>): string {
  const { file, fileCount, fragmentCount, lostWith, forMs } = activity;
  const of = fileCount === 1 ? fileName(file) : countOf(fileCount, 'file');
  const what = `${countOf(fragmentCount, 'fragment')} of ${of} ${fragmentCount === 1 ? 'was' : 'were'} restored`;
  const [first] = lostWith;
  if (first === undefined) return what;
  const more = lostWith.length - 1;
  const who =
    more === 0
      ? `${nameOf(first)} was gone`
      : `${nameOf(first)} and ${countOf(more, 'more device')} were gone`;
  return `${who}${forMs === 0 ? '' : ` for ${formatDuration(forMs)}`}: ${what}`;
}

function settings(parts: PolicyParts): string {
  const said = POLICY_PARTS.flatMap((part) => {
    const value = parts[part];
    return value === undefined ? [] : [SETTINGS[part](value)];
  });
  if (parts.anchors !== undefined)
    said.push(parts.anchors.length === 0 ? 'files are spread thin' : 'files are to be always readable');
  return said.join(', ');
}

const SETTINGS = {
  alwaysOn: (ms: number) => `devices that are always on count as gone after ${formatDuration(ms)}`,
  laptop: (ms: number) => `laptops count as gone after ${formatDuration(ms)}`,
  phone: (ms: number) => `phones count as gone after ${formatDuration(ms)}`,
  repairShare: (millionths: number) => `repair may take ${Math.round(millionths / 10_000)} % of a link`,
  k: (count: number) => `any ${count} fragments open a new file`,
  n: (count: number) => `new files have ${count} fragments`,
  storeBytes: (bytes: number) =>
    bytes === 0 ? 'a device may store any amount' : `a device may store ${formatBytes(bytes)}`,
  giveBytes: (bytes: number) =>
    bytes === 0
      ? 'a device that stores need not give space'
      : `a device that stores must give ${formatBytes(bytes)}`,
  rotateEveryMs: (ms: number) =>
    ms === 0 ? 'keys are not changed by their age' : `keys are changed every ${formatDuration(ms)}`,
};

/** '' for a file of which nothing is known any more. */
function fileName(name: string | undefined): string {
  if (name === '') return 'a file';
  return name === undefined ? 'a private file' : visibleName(name);
}

function nameOf(device: QuotedDevice): string {
  return deviceText(device, (name) => name);
}
