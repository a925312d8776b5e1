// Acts of an open pool: restores them, checks those of others, keeps them, and writes this device's own. With
// them come the keys of its epochs: whoever tells acts waits until these are looked at.

import type { CheckedAct } from '../../core/catalogue/grants/act.ts';
import { hasUnnoted } from '../../core/catalogue/grants/recovers.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import { MAX_NOTES } from '../../core/model/limits.ts';
import { oldestKeysMs } from '../../core/model/policy.ts';
import type { Pauses } from '../../core/pauses.ts';
import type { Peer } from '../../core/peer/peer.ts';
import type { PeerEffect, PeerInput } from '../../core/peer/peer-events.ts';
import type { Clock, Cryptography, Identity, Random, RecordStore, SecretStore } from '../../core/ports.ts';
import type { Transport } from '../../core/transport-port.ts';
import type { Message } from '../../core/wire/messages.ts';
import { EpochKeeping } from '../epochs/epoch-keeping.ts';
import { KeysAge } from '../epochs/keys-age.ts';
import { Rotating } from '../epochs/rotating.ts';
import { Slices } from '../slices.ts';
import { ActKeeping } from './act-keeping.ts';
import { ActWriter, type Completing, type Deed } from './act-writer.ts';
import { loadCharter } from './followed-charter.ts';

export interface PoolActsPorts {
  readonly clock: Clock;
  readonly pauses: Pauses;
  readonly cryptography: Cryptography;
  readonly random: Random;
  readonly records: RecordStore;
  readonly secrets: SecretStore;
  readonly identity: Identity;
  readonly keys: KeyRing;
  readonly peer: Pick<Peer, 'acts' | 'reachableDevices'> & {
    readonly catalogue: Pick<Peer['catalogue'], 'policy'>;
  };
  readonly transport: Pick<Transport, 'move'>;
  input(input: PeerInput): void;
  send(to: DeviceId, message: Message): Promise<void>;
  /** Takes work that nobody waits for, and its failure. */
  background(work: Promise<unknown>): void;
  /** @throws the reason, once this device's part in the pool has ended. */
  checkAlive(): void;
}

export class PoolActs {
  readonly epochs: EpochKeeping;
  readonly #ports: PoolActsPorts;
  readonly #keeping: ActKeeping;
  readonly #writer: ActWriter;
  readonly #age: KeysAge;
  readonly #rotating: Rotating;
  #isPublishing = false;
  #isNoting = false;
  #maxAgeMs: number | undefined;

  constructor(ports: PoolActsPorts) {
    this.#ports = ports;
    const set = ports.peer.acts;
    this.epochs = new EpochKeeping({
      ...ports,
      acts: set,
      looked: (isMissing) => ports.input({ kind: 'keys-looked', isMissing }),
    });
    this.#keeping = new ActKeeping({ ...ports, acts: set, slices: new Slices(ports) });
    this.#writer = new ActWriter({
      ...ports,
      acts: set,
      keep: (acts) => this.#keeping.keep(acts),
      written: (acts) => {
        ports.input({ kind: 'acts-written', acts });
        ports.background(this.#look());
      },
    });
    this.#age = new KeysAge({ ...ports, inUse: () => this.epochs.inUse });
    this.#rotating = new Rotating({
      ...ports,
      acts: set,
      self: ports.identity.deviceId,
      epochs: () => this.epochs.epochs(),
      maxAgeMs: () => oldestKeysMs(ports.peer.catalogue.policy),
      ageMs: () => this.#age.ageMs(),
      reachable: () => ports.peer.reachableDevices(),
      write: (deed) => this.write(deed),
    });
  }

  /** Before everything else of the pool is restored. False when the acts that were kept are damaged. */
  async restore(): Promise<boolean> {
    await this.epochs.restore();
    await this.#age.restore();
    const charter = await loadCharter(this.#ports.secrets);
    if (charter !== undefined) this.#ports.peer.acts.follow(charter);
    const isSound = await this.#keeping.restore();
    await this.#look();
    return isSound;
  }

  /** Signs, makes durable and spreads an act of this device. `deed` is asked when its turn has come. */
  write(deed: () => Deed, complete?: Completing): Promise<CheckedAct> {
    return this.#writer.write(deed, complete);
  }

  /**
   * For several acts that shut devices out: the pool changes its keys once for all that `work` writes, and
   * has other ones when this resolves.
   */
  async shuttingOut<Result>(work: (write: PoolActs['write']) => Promise<Result>): Promise<Result> {
    try {
      return await this.#rotating.hold(() => work((deed, complete) => this.write(deed, complete)));
    } finally {
      await this.#look();
      await this.#rotating.idle();
      await this.epochs.look();
    }
  }

  /** Takes work of which its caller hears nothing: its failure becomes a notice. */
  background(work: Promise<unknown>): void {
    this.#ports.background(work);
  }

  /** The pool's policy may have changed. */
  policyChanged(): void {
    const { rotateEveryMs } = this.#ports.peer.catalogue.policy;
    if (rotateEveryMs === this.#maxAgeMs) return;
    this.#maxAgeMs = rotateEveryMs;
    this.#rotating.look();
  }

  /** Gives the pool other keys. Undefined when this device is no admin. */
  async rotate(): Promise<CheckedAct | undefined> {
    const act = await this.#rotating.rotate();
    await this.epochs.look();
    return act;
  }

  async check({ from, acts }: PeerEffect & { readonly kind: 'check-acts' }): Promise<void> {
    const checked = await this.#keeping.check(acts);
    const refusedCount = acts.length - checked.length;
    this.#ports.input({ kind: 'acts-checked', from, acts: checked, refusedCount });
    await this.#look();
  }

  async takeKeys({ from, sealed }: PeerEffect & { readonly kind: 'take-keys' }): Promise<void> {
    await this.epochs.take(from, sealed);
  }

  async perform(effect: PeerEffect & { readonly kind: 'give-keys' | 'keep-acts' }): Promise<void> {
    if (effect.kind === 'keep-acts') return this.#keeping.keep();
    const sealed = await this.epochs.sealedFor(effect.to);
    if (sealed !== undefined) await this.#ports.send(effect.to, { kind: 'keys', sealed });
  }

  async #look(): Promise<void> {
    await this.epochs.look();
    this.#rotating.look();
    if (!this.#isNoting && this.#mustNote()) {
      this.#isNoting = true;
      this.#ports.background(this.#note());
    }
    if (!this.epochs.needsExchangeKey() || this.#isPublishing) return;
    this.#isPublishing = true;
    this.#ports.background(this.#publishExchangeKey());
  }

  /** Whether somebody used a recovery code, and this device has not said yet that it saw it. */
  #mustNote(): boolean {
    const { peer, identity } = this.#ports;
    const { placed, standings } = peer.acts;
    if (standings.of(identity.deviceId) === undefined) return false;
    const notes = placed.filter(({ by, body }) => by === identity.deviceId && body.kind === 'merge');
    return notes.length < MAX_NOTES && hasUnnoted(placed, standings, identity.deviceId);
  }

  async #note(): Promise<void> {
    try {
      await this.write(() => ({ kind: 'merge' }));
    } finally {
      this.#isNoting = false;
    }
  }

  /** What others seal keys to. A device that founded its pool, or was admitted, has one in that act. */
  async #publishExchangeKey(): Promise<void> {
    try {
      const key = await this.epochs.ownExchangeKey();
      await this.write(() => ({ kind: 'exchange', key }));
    } finally {
      this.#isPublishing = false;
    }
  }

  /** Resolves when this device writes no more acts. */
  async stop(): Promise<void> {
    this.#rotating.stop();
    await this.#writer.idle();
    await this.#keeping.idle();
  }
}
