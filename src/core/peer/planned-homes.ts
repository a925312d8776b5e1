// Where the fragments of a file are to go: before it is published, and whenever the outbox decides about it.

import type { Manifest } from '../catalogue/manifest.ts';
import { heldBytesOf, type Geometry } from '../model/geometry.ts';
import type { DeviceId } from '../model/ids.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import { reachOf } from '../placement/health.ts';
import type { Anchors } from '../placement/anchors.ts';
import { planCopies, planPlacement, type Candidate } from '../placement/placement.ts';

/** What is known of a file before it is published. */
export type StoredFile = Pick<Manifest, keyof Geometry | 'salt'> & { readonly isPrivate: boolean };

export interface PlannedHomes {
  /** By fragment, this device's own share included; those that fit nowhere are left out. */
  readonly homes: ReadonlyMap<number, DeviceId>;
  /** The other devices among them to foretell their blocks to: their share fits twice. */
  readonly early: ReadonlySet<DeviceId>;
}

/** Plans as the outbox of `self` would place a file of this salt and geometry among `candidates`. */
export function planHomes(
  self: DeviceId,
  file: StoredFile,
  candidates: readonly Candidate[],
  anchors: Anchors,
): PlannedHomes {
  const { salt, k, n } = file;
  const fragments = Array.from({ length: n }, (_, fragment) => fragment);
  const fragmentBytes = heldBytesOf(file);
  const homes = planPlacement({ salt, k, fragments, fragmentBytes, candidates, held: new Map(), anchors });
  const early = candidates.filter(({ device, freeBytes }) => {
    const shareBytes = [...homes.values()].filter((home) => home === device).length * fragmentBytes;
    return device !== self && shareBytes > 0 && 2 * shareBytes <= freeBytes;
  });
  return { homes, early: new Set(early.map(({ device }) => device)) };
}

export interface OfferPlan {
  /** This device's own share. */
  readonly own: FragmentSet;
  /** By fragment, the device to offer it to. */
  readonly offered: ReadonlyMap<number, DeviceId>;
}

/** New homes for those of a file's fragments that are here. */
export function planOffers(plan: {
  readonly self: DeviceId;
  readonly manifest: Manifest;
  /** Sound and durable on this device. */
  readonly fragments: FragmentSet;
  /** Devices that may take some, this one included. */
  readonly candidates: readonly Candidate[];
  /** What others are believed to hold. */
  readonly believed: ReadonlyMap<DeviceId, FragmentSet>;
  readonly anchors: Anchors;
  /** By fragment, the offers that are not answered yet. */
  readonly offers: ReadonlyMap<number, { readonly device: DeviceId }>;
  /** Where fragments were planned to go before the file was published. */
  readonly homes: ReadonlyMap<number, DeviceId> | undefined;
}): OfferPlan {
  const { self, manifest, candidates, believed, offers, anchors } = plan;
  const held = new Map([...believed].map(([device, fragments]) => [device, new Set(fragments)]));
  for (const [fragment, { device }] of offers)
    held.set(device, (held.get(device) ?? new Set()).add(fragment));
  const fragments = [...plan.fragments].toSorted((a, b) => a - b);
  const fragmentBytes = heldBytesOf(manifest);
  const { salt, k, n } = manifest;
  const homes = planPlacement({
    salt,
    k,
    fragments,
    fragmentBytes,
    candidates,
    held,
    preferred: plan.homes,
    anchors,
  });
  const own = new Set<number>();
  const offered = new Map<number, DeviceId>();
  for (const [fragment, device] of homes) {
    if (device === self) own.add(fragment);
    else offered.set(fragment, device);
  }
  // Everything has a home: check whether any one device may be lost.
  if (offered.size === 0 && offers.size === 0 && n > k) {
    const all = new Map(held).set(self, own);
    const isPlaced = reachOf(new Map(all).set(self, new Set(fragments))) === reachOf(all);
    const copies = { salt, k, fragments, fragmentBytes, candidates, held: all, self, anchors };
    for (const { fragment, device } of isPlaced ? planCopies(copies) : []) {
      if (device === self) own.add(fragment);
      else offered.set(fragment, device);
    }
  }
  return { own, offered };
}

/** A fragment that two of these hold, and the fuller of the two. */
export function secondCopyAmong(
  holders: readonly (readonly [DeviceId, FragmentSet])[],
): { readonly device: DeviceId; readonly fragment: number } | undefined {
  const fullestFirst = holders.toSorted(([, a], [, b]) => b.size - a.size);
  for (const [device, fragments] of fullestFirst) {
    const fragment = [...fragments].find((each) =>
      holders.some(([other, others]) => other !== device && others.has(each)),
    );
    if (fragment !== undefined) return { device, fragment };
  }
  return undefined;
}
