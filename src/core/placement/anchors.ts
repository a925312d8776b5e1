// Anchors: devices that are always on and hold k - 1 fragments of a file, so that any other device that is
// awake and has one more opens it with them, and they alone cannot. All anchors hold the same k - 1: together
// they have no more than one of them.
//
// The lead is the anchor that holds most of a file. Its fragments are those that the others are to have.

import type { Geometry } from '../model/geometry.ts';
import type { DeviceId } from '../model/ids.ts';
import type { FragmentSet } from './fragment-set.ts';
import { rendezvousScore } from './rendezvous.ts';

/** Devices that are placed as anchors of a file. Empty: its fragments are spread evenly. */
export type Anchors = ReadonlySet<DeviceId>;

export const NO_ANCHORS: Anchors = new Set();

const NOTHING: FragmentSet = new Set();

/**
 * Whether a file of this geometry survives the loss of k - 1 fragments and of one more: others stay spread.
 * With k = 2 an anchor holds no more than any other device.
 */
export function canBeAnchored({ k, n }: Pick<Geometry, 'k' | 'n'>): boolean {
  return k === 2 || (k > 2 && n >= 2 * k);
}

/** What the anchors of a file are to hold. */
export interface Lead {
  /** The anchor that holds most; if none holds anything, the best of those that are `open`. */
  readonly device: DeviceId;
  readonly fragments: FragmentSet;
}

/** Distinct fragments that all anchors have together. */
export function reachOfAnchors(anchors: Anchors, holders: ReadonlyMap<DeviceId, FragmentSet>): number {
  return new Set([...anchors].flatMap((device) => [...(holders.get(device) ?? NOTHING)])).size;
}

/** Undefined without an anchor that holds some of the file or is `open`: may take some. */
export function leadOf(
  salt: Uint8Array,
  anchors: Anchors,
  holders: ReadonlyMap<DeviceId, FragmentSet>,
  isOpen: (device: DeviceId) => boolean,
): Lead | undefined {
  const [lead] = [...anchors]
    .map((device) => ({ device, fragments: holders.get(device) ?? NOTHING }))
    .filter(({ device, fragments }) => fragments.size > 0 || isOpen(device))
    .map((each) => ({ ...each, score: rendezvousScore(salt, each.device) }))
    .toSorted((a, b) => b.fragments.size - a.fragments.size || b.score - a.score);
  return lead;
}

/** How many devices may be lost if an anchor has k - 1 of n fragments and `otherCount` devices the others. */
export function anchoredMargin({ k, n }: Pick<Geometry, 'k' | 'n'>, otherCount: number): number {
  const ofOthers = n - (k - 1);
  const loads = Array.from(
    { length: otherCount },
    (_, at) => Math.floor(ofOthers / otherCount) + (at < ofOthers % otherCount ? 1 : 0),
  );
  let leftCount = n;
  let lostCount = 0;
  for (const load of [k - 1, ...loads].toSorted((a, b) => b - a)) {
    leftCount -= load;
    if (leftCount < k) break;
    lostCount += 1;
  }
  return lostCount;
}
