// What a tab sees of its stores: every call takes its turn and some time, as database transactions do. A call
// whose turn has not come when the tab is killed never happened. A call whose turn has come is durable,
// whether or not the tab hears of it.

import { PalmError } from '../../src/core/model/errors.ts';
import type { DeviceLock } from '../../src/core/lock-port.ts';
import type { FragmentStore, RecordStore, SecretStore, StoreJournal } from '../../src/core/ports.ts';
import type { MemoryStore } from './memory-store.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

/** A disk without faults: a transaction takes a few ms. */
export function soundDisk(): DiskFaults {
  return {
    recordsFail: false,
    clearsFail: false,
    hangs: false,
    dyingCount: 0,
    mostMs: 3,
    isGone: false,
    crash: undefined,
  };
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
  /** The tab is killed at a write. */
  crash: Crash | undefined;
}

/** The tab ends at one of its writes. */
export interface Crash {
  /** Writes until then. */
  inWrites: number;
  /** Whether that write is durable: not, wholly, or only some of its blocks (other writes: not). */
  readonly durable: 'nothing' | 'all' | 'some';
  /** Kills the tab. */
  readonly happens: () => void;
}

export interface Disk {
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly journal: StoreJournal;
  readonly secrets: SecretStore;
  readonly lock: DeviceLock;
}

/** Bytes and records lie in different tables: their transactions do not wait for each other. */
export function diskOf(store: MemoryStore, world: World, process: SimProcess, faults: DiskFaults): Disk {
  return {
    fragments: fragmentsThrough(turnstile(world, process, faults), store, faults),
    records: recordsThrough(turnstile(world, process, faults), store.records, faults),
    journal: journalThrough(turnstile(world, process, faults), store.journal),
    secrets: secretsThrough(turnstile(world, process, faults), store.secrets),
    lock: store.lock,
  };
}

interface Turnstile {
  read<Result>(call: () => Promise<Result>): Promise<Result>;
  /** `some`: does a part of it. */
  write<Result>(call: () => Promise<Result>, some?: () => Promise<unknown>): Promise<Result>;
}

function turnstile(world: World, process: SimProcess, faults: DiskFaults): Turnstile {
  let freeAtMs = 0;
  const read = <Result>(call: () => Promise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      freeAtMs = Math.max(freeAtMs, world.nowMs) + world.random.below(faults.mostMs + 1);
      world.after(freeAtMs - world.nowMs, () => {
        if (process.dead) return;
        process.hears(faults.isGone ? Promise.reject(gone()) : call()).then(resolve, reject);
      });
    });
  return {
    read,
    write: (call, some) =>
      read(async () => {
        const { crash } = faults;
        if (crash === undefined) return call();
        crash.inWrites -= 1;
        if (crash.inWrites > 0) return call();
        faults.crash = undefined;
        if (crash.durable === 'all') await call();
        else if (crash.durable === 'some') await some?.();
        crash.happens();
        return new Promise(() => undefined);
      }),
  };
}

function gone(): PalmError {
  return new PalmError({ code: 'storage-failed', reason: 'gone' });
}

function fragmentsThrough(
  take: Turnstile,
  { fragments: store, restart }: MemoryStore,
  faults: DiskFaults,
): FragmentStore {
  const unlessItDies = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    if (faults.dyingCount > 0) {
      faults.dyingCount -= 1;
      restart(); // the next one begins with what is on the disk
      throw new PalmError({ code: 'storage-failed', reason: 'fragment-worker' });
    }
    return call();
  };
  return {
    // The store's from now on, as the port says.
    putBlocks: (owner, blocks, from, keep) =>
      take.write(
        () => unlessItDies(() => store.putBlocks(owner, blocks, from, keep)),
        () => store.putBlocks(owner, blocks.slice(0, blocks.length >> 1), from),
      ),
    kept: (owner) => take.read(() => store.kept(owner)),
    getBlock: (hash) => take.read(() => unlessItDies(() => store.getBlock(hash))),
    hasBlocks: (hashes) => take.read(() => store.hasBlocks(hashes)),
    commit: (fragments) => take.write(() => store.commit(fragments)),
    getIndex: (fragmentId) => take.read(() => store.getIndex(fragmentId)),
    list: () => take.read(() => store.list()),
    drop: (fragmentIds) =>
      take.write(() => (faults.hangs ? new Promise(() => undefined) : store.drop(fragmentIds))),
    release: (owner) => take.write(() => store.release(owner)),
    owners: () => take.read(() => store.owners()),
    clear: () =>
      take.write(async () => {
        if (faults.clearsFail) throw new PalmError({ code: 'storage-failed', reason: 'fragment-worker' });
        await store.clear();
      }),
  };
}

function recordsThrough(take: Turnstile, store: RecordStore, faults: DiskFaults): RecordStore {
  return {
    putRecords: (records) =>
      take.write(async () => {
        if (faults.recordsFail) throw new PalmError({ code: 'storage-full', reason: 'device' });
        await store.putRecords(records);
      }),
    dropRecords: (entryIds) => take.write(() => store.dropRecords(entryIds)),
    loadRecords: () => take.read(() => store.loadRecords()),
    loadOutbox: () => take.read(() => store.loadOutbox()),
    putOutbox: (fileId) => take.write(() => store.putOutbox(fileId)),
    dropOutbox: (fileId) => take.write(() => store.dropOutbox(fileId)),
    getMeta: (name) => take.read(() => store.getMeta(name)),
    putMeta: (name, value) => {
      const kept = structuredClone(value);
      return take.write(() => store.putMeta(name, kept));
    },
    dropMeta: (name) => take.write(() => store.dropMeta(name)),
    clear: () => take.write(() => store.clear()),
  };
}

function journalThrough(take: Turnstile, journal: StoreJournal): StoreJournal {
  return {
    load: () => take.read(() => journal.load()),
    put: (store) => {
      const kept = structuredClone(store);
      return take.write(() => journal.put(kept));
    },
    end: (storeId) => take.write(() => journal.end(storeId)),
    clear: () => take.write(() => journal.clear()),
  };
}

function secretsThrough(take: Turnstile, secrets: SecretStore): SecretStore {
  return {
    get: (name) => take.read(() => secrets.get(name)),
    put: (name, secret) => {
      const kept = secret.slice();
      return take.write(() => secrets.put(name, kept));
    },
    clear: () => take.write(() => secrets.clear()),
  };
}
