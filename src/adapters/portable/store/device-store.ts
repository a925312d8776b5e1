// The stores of the fragment worker: a database and, where the platform has them, files for large blocks and
// for the keys of everything that must be erasable. They have one owner, so that no slot is given twice.

import { PalmError } from '../../../core/model/errors.ts';
import type { DeviceLock as LockPort } from '../../../core/lock-port.ts';
import type { DeviceStore } from '../../../core/ports.ts';
import { DeviceLock } from './device-lock.ts';
import { storageFailure } from './storage-failure.ts';
import { RowFragmentStore } from './fragment-store.ts';
import { RowStoreJournal } from './store-journal.ts';
import { slotsNamed } from './fragment-loading.ts';
import { RowSecretStore } from './secret-store.ts';
import { DiskReserve } from './disk-reserve.ts';
import type { PackFolder } from './pack-file.ts';
import type { RowDatabase } from './row-database.ts';
import { RowSeals } from './sealed-rows.ts';

export interface DeviceFolders {
  readonly blocks: PackFolder;
  readonly keys: PackFolder;
}

/** What this device's own files do for a full disk. */
export interface OwnSpace {
  /** Bytes of files that hold nothing and will be used before a file grows. */
  holeBytes(): number;
  /** Gives up the reserve. Returns whether there was one. @throws PalmError 'storage-failed'. */
  spendReserve(): Promise<boolean>;
  /** Makes the reserve, as far as there is room. @throws PalmError 'storage-failed'. */
  restoreReserve(): Promise<void>;
}

export interface HeldLock {
  readonly key: Uint8Array<ArrayBuffer>;
  /** The file of slots that it opens. */
  readonly file: string;
}

export interface OpenDeviceStore extends DeviceStore {
  /** Rows that failed their decoder since the store was opened, and were removed. */
  readonly damagedRowCount: () => number;
  readonly space: OwnSpace;
  /** What opens the lock in another worker of this page; undefined without an open lock. */
  readonly heldLock: () => HeldLock | undefined;
  /** Opens the lock with what another worker had. What does not fit is ignored. */
  readonly useHeld: (held: HeldLock) => Promise<void>;
  /** As IdbStore's, for the files as well. */
  check(): Promise<void>;
  /** Waits for running transactions; later calls fail. */
  close(): void;
}

/** Rows that failed their decoder and were removed. */
export class DamageCount {
  #rowCount = 0;

  get rowCount(): number {
    return this.#rowCount;
  }

  readonly add = (rowCount: number): void => {
    this.#rowCount += rowCount;
  };
}

/**
 * Opens this device's stores over its database, which they close. Without folders every block is a row of the
 * database, and deleted data is not erased.
 * @throws PalmError 'storage-failed', 'storage-full'.
 */
export async function deviceStoreOver(
  database: RowDatabase,
  folders: DeviceFolders | undefined,
  damage: DamageCount,
): Promise<OpenDeviceStore> {
  const lock = folders && (await DeviceLock.open(database, folders.keys, await slotsNamed(database)));
  const seals = new RowSeals(lock?.slots);
  const { fragments, files } = await RowFragmentStore.open({
    database,
    folder: folders?.blocks,
    seals,
    onDamage: damage.add,
  });
  const reserve = folders && new DiskReserve(folders.keys);
  const journal = await RowStoreJournal.open(database, seals, damage.add, () => lock?.state !== 'none');
  return {
    fragments,
    journal,
    lock: lockPort(lock, journal),
    heldLock: () =>
      lock?.lockKey === undefined ? undefined : { key: lock.lockKey, file: lock.slots.fileName },
    useHeld: async ({ key, file }) => lock?.use(key, file),
    secrets: await RowSecretStore.open(database, seals),
    damagedRowCount: () => damage.rowCount,
    space: {
      holeBytes: () => files?.holeBytes() ?? 0,
      spendReserve: async () => (await reserve?.spend()) ?? false,
      restoreReserve: async () => reserve?.restore(),
    },
    async check() {
      await database.check();
      if (folders !== undefined && lock !== undefined) await checkFolders(folders, lock.slots.fileName);
    },
    close() {
      files?.close();
      seals.close();
      database.close();
    },
  };
}

/** Without files nothing can be erased, and a lock would be a promise that the disk breaks. */
function lockPort(lock: DeviceLock | undefined, journal: RowStoreJournal): LockPort {
  return {
    state: async () => lock?.state ?? 'none',
    ways: async () => lock?.ways ?? { passphrase: false },
    async close(change) {
      if (lock === undefined) throw new PalmError({ code: 'unsupported', reason: 'no-lock' });
      await lock.close(change);
      await journal.forgetHandles();
    },
    open: async (opener, remove) => lock?.open(opener, remove),
    forget: async () => lock?.forget(),
  };
}

/** The file of key slots is there from the start. A handle to a deleted file may work as if it were there. */
async function checkFolders({ blocks, keys }: DeviceFolders, keysFile: string): Promise<void> {
  try {
    await blocks.names();
    if ((await keys.names()).includes(keysFile)) return;
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'NotFoundError') throw storageFailure(error);
  }
  throw new PalmError({ code: 'storage-failed', reason: 'gone' });
}
