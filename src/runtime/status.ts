// The read model: what the screens and scripts see of a pool. Computed from confirmed holdings, never from
// intent.

import { partsOf } from './joining-parts.ts';
import type { FileDetails } from '../core/model/file-details.ts';
import { splitCid } from '../core/model/content-cid.ts';
import { overusedStatus } from './doors/overused-status.ts';
import { compareTimes } from '../core/catalogue/clock.ts';
import type { ListedFile } from '../core/catalogue/file-index.ts';
import { isUnlisted } from '../core/catalogue/renewals.ts';
import type { DeviceId, FileId } from '../core/model/ids.ts';
import type { Peer } from '../core/peer/peer.ts';
import { marginOf, reachOf, type Holders } from '../core/placement/health.ts';
import type { RelayState } from '../core/transport-port.ts';
import type { DeviceStatus, FileStatus, PalmStatus } from './api.ts';
import type { LinkPaths } from './peer/link-paths.ts';
import type { PrivateFiles } from './private-files.ts';
import type { Repairing } from './repair/repairing.ts';
import type { Slices } from './slices.ts';
import type { KeyRing } from '../core/model/key-ring.ts';
import { upgradedOf, upgradesOf } from './upgrading.ts';
import type { Roles } from './roles.ts';
import type { WordlessStatus } from './worded-palm.ts';

/** The details of private files that this page knows, by file. */
type OpenedDetails = Pick<PrivateFiles, 'detailsOf'>;

/** The lists of a status without a pool. */
/** A key that is absent without a value. */
export function present<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): { readonly [Each in Key]?: Value } {
  // The key is the one that was asked for.
  return value === undefined ? {} : ({ [key]: value } as { readonly [Each in Key]?: Value });
}

export function noLists() {
  return {
    lock: 'none',
    devices: [],
    files: [],
    transfers: [],
    unfinished: [],
    repairs: [],
    activity: [],
  } as const;
}

/** The parts of an open pool that a status shows. */
interface ShownPool {
  readonly driver: {
    readonly peer: Peer;
    readonly paths: LinkPaths;
    readonly acts: { readonly epochs: { readonly inUse: { readonly sinceMs: number } | undefined } };
    dropping(): readonly FileId[];
  };
  readonly identity: { readonly deviceId: DeviceId };
  readonly keys: Pick<KeyRing, 'poolId' | 'current'>;
  readonly relay: RelayState;
  /** Whether another device has ever answered this one. */
  readonly answered: boolean;
  readonly privateFiles: OpenedDetails;
  readonly roles: Roles;
  readonly unfinished: { list(): PalmStatus['unfinished'] };
  readonly repairing: Pick<Repairing, 'repairs' | 'pauseReason'>;
  readonly rekeying: { status(): WordlessStatus['rekey'] };
  activity(): WordlessStatus['activity'];
}

type SessionStatus = Pick<
  WordlessStatus,
  | 'pool'
  | 'devices'
  | 'role'
  | 'shutOut'
  | 'overused'
  | 'files'
  | 'quota'
  | 'removed'
  | 'unfinished'
  | 'repairs'
  | 'repairPause'
  | 'rekey'
  | 'activity'
>;

export function sessionStatus(session: ShownPool, deviceName: string): SessionStatus {
  const { peer } = session.driver;
  const { keys, relay, answered, identity, privateFiles } = session;
  return {
    pool: {
      id: keys.poolId,
      name: peer.catalogue.poolName,
      relay,
      alone: !answered,
      invitesEnd: peer.acts.charter !== undefined,
      ...keysStatus(session),
      ...placementStatus(peer),
      ...recoveryStatus(session.roles),
      ...upgradeStatus(session),
    },
    devices: deviceStatuses(session, deviceName),
    ...roleStatus(peer, session.roles, identity.deviceId),
    ...present('overused', overusedStatus(peer)),
    files: fileStatuses(peer, privateFiles),
    ...quotaStatus(peer, identity.deviceId),
    ...removedStatus(peer, identity.deviceId, session.driver.dropping()),
    unfinished: session.unfinished.list(),
    ...repairStatuses(peer, session.repairing, privateFiles),
    ...present('rekey', session.rekeying.status()),
    activity: session.activity(),
  };
}

function deviceStatuses({ driver, identity }: ShownPool, selfName: string): DeviceStatus[] {
  const { peer, paths } = driver;
  const self = identity.deviceId;
  const others = new Set([...peer.catalogue.members(), ...peer.reachableDevices()]);
  others.delete(self);
  const own: DeviceStatus = {
    id: self,
    name: selfName,
    ...peer.membership.of(self),
    heldBytes: peer.own.heldBytes,
    self: true,
    ...kindStatus(peer, self),
    ...roleOf(peer, self),
  };
  const rest = [...others].toSorted().map((device): DeviceStatus => {
    return {
      id: device,
      name: peer.catalogue.deviceName(device),
      ...peer.membership.of(device),
      heldBytes: peer.holdings.of(device)?.heldBytes ?? 0,
      self: false,
      ...present('via', paths.of(device)),
      ...kindStatus(peer, device),
      ...roleOf(peer, device),
    };
  });
  return [own, ...rest];
}

/** Nothing in a pool without roles. */
function keysStatus({
  driver,
  keys,
}: ShownPool): Pick<NonNullable<PalmStatus['pool']>, 'epoch' | 'keysSinceMs'> {
  const { inUse } = driver.acts.epochs;
  return inUse === undefined ? {} : { epoch: keys.current.epoch, keysSinceMs: inUse.sinceMs };
}

function placementStatus({ catalogue }: Peer): Pick<NonNullable<PalmStatus['pool']>, 'placement'> {
  const { placement } = catalogue.policy;
  return placement === undefined ? {} : { placement };
}

function kindStatus(peer: Peer, device: DeviceId): Pick<DeviceStatus, 'anchor' | 'evictable'> {
  const isAnchor = peer.catalogue.policy.anchors?.includes(device) === true;
  return {
    ...(isAnchor ? { anchor: true } : {}),
    ...(peer.membership.isEvictable(device) ? { evictable: true } : {}),
  };
}

/** Nothing in a pool without roles. */
function recoveryStatus({ recovery }: Roles): Pick<NonNullable<PalmStatus['pool']>, 'recovery'> {
  const status = recovery.status();
  return status === undefined ? {} : { recovery: status };
}

function upgradeStatus({
  driver: { peer },
  identity,
}: ShownPool): Pick<NonNullable<PalmStatus['pool']>, 'upgrades' | 'upgraded' | 'parts'> {
  const upgrades = upgradesOf(peer, identity.deviceId);
  const parts = partsOf(peer, identity.deviceId);
  return {
    ...(upgrades.length === 0 ? {} : { upgrades }),
    ...present('upgraded', upgradedOf(peer)),
    ...(parts.length === 0 ? {} : { parts }),
  };
}

/** Nothing in a pool without roles. */
function roleOf({ acts }: Peer, device: DeviceId): Pick<DeviceStatus, 'role'> {
  const role = acts.isObeyed ? acts.roleOf(device) : undefined;
  return role === undefined ? {} : { role };
}

function roleStatus(peer: Peer, roles: Roles, self: DeviceId): Pick<PalmStatus, 'role' | 'shutOut'> {
  const shutOut = roles.shutOutDevices().map((device) => {
    const by = roles.outBy(device) ?? device;
    const [name, byName] = [device, by].map((each) => peer.catalogue.deviceName(each));
    return { id: device, name: name ?? '', self: device === self, byId: by, byName: byName ?? '' };
  });
  return { ...roleOf(peer, self), ...(shutOut.length === 0 ? {} : { shutOut }) };
}

/** The repairs that run on this device, or why they wait. */
function repairStatuses(
  { catalogue }: Peer,
  repairing: Pick<Repairing, 'repairs' | 'pauseReason'>,
  opened: OpenedDetails,
): Pick<PalmStatus, 'repairs' | 'repairPause'> {
  const { pauseReason } = repairing;
  const repairs = repairing.repairs().map(({ fileId: content, ...repair }) => {
    return { ...namedContent(catalogue, opened, content), ...repair, share: catalogue.policy.repairShare };
  });
  return { repairs, ...(pauseReason === undefined ? {} : { repairPause: pauseReason }) };
}

/** A content by a name of it; of several, the first. */
export function namedContent(
  catalogue: Peer['catalogue'],
  opened: OpenedDetails,
  content: FileId,
): { readonly fileId: FileId; readonly name: string } {
  const fileId = catalogue.namesOf(content)[0] ?? content;
  const details = catalogue.listedFile(fileId)?.details() ?? opened.detailsOf(fileId);
  return { fileId, name: details?.name ?? '' };
}

/** What the policy lets this device store, where it says anything. */
function quotaStatus({ catalogue, own }: Peer, self: DeviceId): Pick<PalmStatus, 'quota'> {
  const { storeBytes, giveBytes } = catalogue.policy;
  if (storeBytes === undefined && giveBytes === undefined) return {};
  return {
    quota: {
      ...(storeBytes === undefined ? {} : { storeBytes }),
      ...(giveBytes === undefined ? {} : { giveBytes }),
      storedBytes: catalogue.stored.of(self),
      givenBytes: own.heldBytes + own.freeBytes,
    },
  };
}

/** Removed files of which something is left on this device's disk. */
function removedStatus(
  { catalogue, grace, own }: Peer,
  self: DeviceId,
  dropping: readonly FileId[],
): Pick<PalmStatus, 'removed'> {
  const erasing = dropping.filter((file) => !catalogue.files().has(file) && !grace.has(file));
  const files = grace.size + erasing.length;
  if (files === 0) return {};
  const others = catalogue.members().filter((device) => device !== self);
  return { removed: { files, bytes: own.spareBytes, waitsFor: grace.waitsFor(others) } };
}

/** Without those of contents that a device of the pool stores anew: the old ones' names stand for them. */
function* shownNames(peer: Peer): Generator<ListedFile> {
  for (const listed of peer.catalogue.listed()) {
    const isComing = isUnlisted(listed) && peer.catalogue.isMember(listed.by) && !peer.isGone(listed.by);
    if (!isComing) yield listed;
  }
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
function fileStatuses(peer: Peer, opened: OpenedDetails): FileStatus[] {
  const known = knownStatuses.get(peer);
  const current = new Map<FileId, KnownStatus>();
  const files = inOrder(shownNames(peer)).map((listed) => {
    const now = knownStatus(peer, listed, opened, known?.get(listed.fileId));
    current.set(listed.fileId, now);
    return now.status;
  });
  knownStatuses.set(peer, current);
  return files;
}

/** Works out in slices what the first `fileStatuses` will need. */
export async function prepareStatuses(peer: Peer, opened: OpenedDetails, slices: Slices): Promise<void> {
  const known = new Map<FileId, KnownStatus>();
  // A copy: the catalogue may change in between.
  const files = Array.from(shownNames(peer));
  for (const listed of files) {
    await slices.next();
    known.set(listed.fileId, knownStatus(peer, listed, opened, undefined));
  }
  knownStatuses.set(peer, known);
}

function knownStatus(
  peer: Peer,
  listed: ListedFile,
  opened: OpenedDetails,
  last: KnownStatus | undefined,
): KnownStatus {
  const { fileId, contentId } = listed;
  const revision = peer.revisionOf(contentId);
  const details = opened.detailsOf(fileId);
  const fixed = last?.opened === details ? last?.status : undefined;
  if (fixed !== undefined && last?.revision === revision) return last;
  return {
    revision,
    opened: details,
    status: withHealth(peer, contentId, fixed ?? fixedStatus(listed, details)),
  };
}

function inOrder(listed: Iterable<ListedFile>): ListedFile[] {
  return [...listed].toSorted(
    (a, b) => a.atMs - b.atMs || compareTimes(a.publishedAt, b.publishedAt) || (a.fileId < b.fileId ? -1 : 1),
  );
}

/** What stays as long as the name is listed: reading it from the catalogue takes longer than the rest. */
type FixedStatus = Omit<FileStatus, Health>;
type Health = 'reach' | 'margin' | 'durable' | 'durableMargin' | 'holders' | 'inOutbox' | 'pinned' | 'safe';

function fixedStatus(
  { fileId, contentId, manifest, modifiedMs, by, atMs, details: shown }: ListedFile,
  opened: FileDetails | undefined,
): FixedStatus {
  const details = shown() ?? opened;
  return {
    fileId,
    contentId,
    name: details?.name ?? '',
    path: details?.path ?? '',
    ...splitCid(details?.mime ?? ''),
    size: manifest.size,
    k: manifest.k,
    n: manifest.n,
    private: manifest.access.kind === 'private',
    openable: details !== undefined,
    by,
    storedAtMs: atMs,
    modifiedMs,
  };
}

function withHealth(
  peer: Peer,
  content: FileId,
  before: FixedStatus & Pick<FileStatus, 'pinned'>,
): FileStatus {
  // A file that is not pinned has no such field.
  const { pinned: _, ...fixed } = before;
  const holders = peer.confirmedHoldersOf(content);
  const reachable: Holders = new Map([...holders].filter(([device]) => peer.isReachable(device)));
  const margin = marginOf(reachable, fixed.k);
  // A device that is back may still find that its browser deleted everything.
  const lasting = [...holders].filter(([device]) => !peer.membership.isEvictable(device));
  const durable: Holders = new Map(lasting.filter(([device]) => !peer.isGone(device)));
  const isAllHere =
    durable.size === reachable.size && [...durable.keys()].every((each) => reachable.has(each));
  const durableMargin = isAllHere ? margin : marginOf(durable, fixed.k);
  const lastingHere: Holders = new Map(lasting.filter(([device]) => reachable.has(device)));
  return {
    ...fixed,
    reach: reachOf(reachable),
    margin,
    durable: reachOf(durable),
    durableMargin,
    holders: [...holders].map(([deviceId, fragments]) => ({
      deviceId,
      fragments: [...fragments].toSorted((a, b) => a - b),
    })),
    inOutbox: peer.inOutbox(content),
    ...(peer.pins.has(content) && { pinned: true }),
    safe: (lastingHere.size === reachable.size ? margin : marginOf(lastingHere, fixed.k)) >= 1,
  };
}
