// The read model: what the screens and scripts see of a pool. Computed from confirmed holdings, never from
// intent.

import { compareTimes } from '../core/catalogue/clock.ts';
import type { FileDetails, Manifest, PublishedManifest } from '../core/catalogue/manifest.ts';
import type { DeviceId, FileId } from '../core/model/ids.ts';
import type { Peer } from '../core/peer/peer.ts';
import { marginOf, reachOf, type Holders } from '../core/placement/health.ts';
import type { DeviceStatus, FileStatus } from './api.ts';

/** The details of private files that this page knows, by file. */
export type OpenedDetails = ReadonlyMap<FileId, FileDetails>;

export function deviceStatuses(peer: Peer, self: DeviceId, selfName: string): DeviceStatus[] {
  const others = new Set([...peer.catalogue.members(), ...peer.reachableDevices()]);
  others.delete(self);
  const own: DeviceStatus = {
    id: self,
    name: selfName,
    state: 'reachable',
    heldBytes: peer.own.heldBytes,
    self: true,
  };
  const rest = [...others].toSorted().map((device): DeviceStatus => {
    return {
      id: device,
      name: peer.catalogue.deviceName(device),
      state: peer.isReachable(device) ? 'reachable' : 'away',
      heldBytes: peer.holdings.of(device)?.heldBytes ?? 0,
      self: false,
    };
  });
  return [own, ...rest];
}

interface KnownStatus {
  readonly revision: string;
  readonly details: FileDetails | undefined;
  readonly status: FileStatus;
}

/**
 * The last result for each peer: of thousands of files few change between two looks, and margins take
 * combinations to compute.
 */
const knownStatuses = new WeakMap<Peer, ReadonlyMap<FileId, KnownStatus>>();

/**
 * By their dates, which follow those of the files that their storers knew: a clock that is wrong misplaces
 * nothing that was stored in sight of the others. An unchanged file is the same object as before.
 */
export function fileStatuses(peer: Peer, opened: OpenedDetails): FileStatus[] {
  const known = knownStatuses.get(peer) ?? new Map<FileId, KnownStatus>();
  const current = new Map<FileId, KnownStatus>();
  const files = inOrder(peer.catalogue.files()).map(([fileId, manifest]) => {
    const revision = peer.revisionOf(fileId);
    const details = manifest.access.kind === 'pool' ? manifest.access.details : opened.get(fileId);
    const last = known.get(fileId);
    const isCurrent = last?.revision === revision && last.details === details;
    const status = isCurrent ? last.status : fileStatus(peer, fileId, manifest, details);
    current.set(fileId, { revision, details, status });
    return status;
  });
  knownStatuses.set(peer, current);
  return files;
}

function inOrder(files: ReadonlyMap<FileId, PublishedManifest>): [FileId, Manifest][] {
  const dated = [...files].map(([fileId, manifest]) => ({ fileId, manifest, at: manifest.publishedAt }));
  dated.sort(
    (a, b) => a.manifest.atMs - b.manifest.atMs || compareTimes(a.at, b.at) || (a.fileId < b.fileId ? -1 : 1),
  );
  return dated.map(({ fileId, manifest }) => [fileId, manifest]);
}

function fileStatus(
  peer: Peer,
  fileId: FileId,
  manifest: Manifest,
  details: FileDetails | undefined,
): FileStatus {
  const holders = peer.confirmedHoldersOf(fileId);
  const reachable: Holders = new Map([...holders].filter(([device]) => peer.isReachable(device)));
  const isPrivate = manifest.access.kind === 'private';
  const margin = marginOf(reachable, manifest.k);
  return {
    fileId,
    name: details?.name ?? '',
    path: details?.path ?? '',
    mime: details?.mime ?? '',
    size: manifest.size,
    k: manifest.k,
    n: manifest.n,
    reach: reachOf(reachable),
    margin,
    holders: [...holders].map(([deviceId, fragments]) => ({
      deviceId,
      fragments: [...fragments].toSorted((a, b) => a - b),
    })),
    private: isPrivate,
    openable: details !== undefined,
    inOutbox: peer.inOutbox(fileId),
    by: manifest.by,
    storedAtMs: manifest.atMs,
    modifiedMs: manifest.modifiedMs,
    safe: margin >= 1,
  };
}
