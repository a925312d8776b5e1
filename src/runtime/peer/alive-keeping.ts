// Signs this device's word that it is alive, and checks those of others.
//
// Invariant: an incarnation is on the disk before it is signed, so no later page signs it again.

import { encodeSigned } from '../../core/encoding/signed-record.ts';
import {
  decodeAlive,
  encodeAlivePayload,
  signedBytesOfAlive,
  type AliveRecord,
} from '../../core/membership/alive-record.ts';
import type { CheckAliveEffect, SignAliveEffect } from '../../core/membership/membership-effects.ts';
import type { PoolKeys } from '../../core/model/pool-keys.ts';
import type { PeerInput } from '../../core/peer/peer-events.ts';
import type { Cryptography, Identity, RecordStore } from '../../core/ports.ts';
import { saveIncarnation } from '../saved-members.ts';

export interface AliveKeepingPorts {
  readonly cryptography: Cryptography;
  readonly records: RecordStore;
  readonly identity: Identity;
  readonly keys: PoolKeys;
  readonly input: (input: PeerInput) => void;
}

export class AliveKeeping {
  readonly #ports: AliveKeepingPorts;
  /** The incarnation on the disk, as far as this page wrote it. */
  #kept = 0;

  constructor(ports: AliveKeepingPorts) {
    this.#ports = ports;
  }

  perform(effect: SignAliveEffect | CheckAliveEffect): Promise<void> {
    return effect.kind === 'sign-alive' ? this.#sign(effect) : this.#check(effect);
  }

  async #sign({ incarnation, beat, class: ownClass }: SignAliveEffect): Promise<void> {
    const { records, identity, keys, input } = this.#ports;
    let record: AliveRecord | undefined;
    try {
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
