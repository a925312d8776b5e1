// Signs this device's word that it is alive, checks those of others, and tries the disk.
//
// Invariants: an incarnation is on the disk before it is signed, so no later page signs it again; nothing is
// signed while the disk of the fragments does not answer, since this device is needed for these.

import { encodeSigned } from '../../core/encoding/signed-record.ts';
import {
  decodeAlive,
  encodeAlivePayload,
  signedBytesOfAlive,
  type AliveRecord,
} from '../../core/membership/alive-record.ts';
import type { CheckAliveEffect, SignAliveEffect } from '../../core/membership/membership-effects.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { PeerInput } from '../../core/peer/peer-events.ts';
import type { Cryptography, Identity, RecordStore } from '../../core/ports.ts';
import { saveIncarnation } from '../saved-members.ts';
import { StoreTrial, type StoreTrialOptions } from './store-trial.ts';

export interface AliveKeepingPorts extends StoreTrialOptions {
  readonly cryptography: Cryptography;
  readonly records: RecordStore;
  readonly identity: Identity;
  readonly keys: KeyRing;
  readonly input: (input: PeerInput) => void;
}

export class AliveKeeping {
  readonly #ports: AliveKeepingPorts;
  readonly #trial: StoreTrial;
  /** The incarnation on the disk, as far as this page wrote it. */
  #kept = 0;

  constructor(ports: AliveKeepingPorts) {
    this.#ports = ports;
    this.#trial = new StoreTrial(ports);
  }

  perform(effect: SignAliveEffect | CheckAliveEffect | { readonly kind: 'try-store' }): Promise<void> {
    switch (effect.kind) {
      case 'sign-alive':
        return this.#sign(effect);
      case 'check-alive':
        return this.#check(effect);
      case 'try-store':
        return this.#trial.run((works) => this.#ports.input({ kind: 'store-tried', works }));
    }
  }

  async #sign({ incarnation, beat, class: ownClass }: SignAliveEffect): Promise<void> {
    const { records, identity, keys, input } = this.#ports;
    let record: AliveRecord | undefined;
    try {
      await this.#trial.passed();
      if (incarnation > this.#kept) await saveIncarnation(records, incarnation);
      this.#kept = Math.max(this.#kept, incarnation);
      const { publicKey } = identity;
      const payload = encodeAlivePayload({
        pool: keys.poolId,
        publicKey,
        incarnation,
        beat,
        class: ownClass,
      });
      record = decodeAlive(encodeSigned(payload, await identity.sign(signedBytesOfAlive(payload))));
    } finally {
      input({ kind: 'alive-signed', record });
    }
  }

  async #check({ from, records }: CheckAliveEffect): Promise<void> {
    const { cryptography, keys, input } = this.#ports;
    const sound: AliveRecord[] = [];
    try {
      for (const record of records) {
        const { pool, publicKey, payload, signature } = record;
        const isOfPool = pool === keys.poolId;
        const signed = signedBytesOfAlive(payload);
        if (isOfPool && (await cryptography.verify(publicKey, signed, signature))) sound.push(record);
      }
    } finally {
      input({ kind: 'alive-checked', from, records: sound, refusedCount: records.length - sound.length });
    }
  }
}
