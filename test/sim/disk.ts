// What a tab sees of its stores: every call takes its turn and some time, as database transactions do. A call
// whose turn has not come when the tab is killed never happened. A call whose turn has come is durable,
// whether or not the tab hears of it.

import { PalmError } from '../../src/core/model/errors.ts';
import type { FragmentStore, RecordStore, SecretStore, StoreJournal } from '../../src/core/ports.ts';
import type { MemoryStore } from './memory-store.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

/** A disk without faults: a transaction takes a few ms. */
export function soundDisk(): DiskFaults {
  return { recordsFail: false, clearsFail: false, hangs: false, dyingCount: 0, mostMs: 3, isGone: false };
}

/** The faults that a test causes. */
export interface DiskFaults {
  /** Catalogue records can no longer be written. */
  recordsFail: boolean;
  /** Fragments cannot be deleted all together: their worker cannot be started. */
  clearsFail: boolean;
  /** A call that drops fragments never returns. */
  hangs: boolean;
  /**
   * This many of the next calls that write or read a block fail, because the worker that has the blocks dies.
   */
  dyingCount: number;
  /** Everything was deleted: every call fails. */
  isGone: boolean;
  /** Most time of one transaction, ms. */
  mostMs: number;
}

export interface Disk {
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly journal: StoreJournal;
  readonly secrets: SecretStore;
}

/** Bytes and records lie in different tables: their transactions do not wait for each other. */
export function diskOf(store: MemoryStore, world: World, process: SimProcess, faults: DiskFaults): Disk {
  return {
    fragments: fragmentsThrough(turnstile(world, process, faults), store, faults),
    records: recordsThrough(turnstile(world, process, faults), store.records, faults),
    journal: journalThrough(turnstile(world, process, faults), store.journal),
    secrets: secretsThrough(turnstile(world, process, faults), store.secrets),
  };
}

type Turnstile = <Result>(call: () => Promise<Result>) => Promise<Result>;

function turnstile(world: World, process: SimProcess, faults: DiskFaults): Turnstile {
  let freeAtMs = 0;
  return (call) =>
    new Promise((resolve, reject) => {
      freeAtMs = Math.max(freeAtMs, world.nowMs) + world.random.below(faults.mostMs + 1);
      world.after(freeAtMs - world.nowMs, () => {
        if (process.dead) return;
        process.hears(faults.isGone ? Promise.reject(gone()) : call()).then(resolve, reject);
      });
    });
}

function gone(): PalmError {
  return new PalmError({ code: 'storage-failed', reason: 'gone' });
}

function fragmentsThrough(
  take: Turnstile,
  { fragments: store, restart }: MemoryStore,
  faults: DiskFaults,
): FragmentStore {
  const unlessItDies = <Result>(call: () => Promise<Result>): Promise<Result> =>
    take(async () => {
      if (faults.dyingCount > 0) {
        faults.dyingCount -= 1;
        restart(); // the next one begins with what is on the disk
        throw new PalmError({ code: 'storage-failed', reason: 'fragment-worker' });
      }
      return call();
    });
  return {
    // The store's from now on, as the port says.
    putBlocks: (...given) => unlessItDies(() => store.putBlocks(...given)),
    kept: (owner) => take(() => store.kept(owner)),
    getBlock: (hash) => unlessItDies(() => store.getBlock(hash)),
    hasBlocks: (hashes) => take(() => store.hasBlocks(hashes)),
    commit: (fragments) => take(() => store.commit(fragments)),
    getIndex: (fragmentId) => take(() => store.getIndex(fragmentId)),
    list: () => take(() => store.list()),
    drop: (fragmentIds) =>
      take(() => (faults.hangs ? new Promise(() => undefined) : store.drop(fragmentIds))),
    release: (owner) => take(() => store.release(owner)),
    owners: () => take(() => store.owners()),
    clear: () =>
      take(async () => {
        if (faults.clearsFail) throw new PalmError({ code: 'storage-failed', reason: 'fragment-worker' });
        await store.clear();
      }),
  };
}

function recordsThrough(take: Turnstile, store: RecordStore, faults: DiskFaults): RecordStore {
  return {
    putRecords: (records) =>
      take(async () => {
        if (faults.recordsFail) throw new PalmError({ code: 'storage-full', reason: 'device' });
        await store.putRecords(records);
      }),
    dropRecords: (entryIds) => take(() => store.dropRecords(entryIds)),
    loadRecords: () => take(() => store.loadRecords()),
    loadOutbox: () => take(() => store.loadOutbox()),
    putOutbox: (fileId) => take(() => store.putOutbox(fileId)),
    dropOutbox: (fileId) => take(() => store.dropOutbox(fileId)),
    getMeta: (name) => take(() => store.getMeta(name)),
    putMeta: (name, value) => {
      const kept = structuredClone(value);
      return take(() => store.putMeta(name, kept));
    },
    dropMeta: (name) => take(() => store.dropMeta(name)),
    clear: () => take(() => store.clear()),
  };
}

function journalThrough(take: Turnstile, journal: StoreJournal): StoreJournal {
  return {
    load: () => take(() => journal.load()),
    put: (store) => {
      const kept = structuredClone(store);
      return take(() => journal.put(kept));
    },
    end: (storeId) => take(() => journal.end(storeId)),
    clear: () => take(() => journal.clear()),
  };
}

function secretsThrough(take: Turnstile, secrets: SecretStore): SecretStore {
  return {
    get: (name) => take(() => secrets.get(name)),
    put: (name, secret) => {
      const kept = secret.slice();
      return take(() => secrets.put(name, kept));
    },
    clear: () => take(() => secrets.clear()),
  };
}
