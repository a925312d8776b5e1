// The pool's policy as people edit it: times in a unit of their own, shares in percent, space in gigabytes.
// Pure.

import { DEVICE_CLASSES, type DeviceClass } from '../../core/model/device-class.ts';
import { MAX_MEMBER_GRACE_MS, MIN_MEMBER_GRACE_MS, MIN_REPAIR_SHARE } from '../../core/model/limits.ts';
import {
  isSettable,
  QUOTA_PARTS,
  type Placement,
  type Policy,
  type PolicyChange,
  type QuotaPart,
} from '../../core/model/policy.ts';

const UNIT_MS = { seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;

const GB = 1e9;

export type TimeUnit = keyof typeof UNIT_MS;

export const TIME_UNITS: readonly TimeUnit[] = ['seconds', 'minutes', 'hours', 'days'];

/** What stands in the fields. */
export interface SettingsDraft {
  readonly graces: Readonly<Record<DeviceClass, { readonly amount: string; readonly unit: TimeUnit }>>;
  readonly percent: string;
  readonly placement: Placement;
  /** In gigabytes; empty: no limit. */
  readonly quotas: Readonly<Record<QuotaPart, string>>;
  /** In days; empty: never. */
  readonly rotate: string;
}

export type SettingsField = DeviceClass | 'share' | QuotaPart | 'rotate';

export type CheckedDraft =
  /** Only what differs from before: a part that is set counts as chosen from then on. */
  | { readonly kind: 'change'; readonly change: PolicyChange }
  | { readonly kind: 'bad'; readonly fields: readonly SettingsField[] };

export function draftOf({
  graceMs,
  repairShare,
  storeBytes,
  giveBytes,
  rotateEveryMs,
  placement = 'spread',
}: Policy): SettingsDraft {
  return {
    placement,
    graces: {
      alwaysOn: shownTime(graceMs.alwaysOn),
      laptop: shownTime(graceMs.laptop),
      phone: shownTime(graceMs.phone),
    },
    percent: shownNumber(repairShare * 100),
    quotas: { storeBytes: shownQuota(storeBytes), giveBytes: shownQuota(giveBytes) },
    rotate: rotateEveryMs === undefined ? '' : shownNumber(rotateEveryMs / UNIT_MS.days),
  };
}

export function checkDraft(draft: SettingsDraft, before: Policy): CheckedDraft {
  const bad: SettingsField[] = [];
  const graceMs: Partial<Record<DeviceClass, number>> = {};
  const was = draftOf(before);
  for (const of of DEVICE_CLASSES) {
    const { amount, unit } = draft.graces[of];
    if (amount === was.graces[of].amount && unit === was.graces[of].unit) continue;
    const ms = Math.round(numberIn(amount) * UNIT_MS[unit]);
    if (!(ms >= MIN_MEMBER_GRACE_MS && ms <= MAX_MEMBER_GRACE_MS)) bad.push(of);
    else if (ms !== before.graceMs[of]) graceMs[of] = ms;
  }
  const share = draft.percent === was.percent ? before.repairShare : numberIn(draft.percent) / 100;
  if (!(share >= MIN_REPAIR_SHARE && share <= 1)) bad.push('share');
  const quotas: Partial<Record<QuotaPart, number>> = {};
  for (const part of QUOTA_PARTS) {
    const text = draft.quotas[part];
    if (text === was.quotas[part]) continue;
    const bytes = text.trim() === '' ? 0 : Math.round(numberIn(text) * GB);
    if (!isSettable(part, bytes)) bad.push(part);
    else if (bytes !== (before[part] ?? 0)) quotas[part] = bytes;
  }
  const isSame = draft.rotate === was.rotate;
  const rotateMs = draft.rotate.trim() === '' ? 0 : Math.round(numberIn(draft.rotate) * UNIT_MS.days);
  if (!isSame && !isSettable('rotateEveryMs', rotateMs)) bad.push('rotate');
  if (bad.length > 0) return { kind: 'bad', fields: bad };
  return {
    kind: 'change',
    change: {
      ...(Object.keys(graceMs).length === 0 ? {} : { graceMs }),
      ...(share === before.repairShare ? {} : { repairShare: share }),
      ...quotas,
      ...(isSame || rotateMs === (before.rotateEveryMs ?? 0) ? {} : { rotateEveryMs: rotateMs }),
      ...(draft.placement === was.placement ? {} : { placement: draft.placement }),
    },
  };
}

/** In the largest unit that gives a whole number. */
function shownTime(ms: number): { readonly amount: string; readonly unit: TimeUnit } {
  const unit = TIME_UNITS.findLast((candidate) => ms % UNIT_MS[candidate] === 0) ?? 'seconds';
  return { amount: shownNumber(ms / UNIT_MS[unit]), unit };
}

function shownQuota(bytes: number | undefined): string {
  return bytes === undefined ? '' : shownNumber(bytes / GB);
}

function shownNumber(value: number): string {
  return String(Math.round(value * 1_000) / 1_000);
}

/** As people type it, with a point or a comma. NaN if it is no plain number. */
function numberIn(text: string): number {
  const plain = text.trim().replace(',', '.');
  return /^\d+(?:\.\d+)?$/.test(plain) ? Number(plain) : Number.NaN;
}
