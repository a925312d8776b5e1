// The acts of a pool on this device's disk: one row, sealed with a key of the pool and written whole, because
// acts are few and none is ever dropped (FORMATS.md, on disk). What is in a row that opens was checked before
// it was sealed, and is not checked again. Writes that come while one is under way are one write.

import { decodeAct, checkAct, restoreAct, type CheckedAct } from '../../core/catalogue/grants/act.ts';
import type { ActSet } from '../../core/catalogue/grants/act-set.ts';
import { boolOf, bytesOf, decodeCbor, encodeCbor, listOf, tupleOf } from '../../core/encoding/decode.ts';
import { concatBytes, utf8 } from '../../core/model/bytes.ts';
import { isPalmError } from '../../core/model/errors.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import { MAX_ACT_BYTES, MAX_ACT_COUNT, MAX_PARTS_UNITS } from '../../core/model/limits.ts';
import { deriveActsKey } from '../../core/model/pool-keys.ts';
import type { Cryptography, Random, RecordStore } from '../../core/ports.ts';
import type { Slices } from '../slices.ts';

export interface ActKeepingPorts {
  readonly records: RecordStore;
  readonly cryptography: Cryptography;
  readonly random: Random;
  readonly keys: KeyRing;
  readonly acts: ActSet;
  readonly slices: Pick<Slices, 'next'>;
}

const ROW = 'acts';
const NONCE_BYTES = 12;
/** All acts of a full pool, and of its other parts. */
const MAX_ROWS = MAX_ACT_COUNT + MAX_PARTS_UNITS;
const MAX_ROW_BYTES = MAX_ROWS * MAX_ACT_BYTES;
/** Acts checked at a time: a slow phone takes some 40 ms for them. */
const CHECKED_AT_ONCE = 8;

export class ActKeeping {
  readonly #ports: ActKeepingPorts;
  #writing: Promise<void> = Promise.resolve();
  /** The write that has not begun; it will have everything that is known until then. */
  #next: Promise<void> | undefined;
  /** Acts of this device that are not known to the set yet: every write has them. */
  readonly #coming = new Set<CheckedAct>();

  constructor(ports: ActKeepingPorts) {
    this.#ports = ports;
  }

  /**
   * Restores what an earlier page kept; the charter is followed already. False if the row is damaged: other
   * devices have the acts, too.
   */
  async restore(): Promise<boolean> {
    const kept = await this.#ports.records.getMeta(ROW);
    if (kept === undefined) return true;
    try {
      const plain = await this.#open(bytesOf(kept, NONCE_BYTES + 1, MAX_ROW_BYTES));
      if (plain === undefined) return false;
      const rows = listOf(decodeCbor(plain, MAX_ROW_BYTES), MAX_ROWS, keptAct);
      this.#ports.acts.add(rows);
      // Which acts of other parts are needed follows from this pool's own, which may come after those: they
      // do where a page ended before it followed the pool that took its part in.
      this.#ports.acts.add(rows);
      return true;
    } catch (error) {
      if (isPalmError(error, 'bad-message')) return false;
      throw error;
    }
  }

  /** Those of the records that may count. */
  async check(records: readonly Uint8Array[]): Promise<CheckedAct[]> {
    const { keys, cryptography, slices } = this.#ports;
    const checked: CheckedAct[] = [];
    for (let at = 0; at < records.length; at += CHECKED_AT_ONCE) {
      await slices.next();
      const portion = records.slice(at, at + CHECKED_AT_ONCE).map(async (bytes) => {
        try {
          return await checkAct(bytes, keys.poolId, cryptography);
        } catch (error) {
          if (isPalmError(error, 'bad-message')) return undefined;
          throw error;
        }
      });
      for (const act of await Promise.all(portion)) if (act !== undefined) checked.push(act);
    }
    return checked;
  }

  /** Makes all acts that are known now durable, and `coming`, which the set does not know yet. */
  keep(coming: readonly CheckedAct[] = []): Promise<void> {
    for (const act of coming) this.#coming.add(act);
    this.#next ??= this.#then(() => {
      this.#next = undefined;
      return this.#write();
    });
    return this.#next;
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  #then(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work);
    // The caller gets the failure; the next write has everything again.
    this.#writing = done.catch(() => undefined);
    return done;
  }

  async #write(): Promise<void> {
    const { acts, keys, cryptography, random, records } = this.#ports;
    for (const act of this.#coming) if (acts.find(act.record.id) !== undefined) this.#coming.delete(act);
    const rows = [...acts.kept(), ...this.#coming].map(({ record, terms, takesIn }) => [
      terms !== undefined || takesIn !== undefined,
      record.bytes,
    ]);
    const nonce = random.bytes(NONCE_BYTES);
    const key = deriveActsKey(keys.current);
    const sealed = await cryptography.seal(key, nonce, this.#aad(), encodeCbor(rows));
    await records.putMeta(ROW, concatBytes(nonce, sealed));
  }

  async #open(row: Uint8Array): Promise<Uint8Array | undefined> {
    const { keys, cryptography } = this.#ports;
    const [nonce, sealed] = [row.subarray(0, NONCE_BYTES), row.subarray(NONCE_BYTES)];
    for (const each of keys.newestFirst) {
      const plain = await cryptography.open(deriveActsKey(each), nonce, this.#aad(), sealed);
      if (plain !== undefined) return plain;
    }
    return undefined;
  }

  #aad(): Uint8Array<ArrayBuffer> {
    return utf8(`palm/v1/acts/${this.#ports.keys.poolId}`);
  }
}

/** With it, whether its ticket and signatures were right. */
function keptAct(value: unknown): CheckedAct {
  const [isRight, bytes] = tupleOf(value, 2);
  const record = decodeAct(bytesOf(bytes, 1, MAX_ACT_BYTES));
  return boolOf(isRight) ? restoreAct(record) : { record };
}
