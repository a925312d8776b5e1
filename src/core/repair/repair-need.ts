// Whether a file needs repair, how urgently, and who repairs it. All devices that see the same claims and
// the same devices gone conclude the same.
//
// A fragment is durable while a device that is not gone claims it. A device that claims more than any device
// is given still places the file, if it stored it; otherwise it is not believed.

import type { Manifest } from '../catalogue/manifest.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import { quorumOf, type Geometry } from '../model/geometry.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import { marginOf, reachOf, Steps, type Holders } from '../placement/health.ts';

/** What repair needs to know of a file. */
export type RepairedFile = Pick<Manifest, keyof Geometry | 'salt' | 'by'>;

export interface RepairNeed {
  /** Devices that are not gone, and what counts of their claims. */
  readonly durable: ReadonlyMap<DeviceId, FragmentSet>;
  readonly durableCount: number;
  /** Fragments that no such device claims. */
  readonly missing: readonly number[];
  /** One more loss leaves no spare fragment, or worse: repair does not wait for more to be lost. */
  readonly isUrgent: boolean;
  /** Damaged copies of the device that places the file are missing: it rebuilds and keeps them itself. */
  readonly isOfStorer: boolean;
}

/** Whether its storer still places the file: it claims more than any device is given. */
export function isStillPlaced(
  { k, by }: Pick<RepairedFile, 'k' | 'by'>,
  claims: Holders,
  isGone: (device: DeviceId) => boolean,
): boolean {
  return !isGone(by) && (claims.get(by)?.size ?? 0) > fragmentCap(k);
}

/** Work that one look may spend on the margin of each file that needs repair. */
const MARGIN_STEPS = 200;

/**
 * The file's need; undefined when it has none: enough is durable, or its storer still places it.
 *
 * Repair waits until half of the spare fragments are lost, k + ceil((n - k) / 2) or fewer being durable, and
 * then rebuilds everything missing, because k blocks are read however many are rebuilt. `isHasty`: it waits
 * for no further loss, because a person asks for repair, or the next time may be weeks away. `wasPlaced`:
 * devices held it before; where nobody claims any of it now, all have found their copies damaged.
 */
export function repairNeedOf(
  file: RepairedFile,
  claims: Holders,
  isGone: (device: DeviceId) => boolean,
  isHasty = false,
  wasPlaced = false,
): RepairNeed | undefined {
  const { k, n, by } = file;
  if (isStillPlaced(file, claims, isGone)) return undefined;
  const durable = durableOf(k, claims, isGone);
  // Its storer has just published it, and has not told what it holds.
  if (durable.size === 0 && !isGone(by) && !wasPlaced) return undefined;
  const durableCount = reachOf(durable);
  if (durableCount === n || (!isHasty && durableCount > quorumOf(file))) return undefined;
  const there = new Set([...durable.values()].flatMap((fragments) => [...fragments]));
  return {
    durable,
    durableCount,
    missing: missingOf(n, there),
    isUrgent: durableCount <= k + 1,
    isOfStorer: false,
  };
}

/**
 * The need of a file that `self` places; undefined if all n copies are here. Without its own copy it could
 * judge no proof of that fragment, and might never let go of the others.
 */
export function placingNeedOf(
  { k, n }: RepairedFile,
  claims: Holders,
  self: DeviceId,
  isGone: (device: DeviceId) => boolean,
): RepairNeed | undefined {
  const own = claims.get(self) ?? new Set<number>();
  if (own.size === n) return undefined;
  const durable = durableOf(k, claims, isGone).set(self, own);
  return {
    durable,
    durableCount: reachOf(durable),
    missing: missingOf(n, own),
    isUrgent: true,
    isOfStorer: true,
  };
}

/** What counts of these claims: of devices that are not gone, and are believed. */
export function durableOf(
  k: number,
  claims: Holders,
  isGone: (device: DeviceId) => boolean,
): Map<DeviceId, FragmentSet> {
  const durable = new Map<DeviceId, FragmentSet>();
  for (const [device, fragments] of claims) {
    const isBelieved = fragments.size > 0 && fragments.size <= fragmentCap(k);
    if (isBelieved && !isGone(device)) durable.set(device, fragments);
  }
  return durable;
}

function missingOf(n: number, there: FragmentSet): number[] {
  return Array.from({ length: n }, (_, fragment) => fragment).filter((each) => !there.has(each));
}

/** The smaller, the more endangered is the file: fragments to spare, then devices that may be lost. */
export function dangerOf(file: RepairedFile, { durable, durableCount }: RepairNeed): number {
  const margin = marginOf(durable, file.k, new Steps(MARGIN_STEPS));
  return (durableCount - file.k) * 1_000 + margin;
}

/**
 * Who repairs a file, in this order: who holds most of it has least to fetch; among equals a hash of the
 * file and the device decides, so that the files of a pool are shared out. Devices that hold nothing repair
 * only if no holder can.
 */
export function repairersOf(
  fileId: FileId,
  { durable }: RepairNeed,
  able: readonly DeviceId[],
): readonly DeviceId[] {
  const heldBy = (device: DeviceId): number => durable.get(device)?.size ?? 0;
  const holders = able.filter((device) => heldBy(device) > 0);
  return (holders.length > 0 ? [...holders] : [...able])
    .map((device) => ({ device, count: heldBy(device), score: mixed(`${fileId}/${device}`) }))
    .toSorted((a, b) => b.count - a.count || b.score - a.score || (a.device < b.device ? -1 : 1))
    .map(({ device }) => device);
}

/** FNV-1a (32 bits). Both ids are cryptographic hashes already; this only mixes them. */
export function mixed(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
