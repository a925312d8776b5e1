// Which devices are anchors, as this device sees its pool. The policy names them: that a device says of
// itself that it is always on makes it none.

import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Manifest } from '../catalogue/manifest.ts';
import { anchoredCounts, type Geometry } from '../model/geometry.ts';
import type { DeviceId } from '../model/ids.ts';
import type { Membership } from '../membership/membership.ts';
import { canBeAnchored, NO_ANCHORS, type Anchors } from '../placement/anchors.ts';
import type { Candidate } from '../placement/placement.ts';
import { planHomes, type PlannedHomes, type StoredFile } from './planned-homes.ts';

interface AnchoringView {
  readonly self: DeviceId;
  readonly catalogue: Catalogue;
  readonly membership: Membership;
  isLeaving(device: DeviceId): boolean;
  /** Devices that may take fragments now, this one included. */
  candidates(): readonly Candidate[];
}

export class Anchoring {
  readonly #view: AnchoringView;

  constructor(view: AnchoringView) {
    this.#view = view;
  }

  /** Members that say that they are always on: it is their word. Who may set the policy names anchors. */
  alwaysOn(): readonly DeviceId[] {
    const { catalogue, membership } = this.#view;
    return catalogue.members().filter((device) => membership.of(device).class === 'alwaysOn');
  }

  /** Devices that are placed as anchors of the file: none of a private one, which stays spread. */
  ofManifest({ k, n, access }: Pick<Manifest, 'k' | 'n' | 'access'>): Anchors {
    return this.#of({ k, n, isPrivate: access.kind === 'private' });
  }

  /** k and n of a new file that has anchors; undefined without any. */
  counts(): { readonly k: number; readonly n: number } | undefined {
    const anchors = this.#now();
    if (anchors.size === 0) return undefined;
    const { self, catalogue, membership } = this.#view;
    const others = catalogue
      .members()
      .filter((device) => !anchors.has(device) && (device === self || !membership.isGone(device)));
    return anchoredCounts(others.length);
  }

  /** Homes as the outbox would plan them now for a file of this salt and geometry. */
  planHomes(file: StoredFile): PlannedHomes {
    return planHomes(this.#view.self, file, this.#view.candidates(), this.#of(file));
  }

  #of({ k, n, isPrivate }: Pick<Geometry, 'k' | 'n'> & { readonly isPrivate: boolean }): Anchors {
    return isPrivate || !canBeAnchored({ k, n }) ? NO_ANCHORS : this.#now();
  }

  /** Those that count: members that the policy names, neither gone nor leaving. */
  #now(): Anchors {
    const { self, catalogue, membership } = this.#view;
    const named = catalogue.policy.anchors ?? [];
    if (named.length === 0) return NO_ANCHORS;
    const isThere = (device: DeviceId): boolean => device === self || !membership.isGone(device);
    return new Set(
      named.filter(
        (device) => catalogue.isMember(device) && isThere(device) && !this.#view.isLeaving(device),
      ),
    );
  }
}
