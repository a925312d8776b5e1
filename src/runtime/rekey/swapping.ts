// Moves the names of a content to the one that was stored anew in its place, once that is as safe; and makes
// good for what others did to these names meanwhile (docs/decisions/0043-re-keying.md).
//
// Invariants: a name is taken away from the old content only once the new one has it. A name that somebody
// else took away gets no successor, and loses the one that it has.

import type { CheckedEntry } from '../../core/catalogue/check.ts';
import { isUnlisted, Renewals } from '../../core/catalogue/renewals.ts';
import type { DeviceId, FileId } from '../../core/model/ids.ts';
import { marginOf, reachOf, type Holders } from '../../core/placement/health.ts';
import type { PeerDriver } from '../peer/peer-driver.ts';
import type { Naming } from '../store/naming.ts';
import type { MovedName } from './rekey-journal.ts';

export interface SwapPorts {
  readonly driver: PeerDriver;
  readonly naming: Naming;
  /** Durable when it resolves. */
  noteMoved(name: MovedName): Promise<void>;
  movedName(old: FileId): MovedName | undefined;
}

/** What is seen of holders. */
interface SafetyView {
  readonly catalogue: { manifestOf(file: FileId): { readonly k: number } | undefined };
  readonly membership: { isEvictable(device: DeviceId): boolean };
  confirmedHoldersOf(file: FileId): Holders;
  isGone(device: DeviceId): boolean;
}

/**
 * Whether as many fragments of `to` are on devices that are not gone, and as many of these may be lost. Where
 * one may be lost without those whose browsers delete what is not used, one may be afterwards.
 */
export function isAsSafe(peer: SafetyView, to: FileId, from: FileId): boolean {
  const k = peer.catalogue.manifestOf(to)?.k;
  const oldK = peer.catalogue.manifestOf(from)?.k;
  if (k === undefined || oldK === undefined) return false;
  const [holders, old] = [durableOf(peer, to), durableOf(peer, from)];
  const isAsFar = reachOf(holders) >= reachOf(old) && marginOf(holders, k) >= marginOf(old, oldK);
  const lastingMargin = Math.min(1, marginOf(lastingOf(peer, old), oldK));
  return isAsFar && marginOf(lastingOf(peer, holders), k) >= lastingMargin;
}

function durableOf(peer: SafetyView, file: FileId): Holders {
  return new Map([...peer.confirmedHoldersOf(file)].filter(([device]) => !peer.isGone(device)));
}

function lastingOf(peer: SafetyView, holders: Holders): Holders {
  return new Map([...holders].filter(([device]) => !peer.membership.isEvictable(device)));
}

/**
 * Moves all names of `from` to `to`, and with the last one the old bytes go. Undone by nothing: it goes on
 * after a crash where it was. Does nothing to a content that lost its names: then the new one goes, too.
 * Returns whether the names moved: they stay where they are if the new content is gone, and the file is
 * exposed as before.
 */
export async function swap(from: FileId, to: FileId, ports: SwapPorts): Promise<boolean> {
  const { driver, naming } = ports;
  const { catalogue } = driver.peer;
  for (const old of catalogue.namesOf(from)) {
    const listed = catalogue.listedFile(old);
    const details = listed?.details();
    if (listed === undefined || details === undefined) continue;
    const renewed = await naming.name(to, details, listed.modifiedMs, listed.atMs);
    if (renewed === undefined) return false;
    // Somebody may have taken the old one away a moment ago.
    if (!catalogue.namesOf(from).includes(old)) {
      await naming.remove(renewed, to);
      continue;
    }
    await ports.noteMoved({ old, givenBy: listed.by, renewed, to });
    await naming.remove(old, from);
  }
  await dropUnlisted(to, ports);
  return true;
}

/** Takes the name away that a new content had until it got those of the old one; with it, one without any. */
export async function dropUnlisted(to: FileId, { driver, naming }: SwapPorts): Promise<void> {
  const own = driver.peer.catalogue.listedFile(to);
  if (own !== undefined && isUnlisted(own) && own.by === driver.deviceId) await naming.remove(to, to);
}

/** A name that this device moved, and another device, too, elsewhere. */
export interface Twin {
  readonly own: MovedName;
  /** The content that the other one stored. */
  readonly other: FileId;
}

/**
 * Entries of others came. Where they take away what this device moved, the moved name goes as well: the
 * person meant the file. Returns those that the others only moved, too.
 */
export async function followRemovals(entries: readonly CheckedEntry[], ports: SwapPorts): Promise<Twin[]> {
  const { driver, naming } = ports;
  const { acts, catalogue } = driver.peer;
  const renewals = new Renewals(catalogue);
  const twins: Twin[] = [];
  for (const { entry } of entries) {
    const { body, deviceId: by } = entry;
    if ((body.kind !== 'remove' && body.kind !== 'unname') || by === driver.deviceId) continue;
    const own = ports.movedName(body.file);
    if (own === undefined || (by !== own.givenBy && acts.roleOf(by) !== 'admin')) continue;
    const other = renewals.of(body.file, by)?.contentId;
    if (other === undefined) await naming.remove(own.renewed, own.to);
    else if (other !== own.to) twins.push({ own, other });
  }
  return twins;
}

/**
 * Two devices stored the same content anew while they were apart: of the two, that of the smaller id stays.
 * Returns whether there is nothing more to decide here.
 */
export async function settleTwin({ own, other }: Twin, { driver, naming }: SwapPorts): Promise<boolean> {
  const { catalogue } = driver.peer;
  const { renewed, to } = own;
  if (!catalogue.files().has(other) || !catalogue.namesOf(to).includes(renewed) || to < other) return true;
  if (!isAsSafe(driver.peer, other, to)) return false;
  await naming.remove(renewed, to);
  return true;
}
