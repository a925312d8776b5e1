// A policy entry's body as it is written (FORMATS.md, log entry).

import { DEVICE_CLASSES } from '../model/device-class.ts';
import { isPalmError } from '../model/errors.ts';
import { cidOf, parseDeviceId, type DeviceId } from '../model/ids.ts';
import { MAX_ANCHORS } from '../model/limits.ts';
import { areAnchors, isPolicyValue, type PolicyPart, type PolicyParts } from '../model/policy.ts';
import { linkOf, listOf, type Fields } from '../encoding/decode.ts';

/** The part that each field has; the graces are in a map of their own. */
const FIELDS = [
  ['repairMillionths', 'repairShare'],
  ['k', 'k'],
  ['n', 'n'],
  ['storeBytes', 'storeBytes'],
  ['giveBytes', 'giveBytes'],
  ['rotateEveryMs', 'rotateEveryMs'],
] as const satisfies readonly (readonly [string, PolicyPart])[];

export function policyFields(parts: PolicyParts): Fields {
  const graces = DEVICE_CLASSES.filter((part) => parts[part] !== undefined);
  const graceMs = Object.fromEntries(graces.map((part) => [part, parts[part]]));
  const others = FIELDS.filter(([, part]) => parts[part] !== undefined);
  return {
    ...(graces.length === 0 ? {} : { graceMs }),
    ...Object.fromEntries(others.map(([field, part]) => [field, parts[part]])),
    ...(parts.anchors === undefined ? {} : { anchors: parts.anchors.map((device) => cidOf(device)) }),
  };
}

/**
 * The parts with values within their bounds. Others count as not set, and fields that a later version may add
 * are ignored: devices of the first builds keep such entries, so this one must keep them too.
 */
export function policyPartsOf(fields: Fields): PolicyParts {
  const found: Partial<Record<PolicyPart, number>> = {};
  const { graceMs } = fields;
  const isMap = typeof graceMs === 'object' && graceMs !== null && !Array.isArray(graceMs);
  const graces = new Map<string, unknown>(isMap ? Object.entries(graceMs) : []);
  for (const part of DEVICE_CLASSES) {
    const value = graces.get(part);
    if (isPolicyValue(part, value)) found[part] = value;
  }
  for (const [field, part] of FIELDS) {
    const value = fields[field];
    if (isPolicyValue(part, value)) found[part] = value;
  }
  const { k, n, ...others } = found;
  const numbers = k !== undefined && n !== undefined && k > n ? others : found;
  const anchors = anchorsIn(fields['anchors']);
  return anchors === undefined ? numbers : { ...numbers, anchors };
}

function anchorsIn(value: unknown): readonly DeviceId[] | undefined {
  if (value === undefined) return undefined;
  try {
    const anchors = listOf(value, MAX_ANCHORS, (link) => parseDeviceId(linkOf(link)));
    return areAnchors(anchors) ? anchors : undefined;
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return undefined;
    throw error;
  }
}
