// The runtime behind `window.palm` and the screens: one device, in one pool at a time, over the given ports.
// The page's `window.palm` is `AwaitedPalm`, which is there before this is loaded, in words of `WordedPalm`.

import { atMost } from '../core/at-most.ts';
import { PalmError } from '../core/model/errors.ts';
import type { DoctorProbes } from '../core/doctor/facts.ts';
import type { Invite } from '../core/model/invite.ts';
import { MAX_DEVICE_NAME_BYTES, MAX_POOL_NAME_BYTES } from '../core/model/limits.ts';
import type { Clock, Identity } from '../core/ports.ts';
import type { NoticeStatus, ReadOptions } from './api.ts';
import type { DiagnoseOptions } from './doctor-api.ts';
import { examine, type WordlessDiagnosis } from './doctor/gathering.ts';
import { NO_PROBES, poolSeen } from './doctor/pool-links.ts';
import { HandingOver } from './handing-over.ts';
import { noticeOf, type Notice } from './notice.ts';
import { Notices } from './notices.ts';
import { Listeners } from './listeners.ts';
import { Locking } from './locking.ts';
import { awaitedPieces } from './read/awaited-pieces.ts';
import type { PieceSource } from './read/piece-stream.ts';
import { OpenPool } from './open-pool.ts';
import { PoolCalls } from './pool-calls.ts';
import { NameApart } from './own-name.ts';
import type { PalmOpening, RuntimePorts } from './runtime-ports.ts';
import { checkedName } from './checked-name.ts';
import { Entrance } from './entrance.ts';
import { endAfterLoss, finishLeaving, isLeaveNoted, isLeaving, wipe } from './leaving.ts';
import { LEAVE_STEP_MS, sayGoodbye } from './leaving.ts';
import { hasPool, loadDeviceName, loadPool, saveDeviceName } from './saved-pool.ts';
import { Reopening } from './reopening.ts';
import { noLists, present, sessionStatus } from './status.ts';
import { Meetings } from './meetings.ts';
import type { FollowOptions, UpgradeOptions } from './trust-api.ts';
import { Transfers } from './transfers.ts';
import { isLeftBehind } from './upgrading.ts';
import type { WordlessPalm, WordlessStatus } from './worded-palm.ts';

export interface OpenedPalm extends WordlessPalm {
  /** The ports are gone, all at once: nothing is told of what fails from now on. */
  end(): void;
}

/**
 * Opens the device: loads its identity and, if it was in a pool, that pool. Returns immediately; `ready`
 * resolves when the device is open, and rejects when it cannot be opened.
 */
export function openPalm(opening: PalmOpening): OpenedPalm {
  return new PalmRuntime(opening);
}

class PalmRuntime extends PoolCalls implements OpenedPalm {
  readonly ready: Promise<void>;
  readonly pairing: Meetings['pairing'];
  readonly lobby: Meetings['lobby'];
  readonly #meetings: Meetings;
  readonly #clock: Clock;
  readonly #probes: () => DoctorProbes;
  readonly #notices = new Notices();
  readonly #transfers: Transfers;
  readonly #listeners: Listeners;
  readonly #ports: Promise<RuntimePorts>;
  readonly #handingOver: HandingOver;
  /** The ports, once storage is open; rejected when it cannot be opened, until this device left. */
  #opened: Promise<RuntimePorts>;
  #identity: Identity | undefined;
  #deviceName: string;
  readonly #suggestedName: string;
  readonly #locking: Locking;
  readonly #nameApart: NameApart;
  #session: OpenPool | undefined;
  /** The session that is starting. */
  #opening: OpenPool | undefined;
  readonly #entrance: Entrance;
  #leaving: Promise<void> | undefined;
  readonly #reopening: Reopening;
  /** Whether a pool was left under this page: a start that still goes on must not take it up again. */
  #hasLeft = false;
  /** Whether what was stored was deleted under this page. */
  #isGone = false;

  constructor(opening: PalmOpening) {
    super();
    const { clock, suggestedDeviceName, ports, charters = true } = opening;
    this.#clock = clock;
    this.#probes = () => opening.probes ?? NO_PROBES;
    this.#listeners = new Listeners(clock, () => this.#look());
    this.#nameApart = new NameApart(suggestedDeviceName);
    this.#deviceName = this.#suggestedName = suggestedDeviceName;
    this.#transfers = new Transfers(clock, () => this.#changed());
    this.#handingOver = new HandingOver(clock, () => this.#changed());
    this.#locking = new Locking({
      stop: (reason) => this.#close(reason),
      start: (opened) => this.#restart(opened),
      changed: () => this.#changed(),
    });
    const device = { opened: () => this.#opened, changed: () => this.#changed() };
    this.#entrance = new Entrance(
      {
        ...device,
        outside: () => this.#outside(),
        deviceName: () => this.#deviceName,
        setDeviceName: (name) => this.setDeviceName(name),
        open: (...given) => this.#openSession(...given),
        notice: (...told) => this.#notice(...told),
        failed: this.#warn,
      },
      charters,
    );
    ({ pairing: this.pairing, lobby: this.lobby } = this.#meetings = new Meetings({
      ...device,
      clock,
      session: () => this.#session,
      identity: () => this.#identity,
      entrance: this.#entrance,
      background: (work) => this.background(work),
    }));
    this.#reopening = new Reopening({
      pool: () => this.pool(),
      opened: () => this.#opened,
      status: () => this.status(),
      close: (reason) => this.#close(reason),
      restart: (opened) => this.#restart(opened),
      shutOutAll: (devices) => this.shutOutAll(devices),
      rotate: () => this.rotate(),
      isBusy: () => this.#transfers.list().length > 0,
      notice: (...told) => this.#notice(...told),
    });
    this.#ports = ports;
    const started = ports.then((opened) => {
      void opened.storageGone.then(() => this.#storageGone(opened));
      return this.#start(opened);
    });
    this.#opened = this.#locking.unlessLocked(started);
    this.ready = started.then(() => undefined);
    this.ready.catch((error: unknown) => this.#notice('error', noticeOf(error)));
  }

  async createPool(options: { readonly name: string; readonly deviceName?: string }): Promise<void> {
    await this.#entrance.create(checkedName('pool', options.name, MAX_POOL_NAME_BYTES), options.deviceName);
  }

  async join(url: string, options: { readonly deviceName?: string } = {}): Promise<{ answered: boolean }> {
    const joined = await this.#meetings.join(url, options.deviceName);
    if (!joined.answered && this.#session !== undefined && isLeftBehind(this.#session.driver)) {
      await this.#leave(await this.#ports);
      throw new PalmError({ code: 'bad-invite', reason: 'upgraded' });
    }
    return joined;
  }

  upgrade(options: UpgradeOptions = {}): Promise<void> {
    return this.#reopening.upgrade(options);
  }

  followUpgrade(id: string, options: FollowOptions = {}): Promise<void> {
    return this.#reopening.follow(id, options);
  }

  pieces(fileId: string, options: ReadOptions): PieceSource {
    return awaitedPieces(async (signal, stopped) => {
      return (await this.pool()).read(fileId, { ...options, signal }, stopped);
    }, options.signal);
  }

  async leave({ handOver, signal }: Parameters<WordlessPalm['leave']>[0] = {}): Promise<void> {
    const ports = await this.#ports;
    this.#meetings.end();
    if (await this.#entrance.giveUp()) return;
    // Whether or not a start or join under way succeeds.
    await atMost(this.#clock, LEAVE_STEP_MS, Promise.allSettled([this.#opened, this.#entrance.settled()]));
    this.#session?.roles.checkLeave();
    if (handOver === true) await this.#handingOver.run(this.inPool().driver, signal);
    else this.#handingOver.stop();
    this.#leaving ??= this.#leave(ports).finally(() => (this.#leaving = undefined));
    return this.#leaving;
  }

  async #leave(ports: RuntimePorts): Promise<void> {
    const { secrets, identity } = ports;
    const session = this.#session;
    if (session === undefined && !(await hasPool(secrets)) && !(await isLeaving(ports))) this.inPool();
    if (session !== undefined) await sayGoodbye(session, this.#clock, this.#warn);
    this.#session = undefined;
    const opening = this.#opening;
    this.#opening = undefined;
    this.#hasLeft = true;
    await opening?.stop().catch(this.#warn);
    try {
      await wipe(ports);
    } finally {
      this.#notices.clear();
      this.#changed();
    }
    await this.#locking.look(ports.lock);
    this.#identity = await identity.load();
    this.#opened = Promise.resolve(ports);
    // A full or failing disk may not take the name: people can set it again.
    await saveDeviceName(ports, this.#deviceName).catch(this.#warn);
    this.#changed();
  }

  async setDeviceName(name: string): Promise<void> {
    const ports = await this.#opened;
    this.#deviceName = checkedName('device', name, MAX_DEVICE_NAME_BYTES);
    await saveDeviceName(ports, this.#deviceName);
    await this.#session?.driver.publish({ kind: 'profile', name: this.#deviceName });
    this.#changed();
  }

  async lock(...given: Parameters<WordlessPalm['lock']>): Promise<void> {
    const ports = await this.#opened;
    await this.#entrance.settled();
    const isCovered = this.#identity?.isLockable !== false;
    await this.#locking.lock(ports, ...given);
    if (!isCovered) this.#notice('warning', { kind: 'key-not-locked' });
  }

  protected async lockable(): Promise<readonly [Locking, RuntimePorts]> {
    await this.ready;
    return [this.#locking, await this.#ports];
  }

  status(): WordlessStatus {
    if (this.#reopening.status !== undefined) return this.#reopening.status;
    const device = { id: this.#identity?.deviceId ?? '', name: this.#deviceName };
    const base = {
      device,
      ...this.#locking.parts,
      transfers: this.#transfers.list(),
      notices: this.#notices.list(),
      ...this.#meetings.status,
    };
    const [session, joining] = [this.#session, this.#entrance.joining];
    if (session === undefined) return { ...noLists(), ...base, ...present('joining', joining) };
    const status = sessionStatus(session, this.#deviceName);
    return { ...base, ...this.#handingOver.status(status.files, device.id), ...status };
  }

  diagnose(options?: DiagnoseOptions): Promise<WordlessDiagnosis> {
    const [clock, probes] = [this.#clock, this.#probes()];
    const lookAtPool = async (signal: AbortSignal) => poolSeen(this.#session, clock, signal);
    return examine({ clock, probes, lookAtPool }, options);
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  cancel(transferId: string): void {
    this.#transfers.cancel(transferId);
  }

  end(): void {
    this.#isGone = true;
    this.#close(new PalmError({ code: 'cancelled', reason: 'closing' })).catch(() => undefined);
  }

  async #close(reason: PalmError): Promise<void> {
    this.#meetings.end();
    this.#handingOver.stop();
    await this.#entrance.abandon(reason, false);
    const session = this.#session;
    this.#session = undefined;
    await session?.stop(reason);
    this.#notices.clear();
  }

  #restart(ports: RuntimePorts): Promise<unknown> {
    this.#hasLeft = false;
    const started = this.#start(ports);
    this.#opened = this.#locking.unlessLocked(started);
    return started;
  }

  /** Opens what can be opened: nothing of a device that is locked. */
  async #start(ports: RuntimePorts): Promise<RuntimePorts> {
    const { records, secrets, identity, lock } = ports;
    const isLeft = await isLeaveNoted(records);
    const isLocked = (await this.#locking.look(lock)) === 'locked';
    const name = isLocked ? this.#suggestedName : await loadDeviceName(ports);
    this.#deviceName = name ?? this.#deviceName;
    if (isLeft) await finishLeaving(ports, this.#deviceName, this.#warn);
    this.#identity = undefined;
    if ((await this.#locking.look(lock)) === 'locked') return ports;
    this.#identity = this.#unlessLeft(await identity.load());
    const invite = this.#unlessLeft(await loadPool(secrets));
    if (invite !== undefined) {
      const session = await this.#openSession(invite, this.#identity, ports);
      this.background(this.#reopening.carryOn(session, ports));
    } else if (await isLeaving(ports)) {
      await finishLeaving(ports, this.#deviceName, this.#warn);
      this.#identity = await identity.load();
    } else await this.#entrance.resume(this.#identity, ports);
    this.#changed();
    return ports;
  }

  #unlessLeft<Value>(value: Value): Value {
    if (this.#hasLeft) throw new PalmError({ code: 'not-in-pool', reason: 'left' });
    return value;
  }

  /** Site data was cleared, or evicted, under this page. Claims are withdrawn at once. */
  async #storageGone(ports: RuntimePorts): Promise<void> {
    const gone = new PalmError({ code: 'storage-failed', reason: 'gone' });
    const sessions = [this.#session, this.#opening].filter((session) => session !== undefined);
    this.#transfers.abortAll(gone);
    this.#meetings.end();
    this.#entrance.abandon(gone, false).catch(this.#warn);
    for (const { driver } of sessions) driver.input({ kind: 'storage-gone' });
    this.#session = undefined;
    this.#opening = undefined;
    this.#opened = Promise.reject(gone);
    this.#opened.catch(() => undefined); // every call that awaits it reports it
    this.#notice('error', noticeOf(gone));
    this.#isGone = true;
    await endAfterLoss(sessions, ports, this.#clock, this.#warn);
  }

  #outside(): Identity {
    if (this.#session !== undefined || this.#entrance.isEntering || this.#identity === undefined) {
      throw new PalmError({ code: 'already-in-pool' });
    }
    return this.#identity;
  }

  async #openSession(invite: Invite, identity: Identity, ports: RuntimePorts): Promise<OpenPool> {
    const session = new OpenPool(invite, identity, ports, this.#transfers, {
      changed: () => this.#changed(),
      notice: (level, notice) => this.#notice(level, notice),
      misdeed: (device, what, count) => {
        this.#notices.addMisdeed(this.#clock.wallMs(), 'warning', what, device, count);
        this.#changed();
      },
    });
    this.#opening = session;
    try {
      await session.start();
      // A slow start may end after this device left.
      if (this.#opening !== session) throw new PalmError({ code: 'not-in-pool', reason: 'left' });
    } catch (error) {
      await session.stop().catch(this.#warn);
      throw error;
    }
    this.#opening = undefined;
    this.#session = session;
    this.#changed();
    return session;
  }

  protected async pool(): Promise<OpenPool> {
    await this.#opened;
    return this.inPool();
  }

  protected inPool(): OpenPool {
    this.#locking.checkOpen();
    if (this.#session !== undefined) return this.#session;
    throw new PalmError({ code: 'not-in-pool', reason: 'in-none' });
  }

  protected background(work: Promise<unknown>): void {
    work.catch(this.#warn);
  }

  readonly #warn = (error: unknown): void => this.#notice('warning', noticeOf(error));

  #notice(level: NoticeStatus['level'], notice: Notice): void {
    // Everything fails now, for the one reason that was told.
    if (this.#isGone) return;
    this.#notices.add(this.#clock.wallMs(), level, notice);
    this.#changed();
  }

  #changed(): void {
    this.#listeners.changed();
  }

  #look(): void {
    this.#meetings.look();
    this.background(this.#reopening.look(this.#session) ?? Promise.resolve());
    const other = this.#nameApart.other(this.#session?.driver, this.#deviceName);
    if (other !== undefined && this.#leaving === undefined) this.setDeviceName(other).catch(this.#warn);
  }
}
