// Acts of an open pool: restores them, checks those of others, keeps them, and writes this device's own. With
// them come the keys of its epochs: whoever tells acts waits until these are looked at.

import type { CheckedAct } from '../../core/catalogue/grants/act.ts';
import type { ActSet } from '../../core/catalogue/grants/act-set.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import type { Pauses } from '../../core/pauses.ts';
import type { PeerEffect, PeerInput } from '../../core/peer/peer-events.ts';
import type { Clock, Cryptography, Identity, Random, RecordStore, SecretStore } from '../../core/ports.ts';
import type { Transport } from '../../core/transport-port.ts';
import type { Message } from '../../core/wire/messages.ts';
import { EpochKeeping } from '../epochs/epoch-keeping.ts';
import { Slices } from '../slices.ts';
import { ActKeeping } from './act-keeping.ts';
import { ActWriter, type Deed } from './act-writer.ts';
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
  readonly acts: ActSet;
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

  constructor(ports: PoolActsPorts) {
    this.#ports = ports;
    this.epochs = new EpochKeeping({
      ...ports,
      looked: (isMissing) => ports.input({ kind: 'keys-looked', isMissing }),
    });
    this.#keeping = new ActKeeping({ ...ports, slices: new Slices(ports) });
    this.#writer = new ActWriter({
      ...ports,
      keep: (acts) => this.#keeping.keep(acts),
      written: (acts) => {
        ports.input({ kind: 'acts-written', acts });
        ports.background(this.epochs.look());
      },
    });
  }

  /** Before everything else of the pool is restored. False when the acts that were kept are damaged. */
  async restore(): Promise<boolean> {
    await this.epochs.restore();
    const charter = await loadCharter(this.#ports.secrets);
    if (charter !== undefined) this.#ports.acts.follow(charter);
    const isSound = await this.#keeping.restore();
    await this.epochs.look();
    return isSound;
  }

  /** Signs, makes durable and spreads an act of this device. `deed` is asked when its turn has come. */
  write(deed: () => Deed): Promise<CheckedAct> {
    return this.#writer.write(deed);
  }

  async check({ from, acts }: PeerEffect & { readonly kind: 'check-acts' }): Promise<void> {
    const checked = await this.#keeping.check(acts);
    const refusedCount = acts.length - checked.length;
    this.#ports.input({ kind: 'acts-checked', from, acts: checked, refusedCount });
    await this.epochs.look();
  }

  async takeKeys({ from, sealed }: PeerEffect & { readonly kind: 'take-keys' }): Promise<void> {
    await this.epochs.take(from, sealed);
  }

  async perform(effect: PeerEffect & { readonly kind: 'give-keys' | 'keep-acts' }): Promise<void> {
    if (effect.kind === 'keep-acts') return this.#keeping.keep();
    const sealed = await this.epochs.sealedFor(effect.to);
    if (sealed !== undefined) await this.#ports.send(effect.to, { kind: 'keys', sealed });
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writer.idle();
    await this.#keeping.idle();
  }
}
