// Where the fragments of a file are to go that is not published yet.

import type { Manifest } from '../catalogue/manifest.ts';
import { heldBytesOf, type Geometry } from '../model/geometry.ts';
import type { DeviceId } from '../model/ids.ts';
import { planPlacement, type Candidate } from '../placement/placement.ts';

export interface PlannedHomes {
  /** By fragment, this device's own share included; those that fit nowhere are left out. */
  readonly homes: ReadonlyMap<number, DeviceId>;
  /** The other devices among them that can be foretold their blocks: their share fits twice. */
  readonly early: ReadonlySet<DeviceId>;
}

/** As the outbox of `self` would place a file of this salt and geometry among `candidates`. */
export function planHomes(
  self: DeviceId,
  file: Pick<Manifest, keyof Geometry | 'salt'>,
  candidates: readonly Candidate[],
): PlannedHomes {
  const { salt, k, n } = file;
  const fragments = Array.from({ length: n }, (_, fragment) => fragment);
  const fragmentBytes = heldBytesOf(file);
  const homes = planPlacement({ salt, k, fragments, fragmentBytes, candidates, held: new Map() });
  const early = candidates.filter(({ device, freeBytes }) => {
    const shareBytes = [...homes.values()].filter((home) => home === device).length * fragmentBytes;
    return device !== self && shareBytes > 0 && 2 * shareBytes <= freeBytes;
  });
  return { homes, early: new Set(early.map(({ device }) => device)) };
}
