// The read model: what the screens and scripts see of a pool. Computed from confirmed holdings, never from
// intent.

import type { FileDetails } from '../core/model/file-details.ts';
import { compareTimes } from '../core/catalogue/clock.ts';
import type { ListedFile } from '../core/catalogue/file-index.ts';
import type { DeviceId, FileId } from '../core/model/ids.ts';
import type { Peer } from '../core/peer/peer.ts';
import { marginOf, reachOf, type Holders } from '../core/placement/health.ts';
import type { DeviceStatus, FileStatus } from './api.ts';
import type { PrivateFiles } from './private-files.ts';

/** The lists of a status without a pool. */
export function noLists() {
  return { devices: [], files: [], transfers: [], unfinished: [], repairs: [], activity: [] };
}

export function deviceStatuses(peer: Peer, self: DeviceId, selfName: string): DeviceStatus[] {
  const others = new Set([...peer.catalogue.members(), ...peer.reachableDevices()]);
  others.delete(self);
  const own: DeviceStatus = {
    id: self,
    name: selfName,
    ...peer.membership.of(self),
    heldBytes: peer.own.heldBytes,
    self: true,
  };
  const rest = [...others].toSorted().map((device): DeviceStatus => {
    return {
      id: device,
      name: peer.catalogue.deviceName(device),
      ...peer.membership.of(device),
      heldBytes: peer.holdings.of(device)?.heldBytes ?? 0,
      self: false,
    };
  });
  return [own, ...rest];
}

interface KnownStatus {
  readonly revision: string;
  /** Of a private file, which this page may learn or not know. */
  readonly opened: FileDetails | undefined;
  readonly status: FileStatus;
}

/**
 * The last result for each peer: of thousands of files few change between two looks, and margins take
 * combinations to compute.
 */
const knownStatuses = new WeakMap<Peer, ReadonlyMap<FileId, KnownStatus>>();

/**
 * One for each name. By their dates, which follow those of the files that their storers knew: a clock that is
 * wrong misplaces nothing that was stored in sight of the others. An unchanged file is the same object as
 * before.
 */
export function fileStatuses(peer: Peer, opened: Pick<PrivateFiles, 'detailsOf'>): FileStatus[] {
  const known = knownStatuses.get(peer) ?? new Map<FileId, KnownStatus>();
  const current = new Map<FileId, KnownStatus>();
  const files = inOrder(peer.catalogue.listed()).map((listed) => {
    const { fileId, contentId } = listed;
    const revision = peer.revisionOf(contentId);
    const details = opened.detailsOf(fileId);
    const last = known.get(fileId);
    const isCurrent = last?.revision === revision && last.opened === details;
    const status = isCurrent ? last.status : fileStatus(peer, listed, details);
    current.set(fileId, { revision, opened: details, status });
    return status;
  });
  knownStatuses.set(peer, current);
  return files;
}

function inOrder(listed: Iterable<ListedFile>): ListedFile[] {
  return [...listed].toSorted(
    (a, b) => a.atMs - b.atMs || compareTimes(a.publishedAt, b.publishedAt) || (a.fileId < b.fileId ? -1 : 1),
  );
}

function fileStatus(
  peer: Peer,
  { fileId, contentId, manifest, modifiedMs, by, atMs, details: shown }: ListedFile,
  opened: FileDetails | undefined,
): FileStatus {
  const details = shown() ?? opened;
  const holders = peer.confirmedHoldersOf(contentId);
  const reachable: Holders = new Map([...holders].filter(([device]) => peer.isReachable(device)));
  const isPrivate = manifest.access.kind === 'private';
  const margin = marginOf(reachable, manifest.k);
  const durable: Holders = new Map([...holders].filter(([device]) => !peer.isGone(device)));
  return {
    fileId,
    contentId,
    name: details?.name ?? '',
    path: details?.path ?? '',
    mime: details?.mime ?? '',
    size: manifest.size,
    k: manifest.k,
    n: manifest.n,
    reach: reachOf(reachable),
    margin,
    durable: reachOf(durable),
    durableMargin: durable.size === reachable.size ? margin : marginOf(durable, manifest.k),
    holders: [...holders].map(([deviceId, fragments]) => ({
      deviceId,
      fragments: [...fragments].toSorted((a, b) => a - b),
    })),
    private: isPrivate,
    openable: details !== undefined,
    inOutbox: peer.inOutbox(contentId),
    by,
    storedAtMs: atMs,
    modifiedMs,
    safe: margin >= 1,
  };
}
