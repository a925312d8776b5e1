// What this device may do in its pool, in time for its person: before something is begun that every other
// device would ignore. And what an admin does to others: roles, and shutting out.

import type { ListedFile } from '../core/catalogue/file-index.ts';
import type { LogPoint } from '../core/catalogue/grants/act-body.ts';
import { openOffers } from '../core/catalogue/grants/part-joins.ts';
import type { PlacedAct } from '../core/catalogue/grants/act-graph.ts';
import type { PackedEntry } from '../core/catalogue/packed-entry.ts';
import { PalmError } from '../core/model/errors.ts';
import type { NotAllowed } from '../core/model/not-allowed.ts';
import { parseDeviceId, type DeviceId } from '../core/model/ids.ts';
import { NO_RANK, ROLES, type Role } from '../core/model/role.ts';
import type { Clock } from '../core/ports.ts';
import type { PeerDriver } from './peer/peer-driver.ts';
import type { Notice } from './notice.ts';
import { Recovery, type RecoveryPorts } from './recovery.ts';

export interface RolesPorts extends Omit<RecoveryPorts, 'headOf' | 'otherEndsOf'> {
  readonly clock: Clock;
}

export class Roles {
  readonly #driver: PeerDriver;
  readonly #clock: Clock;
  readonly #notice: (notice: Notice) => void;
  readonly recovery: Recovery;
  #wasOut = false;

  /** `notice`: tells this device's person that it was shut out. */
  constructor(ports: RolesPorts, notice: (notice: Notice) => void) {
    this.#driver = ports.driver;
    this.#clock = ports.clock;
    this.#notice = notice;
    this.recovery = new Recovery({
      ...ports,
      headOf: (device) => this.headOf(device),
      otherEndsOf: (device) => this.#otherEndsOf(device),
    });
  }

  /** Tells once when this device was shut out. */
  look(): void {
    const out = this.#outOf(this.#driver.deviceId);
    if (out !== undefined && !this.#wasOut) {
      const reason = out.body.kind === 'shut-out' ? out.body.reason : '';
      this.#notice({ kind: 'shut-out', by: this.#driver.quotedDevice(out.by), reason });
    }
    this.#wasOut = out !== undefined;
  }

  /** @throws PalmError 'not-allowed' unless this device may store. */
  checkStore(): void {
    if (this.#ownRole() === 'reader') throw notAllowed('reader');
  }

  /** The same. @throws PalmError 'not-allowed' unless this device may take this name away. */
  checkedRemoval(listed: ListedFile): ListedFile {
    const role = this.#ownRole();
    if (role === 'reader') throw notAllowed('reader');
    const isOther = listed.by !== this.#driver.deviceId;
    if (role === 'member' && isOther) throw notAllowed('file-of-another');
    const { own } = this.#driver.peer.acts;
    // Where this part is taken in, it is a member's removal, and would not count.
    if (isOther && own !== undefined && openOffers(own).length > 0) throw notAllowed('offered');
    return listed;
  }

  /** @throws PalmError 'not-allowed' unless this device is an admin. */
  checkAdmin(): void {
    if (this.#ownRole() !== 'admin') throw notAllowed('admins-only');
  }

  /** @throws PalmError 'not-allowed' if nobody were left who may admit and shut out, or act on all admins. */
  checkLeave(): void {
    const { peer, deviceId: self } = this.#driver;
    if (peer.acts.charter === undefined || peer.acts.roleOf(self) !== 'admin') return;
    const others = peer.catalogue.members().filter((device) => device !== self && !peer.isGone(device));
    const hasSuccessor = others.some((device) => peer.acts.roleOf(device) === 'admin');
    if (others.length === 0) return;
    if (!hasSuccessor) throw notAllowed('last-admin');
    const isLastFirst = [self, ...others].every(
      (device) => (peer.acts.rankOf(device) === 0) === (device === self),
    );
    if (isLastFirst && this.recovery.status()?.hasCode !== true) throw notAllowed('no-code');
  }

  /** @throws PalmError 'not-allowed', 'bad-argument'. */
  async grant(device: string, role: Role): Promise<void> {
    if (!ROLES.includes(role)) throw new PalmError({ code: 'bad-argument', reason: 'no-role' });
    const to = this.#other(device);
    await this.#driver.acts.write(() => {
      const as = this.#rankOver(to);
      const rank = role === 'admin' ? as + 1 : NO_RANK;
      if (role === 'admin' && rank >= NO_RANK) throw notAllowed('above');
      return { kind: 'grant', as, device: to, role, rank, after: this.headOf(to) };
    });
  }

  /** @throws PalmError 'not-allowed', 'bad-argument'. */
  async shutOut(ids: readonly string[]): Promise<void> {
    const devices = ids.map((id) => this.#other(id));
    await this.#driver.acts.shuttingOut(async (write) => {
      for (const device of devices) {
        const last = this.headOf(device);
        // These acts come first, so that a page that ends in between hides nothing.
        for (const end of this.#otherEndsOf(device))
          await write(() => ({ kind: 'keep', as: this.#rankOver(device), device, last: end }));
        await write(() => {
          const as = this.#rankOver(device);
          return { kind: 'shut-out', as, device, last, undone: [], reason: '' };
        });
      }
    });
  }

  /** @throws PalmError 'bad-argument' unless all are other devices of the pool. */
  checkOthers(ids: readonly string[]): void {
    const { peer, deviceId } = this.#driver;
    const others = peer.catalogue.members().filter((device) => device !== deviceId);
    const areOthers = ids.every((id) => others.some((device) => device === id));
    if (!areOthers) throw new PalmError({ code: 'bad-argument', reason: 'no-device' });
  }

  /** Gives the pool new keys. @throws PalmError 'not-allowed'. */
  async rotate(): Promise<void> {
    if (this.#driver.peer.acts.charter === undefined) throw notAllowed('no-roles');
    this.checkAdmin();
    if ((await this.#driver.acts.rotate()) === undefined) throw notAllowed('admins-only');
  }

  /** Devices that were shut out, by id. */
  shutOutDevices(): DeviceId[] {
    const { acts } = this.#driver.peer;
    return [...acts.members()].filter((device) => acts.isOut(device)).toSorted();
  }

  /** Who shut the device out; undefined if it is not out. */
  outBy(device: DeviceId): DeviceId | undefined {
    return this.#outOf(device)?.by;
  }

  #outOf(device: DeviceId): PlacedAct | undefined {
    return this.#driver.peer.acts.standings.outsOf(device).at(-1);
  }

  /** @throws PalmError 'not-allowed' when this device is out. */
  #ownRole(): Role {
    const { peer, deviceId } = this.#driver;
    if (!peer.acts.isObeyed) return 'admin';
    const role = peer.acts.roleOf(deviceId);
    if (role === undefined) throw notAllowed(peer.acts.isOut(deviceId) ? 'shut-out' : 'not-in');
    return role;
  }

  #other(text: string): DeviceId {
    const { peer, deviceId } = this.#driver;
    if (peer.acts.charter === undefined) throw notAllowed('no-roles');
    this.checkAdmin();
    let device: DeviceId;
    try {
      device = parseDeviceId(text);
    } catch (cause) {
      throw new PalmError({ code: 'bad-argument', reason: 'no-device' }, { cause });
    }
    if (device === deviceId) throw notAllowed('self');
    if (!peer.acts.members().has(device)) throw new PalmError({ code: 'bad-argument', reason: 'no-device' });
    return device;
  }

  /** The rank by which this device acts on another one. */
  #rankOver(device: DeviceId): number {
    this.checkAdmin();
    const { acts } = this.#driver.peer;
    const own = acts.rankOf(this.#driver.deviceId);
    const isAbove = acts.rankOf(device) <= own;
    // A shut-out by somebody above is taken back by nobody below.
    const isOutByAbove = acts.standings
      .outsOf(device)
      .some(({ body }) => body.kind === 'shut-out' && body.as < own);
    if (isAbove || isOutByAbove) throw notAllowed('above');
    return own;
  }

  /** What the device wrote so far, as far as is known here. */
  headOf(device: DeviceId): LogPoint | undefined {
    const { seq, prev } = this.#driver.peer.catalogue.positionOf(device, this.#clock.wallMs());
    return prev === undefined ? undefined : { seq: seq - 1, entry: prev };
  }

  /**
   * The last entries of its log's branches, without that of the longest one. A log that forked may end in
   * what a thief wrote: files of all branches that are here shall count on.
   */
  #otherEndsOf(device: DeviceId): LogPoint[] {
    const last = this.headOf(device);
    const entries: PackedEntry[] = [];
    for (const entry of this.#driver.peer.catalogue.missingFor([], { device, seq: 0, entry: undefined })) {
      if (entry.deviceId !== device) break;
      entries.push(entry);
    }
    const followed = new Set(entries.map(({ prevId }) => prevId));
    return entries
      .filter(({ entryId }) => !followed.has(entryId) && entryId !== last?.entry)
      .map(({ seq, entryId }) => ({ seq, entry: entryId }));
  }
}

function notAllowed(reason: NotAllowed['reason']): PalmError {
  return new PalmError({ code: 'not-allowed', reason });
}
