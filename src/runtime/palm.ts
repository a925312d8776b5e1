// The runtime behind `window.palm` and the screens: one device, in one pool at a time, over the given ports.
// The page's `window.palm` is `AwaitedPalm`, which is there before this is loaded, in words of `WordedPalm`.

import { PalmError } from '../core/model/errors.ts';
import { decodeInvite, type Invite } from '../core/model/invite.ts';
import { MAX_DEVICE_NAME_BYTES, MAX_POOL_NAME_BYTES } from '../core/model/limits.ts';
import type { Policy, PolicyChange } from '../core/model/policy.ts';
import { FIRST_EPOCH, POOL_SECRET_BYTES } from '../core/model/pool-keys.ts';
import type { Clock, Identity } from '../core/ports.ts';
import type { NoticeStatus, ReadOptions, ResumeOptions, StoreOptions, StoreResult } from './api.ts';
import { HandingOver } from './handing-over.ts';
import { noticeOf, type Notice } from './notice.ts';
import { Notices } from './notices.ts';
import type { PieceSource } from './read/piece-stream.ts';
import { OpenPool } from './open-pool.ts';
import { NameApart } from './own-name.ts';
import type { RuntimePorts } from './runtime-ports.ts';
import { atMost } from './at-most.ts';
import { awaitAnswer } from './awaited-answer.ts';
import { checkedName } from './checked-name.ts';
import { isLeaveNoted, isLeaving, wipe } from './leaving.ts';
import { hasPool, loadDeviceName, loadPool, saveDeviceName, savePool } from './saved-pool.ts';
import { deviceStatuses, fileStatuses, noLists, removedStatus, repairStatuses } from './status.ts';
import { Transfers } from './transfers.ts';
import type { WordlessPalm, WordlessStatus } from './worded-palm.ts';

/**
 * After a quiet period listeners hear of a change immediately, and then at most this often, ms. A fast
 * transfer changes something thousands of times a second, and showing it takes processor time from the bytes.
 */
const NOTIFY_EVERY_MS = 200;
/** How long leaving waits at most, ms, for a start that hangs and for each device to be told. */
const LEAVE_STEP_MS = 5_000;

/** How long deleting all data of an origin takes a browser at most, ms. */
const GONE_SETTLES_MS = 1_000;

export interface PalmOpening {
  readonly clock: Clock;
  /** The device name to begin with. */
  readonly suggestedDeviceName: string;
  /** The ports, once this tab has the device and its database is open. */
  readonly ports: Promise<RuntimePorts>;
  /** Whether another tab has the device, so that `ports` waits until it closes. Default: never. */
  readonly isElsewhere?: () => boolean;
}

/**
 * Opens the device: loads its identity and, if it was in a pool, that pool. Returns immediately; `ready`
 * resolves when the device is open, and rejects when it cannot be opened.
 */
export function openPalm(opening: PalmOpening): WordlessPalm {
  return new PalmRuntime(opening);
}

class PalmRuntime implements WordlessPalm {
  readonly ready: Promise<void>;
  readonly #clock: Clock;
  readonly #notices = new Notices();
  readonly #transfers: Transfers;
  readonly #listeners = new Set<() => void>();
  readonly #ports: Promise<RuntimePorts>;
  readonly #isElsewhere: () => boolean;
  readonly #handingOver: HandingOver;
  /** The ports, once storage is open; rejected when it cannot be opened, until this device left. */
  #opened: Promise<RuntimePorts>;
  #identity: Identity | undefined;
  #deviceName: string;
  readonly #nameApart: NameApart;
  #session: OpenPool | undefined;
  /** The session that is starting. */
  #opening: OpenPool | undefined;
  #entering: Promise<unknown> | undefined;
  #leaving: Promise<void> | undefined;
  /** Whether a pool was left under this page: a start that still goes on must not take it up again. */
  #hasLeft = false;
  /** Whether what was stored was deleted under this page. */
  #isGone = false;
  #notifying = false;
  #notifiedAtMs = -Infinity;

  constructor({ clock, suggestedDeviceName, ports, isElsewhere = () => false }: PalmOpening) {
    this.#clock = clock;
    this.#nameApart = new NameApart(suggestedDeviceName);
    this.#deviceName = suggestedDeviceName;
    this.#transfers = new Transfers(clock, () => this.#changed());
    this.#handingOver = new HandingOver(clock, () => this.#changed());
    this.#ports = ports;
    this.#isElsewhere = isElsewhere;
    this.#opened = ports.then((opened) => this.#start(opened));
    this.ready = this.#opened.then(() => undefined);
    this.ready.catch((error: unknown) => this.#notice('error', noticeOf(error)));
  }

  async createPool(options: { readonly name: string; readonly deviceName?: string }): Promise<void> {
    const name = checkedName('pool', options.name, MAX_POOL_NAME_BYTES);
    const { random } = await this.#opened;
    const secret = random.bytes(POOL_SECRET_BYTES);
    const session = await this.#enter({ secret, epoch: FIRST_EPOCH }, options.deviceName);
    await session.driver.publish({ kind: 'pool', name });
  }

  invite(): string {
    return this.#inPool().invite();
  }

  async join(url: string, options: { readonly deviceName?: string } = {}): Promise<{ answered: boolean }> {
    const session = await this.#enter(decodeInvite(url), options.deviceName);
    const answered = await awaitAnswer(session, this.#clock);
    if (!answered) this.#notice('warning', { kind: 'nobody-answers' });
    return { answered };
  }

  async store(blob: Blob, options: StoreOptions): Promise<StoreResult> {
    await this.#opened;
    return this.#inPool().store(blob, options);
  }

  async resumeStore(id: string, blob?: Blob, options: ResumeOptions = {}): Promise<StoreResult> {
    await this.#opened;
    return this.#inPool().resume(id, blob, options);
  }

  async discardStore(id: string): Promise<void> {
    await this.#opened;
    await this.#inPool().discard(id);
  }

  pieces(fileId: string, options: ReadOptions): PieceSource {
    let pieces: AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> | undefined;
    const cancelled = new AbortController();
    const { signal } = options;
    const onAbort = (): void => cancelled.abort(signal?.reason);
    if (signal?.aborted === true) onAbort();
    return {
      start: async (fail) => {
        signal?.addEventListener('abort', onAbort, { once: true });
        await this.#opened;
        const stopped = (error: unknown): void => {
          fail(error);
          // The reader may never ask again: prefetched bytes must not wait for it.
          void pieces?.return();
        };
        pieces = this.#inPool().read(fileId, { ...options, signal: cancelled.signal }, stopped);
      },
      next: async () => {
        const next = await pieces?.next();
        if (next !== undefined && next.done !== true) return next.value;
        signal?.removeEventListener('abort', onAbort);
        return undefined;
      },
      cancel: async () => {
        signal?.removeEventListener('abort', onAbort);
        cancelled.abort();
        await pieces?.return();
      },
    };
  }

  async openLink(link: string): Promise<{ fileId: string }> {
    await this.#opened;
    return this.#inPool().openLink(link);
  }

  async remove(fileId: string): Promise<void> {
    await this.#opened;
    await this.#inPool().remove(fileId);
  }

  async leave({ handOver, signal }: Parameters<WordlessPalm['leave']>[0] = {}): Promise<void> {
    if (this.#isElsewhere()) throw new PalmError({ code: 'other-tab', reason: 'leave-there' });
    const ports = await this.#ports;
    // Whether or not a start or join under way succeeds.
    await atMost(this.#clock, LEAVE_STEP_MS, Promise.allSettled([this.#opened, this.#entering]));
    if (handOver === true) await this.#handingOver.run(this.#inPool().driver, signal);
    else this.#handingOver.stop();
    this.#leaving ??= this.#leave(ports).finally(() => (this.#leaving = undefined));
    return this.#leaving;
  }

  async #leave(ports: RuntimePorts): Promise<void> {
    const { records, secrets, identity } = ports;
    const session = this.#session;
    if (session === undefined && !(await hasPool(secrets)) && !(await isLeaving(ports))) this.#inPool();
    if (session !== undefined) await this.#sayGoodbye(session);
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
    this.#identity = await identity.load();
    this.#opened = Promise.resolve(ports);
    // A full or failing disk may not take the name: people can set it again.
    await saveDeviceName(records, this.#deviceName).catch(this.#warn);
    this.#changed();
  }

  /** Sent first, while the links are open; leaving continues whatever fails. */
  async #sayGoodbye(session: OpenPool): Promise<void> {
    const told = session.driver.publish({ kind: 'leave' }).then(() => session.driver.flush());
    // A device that does not read its messages must not hold this one back.
    await atMost(this.#clock, LEAVE_STEP_MS, told).catch(this.#warn);
    await session.stop().catch(this.#warn);
  }

  async setDeviceName(name: string): Promise<void> {
    const { records } = await this.#opened;
    this.#deviceName = checkedName('device', name, MAX_DEVICE_NAME_BYTES);
    await saveDeviceName(records, this.#deviceName);
    await this.#session?.driver.publish({ kind: 'profile', name: this.#deviceName });
    this.#changed();
  }

  async setPolicy(change: PolicyChange): Promise<void> {
    await this.#opened;
    await this.#inPool().setPolicy(change);
  }

  policy(): Policy {
    return this.#inPool().policy();
  }

  status(): WordlessStatus {
    const id = this.#identity?.deviceId ?? '';
    const base = {
      device: { id, name: this.#deviceName },
      transfers: this.#transfers.list(),
      notices: this.#notices.list(),
    };
    const session = this.#session;
    if (session === undefined) return { ...noLists(), ...base };
    const { peer } = session.driver;
    const files = fileStatuses(peer, session.privateFiles);
    return {
      ...base,
      ...this.#handingOver.status(files, id),
      pool: {
        id: session.keys.poolId,
        name: peer.catalogue.poolName,
        relay: session.relay,
        alone: !session.answered,
      },
      devices: deviceStatuses(peer, session.identity.deviceId, this.#deviceName),
      files,
      ...removedStatus(peer, session.identity.deviceId, session.driver.dropping()),
      unfinished: session.unfinished.list(),
      ...repairStatuses(peer, session.repairing, session.privateFiles),
      activity: session.activity(),
    };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  cancel(transferId: string): void {
    this.#transfers.cancel(transferId);
  }

  async #start(ports: RuntimePorts): Promise<RuntimePorts> {
    void ports.storageGone.then(() => this.#storageGone(ports));
    const { records, secrets, identity } = ports;
    const [name, isLeft] = await Promise.all([loadDeviceName(records), isLeaveNoted(records)]);
    this.#deviceName = name ?? this.#deviceName;
    if (isLeft) await this.#finishLeaving(ports);
    this.#identity = this.#unlessLeft(await identity.load());
    const invite = this.#unlessLeft(await loadPool(secrets));
    if (invite !== undefined) await this.#openSession(invite, this.#identity, ports);
    else if (await isLeaving(ports)) {
      await this.#finishLeaving(ports);
      this.#identity = await identity.load();
    }
    this.#changed();
    return ports;
  }

  #unlessLeft<Value>(value: Value): Value {
    if (this.#hasLeft) throw new PalmError({ code: 'not-in-pool', reason: 'left' });
    return value;
  }

  /**
   * Site data was cleared, or evicted, under this page. Claims are withdrawn at once. If the device's key is
   * gone as well, this device never returns, and says so with that key, which only this page still has.
   */
  async #storageGone(ports: RuntimePorts): Promise<void> {
    const gone = new PalmError({ code: 'storage-failed', reason: 'gone' });
    const sessions = [this.#session, this.#opening].filter((session) => session !== undefined);
    this.#transfers.abortAll(gone);
    for (const { driver } of sessions) driver.input({ kind: 'storage-gone' });
    this.#session = undefined;
    this.#opening = undefined;
    this.#opened = Promise.reject(gone);
    this.#opened.catch(() => undefined); // every call that awaits it reports it
    this.#notice('error', noticeOf(gone));
    this.#isGone = true;
    // The browser may still be deleting.
    await new Promise<void>((resolve) => this.#clock.after(GONE_SETTLES_MS, resolve));
    const identity = await ports.identity.load().catch(() => undefined);
    for (const session of sessions) {
      if (identity?.deviceId === session.identity.deviceId) await session.stop().catch(this.#warn);
      else await this.#sayGoodbye(session);
    }
  }

  async #finishLeaving(ports: RuntimePorts): Promise<void> {
    await wipe(ports).catch(this.#warn);
    await saveDeviceName(ports.records, this.#deviceName).catch(this.#warn);
  }

  async #enter(invite: Invite, deviceName: string | undefined): Promise<OpenPool> {
    const ports = await this.#opened;
    if (this.#session !== undefined || this.#entering !== undefined || this.#identity === undefined) {
      throw new PalmError({ code: 'already-in-pool' });
    }
    const entering = this.#enterAs(invite, this.#identity, ports, deviceName);
    this.#entering = entering;
    try {
      return await entering;
    } finally {
      this.#entering = undefined;
    }
  }

  async #enterAs(
    invite: Invite,
    identity: Identity,
    ports: RuntimePorts,
    deviceName: string | undefined,
  ): Promise<OpenPool> {
    if (deviceName !== undefined) await this.setDeviceName(deviceName);
    await savePool(ports.secrets, invite);
    const session = await this.#openSession(invite, identity, ports);
    await session.driver.publish({ kind: 'profile', name: this.#deviceName });
    // Nothing waits for it: a browser may ask the person, who need not answer. A refusal is no failure: the
    // browser may then evict under pressure, and the pool has the other fragments.
    void ports.quota.persist().catch(this.#warn);
    return session;
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

  #inPool(): OpenPool {
    if (this.#session === undefined) {
      throw new PalmError({ code: 'not-in-pool', reason: 'in-none' });
    }
    return this.#session;
  }

  readonly #warn = (error: unknown): void => this.#notice('warning', noticeOf(error));

  #notice(level: NoticeStatus['level'], notice: Notice): void {
    // Everything fails now, for the one reason that was told.
    if (this.#isGone) return;
    this.#notices.add(this.#clock.wallMs(), level, notice);
    this.#changed();
  }

  #changed(): void {
    if (this.#notifying) return;
    this.#notifying = true;
    const waitMs = Math.max(0, this.#notifiedAtMs + NOTIFY_EVERY_MS - this.#clock.monotonicMs());
    this.#clock.after(Math.min(waitMs, NOTIFY_EVERY_MS), () => {
      this.#notifying = false;
      this.#notifiedAtMs = this.#clock.monotonicMs();
      const other = this.#nameApart.other(this.#session?.driver, this.#deviceName);
      if (other !== undefined && this.#leaving === undefined) this.setDeviceName(other).catch(this.#warn);
      for (const listener of this.#listeners) listener();
    });
  }
}
