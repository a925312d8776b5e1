// The upgrade of a pool without a charter: what its charter says, and which charters of others its person may
// follow. Either is written while the pool is closed, which is opened again as one with roles.

import { awaitedMembers } from '../core/catalogue/grants/awaited-members.ts';
import { charterCode, isCharterCode } from '../core/catalogue/grants/charter-code.ts';
import { takenParts } from '../core/catalogue/grants/part-joins.ts';
import type { LogPoint } from '../core/catalogue/grants/act-body.ts';
import type { CheckedAct } from '../core/catalogue/grants/act.ts';
import { PalmError } from '../core/model/errors.ts';
import type { DeviceId, EntryId } from '../core/model/ids.ts';
import type { Peer } from '../core/peer/peer.ts';
import { MAX_NAMED_BY_ACT } from '../core/model/limits.ts';
import type { KeyRing } from '../core/model/key-ring.ts';
import type { Identity } from '../core/ports.ts';
import type { RuntimePorts } from './runtime-ports.ts';
import { followPool, foundPool } from './acts/founding.ts';
import { ownExchangePair } from './epochs/epoch-secrets.ts';
import type { PeerDriver } from './peer/peer-driver.ts';
import type { Roles } from './roles.ts';
import type { UpgradedStatus, UpgradeStatus } from './trust-api.ts';

/** A pool while it is open. */
interface UpgradedPool {
  readonly driver: PeerDriver;
  readonly identity: Identity;
  readonly keys: KeyRing;
  readonly roles: Roles;
}

/** Of what a pool follows from now on, while it is closed. */
export type Writing = (ports: RuntimePorts) => Promise<unknown>;

/**
 * The charter of this pool, to be written once it is closed: all whose logs are here are members, as far as
 * they wrote. So no file of theirs is lost; who shall not stay is shut out afterwards.
 * @throws PalmError 'bad-argument'.
 */
export function upgradeOf({ driver, identity, keys, roles }: UpgradedPool): Writing {
  checkOld(driver);
  const { catalogue } = driver.peer;
  const others = catalogue
    .heads()
    .map(({ device }) => device)
    .filter((device) => device !== identity.deviceId);
  if (others.length > MAX_NAMED_BY_ACT) {
    throw new PalmError({ code: 'bad-argument', reason: 'upgrade-too-large', max: MAX_NAMED_BY_ACT });
  }
  return async (ports) => {
    const members = others.map((device): { device: DeviceId; point: LogPoint | undefined } => ({
      device,
      point: roles.headOf(device),
    }));
    const exchange = (await ownExchangePair(ports.secrets, ports.cryptography)).publicKey;
    await foundPool(ports, identity, keys, { members, recovery: undefined, exchange });
  };
}

/**
 * Follows the charter of another device, as `upgradeOf`; with a code, only the charter that has it.
 * @throws PalmError 'bad-argument', 'not-allowed'.
 */
export function followingOf(
  { driver, identity, keys }: UpgradedPool,
  id: string,
  code: string | undefined,
): Writing {
  checkOld(driver);
  const charter = driver.peer.acts.charters().find(({ record }) => record.id === id);
  if (charter === undefined) throw new PalmError({ code: 'bad-argument', reason: 'no-upgrade' });
  if (!isNamed(charter, identity.deviceId)) {
    throw new PalmError({ code: 'not-allowed', reason: 'not-named' });
  }
  if (code !== undefined && !isCharterCode(code, charter.record.id)) {
    throw new PalmError({ code: 'bad-argument', reason: 'wrong-upgrade-code' });
  }
  return (ports) => followPool(ports, keys, charter.record.id, [charter]);
}

/** @throws PalmError 'bad-argument' in a pool that has a charter. */
function checkOld({ peer }: PeerDriver): void {
  if (peer.acts.charter !== undefined) throw new PalmError({ code: 'bad-argument', reason: 'has-roles' });
}

/** Those that this page's person may follow. */
export function upgradesOf({ acts, catalogue }: Peer, self: DeviceId): UpgradeStatus[] {
  if (acts.charter !== undefined) return [];
  return acts.charters().map((charter) => ({
    id: charter.record.id,
    byId: charter.record.by,
    byName: catalogue.deviceName(charter.record.by),
    namesThis: isNamed(charter, self),
  }));
}

/** Undefined in a pool that was not upgraded. */
export function upgradedOf({ acts, catalogue }: Peer): UpgradedStatus | undefined {
  const { charter } = acts;
  const body = charter === undefined ? undefined : acts.find(charter)?.record.body;
  if (charter === undefined || body?.kind !== 'charter' || body.members.length === 0) return undefined;
  // Devices of a part that was taken in come by themselves.
  const coming = new Set(takenParts(acts).flatMap(({ members }) => members.map(({ device }) => device)));
  const awaits = awaitedMembers(acts.placed, acts.standings, charter)
    .filter((device) => !coming.has(device))
    .map((device) => ({ id: device, name: catalogue.deviceName(device) }));
  return { code: charterCode(charter), awaits };
}

/**
 * Whether nobody of the old pool is here any more, and the upgraded one does not know this device: it came by
 * the old invite.
 */
export function isLeftBehind(driver: PeerDriver): boolean {
  const upgrades = upgradesOf(driver.peer, driver.deviceId);
  const isAlone = driver.peer.reachableDevices().length <= 1;
  return isAlone && upgrades.length > 0 && upgrades.every(({ namesThis }) => !namesThis);
}

/** Follows a pool that took this device's part in. The acts of both are kept, before the charter is. */
export function movingTo({ driver: { peer }, keys }: UpgradedPool, to: EntryId): Writing {
  const acts = [...peer.acts.parts.actsOf(to), ...peer.acts.kept()];
  return (ports) => followPool(ports, keys, to, acts);
}

function isNamed({ record: { body } }: CheckedAct, device: DeviceId): boolean {
  return body.kind === 'charter' && body.members.some((member) => member.device === device);
}
