// A pool's policy: what its members agreed on about absence, repair and new files. It is made of parts that
// are set one by one, by any member; the latest of each part counts (catalogue/policy-index.ts).
//
// Invariant: every part of a `PolicyParts` lies within its bounds.

import { DEVICE_CLASSES, type DeviceClass } from './device-class.ts';
import { PalmError } from './errors.ts';
import type { DeviceId } from './ids.ts';
import {
  DEFAULT_K,
  DEFAULT_N,
  MAX_ANCHORS,
  MAX_FRAGMENT_COUNT,
  MAX_MEMBER_GRACE_MS,
  MAX_QUOTA_BYTES,
  MAX_ROTATION_MS,
  MIN_MEMBER_GRACE_MS,
  MIN_QUOTA_BYTES,
  MIN_REPAIR_SHARE,
  MIN_READ_ROTATION_MS,
  MIN_ROTATION_MS,
} from './limits.ts';

const HOUR_MS = 60 * 60_000;

export interface Policy {
  /** How long a device of each class is away before it counts as gone, ms. */
  readonly graceMs: Readonly<Record<DeviceClass, number>>;
  /** Share of a device's link that repair may take, above 0 and at most 1. */
  readonly repairShare: number;
  /** Geometry of new files whose storer names none; absent until somebody sets it. `k <= n`. */
  readonly k?: number;
  readonly n?: number;
  /**
   * What all fragments of the files that one device stored may take together, bytes. Absent: as much as there
   * is.
   */
  readonly storeBytes?: number;
  /** What a device that stores must give to the pool, bytes. Absent: nothing. */
  readonly giveBytes?: number;
  /** How files are placed, and by way of which devices; absent until somebody chose. */
  readonly placement?: Placement;
  /** Devices that hold almost all that opens a file; only with 'anchored'. */
  readonly anchors?: readonly DeviceId[];
  /** How old the pool's keys get before an admin's device changes them, ms. Absent: any age. */
  readonly rotateEveryMs?: number;
}

/**
 * 'anchored': around devices that are always on, so that any other device that is awake opens any file with
 * one of them. 'spread': evenly.
 */
export const PLACEMENTS = ['anchored', 'spread'] as const;
export type Placement = (typeof PLACEMENTS)[number];

/** A pool's policy, as its devices follow it. */
export interface PoolPolicy extends Policy {
  /** Whether people set the grace of a class. If not, longer ones are learned (learned-grace.ts). */
  readonly isGraceSet: Readonly<Record<DeviceClass, boolean>>;
}

/** What `setPolicy` changes; parts that are left out stay. */
export interface PolicyChange {
  readonly graceMs?: Partial<Readonly<Record<DeviceClass, number>>>;
  readonly repairShare?: number;
  readonly k?: number;
  readonly n?: number;
  /** 0: no limit. */
  readonly storeBytes?: number;
  /** 0: nothing. */
  readonly giveBytes?: number;
  readonly placement?: Placement;
  /** With 'anchored'; if left out, all devices that say that they are always on. */
  readonly anchors?: readonly string[];
  /** 0: any age. */
  readonly rotateEveryMs?: number;
}

/** What people may limit or demand of one device, bytes. */
export const QUOTA_PARTS = ['storeBytes', 'giveBytes'] as const;

export type QuotaPart = (typeof QUOTA_PARTS)[number];

export const POLICY_PARTS = [
  ...DEVICE_CLASSES,
  'repairShare',
  'k',
  'n',
  ...QUOTA_PARTS,
  'rotateEveryMs',
] as const;

export type PolicyPart = (typeof POLICY_PARTS)[number];

/**
 * The parts that one change sets: whole numbers, `repairShare` in millionths; and the anchors, none of which
 * means that files are spread.
 */
export type PolicyParts = Partial<Readonly<Record<PolicyPart, number>>> & {
  readonly anchors?: readonly DeviceId[];
};

/**
 * Devices that are meant to stay on are missed soonest. Laptops sleep at night, and phones lie in a drawer
 * over a weekend.
 */
export const DEFAULT_POLICY: Policy = {
  graceMs: { alwaysOn: 4 * HOUR_MS, laptop: 24 * HOUR_MS, phone: 72 * HOUR_MS },
  repairShare: 0.2,
};

const SHARE_STEPS = 1_000_000;
/** The least k: with 1, each holder could read a file alone, which only a storer may choose. */
const MIN_K = 2;

/** Whether `value` is one that `part` may have in the catalogue. */
export function isPolicyValue(part: PolicyPart, value: unknown): value is number {
  if (typeof value !== 'number' || !Number.isInteger(value)) return false;
  switch (part) {
    case 'alwaysOn':
    case 'laptop':
    case 'phone':
      return value >= MIN_MEMBER_GRACE_MS && value <= MAX_MEMBER_GRACE_MS;
    case 'repairShare':
      return value >= MIN_REPAIR_SHARE * SHARE_STEPS && value <= SHARE_STEPS;
    case 'k':
    case 'n':
      return value >= MIN_K && value <= MAX_FRAGMENT_COUNT;
    case 'storeBytes':
    case 'giveBytes':
      return value === 0 || (value >= MIN_QUOTA_BYTES && value <= MAX_QUOTA_BYTES);
    case 'rotateEveryMs':
      return value === 0 || (value >= MIN_READ_ROTATION_MS && value <= MAX_ROTATION_MS);
  }
}

/** Whether a person or a program may set it: entries of before may say more. */
export function isSettable(part: PolicyPart, value: unknown): value is number {
  if (!isPolicyValue(part, value)) return false;
  return part !== 'rotateEveryMs' || value === 0 || value >= MIN_ROTATION_MS;
}

/** How old keys get, ms, as an admin's device obeys it; undefined: any age. */
export function oldestKeysMs({ rotateEveryMs }: Pick<Policy, 'rotateEveryMs'>): number | undefined {
  return rotateEveryMs === undefined ? undefined : Math.max(rotateEveryMs, MIN_ROTATION_MS);
}

/** Whether a policy may name these as anchors: few, and each once. */
export function areAnchors(devices: readonly DeviceId[]): boolean {
  return devices.length <= MAX_ANCHORS && new Set(devices).size === devices.length;
}

/** The policy in which these parts were set, and the others never were. Of both, `k` is at most `n`. */
export function policyOf(parts: PolicyParts): PoolPolicy {
  const { graceMs, repairShare } = DEFAULT_POLICY;
  const { alwaysOn = graceMs.alwaysOn, laptop = graceMs.laptop, phone = graceMs.phone, k, n } = parts;
  return {
    graceMs: { alwaysOn, laptop, phone },
    isGraceSet: {
      alwaysOn: parts.alwaysOn !== undefined,
      laptop: parts.laptop !== undefined,
      phone: parts.phone !== undefined,
    },
    repairShare: parts.repairShare === undefined ? repairShare : parts.repairShare / SHARE_STEPS,
    ...(k === undefined ? {} : { k }),
    ...(n === undefined ? {} : { n }),
    ...placementOf(parts),
    ...Object.fromEntries(
      [...QUOTA_PARTS, 'rotateEveryMs' as const].flatMap((part) =>
        parts[part] ? [[part, parts[part]]] : [],
      ),
    ),
  };
}

function placementOf({ anchors }: PolicyParts): Pick<Policy, 'placement' | 'anchors'> {
  if (anchors === undefined) return {};
  return anchors.length === 0 ? { placement: 'spread' } : { placement: 'anchored', anchors };
}

/**
 * The parts that a caller wants to set. What the caller handed in is read once. `alwaysOn`: devices of the
 * pool that say that they are; no other becomes an anchor.
 * @throws PalmError 'bad-argument' for a part that does not exist, a value out of its bounds, and a k above
 * the n that would hold with it.
 */
export function checkPolicyChange(
  change: unknown,
  { k, n }: Policy,
  alwaysOn: readonly DeviceId[] = [],
): PolicyParts {
  const { graceMs, placement, anchors, ...others } = fieldsOf(
    change,
    ['graceMs', 'repairShare', 'k', 'n', ...QUOTA_PARTS, 'rotateEveryMs', 'placement', 'anchors'],
    'policy',
  );
  const graces = graceMs === undefined ? {} : fieldsOf(graceMs, DEVICE_CLASSES, 'graceMs');
  const all: Partial<Record<PolicyPart, unknown>> = { ...others, ...graces };
  const parts: Partial<Record<PolicyPart, number>> = {};
  for (const part of POLICY_PARTS) {
    const given = all[part];
    if (given === undefined) continue;
    const value =
      part === 'repairShare' && typeof given === 'number' ? Math.round(given * SHARE_STEPS) : given;
    if (!isSettable(part, value)) throw badValue(part);
    parts[part] = value;
  }
  const isOfCounts = parts.k !== undefined || parts.n !== undefined;
  const kThen = parts.k ?? k;
  const nThen = parts.n ?? n;
  if (isOfCounts && kThen !== undefined && nThen !== undefined && kThen > nThen) throw badValue('k');
  const chosen = chosenAnchors(placement, anchors, alwaysOn);
  return chosen === undefined ? parts : { ...parts, anchors: chosen };
}

function chosenAnchors(
  placement: unknown,
  anchors: unknown,
  alwaysOn: readonly DeviceId[],
): readonly DeviceId[] | undefined {
  if (placement === undefined && anchors === undefined) return undefined;
  if (placement === 'spread' && anchors === undefined) return [];
  const given: readonly unknown[] | undefined =
    anchors === undefined ? alwaysOn.slice(0, MAX_ANCHORS) : Array.isArray(anchors) ? anchors : undefined;
  const chosen = alwaysOn.filter((device) => given?.includes(device));
  const areAllKnown = given !== undefined && chosen.length === given.length && areAnchors(chosen);
  if (placement !== 'anchored' || !areAllKnown || chosen.length === 0)
    throw new PalmError({ code: 'bad-argument', reason: 'policy-placement', max: MAX_ANCHORS });
  return chosen;
}

/**
 * k and n of a new file: what its storer asks for, then what the policy says, then what fits its anchors,
 * then Palm's own.
 */
export function chosenCounts(
  asked: { readonly k?: number; readonly n?: number; readonly mirror?: boolean },
  policy: Policy,
  besideAnchors?: { readonly k: number; readonly n: number },
): { readonly k: number; readonly n: number } {
  const isOpen = [asked.k, asked.n, policy.k, policy.n].every((count) => count === undefined);
  if (besideAnchors !== undefined && isOpen && asked.mirror !== true) return besideAnchors;
  const usualK = policy.k ?? DEFAULT_K;
  const usualN = policy.n ?? DEFAULT_N;
  // A count that was set counts; one that was not gives way to it.
  const mostK = asked.n ?? policy.n ?? usualK;
  const k = asked.k ?? (asked.mirror === true ? 1 : Math.min(usualK, mostK));
  return { k, n: asked.n ?? Math.max(usualN, k) };
}

function badValue(part: PolicyPart): PalmError {
  switch (part) {
    case 'alwaysOn':
    case 'laptop':
    case 'phone':
      return new PalmError({
        code: 'bad-argument',
        reason: 'policy-grace',
        of: part,
        minMs: MIN_MEMBER_GRACE_MS,
        maxMs: MAX_MEMBER_GRACE_MS,
      });
    case 'repairShare':
      return new PalmError({ code: 'bad-argument', reason: 'policy-share', min: MIN_REPAIR_SHARE });
    case 'k':
    case 'n':
      return new PalmError({
        code: 'bad-argument',
        reason: 'policy-counts',
        min: MIN_K,
        max: MAX_FRAGMENT_COUNT,
      });
    case 'storeBytes':
    case 'giveBytes':
      return new PalmError({
        code: 'bad-argument',
        reason: 'policy-quota',
        of: part,
        min: MIN_QUOTA_BYTES,
        max: MAX_QUOTA_BYTES,
      });
    case 'rotateEveryMs':
      return new PalmError({
        code: 'bad-argument',
        reason: 'policy-rotation',
        minMs: MIN_ROTATION_MS,
        maxMs: MAX_ROTATION_MS,
      });
  }
}

/** The fields of an object that may have only these. */
function fieldsOf<Name extends string>(
  value: unknown,
  names: readonly Name[],
  of: 'policy' | 'graceMs',
): Partial<Record<Name, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PalmError({ code: 'bad-argument', reason: 'policy-parts', of });
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  if (![...fields.keys()].every((name) => names.some((known) => known === name))) {
    throw new PalmError({ code: 'bad-argument', reason: 'policy-parts', of });
  }
  const found: Partial<Record<Name, unknown>> = {};
  for (const name of names) found[name] = fields.get(name);
  return found;
}
