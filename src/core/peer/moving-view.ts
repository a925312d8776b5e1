// What moving and handing over see of a device's state.

import type { Catalogue } from '../catalogue/catalogue.ts';
import type { Manifest } from '../catalogue/manifest.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import type { Anchors } from '../placement/anchors.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import type { Holdings } from '../placement/holdings.ts';
import type { Candidate } from '../placement/placement.ts';
import type { MovingView } from './moving.ts';
import type { OwnHoldings } from './own-holdings.ts';
import type { PeerLinks } from './peer-links.ts';

/** What it is made of: PeerState. */
interface MovedState {
  readonly self: DeviceId;
  readonly links: PeerLinks;
  readonly own: OwnHoldings;
  readonly catalogue: Catalogue;
  readonly holdings: Holdings;
  readonly outbox: { has(file: FileId): boolean };
  readonly pins: { has(file: FileId): boolean };
  readonly anchoring: { ofManifest(manifest: Manifest): Anchors };
  countedHoldersOf(file: FileId): ReadonlyMap<DeviceId, FragmentSet>;
  isRebuilding(file?: FileId): boolean;
  isLeaving(device: DeviceId): boolean;
  repairTakers(file: FileId): Candidate[];
}

/**
 * How long a device must have been linked, ms, before copies are dropped because of it: all links of this
 * page together, because those of phones are short. In pools whose devices count as gone sooner, as in tests,
 * it is as long as that.
 */
const TRUST_MS = 10 * 60_000;
/** What a link is taken to carry, bytes a second; what it does is measured in runtime/peer/link-rates.ts. */
const LINK_BYTES_PER_S = 8_000_000;

export function movingViewOf(state: MovedState): MovingView {
  const { self, links, own, catalogue } = state;
  return {
    self,
    ownFiles: () => own.files(),
    ownOf: (file) => own.of(file),
    manifestOf: (file) => catalogue.files().get(file),
    countedHoldersOf: (file) => state.countedHoldersOf(file),
    isBusy: (file) => state.outbox.has(file) || state.isRebuilding(file),
    isRepairing: () => state.isRebuilding(),
    isPinned: (file) => state.pins.has(file),
    provesSinceMs: (device) => {
      const link = links.get(device);
      const isAble = link?.greeted === true && link.features.has('moves') && link.features.has('challenge');
      return isAble && catalogue.isMember(device) ? link.upAtMs - link.earlierMs : undefined;
    },
    isLeaving: (device) => state.isLeaving(device),
    takers: (file) =>
      state.repairTakers(file).filter(({ device }) => links.get(device)?.features.has('moves')),
    anchorsOf: (manifest) => state.anchoring.ofManifest(manifest),
    spaceOf: (device) => (device === self ? own : (state.holdings.of(device) ?? NO_SPACE)),
    trustMs: () => Math.min(TRUST_MS, ...Object.values(catalogue.policy.graceMs)),
    bytesPerS: () => catalogue.policy.repairShare * LINK_BYTES_PER_S,
  };
}

const NO_SPACE = { heldBytes: 0, freeBytes: 0 };
