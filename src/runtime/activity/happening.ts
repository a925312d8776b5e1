// What happened in the pool, as this device learned of it: by ids, since names may change, and must not lie
// on the disk in the clear.

import type { DeviceId, FileId } from '../../core/model/ids.ts';
import { parseDeviceId, parseFileId } from '../../core/model/ids.ts';
import { MAX_ANCHORS, MAX_DEVICE_COUNT, MAX_FRAGMENT_COUNT } from '../../core/model/limits.ts';
import { isPolicyValue, POLICY_PARTS, type PolicyPart, type PolicyParts } from '../../core/model/policy.ts';
import type { WallMs } from '../../core/model/time.ts';
import { bad, fieldsOf, kindOf, listOf, mapOf, uintOf } from '../../core/encoding/decode.ts';

export type Happening =
  /** Nobody heard of it for longer than its grace. */
  | { readonly kind: 'device-gone'; readonly device: DeviceId; readonly awaySinceMs: WallMs }
  /** It was gone. */
  | { readonly kind: 'device-back'; readonly device: DeviceId; readonly awayForMs: number }
  | { readonly kind: 'device-left'; readonly device: DeviceId }
  /** `file`: the last of `fileCount`. `lostWith`: the devices that had held what was restored. */
  | {
      readonly kind: 'fragments-restored';
      readonly file: FileId;
      readonly fileCount: number;
      readonly fragmentCount: number;
      readonly lostWith: readonly DeviceId[];
      /** How long the first of those had been away, ms; 0 when unknown. */
      readonly awayForMs: number;
    }
  /** `file`: the last of `fileCount` names that were taken away. */
  | {
      readonly kind: 'file-removed';
      readonly file: FileId;
      readonly fileCount: number;
      readonly by: DeviceId;
    }
  | { readonly kind: 'policy-changed'; readonly by: DeviceId; readonly parts: PolicyParts };

/** Devices that a row names at most; the sentence names one of them and counts the others. */
export const MAX_LOST_WITH = MAX_FRAGMENT_COUNT;
const MAX_COUNT = 1_000_000_000;

/** A row from the disk. @throws PalmError 'bad-message'. */
export function decodeHappening(value: unknown): Happening {
  const kind = kindOf(value);
  switch (kind) {
    case 'device-gone': {
      const { device, awaySinceMs } = fieldsOf(value, ['kind', 'device', 'awaySinceMs']);
      return { kind, device: parseDeviceId(device), awaySinceMs: msOf(awaySinceMs) };
    }
    case 'device-back': {
      const { device, awayForMs } = fieldsOf(value, ['kind', 'device', 'awayForMs']);
      return { kind, device: parseDeviceId(device), awayForMs: msOf(awayForMs) };
    }
    case 'device-left':
      return { kind, device: parseDeviceId(fieldsOf(value, ['kind', 'device'])['device']) };
    case 'fragments-restored': {
      const names = ['kind', 'file', 'fileCount', 'fragmentCount', 'lostWith', 'awayForMs'] as const;
      const { file, fileCount, fragmentCount, lostWith, awayForMs } = fieldsOf(value, names);
      return {
        kind,
        file: parseFileId(file),
        fileCount: uintOf(fileCount, MAX_COUNT),
        fragmentCount: uintOf(fragmentCount, MAX_COUNT),
        lostWith: listOf(lostWith, MAX_LOST_WITH, parseDeviceId),
        awayForMs: msOf(awayForMs),
      };
    }
    case 'file-removed': {
      const { file, fileCount, by } = fieldsOf(value, ['kind', 'file', 'fileCount', 'by']);
      return {
        kind,
        file: parseFileId(file),
        fileCount: uintOf(fileCount, MAX_COUNT),
        by: parseDeviceId(by),
      };
    }
    case 'policy-changed': {
      const { by, parts } = fieldsOf(value, ['kind', 'by', 'parts']);
      return { kind, by: parseDeviceId(by), parts: partsOf(parts) };
    }
    default:
      throw bad('an unknown kind of activity');
  }
}

/** Devices that were told to be gone, with when they went away. @throws PalmError 'bad-message'. */
export function decodeGone(value: unknown): ReadonlyMap<DeviceId, WallMs> {
  return new Map(
    listOf(value, MAX_DEVICE_COUNT, (row) => {
      const { device, awaySinceMs } = fieldsOf(row, ['device', 'awaySinceMs']);
      return [parseDeviceId(device), msOf(awaySinceMs)];
    }),
  );
}

function partsOf(value: unknown): PolicyParts {
  const fields = mapOf(value);
  const parts: Partial<Record<PolicyPart, number>> = {};
  for (const part of POLICY_PARTS) {
    const given = fields[part];
    if (isPolicyValue(part, given)) parts[part] = given;
  }
  if (fields['anchors'] === undefined) return parts;
  return { ...parts, anchors: listOf(fields['anchors'], MAX_ANCHORS, parseDeviceId) };
}

function msOf(value: unknown): number {
  return uintOf(value, Number.MAX_SAFE_INTEGER);
}
