// The bytes of a record as they lie in a row of their own: sealed for this device's pool, because a record
// may have the name of a device or of the pool in the clear (FORMATS.md, "On disk").

import { concatBytes, utf8 } from '../../core/model/bytes.ts';
import type { EntryId } from '../../core/model/ids.ts';
import { deriveRecordRowKeys, type PoolKeys, type RecordRowKeys } from '../../core/model/pool-keys.ts';
import type { Cryptography, StoredRecord } from '../../core/ports.ts';

const NONCE_BYTES = 12;

interface RecordRowsPorts {
  readonly cryptography: Cryptography;
  readonly keys: PoolKeys;
}

export class RecordRows {
  readonly #ports: RecordRowsPorts;
  readonly #keys: RecordRowKeys;

  constructor(ports: RecordRowsPorts) {
    this.#ports = ports;
    this.#keys = deriveRecordRowKeys(ports.keys);
  }

  seal(records: readonly StoredRecord[]): Promise<StoredRecord[]> {
    const { cryptography } = this.#ports;
    return Promise.all(
      records.map(async (record) => {
        const nonce = this.#keys.nonceOf(record.bytes);
        const aad = this.#aadOf(record.entryId);
        const sealed = await cryptography.seal(this.#keys.sealing, nonce, aad, record.bytes);
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
    const plain = await this.#ports.cryptography.open(
      this.#keys.sealing,
      nonce,
      this.#aadOf(entryId),
      sealed,
    );
    return { bytes: plain ?? bytes, isSealed: plain !== undefined };
  }

  #aadOf(entryId: EntryId): Uint8Array<ArrayBuffer> {
    return utf8(`palm/v1/record-row/${this.#ports.keys.poolId}/${entryId}`);
  }
}
