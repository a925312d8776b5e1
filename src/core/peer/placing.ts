// What the outbox knows of a file that is being placed.

import type { Geometry } from '../model/geometry.ts';
import type { DeviceId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import type { Offer } from './offer-deadlines.ts';

export interface OutboxProgress {
  /** Distinct fragments that have a home, this device's own share included. */
  readonly placedCount: number;
  /** Those, and the ones that others claim to hold but have not proved yet. */
  readonly claimedCount: number;
  /** Offers under way, or to be repeated shortly. */
  readonly pendingCount: number;
}

export interface Placing {
  /** Where fragments were planned to go before the file was published; their blocks may be there. */
  readonly homes: ReadonlyMap<number, DeviceId> | undefined;
  /** By fragment. */
  readonly offers: Map<number, Offer>;
  /** Devices that declined this file, until when. */
  readonly declined: Map<DeviceId, { readonly untilMs: number; readonly soon: boolean }>;
  /** Since when devices could not be asked to prove their claims. */
  readonly missing: Map<DeviceId, number>;
  /** When a quorum was first claimed. */
  quorumAtMs: number | undefined;
  /** How often each device took nothing that it was offered. */
  readonly failures: Map<DeviceId, number>;
  progress: OutboxProgress;
  /** How often devices were asked to give up a second copy, and when the next may be asked. */
  releases: { readonly count: number; readonly againAtMs: number };
}

export function newPlacing(homes: ReadonlyMap<number, DeviceId> | undefined): Placing {
  return {
    homes,
    offers: new Map(),
    declined: new Map(),
    missing: new Map(),
    quorumAtMs: undefined,
    failures: new Map(),
    progress: { placedCount: 0, claimedCount: 0, pendingCount: 0 },
    releases: { count: 0, againAtMs: 0 },
  };
}

/**
 * Whether an outbox row of an earlier page still counts. Not if the file is not here, or if this device keeps
 * no more than its share: it let go of the rest, and ended before it deleted the row. Damaged fragments count
 * as held: they go before the others do.
 */
export function isToPlace(manifest: Geometry | undefined, heldCount: number): boolean {
  return manifest !== undefined && (heldCount === manifest.n || heldCount > fragmentCap(manifest.k));
}
