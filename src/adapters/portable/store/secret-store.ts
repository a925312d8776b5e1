// SecretStore over the rows of a database: small values, each sealed under a key of its own that is erased
// when it is dropped.

import { PalmError } from '../../../core/model/errors.ts';
import type { SecretStore } from '../../../core/ports.ts';
import { bytesOf, fieldsOf } from '../../../core/encoding/decode.ts';
import { BegunWrites } from './begun-writes.ts';
import { GroupCommit } from './group-commit.ts';
import type { RowDatabase } from './row-database.ts';
import { decoded, keySlotOf, ownBytes } from './rows.ts';
import { eachRow } from './row-scan.ts';
import { type RowSeals, SEAL_BYTES } from './sealed-rows.ts';

/** A hundred times the size of the only secret so far. */
const MAX_SECRET_BYTES = 4 * 1024;

export class RowSecretStore implements SecretStore {
  readonly #database: RowDatabase;
  readonly #seals: RowSeals;
  readonly #writes: GroupCommit<'secrets'>;
  readonly #slots = new Map<string, number>();
  readonly #begun = new BegunWrites();

  private constructor(database: RowDatabase, seals: RowSeals) {
    this.#database = database;
    this.#seals = seals;
    this.#writes = new GroupCommit(database, ['secrets'], () => seals.flush());
  }

  /** @throws PalmError 'storage-failed'. */
  static async open(database: RowDatabase, seals: RowSeals): Promise<RowSecretStore> {
    const store = new RowSecretStore(database, seals);
    await eachRow(database, 'secrets', secretRow, ({ slot }, name) => store.#slots.set(name, slot));
    return store;
  }

  async get(name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const row = await this.#database.run(['secrets'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('secrets').get(name),
    );
    if (row === undefined) return undefined;
    const secret = decoded(row, secretRow);
    const opened = secret && (await this.#seals.open(secret.slot, ['secret', name], secret.sealed));
    if (opened?.kind === 'open') return opened.bytes;
    if (opened?.kind === 'erased') return undefined;
    throw new PalmError({ code: 'corrupt', reason: 'pool-secrets' });
  }

  put(name: string, secret: Uint8Array): Promise<void> {
    return this.#begun.write(() => this.#put(name, secret));
  }

  clear(): Promise<void> {
    return this.#begun.clear(() => this.#clear());
  }

  async #put(name: string, secret: Uint8Array): Promise<void> {
    // Each time under a new key: the replaced one is erased.
    const [slot] = this.#seals.take(1);
    if (slot === undefined) throw new Error('one slot was taken');
    try {
      const sealed = await this.#seals.seal(slot, ['secret', name], secret);
      await this.#writes.write('strict', 0, async (transaction) => {
        await transaction.objectStore('secrets').put({ slot, sealed }, name);
      });
    } catch (error) {
      this.#giveUp([slot]);
      throw error;
    }
    const before = this.#slots.get(name);
    this.#slots.set(name, slot);
    if (before === undefined) return;
    this.#giveUp([before]);
    this.#seals.flush();
  }

  async #clear(): Promise<void> {
    const slots = [...this.#slots.values()];
    this.#slots.clear();
    this.#seals.erase(slots);
    await this.#writes.write('strict', 0, (transaction) => transaction.objectStore('secrets').clear());
    this.#seals.free(slots);
  }

  #giveUp(slots: readonly number[]): void {
    this.#seals.erase(slots);
    this.#seals.free(slots);
  }
}

interface SecretRow {
  readonly slot: number;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

function secretRow(row: unknown): SecretRow {
  const fields = fieldsOf(row, ['slot', 'sealed']);
  const sealed = ownBytes(bytesOf(fields['sealed'], 0, MAX_SECRET_BYTES + SEAL_BYTES));
  return { slot: keySlotOf(fields['slot']), sealed };
}
