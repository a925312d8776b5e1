// How this device comes into a pool: it makes one, opens an invite of before, which holds the pool's secret,
// or is let in by a member, which may take as long as nobody is awake.

import { isPalmError, PalmError } from '../core/model/errors.ts';
import { readJoinLink, type Invite, type TicketInvite } from '../core/model/invite.ts';
import { KeyRing } from '../core/model/key-ring.ts';
import { derivePoolKeys, FIRST_EPOCH, POOL_SECRET_BYTES } from '../core/model/pool-keys.ts';
import type { Identity } from '../core/ports.ts';
import { foundPool } from './acts/founding.ts';
import { forgetCharter } from './acts/followed-charter.ts';
import { awaitAnswer } from './awaited-answer.ts';
import { forgetPendingJoin, loadPendingJoin, PendingJoin } from './doors/pending-join.ts';
import { ownExchangePair } from './epochs/epoch-secrets.ts';
import type { JoiningStatus } from './invite-api.ts';
import type { Notice } from './notice.ts';
import type { OpenPool } from './open-pool.ts';
import type { RuntimePorts } from './runtime-ports.ts';
import { loadPool, savePool } from './saved-pool.ts';

/** The device that enters. */
export interface EnteringDevice {
  /** @throws PalmError while the device is locked or cannot be opened. */
  opened(): Promise<RuntimePorts>;
  /** @throws PalmError 'already-in-pool' when it is, or is about to be. */
  outside(): Identity;
  deviceName(): string;
  setDeviceName(name: string): Promise<void>;
  /** Opens the pool whose secret is on the disk. */
  open(invite: Invite, identity: Identity, ports: RuntimePorts): Promise<OpenPool>;
  changed(): void;
  notice(level: 'warning' | 'error', notice: Notice): void;
  failed(error: unknown): void;
}

export class Entrance {
  readonly #device: EnteringDevice;
  readonly #charters: boolean;
  #pending: PendingJoin | undefined;
  /** While a pool is being opened for the first time. */
  #entering: Promise<unknown> | undefined;

  /** `charters`: whether new pools get a charter. */
  constructor(device: EnteringDevice, charters: boolean) {
    this.#device = device;
    this.#charters = charters;
  }

  /** A join that waits to be let in. */
  get joining(): JoiningStatus | undefined {
    return this.#pending?.status;
  }

  get isEntering(): boolean {
    return this.#entering !== undefined;
  }

  /** Resolves when no pool is being opened; not while a join waits. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#entering]);
  }

  async create(name: string, deviceName: string | undefined): Promise<void> {
    const ports = await this.#device.opened();
    const secret = ports.random.bytes(POOL_SECRET_BYTES);
    const invite = { secret, epoch: FIRST_EPOCH };
    const session = await this.#enter(deviceName, async (identity) => {
      if (this.#charters) await found(invite, identity, ports);
      else await forgetCharter(ports.secrets);
      return this.#openNew(invite, identity, ports);
    });
    await session.driver.publish({ kind: 'pool', name });
  }

  /** The name that this device shows others, once it has the one that is given. */
  async named(deviceName: string | undefined): Promise<string> {
    if (deviceName !== undefined) await this.#device.setDeviceName(deviceName);
    return this.#device.deviceName();
  }

  async join(url: string, deviceName: string | undefined): Promise<{ answered: boolean }> {
    const link = readJoinLink(url);
    const ports = await this.#device.opened();
    const session =
      link.kind === 'ticket'
        ? await this.#joinByTicket(link.invite, deviceName, ports)
        : await this.#enter(deviceName, async (identity) => {
            await forgetCharter(ports.secrets);
            return this.#openNew(link.invite, identity, ports);
          });
    const answered = await awaitAnswer(session, ports.clock);
    if (!answered) this.#device.notice('warning', { kind: 'nobody-answers' });
    return { answered };
  }

  /** Goes on with a join that an earlier page began. */
  async resume(identity: Identity, ports: RuntimePorts): Promise<void> {
    const invite = await loadPendingJoin(ports.secrets);
    if (invite === undefined) return;
    const waiting = this.#wait(invite, identity, ports);
    waiting.catch((error: unknown) => {
      // Given up, or to be gone on with once the lock is open: no news.
      if (!isPalmError(error, 'cancelled') && !isPalmError(error, 'locked')) this.#device.failed(error);
    });
  }

  /** As its person wishes. Returns whether there was one. */
  giveUp(): Promise<boolean> {
    return this.abandon(notWanted(), true);
  }

  /** Gives up a join that waits, for good with `forget`. Returns whether there was one. */
  async abandon(reason: PalmError, forget: boolean): Promise<boolean> {
    const pending = this.#pending;
    if (pending === undefined) return false;
    this.#pending = undefined;
    await pending.stop(reason, forget);
    this.#device.changed();
    return true;
  }

  async #joinByTicket(
    invite: TicketInvite,
    deviceName: string | undefined,
    ports: RuntimePorts,
  ): Promise<OpenPool> {
    const identity = this.#device.outside();
    await this.abandon(notWanted(), true);
    if (deviceName !== undefined) await this.#device.setDeviceName(deviceName);
    return this.#wait(invite, identity, ports);
  }

  async #wait(invite: TicketInvite, identity: Identity, ports: RuntimePorts): Promise<OpenPool> {
    const pending = new PendingJoin(invite, identity, ports, () => this.#device.changed());
    this.#pending = pending;
    try {
      await Promise.all([pending.start(), pending.admitted]);
    } finally {
      if (this.#pending === pending) this.#pending = undefined;
      this.#device.changed();
    }
    return this.#enter(undefined, async () => {
      const saved = await loadPool(ports.secrets);
      if (saved === undefined) throw new PalmError({ code: 'not-in-pool', reason: 'left' });
      return this.#open(saved, identity, ports);
    });
  }

  async #enter(
    deviceName: string | undefined,
    enter: (identity: Identity) => Promise<OpenPool>,
  ): Promise<OpenPool> {
    const identity = this.#device.outside();
    const entering = this.#enterAs(identity, deviceName, enter);
    this.#entering = entering;
    try {
      return await entering;
    } finally {
      this.#entering = undefined;
    }
  }

  async #enterAs(
    identity: Identity,
    deviceName: string | undefined,
    enter: (identity: Identity) => Promise<OpenPool>,
  ): Promise<OpenPool> {
    await this.abandon(notWanted(), true);
    if (deviceName !== undefined) await this.#device.setDeviceName(deviceName);
    return enter(identity);
  }

  async #openNew(invite: Invite, identity: Identity, ports: RuntimePorts): Promise<OpenPool> {
    await savePool(ports.secrets, invite);
    await forgetPendingJoin(ports.secrets);
    return this.#open(invite, identity, ports);
  }

  async #open(invite: Invite, identity: Identity, ports: RuntimePorts): Promise<OpenPool> {
    const session = await this.#device.open(invite, identity, ports);
    await session.driver.publish({ kind: 'profile', name: this.#device.deviceName() });
    // Nothing waits for it: a browser may ask the person, who need not answer. A refusal is no failure: the
    // browser may then evict under pressure, and the pool has the other fragments.
    void ports.quota.persist().catch((error: unknown) => this.#device.failed(error));
    return session;
  }
}

/** Writes the charter. The pool's secret is saved after it: until then this device is in no pool. */
async function found({ secret, epoch }: Invite, identity: Identity, ports: RuntimePorts): Promise<void> {
  const exchange = (await ownExchangePair(ports.secrets, ports.cryptography)).publicKey;
  const keys = new KeyRing(derivePoolKeys(secret, epoch));
  await foundPool(ports, identity, keys, { members: [], recovery: undefined, exchange });
}

function notWanted(): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'not-wanted' });
}
