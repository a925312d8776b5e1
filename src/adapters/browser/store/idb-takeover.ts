// Takes over the data of a device of versions 1 to 5 (old-database.ts): shuts out the older app, copies every
// row, sealing those that must be erasable, reads and opens all copies, and only then destroys the old
// database.
//
// The step is kept in `meta` of the new database, so that a later start continues: 'copying' (the old one is
// whole; copying starts over), 'moving' (all else was read back; blocks, which are ciphertext and may be most
// of the disk, are moved some at a time), 'moved' (the old one is destroyed). A failure or crash at any step
// loses nothing.

import { equalBytes, utf8 } from '../../../core/model/bytes.ts';
import { PalmError } from '../../../core/model/errors.ts';
import type { BlockOwner } from '../../../core/model/ids.ts';
import { PalmDatabase } from './idb-database.ts';
import { RowStoreJournal, unfinishedRow } from '../../portable/store/store-journal.ts';
import { allIndexesOf, slotsNamed } from '../../portable/store/fragment-loading.ts';
import {
  decoded,
  fragmentRow,
  indexRow,
  type KeptRow,
  keptRow,
  rowOfKept,
} from '../../portable/store/rows.ts';
import { RowSecretStore } from '../../portable/store/secret-store.ts';
import { KeySlots } from '../../portable/store/key-slots.ts';
import { destroyOldDatabase, hasOldDatabase, type OldDatabase, openOldDatabase } from './old-database.ts';
import type { PackFolder } from '../../portable/store/pack-file.ts';
import { NO_SLOT, RowSeals } from '../../portable/store/sealed-rows.ts';

const STEP = 'database-upgrade';
const STEPS = ['copying', 'moving', 'moved'] as const;
type Step = (typeof STEPS)[number];
/** Rows in one transaction. */
const ROWS_AT_ONCE = 64;
/** Where the invite was in `meta` up to version 5; now it is a secret of the same name. */
const INVITE = 'pool-invite';
const STORES = [
  'blocks',
  'kept',
  'fragments',
  'indexes',
  'records',
  'outbox',
  'meta',
  'journal',
  'secrets',
] as const;

export interface DatabaseNames {
  readonly database: string;
  /** Of versions 1 to 5. */
  readonly before: string;
}

export const DATABASE_NAMES: DatabaseNames = { database: 'palm-device', before: 'palm' };

/**
 * Opens this device's database, with everything that an earlier version had. `keys` is the folder of key
 * slots, in which nobody has a file open. @throws PalmError 'storage-full', 'storage-failed', 'other-tab';
 * then it can be tried again.
 */
export async function openTakenOver(
  { database: name, before }: DatabaseNames,
  keys: PackFolder | undefined,
  onDamage: (rowCount: number) => void,
): Promise<PalmDatabase> {
  const database = await PalmDatabase.open(name);
  try {
    if (await hasOldDatabase(before)) await takeOver(database, before, keys, onDamage);
    else if ((await stepOf(database)) !== undefined) await setStep(database, undefined);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

async function takeOver(
  database: PalmDatabase,
  before: string,
  keys: PackFolder | undefined,
  onDamage: (rowCount: number) => void,
): Promise<void> {
  let step = await stepOf(database);
  // In use already: the database under the old name is not this device's past.
  if (step === undefined && !(await isEmpty(database))) return;
  if (step !== 'moved') {
    const old = await openOldDatabase(before);
    try {
      if (step !== 'moving') {
        await copyAll(old, database, keys, onDamage);
        await checkAll(old, database, keys);
        step = 'moving';
        await setStep(database, step);
      }
      const damageCount = await moveBlocks(old, database);
      if (damageCount > 0) onDamage(damageCount);
    } finally {
      old.close();
    }
    await setStep(database, 'moved');
  }
  await destroyOldDatabase(before);
  await setStep(database, undefined);
}

async function copyAll(
  old: OldDatabase,
  database: PalmDatabase,
  keys: PackFolder | undefined,
  onDamage: (rowCount: number) => void,
): Promise<void> {
  await database.run([...STORES], 'readwrite', 'strict', async (transaction) => {
    await Promise.all(STORES.map((name) => transaction.objectStore(name).clear()));
    await transaction.objectStore('meta').put('copying' satisfies Step, STEP);
  });
  const seals = new RowSeals(keys && (await KeySlots.over(keys, [])));
  try {
    let damageCount = await copyFragments(old, database, seals);
    damageCount += await copyKept(old, database, seals);
    const journal = await RowStoreJournal.open(database, seals, () => undefined);
    const secrets = await RowSecretStore.open(database, seals);
    for await (const { rows } of batches(old, 'journal')) {
      for (const row of rows) {
        const store = decoded(row, unfinishedRow);
        if (store === undefined) damageCount += 1;
        else await journal.put(store);
      }
    }
    const invite: unknown = await old.get('meta', INVITE);
    // A damaged invite stays unreadable. Without any, the rest would look like the remains of a leave.
    if (invite !== undefined) await secrets.put(INVITE, utf8(typeof invite === 'string' ? invite : ''));
    await copyPlain(old, database);
    if (damageCount > 0) onDamage(damageCount);
  } finally {
    seals.close();
  }
}

async function copyFragments(old: OldDatabase, database: PalmDatabase, seals: RowSeals): Promise<number> {
  let damageCount = 0;
  for await (const { rows } of batches(old, 'fragments')) {
    const sound = rows.flatMap((row) => {
      const fragment = decoded(row, fragmentRow);
      return fragment === undefined ? [] : [{ id: fragment.stored.fragmentId, row }];
    });
    damageCount += rows.length - sound.length;
    const indexes = await Promise.all(sound.map(async ({ id }) => [id, await oldIndex(old, id)] as const));
    const slots = seals.take(indexes.length);
    const sealed = await Promise.all(
      indexes.flatMap(([id, index], at) => {
        const slot = slots[at] ?? NO_SLOT;
        // Without its index it stays damaged, as it was.
        return index === undefined
          ? []
          : [seals.seal(slot, ['index', id], index).then((row) => ({ id, slot, row }))];
      }),
    );
    seals.flush();
    await database.run(['fragments', 'indexes'], 'readwrite', 'strict', async (transaction) => {
      await Promise.all([
        ...sound.map(({ row }) => transaction.objectStore('fragments').put(row)),
        ...sealed.map(({ id, slot, row }) => transaction.objectStore('indexes').put(row, [id, slot])),
      ]);
    });
  }
  return damageCount;
}

async function copyKept(old: OldDatabase, database: PalmDatabase, seals: RowSeals): Promise<number> {
  const slots = new Map<BlockOwner, number>();
  let damageCount = 0;
  for await (const { rows } of batches(old, 'kept')) {
    const sound = rows.flatMap((row) => decodedKept(row) ?? []);
    damageCount += rows.length - sound.length;
    const sealed = await Promise.all(
      sound.map(async (kept) => {
        const { owner, keptAs, note } = kept;
        const slot = slots.get(owner) ?? seals.take(1)[0] ?? NO_SLOT;
        slots.set(owner, slot);
        const sealedNote = await seals.seal(slot, ['kept', owner, keptAs], note);
        return rowOfKept({ ...kept, slot, note: sealedNote });
      }),
    );
    seals.flush();
    await database.run(['kept'], 'readwrite', 'strict', async (transaction) => {
      await Promise.all(sealed.map((row) => transaction.objectStore('kept').put(row)));
    });
  }
  return damageCount;
}

/** Copies rows that are not secret as they are. */
async function copyPlain(old: OldDatabase, database: PalmDatabase): Promise<void> {
  for (const name of ['records', 'outbox', 'meta'] as const) {
    for await (const { keys, rows } of batches(old, name)) {
      await database.run([name], 'readwrite', 'strict', async (transaction) => {
        const store = transaction.objectStore(name);
        await Promise.all(
          rows.map(async (row, at) => {
            const key = keys[at];
            if (name === 'records') return store.put(row);
            return typeof key === 'string' && key !== INVITE ? store.put(row, key) : undefined;
          }),
        );
      });
    }
  }
}

/**
 * Reads every copy from the disk again and opens it.
 * @throws PalmError 'storage-failed' when one differs.
 */
async function checkAll(
  old: OldDatabase,
  database: PalmDatabase,
  keys: PackFolder | undefined,
): Promise<void> {
  const seals = new RowSeals(keys && (await KeySlots.over(keys, await slotsNamed(database))));
  try {
    const check = async (
      slot: number,
      name: Parameters<RowSeals['open']>[1],
      sealed: Uint8Array,
      was: Uint8Array,
    ): Promise<void> => {
      const opened = await seals.open(slot, name, sealed);
      if (opened.kind !== 'open' || !equalBytes(opened.bytes, was)) throw notTakenOver();
    };
    for await (const { rows } of batches(old, 'fragments')) {
      for (const row of rows) {
        const id = decoded(row, fragmentRow)?.stored.fragmentId;
        const index = id && (await oldIndex(old, id));
        if (id === undefined || index === undefined) continue;
        const { slot, sealed } = await newIndex(database, id);
        await check(slot, ['index', id], sealed, index);
      }
    }
    for await (const { rows } of batches(old, 'kept')) {
      for (const { owner, keptAs, note } of rows.flatMap((row) => decodedKept(row) ?? [])) {
        const row = await database.run(['kept'], 'readonly', 'relaxed', (transaction) =>
          transaction.objectStore('kept').get([owner, keptAs]),
        );
        const copy = decoded(row, keptRow);
        if (copy === undefined) throw notTakenOver();
        await check(copy.slot, ['kept', owner, keptAs], copy.note, note);
      }
    }
    const journal = await RowStoreJournal.open(database, seals, () => undefined);
    const { stores } = await journal.load();
    const oldStores = (await old.getAll('journal')).flatMap(
      (row: unknown) => decoded(row, unfinishedRow) ?? [],
    );
    if (stores.length !== oldStores.length) throw notTakenOver();
    const invite: unknown = await old.get('meta', INVITE);
    const secret = await (await RowSecretStore.open(database, seals)).get(INVITE);
    if (typeof invite === 'string' && (secret === undefined || !equalBytes(secret, utf8(invite))))
      throw notTakenOver();
  } finally {
    seals.close();
  }
}

/** Returns how many have a key that is no hash: these cannot be asked for, and are left out. */
async function moveBlocks(old: OldDatabase, database: PalmDatabase): Promise<number> {
  let damageCount = 0;
  for await (const { keys, rows } of batches(old, 'blocks')) {
    const sound = rows.flatMap((row, at) => {
      const hash = bytesOfKey(keys[at]);
      return hash === undefined ? [] : [{ hash, row }];
    });
    damageCount += rows.length - sound.length;
    await database.run(['blocks'], 'readwrite', 'strict', async (transaction) => {
      const blocks = transaction.objectStore('blocks');
      await Promise.all(sound.map(({ hash, row }) => blocks.put(row, hash)));
    });
    const done = old.transaction('blocks', 'readwrite');
    await Promise.all([...keys.map((key) => done.store.delete(key)), done.done]);
  }
  return damageCount;
}

async function oldIndex(old: OldDatabase, id: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const row: unknown = await old.get('indexes', id);
  return row === undefined ? undefined : decoded(row, indexRow);
}

async function newIndex(
  database: PalmDatabase,
  id: string,
): Promise<{ readonly slot: number; readonly sealed: Uint8Array }> {
  const range = allIndexesOf(id);
  const [keys, rows] = await database.run(['indexes'], 'readonly', 'relaxed', (transaction) => {
    const indexes = transaction.objectStore('indexes');
    return Promise.all([indexes.getAllKeys(range), indexes.getAll(range)]);
  });
  const sealed = decoded(rows[0], indexRow);
  const slot = keys[0]?.[1];
  if (keys.length !== 1 || sealed === undefined || slot === undefined) throw notTakenOver();
  return { slot, sealed };
}

/** Rows of up to version 5 have no slot. */
function decodedKept(row: unknown): KeptRow | undefined {
  return typeof row === 'object' && row !== null ? decoded({ ...row, slot: NO_SLOT }, keptRow) : undefined;
}

async function* batches(
  old: OldDatabase,
  name: string,
): AsyncGenerator<{ readonly keys: readonly IDBValidKey[]; readonly rows: readonly unknown[] }> {
  let range: IDBKeyRange | null = null;
  for (;;) {
    const transaction = old.transaction(name);
    const [keys, rows]: [IDBValidKey[], unknown[]] = await Promise.all([
      transaction.store.getAllKeys(range, ROWS_AT_ONCE),
      transaction.store.getAll(range, ROWS_AT_ONCE),
    ]);
    if (keys.length > 0) yield { keys, rows };
    if (keys.length < ROWS_AT_ONCE) return;
    range = IDBKeyRange.lowerBound(keys.at(-1), true);
  }
}

async function isEmpty(database: PalmDatabase): Promise<boolean> {
  const counts = await database.run([...STORES], 'readonly', 'relaxed', (transaction) =>
    Promise.all(STORES.map((name) => transaction.objectStore(name).count())),
  );
  return counts.every((count) => count === 0);
}

async function stepOf(database: PalmDatabase): Promise<Step | undefined> {
  const step = await database.run(['meta'], 'readonly', 'relaxed', (transaction) =>
    transaction.objectStore('meta').get(STEP),
  );
  return STEPS.find((known) => known === step);
}

async function setStep(database: PalmDatabase, step: Step | undefined): Promise<void> {
  await database.run(['meta'], 'readwrite', 'strict', async (transaction) => {
    const meta = transaction.objectStore('meta');
    await (step === undefined ? meta.delete(STEP) : meta.put(step, STEP));
  });
}

/** Keys are written as views and come back as buffers. */
function bytesOfKey(key: IDBValidKey | undefined): Uint8Array<ArrayBuffer> | undefined {
  return key instanceof ArrayBuffer ? new Uint8Array(key) : undefined;
}

function notTakenOver(): PalmError {
  return new PalmError({ code: 'storage-failed', reason: 'takeover' });
}
