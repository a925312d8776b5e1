// A policy entry's body as it is written (FORMATS.md, log entry).

import { DEVICE_CLASSES } from '../model/device-class.ts';
import { isPolicyValue, type PolicyPart, type PolicyParts } from '../model/policy.ts';
import type { Fields } from '../encoding/decode.ts';

/** The part that each field has; the graces are in a map of their own. */
const FIELDS = [
  ['repairMillionths', 'repairShare'],
  ['k', 'k'],
  ['n', 'n'],
  ['storeBytes', 'storeBytes'],
  ['giveBytes', 'giveBytes'],
] as const satisfies readonly (readonly [string, PolicyPart])[];

export function policyFields(parts: PolicyParts): Fields {
  const graces = DEVICE_CLASSES.filter((part) => parts[part] !== undefined);
  const graceMs = Object.fromEntries(graces.map((part) => [part, parts[part]]));
  const others = FIELDS.filter(([, part]) => parts[part] !== undefined);
  return {
    ...(graces.length === 0 ? {} : { graceMs }),
    ...Object.fromEntries(others.map(([field, part]) => [field, parts[part]])),
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
  return k !== undefined && n !== undefined && k > n ? others : found;
}
