// What a pool follows changes only while it is closed: it is upgraded, or follows an upgrade, and is opened
// again. Until then its last status is shown.

import type { PlacedAct } from '../core/catalogue/grants/act-graph.ts';
import { PalmError } from '../core/model/errors.ts';
import type { DeviceId, EntryId } from '../core/model/ids.ts';
import type { Notice } from './notice.ts';
import type { OpenPool } from './open-pool.ts';
import type { RuntimePorts } from './runtime-ports.ts';
import type { FollowOptions, UpgradeOptions } from './trust-api.ts';
import { forgetUpgrade, noteUpgrade, unfinishedUpgrade } from './unfinished-upgrade.ts';
import { followingOf, movingTo, upgradeOf, type Writing } from './upgrading.ts';
import type { WordlessStatus } from './worded-palm.ts';

export interface ReopeningPorts {
  pool(): Promise<OpenPool>;
  /** Once storage is open. */
  opened(): Promise<RuntimePorts>;
  status(): WordlessStatus;
  close(reason: PalmError): Promise<void>;
  restart(ports: RuntimePorts): Promise<unknown>;
  shutOutAll(devices: readonly string[]): Promise<void>;
  rotate(): Promise<void>;
  /** Whether something is being transferred. */
  isBusy(): boolean;
  notice(level: 'info', notice: Notice): void;
}

export class Reopening {
  readonly #ports: ReopeningPorts;
  #last: Promise<void> = Promise.resolve();
  /** What is shown while the pool is closed for a moment. */
  #shown: WordlessStatus | undefined;

  /** The acts for which it was last looked whether this device follows another part. */
  #looked = '';
  #isMoving = false;

  constructor(ports: ReopeningPorts) {
    this.#ports = ports;
  }

  /** Undefined while nothing is reopened. */
  get status(): WordlessStatus | undefined {
    return this.#shown;
  }

  async upgrade({ shutOut = [] }: UpgradeOptions): Promise<void> {
    await this.#reopen((session) => {
      session.roles.checkOthers(shutOut);
      const write = upgradeOf(session);
      return async (ports) => {
        await noteUpgrade(ports.records, shutOut);
        await write(ports);
      };
    });
    // Whoever has the old invite knows the keys of before.
    if (shutOut.length === 0) await this.#ports.rotate();
    else await this.#ports.shutOutAll(shutOut);
    await forgetUpgrade((await this.#ports.opened()).records);
  }

  async follow(id: string, { code }: FollowOptions): Promise<void> {
    await this.#reopen((session) => followingOf(session, id, code));
  }

  /**
   * The pool may have been taken in by another part of it: then this device follows that one, once nothing is
   * transferred.
   */
  look(session: OpenPool | undefined): Promise<void> | undefined {
    if (session === undefined || this.#shown !== undefined || this.#isMoving) return undefined;
    const { acts } = session.driver.peer;
    const known = `${acts.digest()} ${acts.parts.version}`;
    if (this.#looked === known) return undefined;
    const to = acts.successor(session.driver.deviceId);
    if (to !== undefined && this.#ports.isBusy()) return undefined;
    this.#looked = known;
    if (to === undefined) return undefined;
    this.#isMoving = true;
    return this.#move(to).finally(() => (this.#isMoving = false));
  }

  async #move(to: EntryId): Promise<void> {
    await this.#reopen((open) => movingTo(open, to));
    const { driver } = await this.#ports.pool();
    const { acts } = driver.peer;
    const by = acts.find(to)?.record.by;
    if (by === undefined) return;
    const isMember = acts.roleOf(driver.deviceId) !== 'reader';
    this.#ports.notice('info', { kind: 'taken-in', by: driver.quotedDevice(by), isMember });
  }

  /** The pool was opened. Shuts out whom an upgrade that ended half-way did not. */
  async carryOn({ driver: { peer, deviceId } }: OpenPool, { records }: RuntimePorts): Promise<void> {
    if (this.#shown !== undefined) return;
    const wanted = await unfinishedUpgrade(records);
    if (wanted.length === 0) return;
    const { acts } = peer;
    // Without a charter the upgrade never began, and is asked for again.
    const others = acts.roleOf(deviceId) === 'admin' && acts.isObeyed ? wanted : [];
    // Who was shut out before the page ended may have been let in again.
    const left = others.filter((device) => !acts.placed.some((act) => isShutOutOf(act, device)));
    if (left.length > 0) await this.#ports.shutOutAll(left);
    await forgetUpgrade(records);
  }

  /**
   * Writes what the pool follows from now on while it is closed. One after another: the second of two calls
   * finds what the first one wrote.
   */
  #reopen(writingOf: (session: OpenPool) => Writing): Promise<void> {
    const done = this.#last.then(() => this.#reopenNow(writingOf));
    this.#last = done.catch(() => undefined); // the caller gets the failure
    return done;
  }

  async #reopenNow(writingOf: (session: OpenPool) => Writing): Promise<void> {
    const write = writingOf(await this.#ports.pool());
    const opened = await this.#ports.opened();
    this.#shown = this.#ports.status();
    try {
      await this.#ports.close(new PalmError({ code: 'cancelled', reason: 'closing' }));
      await write(opened);
    } finally {
      await this.#ports.restart(opened).finally(() => (this.#shown = undefined));
    }
  }
}

function isShutOutOf({ body }: PlacedAct, device: DeviceId): boolean {
  return body.kind === 'shut-out' && body.device === device;
}
