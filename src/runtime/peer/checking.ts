// Checks records and keys that other devices sent. A device's next control message waits until those of its
// last one are checked.

import type { PeerEffect, PeerInput } from '../../core/peer/peer-events.ts';
import type { PoolActs } from '../acts/pool-acts.ts';
import type { CatalogueKeeping } from './catalogue-keeping.ts';

export interface CheckingPorts {
  readonly records: Pick<CatalogueKeeping, 'check'>;
  readonly acts: Pick<PoolActs, 'check' | 'takeKeys' | 'epochs'>;
  input(input: PeerInput): void;
}

type CheckEffect = PeerEffect & { readonly kind: 'check-entries' | 'check-acts' | 'take-keys' };

export class Checking {
  readonly #ports: CheckingPorts;
  #checking: Promise<void> | undefined;

  constructor(ports: CheckingPorts) {
    this.#ports = ports;
  }

  /** Begins the check that a message needs. */
  start(effect: CheckEffect): void {
    this.#checking = this.#begin(effect);
  }

  /** The check that was begun since the last call. */
  take(): Promise<void> | undefined {
    const checking = this.#checking;
    this.#checking = undefined;
    return checking;
  }

  #begin(effect: CheckEffect): Promise<void> {
    switch (effect.kind) {
      case 'check-acts':
        return this.#ports.acts.check(effect);
      case 'take-keys':
        return this.#ports.acts.takeKeys(effect);
      case 'check-entries':
        return this.#check(effect);
    }
  }

  async #check({ from, entries: records, more }: CheckEffect & { kind: 'check-entries' }): Promise<void> {
    const entries = await this.#ports.records.check(records);
    // What keys that are still to come open is no forgery: it is asked for again.
    const refusedCount = this.#ports.acts.epochs.isMissing ? 0 : records.length - entries.length;
    this.#ports.input({ kind: 'entries-checked', from, entries, refusedCount, more });
  }
}
