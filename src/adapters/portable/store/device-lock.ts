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

import { equalBytes } from '../../../core/model/bytes.ts';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import type { LockChange, LockOpener, LockState, LockWays } from '../../../core/lock-port.ts';
import { systemRandom } from '../random.ts';
import type { RowDatabase } from './row-database.ts';
import { eraseFile, KEYS_FILE_NAME, KeySlots, type SlotFile } from './key-slots.ts';
import {
  LOCKED_FILE,
  lockRow,
  type LockRow,
  openedByPasskey,
  openedByPassphrase,
  passkeyWay,
  passphraseWay,
  writtenRow,
} from './lock-row.ts';
import type { PackFolder } from './pack-file.ts';
import { KEY_BYTES, lockedSlots, PLAIN_SLOTS } from './slot-forms.ts';

const ROW = 'lock';

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

  /** @throws PalmError 'corrupt'. */
  get ways(): LockWays {
    if (this.#guard.kind === 'none') return { passphrase: false };
    if (this.#guard.kind === 'damaged') throw new PalmError({ code: 'corrupt', reason: 'lock' });
    const { passphrase, passkey } = this.#guard.row;
    return {
      passphrase: passphrase !== undefined,
      passkey: passkey && { credentialId: passkey.credentialId, salt: passkey.salt },
    };
  }

  /**
   * Locks the device, after a change of its ways if one is given.
   * @throws PalmError 'bad-argument' without a lock and a change, 'passkey-failed', 'locked', 'storage-full',
   * 'storage-failed'; then the state is what it was, or the next start finishes the change.
   */
  async close(change: LockChange | undefined): Promise<void> {
    if (this.state === 'locked') throw new PalmError({ code: 'locked' });
    if (change !== undefined) await this.#change(change);
    if (this.#guard.kind !== 'lock') throw new PalmError({ code: 'bad-argument', reason: 'no-passphrase' });
    this.#guard.lockKey?.fill(0);
    this.#guard.lockKey = undefined;
    this.slots.use(lockedSlots(undefined));
  }

  /**
   * Opens the lock, whether or not it is open; with `remove`, takes it away.
   * @throws PalmError 'wrong-passphrase', 'passkey-failed', 'bad-argument' for a way that it does not have,
   * 'corrupt', 'storage-full', 'storage-failed'.
   */
  async open(opener: LockOpener, remove: boolean): Promise<void> {
    if (this.#guard.kind === 'none') return;
    if (this.#guard.kind === 'damaged') throw new PalmError({ code: 'corrupt', reason: 'lock' });
    const { row } = this.#guard;
    this.#opened(
      row,
      await (typeof opener === 'string' ? byPassphrase(row, opener) : byPasskey(row, opener)),
    );
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

  async #change(change: LockChange): Promise<void> {
    const { passkey } = change;
    const present = this.#guard.kind === 'lock' ? this.#guard : undefined;
    // A passkey that stays must open the lock that there is: the next one is sealed for its secret.
    const known = present?.row.passkey;
    if (present !== undefined && known !== undefined && passkey !== undefined)
      if (equalBytes(known.credentialId, passkey.credentialId) && equalBytes(known.salt, passkey.salt))
        await byPasskey(present.row, passkey.secret);
    if (change.keeps && present?.lockKey !== undefined)
      await this.#addWays(present.row, present.lockKey, change);
    else await this.#guardWith(change);
  }

  /** No way goes, so what opened the lock may go on opening it. */
  async #addWays(row: LockRow, lockKey: Uint8Array<ArrayBuffer>, change: LockChange): Promise<void> {
    const more: LockRow = { ...row, ...(await waysOf(change, row.file, lockKey)) };
    await writeRow(this.#database, more);
    this.#guard = { kind: 'lock', row: more, lockKey };
  }

  async #guardWith(change: LockChange): Promise<void> {
    const lockKey = systemRandom.bytes(KEY_BYTES);
    const file = nextFile(this.slots.fileName);
    const row: LockRow = { file, ...(await waysOf(change, file, lockKey)) };
    if (row.passphrase === undefined && row.passkey === undefined)
      throw new PalmError({ code: 'bad-argument', reason: 'no-passphrase' });
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

async function byPassphrase({ file, passphrase }: LockRow, given: string): Promise<Uint8Array<ArrayBuffer>> {
  if (passphrase === undefined) throw new PalmError({ code: 'bad-argument', reason: 'passkey-only' });
  const lockKey = await openedByPassphrase(passphrase, file, given);
  if (lockKey === undefined) throw new PalmError({ code: 'wrong-passphrase' });
  return lockKey;
}

async function byPasskey({ file, passkey }: LockRow, secret: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  if (passkey === undefined) throw new PalmError({ code: 'bad-argument', reason: 'no-passkey' });
  const lockKey = await openedByPasskey(passkey, file, secret);
  if (lockKey === undefined) throw new PalmError({ code: 'passkey-failed', reason: 'wrong' });
  return lockKey;
}

/** The ways of a change that it makes itself, sealed. */
async function waysOf(
  { passphrase, passkey }: LockChange,
  file: string,
  lockKey: Uint8Array,
): Promise<Omit<LockRow, 'file'>> {
  return {
    ...(passphrase === undefined ? {} : { passphrase: await passphraseWay(passphrase, file, lockKey) }),
    ...(passkey === undefined ? {} : { passkey: await passkeyWay(passkey, file, lockKey) }),
  };
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

function readRow(database: RowDatabase): Promise<unknown> {
  return database.run(['meta'], 'readonly', 'relaxed', (transaction) =>
    transaction.objectStore('meta').get(ROW),
  );
}

async function writeRow(database: RowDatabase, row: LockRow | undefined): Promise<void> {
  await database.run(['meta'], 'readwrite', 'strict', async (transaction) => {
    const meta = transaction.objectStore('meta');
    if (row === undefined) await meta.delete(ROW);
    else await meta.put(writtenRow(row), ROW);
  });
}
