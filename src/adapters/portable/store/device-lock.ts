// The lock of this device: a passphrase without which nothing here opens (FORMATS.md, "The lock").
//
// Every key that matters on this disk lies in a key slot or is opened by what a slot opens. So the lock is a
// lock key over the file of slots, and the row `lock` of `meta` has that key sealed under the passphrase.
// Setting, changing and removing a lock are one step: all slots are written to another file under another
// lock key, the row is changed, and the old file is overwritten. The row decides which file counts.
//
// Invariants: whenever the machine stops, one whole file counts; a file that does not count is overwritten
// and removed, by the next start if necessary; the lock key is on no disk, and only this worker and its page
// have it in memory.

import { concatBytes, utf8 } from '../../../core/model/bytes.ts';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import type { LockState } from '../../../core/ports.ts';
import { bad, bytesOf, fieldsOf, textOf, uintOf } from '../../../core/encoding/decode.ts';
import { systemRandom } from '../random.ts';
import { webCryptography } from '../webcrypto.ts';
import type { RowDatabase } from './row-database.ts';
import { eraseFile, KEYS_FILE_NAME, KeySlots, type SlotFile } from './key-slots.ts';
import type { PackFolder } from './pack-file.ts';
import {
  keyOfPassphrase,
  MAX_STRETCH_BYTES,
  memoryOf,
  NEW_STRETCH,
  SALT_BYTES,
  type Stretch,
} from './passphrase.ts';
import { SEAL_BYTES } from './sealed-rows.ts';
import { KEY_BYTES, lockedSlots, PLAIN_SLOTS } from './slot-forms.ts';

const ROW = 'lock';
const VERSION = 1;
const NONCE_BYTES = 12;
const LOCKED_FILE = /^keys-[1-9]\d{0,8}$/;

interface LockRow {
  /** The file of slots that counts. */
  readonly file: string;
  readonly salt: Uint8Array;
  readonly stretch: Stretch;
  /** The lock key, sealed under the passphrase's key. */
  readonly sealed: Uint8Array;
}

/** The file of slots that counts, and what guards it. */
type Guard =
  | { readonly kind: 'none' }
  | { readonly kind: 'lock'; readonly row: LockRow; lockKey: Uint8Array<ArrayBuffer> | undefined }
  /** The row cannot be read. */
  | { readonly kind: 'damaged'; readonly file: string };

export class DeviceLock {
  readonly #database: RowDatabase;
  readonly slots: KeySlots;
  #guard: Guard;

  private constructor(database: RowDatabase, slots: KeySlots, guard: Guard) {
    this.#database = database;
    this.slots = slots;
    this.#guard = guard;
  }

  /**
   * Opens the file of slots that counts, locked if there is a lock, and erases any other. `named` as of
   * `KeySlots.over`.
   * @throws PalmError 'storage-failed'.
   */
  static async open(database: RowDatabase, folder: PackFolder, named: Iterable<number>): Promise<DeviceLock> {
    const kept = await readRow(database);
    const others = (await folder.names()).filter((name) => name === KEYS_FILE_NAME || LOCKED_FILE.test(name));
    const guard = guardOf(kept, others);
    const file = fileOf(guard);
    const slots = await KeySlots.over(folder, named, file);
    // A row that cannot be read does not say which of them counts.
    if (guard.kind !== 'damaged')
      for (const name of others) if (name !== file.name) await eraseFile(folder, name);
    return new DeviceLock(database, slots, guard);
  }

  get state(): LockState {
    if (this.#guard.kind === 'none') return 'none';
    return this.#guard.kind === 'lock' && this.#guard.lockKey !== undefined ? 'unlocked' : 'locked';
  }

  /** What opens the lock in another worker of this page. */
  get lockKey(): Uint8Array<ArrayBuffer> | undefined {
    return this.#guard.kind === 'lock' ? this.#guard.lockKey : undefined;
  }

  /** Opens the lock with the key that another worker of this page had. One that does not fit is ignored. */
  async use(lockKey: Uint8Array<ArrayBuffer>, file: string): Promise<void> {
    if (this.#guard.kind !== 'lock' || this.#guard.row.file !== file) return;
    this.#opened(this.#guard.row, lockKey);
  }

  /**
   * Locks the device, under another passphrase if one is given.
   * @throws PalmError 'bad-argument' without a lock and a passphrase, 'locked', 'storage-full',
   * 'storage-failed'; then the state is what it was, or the next start finishes the change.
   */
  async close(passphrase: string | undefined): Promise<void> {
    if (this.state === 'locked') throw new PalmError({ code: 'locked' });
    if (passphrase !== undefined) await this.#guardWith(passphrase);
    if (this.#guard.kind !== 'lock') throw new PalmError({ code: 'bad-argument', reason: 'no-passphrase' });
    this.#guard.lockKey?.fill(0);
    this.#guard.lockKey = undefined;
    this.slots.use(lockedSlots(undefined));
  }

  /**
   * Opens the lock, whether or not it is open; with `remove`, takes it away.
   * @throws PalmError 'wrong-passphrase', 'corrupt', 'storage-full', 'storage-failed'.
   */
  async open(passphrase: string, remove: boolean): Promise<void> {
    if (this.#guard.kind === 'none') return;
    if (this.#guard.kind === 'damaged') throw new PalmError({ code: 'corrupt', reason: 'lock' });
    const { row } = this.#guard;
    const key = keyOfPassphrase(passphrase, row.salt, row.stretch);
    const nonce = row.sealed.subarray(0, NONCE_BYTES);
    const lockKey = await webCryptography.open(key, nonce, aadOf(row.file), row.sealed.subarray(NONCE_BYTES));
    if (lockKey?.length !== KEY_BYTES) throw new PalmError({ code: 'wrong-passphrase' });
    this.#opened(row, lockKey);
    if (remove) await this.#removeGuard();
  }

  /**
   * Takes the lock away from a device whose sealed rows were all erased: no key is left to keep.
   * @throws PalmError 'storage-failed'.
   */
  async forget(): Promise<void> {
    if (this.#guard.kind === 'none') return;
    // Empty slots need no lock key.
    this.slots.eraseAll();
    await this.#removeGuard();
  }

  #opened(row: LockRow, lockKey: Uint8Array<ArrayBuffer>): void {
    this.#guard = { kind: 'lock', row, lockKey };
    this.slots.use(lockedSlots(lockKey));
  }

  async #guardWith(passphrase: string): Promise<void> {
    const lockKey = systemRandom.bytes(KEY_BYTES);
    const file = nextFile(this.slots.fileName);
    const salt = systemRandom.bytes(SALT_BYTES);
    const nonce = systemRandom.bytes(NONCE_BYTES);
    const key = keyOfPassphrase(passphrase, salt, NEW_STRETCH);
    const sealed = concatBytes(nonce, await webCryptography.seal(key, nonce, aadOf(file), lockKey));
    const row = { file, salt, stretch: NEW_STRETCH, sealed };
    await this.#move({ name: file, form: lockedSlots(lockKey) }, row);
    this.#guard = { kind: 'lock', row, lockKey };
  }

  async #removeGuard(): Promise<void> {
    await this.#move({ name: KEYS_FILE_NAME, form: PLAIN_SLOTS }, undefined);
    this.#guard = { kind: 'none' };
  }

  /** The row decides: a change that fails after it was written has happened, and the next start ends it. */
  async #move(file: SlotFile, row: LockRow | undefined): Promise<void> {
    await this.slots.moveTo(file, async () => {
      try {
        await writeRow(this.#database, row);
      } catch (error) {
        // A database that breaks may have written it.
        const kept = await readRow(this.#database);
        if (fileOf(guardOf(kept, [])).name !== file.name) throw error;
      }
    });
  }
}

function guardOf(kept: unknown, names: readonly string[]): Guard {
  if (kept === undefined) return { kind: 'none' };
  try {
    return { kind: 'lock', row: lockRow(kept), lockKey: undefined };
  } catch (error) {
    if (!isPalmError(error, 'bad-message')) throw error;
    return { kind: 'damaged', file: names.find((name) => LOCKED_FILE.test(name)) ?? nextFile('') };
  }
}

function fileOf(guard: Guard): SlotFile {
  switch (guard.kind) {
    case 'none':
      return { name: KEYS_FILE_NAME, form: PLAIN_SLOTS };
    case 'lock':
      return { name: guard.row.file, form: lockedSlots(guard.lockKey) };
    case 'damaged':
      return { name: guard.file, form: lockedSlots(undefined) };
  }
}

/** Files of locked slots have ascending numbers, so that no two locks have one file. */
function nextFile(present: string): string {
  const number = LOCKED_FILE.test(present) ? Number(present.slice('keys-'.length)) : 0;
  return `keys-${number + 1}`;
}

function aadOf(file: string): Uint8Array<ArrayBuffer> {
  return utf8(`palm/v1/disk/lock/${file}`);
}

function readRow(database: RowDatabase): Promise<unknown> {
  return database.run(['meta'], 'readonly', 'relaxed', (transaction) =>
    transaction.objectStore('meta').get(ROW),
  );
}

async function writeRow(database: RowDatabase, row: LockRow | undefined): Promise<void> {
  await database.run(['meta'], 'readwrite', 'strict', async (transaction) => {
    const meta = transaction.objectStore('meta');
    if (row === undefined) await meta.delete(ROW);
    else {
      const { file, salt, sealed, stretch } = row;
      await meta.put({ v: VERSION, file, salt, sealed, ...stretch }, ROW);
    }
  });
}

function lockRow(row: unknown): LockRow {
  const fields = fieldsOf(row, ['v', 'file', 'salt', 'sealed', 'log2N', 'r', 'p']);
  const file = textOf(fields['file'], 16);
  if (fields['v'] !== VERSION || !LOCKED_FILE.test(file)) throw bad('a lock of an unknown version');
  const stretch = {
    log2N: uintOf(fields['log2N'], 24),
    r: uintOf(fields['r'], 64),
    p: uintOf(fields['p'], 64),
  };
  if (stretch.log2N < 1 || stretch.r < 1 || stretch.p < 1 || memoryOf(stretch) > MAX_STRETCH_BYTES)
    throw bad('a lock that no device of this kind could open');
  const sealedBytes = KEY_BYTES + SEAL_BYTES;
  return {
    file,
    salt: bytesOf(fields['salt'], SALT_BYTES, SALT_BYTES),
    stretch,
    sealed: bytesOf(fields['sealed'], sealedBytes, sealedBytes),
  };
}
