// The bytes of a record as they lie in a row of their own: sealed for this device's pool, because a record
// may have the name of a device or of the pool in the clear (FORMATS.md, "On disk").

import { concatBytes, utf8 } from '../../core/model/bytes.ts';
import type { EntryId } from '../../core/model/ids.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import { deriveRecordRowKeys, type PoolKeys, type RecordRowKeys } from '../../core/model/pool-keys.ts';
import type { Cryptography, StoredRecord } from '../../core/ports.ts';

const NONCE_BYTES = 12;

interface RecordRowsPorts {
  readonly cryptography: Cryptography;
  readonly keys: KeyRing;
}

export class RecordRows {
  readonly #ports: RecordRowsPorts;
  readonly #derived = new Map<PoolKeys, RecordRowKeys>();

  constructor(ports: RecordRowsPorts) {
    this.#ports = ports;
  }

  seal(records: readonly StoredRecord[]): Promise<StoredRecord[]> {
    const { cryptography, keys } = this.#ports;
    const { sealing, nonceOf } = this.#rowKeys(keys.current);
    return Promise.all(
      records.map(async (record) => {
        const nonce = nonceOf(record.bytes);
        const aad = this.#aadOf(record.entryId);
        const sealed = await cryptography.seal(sealing, nonce, aad, record.bytes);
        return { ...record, bytes: concatBytes(nonce, sealed) };
      }),
    );
  }

  /** The record. Rows of earlier versions are not sealed, and come back as they are; nothing is checked. */
  async open({
    entryId,
    bytes,
  }: StoredRecord): Promise<{ readonly bytes: Uint8Array; readonly isSealed: boolean }> {
    const [nonce, sealed] = [bytes.subarray(0, NONCE_BYTES), bytes.subarray(NONCE_BYTES)];
    if (nonce.length < NONCE_BYTES) return { bytes, isSealed: false };
    const { cryptography, keys } = this.#ports;
    for (const each of keys.newestFirst) {
      const { sealing } = this.#rowKeys(each);
      const plain = await cryptography.open(sealing, nonce, this.#aadOf(entryId), sealed);
      if (plain !== undefined) return { bytes: plain, isSealed: true };
    }
    return { bytes, isSealed: false };
  }

  #rowKeys(keys: PoolKeys): RecordRowKeys {
    const known = this.#derived.get(keys) ?? deriveRecordRowKeys(keys);
    this.#derived.set(keys, known);
    return known;
  }

  #aadOf(entryId: EntryId): Uint8Array<ArrayBuffer> {
    return utf8(`palm/v1/record-row/${this.#ports.keys.poolId}/${entryId}`);
  }
}
