// The stores that this device began to seal and has not published: those under way, and those that were
// interrupted (a reload, a crash, a full disk) and wait to be continued.
//
// Invariants: a store is in the journal before its first block is kept, and until it is published or
// discarded; during that time its claim on its blocks stays; at most one job works on it.

import { equalBytes } from '../../core/model/bytes.ts';
import { PalmError } from '../../core/model/errors.ts';
import { type BlockOwner, ownerOfStore } from '../../core/model/ids.ts';
import { plainBytesOf, segmentCountOf, type Geometry } from '../../core/model/geometry.ts';
import type { FragmentStore, Kept, StoreJournal, UnfinishedStore } from '../../core/ports.ts';
import type { UnfinishedStatus } from '../api.ts';
import type { SourceFiles } from '../runtime-ports.ts';

export interface UnfinishedPorts {
  readonly journal: StoreJournal;
  readonly fragments: FragmentStore;
  readonly sources: SourceFiles;
}

/** What a store and an interrupted one must have in common, apart from their bytes, to be the same. */
export type Likeness = Geometry & Pick<UnfinishedStore, 'name' | 'isPrivate'>;

interface Entry {
  readonly store: UnfinishedStore;
  readonly sealedBytes: number;
  /** Segments that this page knows to have been sealed: their rows must still be there. */
  readonly known: Set<number>;
  readonly needs: UnfinishedStatus['needs'];
  readonly isRunning: boolean;
}

/** By segment: the SHA-256 of its plaintext, and its n blocks where all are still here. */
export type SealedSegments = ReadonlyMap<number, Kept>;

/** Stores beyond this cannot be continued. */
const MAX_UNFINISHED = 256;

export class UnfinishedStores {
  readonly #ports: UnfinishedPorts;
  readonly #changed: () => void;
  readonly #entries = new Map<string, Entry>();

  constructor(ports: UnfinishedPorts, changed: () => void) {
    this.#ports = ports;
    this.#changed = changed;
  }

  /** Loads the stores of earlier pages. Returns how many damaged records were removed. */
  async load(): Promise<number> {
    const { journal } = this.#ports;
    const { stores, damagedCount } = await journal.load();
    for (const store of stores) {
      const sealed = await this.#sealed(store);
      const sealedBytes = sealedBytesOf(store, sealed);
      const needs = await this.#needsOf(store);
      this.#entries.set(store.storeId, {
        store,
        sealedBytes,
        known: new Set(sealed.keys()),
        needs,
        isRunning: false,
      });
    }
    return damagedCount;
  }

  /** The claims that must outlive a restart. */
  owners(): ReadonlySet<BlockOwner> {
    return new Set(Array.from(this.#entries.keys(), ownerOfStore));
  }

  /** Stores that wait to be continued, oldest first. */
  list(): UnfinishedStatus[] {
    return [...this.#entries.values()].flatMap(({ store, sealedBytes, needs, isRunning }) => {
      const { storeId, name, path, size, isPrivate } = store;
      return isRunning ? [] : [{ id: storeId, name, path, size, private: isPrivate, sealedBytes, needs }];
    });
  }

  has(storeId: string): boolean {
    return this.#entries.has(storeId);
  }

  /** Ends stores that were published just before a crash; `salts` are those of the catalogue's files. */
  async endPublished(salts: Iterable<Uint8Array>): Promise<void> {
    if (this.#entries.size === 0) return;
    for (const salt of salts) {
      for (const { store } of this.#entries.values())
        if (equalBytes(store.salt, salt)) await this.end(store.storeId);
    }
  }

  /** Takes an interrupted store for a job. @throws PalmError as `#free`. */
  claim(storeId: string): UnfinishedStore {
    const store = this.#free(storeId);
    this.#set(storeId, { isRunning: true });
    return store;
  }

  /** Whether an interrupted store may be of the same file. */
  hasAlike(like: Likeness): boolean {
    return this.#alike(like).length > 0;
  }

  /** Takes an interrupted store that may be of the same file and passes `isEqual`, if there is one. */
  async claimAlike(
    like: Likeness,
    isEqual: (sealed: SealedSegments) => boolean,
  ): Promise<UnfinishedStore | undefined> {
    for (const { storeId } of this.#alike(like)) {
      if (this.#entries.get(storeId)?.isRunning !== false) continue; // another job took it
      const store = this.claim(storeId);
      try {
        const sealed = await this.sealed(store);
        // If nothing was sealed, there is nothing to compare.
        if (sealed.size > 0 && isEqual(sealed)) return store;
      } catch (error) {
        this.pause(storeId);
        throw error;
      }
      this.pause(storeId);
    }
    return undefined;
  }

  /**
   * The file of an interrupted store, opened again where the browser has a handle and allows it. Call it
   * within a gesture: the browser may ask the person, and until they answer this does not settle. @throws
   * PalmError as `#free`; 'file-needed' when they must choose it.
   */
  async open(storeId: string): Promise<File> {
    const { name, handle } = this.#free(storeId);
    if (handle === undefined) throw fileNeeded(name, 'no-handle');
    const { sources } = this.#ports;
    const may = await sources.mayRead(handle, true);
    const file = may ? await sources.open(handle) : undefined;
    if (file !== undefined) return file;
    this.#set(storeId, { needs: 'file' });
    throw fileNeeded(name, may ? 'moved' : 'not-allowed');
  }

  /**
   * Journals `store`, which a job works on from now on. Returns whether that worked: otherwise it cannot be
   * continued.
   */
  async keep(store: UnfinishedStore): Promise<boolean> {
    const { storeId, handle } = store;
    const known = this.#entries.get(storeId);
    if (known === undefined && this.#entries.size >= MAX_UNFINISHED) return false;
    await this.#ports.journal.put(store);
    const needs = handle === undefined ? 'file' : 'nothing';
    this.#entries.set(storeId, {
      store,
      sealedBytes: known?.sealedBytes ?? 0,
      known: known?.known ?? new Set(),
      needs,
      isRunning: true,
    });
    return true;
  }

  /** A segment of a journaled store was sealed, and its blocks are kept. */
  advanced(storeId: string, segment: number): void {
    const entry = this.#entries.get(storeId);
    if (entry === undefined) return;
    entry.known.add(segment);
    this.#set(storeId, { sealedBytes: entry.sealedBytes + plainBytesOf(entry.store, segment) });
  }

  /**
   * The segments of a journaled store whose blocks may have left this device. None if that is unknown for any
   * of them: then its keys must not be used again.
   */
  async sealed(store: UnfinishedStore): Promise<SealedSegments> {
    const sealed = await this.#sealed(store);
    this.#set(store.storeId, { sealedBytes: sealedBytesOf(store, sealed) });
    return sealed;
  }

  /** The job that worked on it stopped; the store can be continued. */
  pause(storeId: string): void {
    this.#set(storeId, { isRunning: false });
  }

  /** Forgets a store, and releases blocks that no fragment needs. */
  async end(storeId: string): Promise<void> {
    const { journal, fragments } = this.#ports;
    try {
      // A crash in between leaves a claim that the next start releases.
      if (this.#entries.has(storeId)) await journal.end(storeId);
      await fragments.release(ownerOfStore(storeId));
      this.#entries.delete(storeId);
    } finally {
      this.pause(storeId);
    }
  }

  /** @throws PalmError 'bad-argument' when there is no such store, or when it is being continued. */
  #free(storeId: string): UnfinishedStore {
    const entry = this.#entries.get(storeId);
    if (entry === undefined) throw new PalmError({ code: 'bad-argument', reason: 'no-unfinished-store' });
    if (entry.isRunning)
      throw new PalmError({ code: 'bad-argument', reason: 'store-goes-on', name: entry.store.name });
    return entry.store;
  }

  #alike(like: Likeness): UnfinishedStore[] {
    return [...this.#entries.values()].flatMap(({ store, isRunning }) =>
      !isRunning && isAlike(store, like) ? [store] : [],
    );
  }

  async #sealed(store: UnfinishedStore): Promise<SealedSegments> {
    const kept = await this.#ports.fragments.kept(ownerOfStore(store.storeId));
    const known = this.#entries.get(store.storeId)?.known ?? new Set();
    const isSound =
      [...known].every((segment) => kept.has(segment)) &&
      [...kept].every(
        ([segment, { blocks }]) =>
          segment < segmentCountOf(store) && (blocks === undefined || blocks.length === store.n),
      );
    return isSound ? kept : new Map();
  }

  async #needsOf({ handle }: UnfinishedStore): Promise<UnfinishedStatus['needs']> {
    if (handle === undefined) return 'file';
    return (await this.#ports.sources.mayRead(handle, false)) ? 'nothing' : 'permission';
  }

  #set(storeId: string, change: Partial<Entry>): void {
    const entry = this.#entries.get(storeId);
    if (entry !== undefined) this.#entries.set(storeId, { ...entry, ...change });
    this.#changed();
  }
}

/** Bytes of plaintext whose blocks are here. */
export function sealedBytesOf(store: Geometry, sealed: SealedSegments): number {
  return [...sealed].reduce(
    (sum, [segment, { blocks }]) => sum + (blocks === undefined ? 0 : plainBytesOf(store, segment)),
    0,
  );
}

function isAlike(a: Likeness, b: Likeness): boolean {
  return (
    a.name === b.name &&
    a.size === b.size &&
    a.k === b.k &&
    a.n === b.n &&
    a.blockBytes === b.blockBytes &&
    a.isPrivate === b.isPrivate
  );
}

function fileNeeded(name: string, reason: 'no-handle' | 'moved' | 'not-allowed'): PalmError {
  return new PalmError({ code: 'file-needed', reason, name });
}
