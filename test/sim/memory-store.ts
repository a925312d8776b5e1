// FragmentStore, RecordStore, StoreJournal and SecretStore in memory, for the simulator: the contract of the
// IndexedDB store (test/contract runs against both) without its platform. Every method settles within
// microtasks and hashes in place, so a simulated pool on virtual time does the same on every run. Bytes are
// copied in and out, as in a database.

import { createHash } from 'node:crypto';
import { equalBytes, hexOf } from '../../src/core/model/bytes.ts';
import { PalmError } from '../../src/core/model/errors.ts';
import {
  type BlockHash,
  blockKey,
  type BlockOwner,
  type EntryId,
  type FileId,
  type FragmentId,
  fragmentIdOf,
  parseBlockHash,
  parseBlockOwner,
} from '../../src/core/model/ids.ts';
import type { DeviceLock } from '../../src/core/lock-port.ts';
import type {
  FragmentStore,
  Keep,
  Kept,
  NewFragment,
  RecordStore,
  SecretStore,
  StoredFragment,
  StoredRecord,
  StoreJournal,
  UnfinishedStore,
} from '../../src/core/ports.ts';
import { MemoryLock } from './memory-lock.ts';

export interface MemoryStore {
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly journal: StoreJournal;
  readonly secrets: SecretStore;
  readonly lock: DeviceLock;
  /** Bytes of the blocks and fragment indexes that are here, bounded by `capacityBytes`. */
  usedBytes(): number;
  /** Changes whenever fragments or blocks do: what a check worked out from `contents` holds until then. */
  fragmentRevision(): number;
  outboxCount(): number;
  /** From now on writes beyond this fail with 'storage-full'. */
  setCapacity(capacityBytes: number): void;
  /** What is on the disk now, for checks between two events. */
  contents(): StoreContents;
  /** The page ended, and another begins with what is on the disk. */
  restart(): void;
  /** Flips a bit of a stored block, as a failing disk would. Returns whether the block is here. */
  corruptBlock(hash: BlockHash): boolean;
  /** Flips a bit of a stored fragment index. Returns whether the fragment is here. */
  corruptIndex(fragmentId: FragmentId): boolean;
  /** Makes every record of an unfinished store unreadable. */
  damageJournal(): void;
  /** Makes what jobs kept unreadable: from the next start on, their blocks have no owner. */
  forgetKept(): void;
  /** Deletes a stored block but not its claims, as an evicting browser would. Returns whether it was here. */
  deleteBlock(hash: BlockHash): boolean;
}

export interface StoreContents {
  /** Fragments that exist, with their index as it was committed. */
  readonly fragments: readonly { readonly fragment: StoredFragment; readonly index: Uint8Array }[];
  /** By blockKey: whether the bytes are there and fit their hash, and the owners that count the block. */
  readonly blocks: ReadonlyMap<
    string,
    { readonly isSound: () => boolean; readonly owners: readonly string[] }
  >;
  readonly outbox: readonly FileId[];
  readonly entryIds: readonly string[];
  /** Values by name, not to be changed. */
  readonly metas: ReadonlyMap<string, unknown>;
  readonly metaNames: readonly string[];
  readonly secretNames: readonly string[];
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  /** Notes that jobs kept with their blocks, lower-case hex. */
  readonly notes: readonly string[];
  /** Ids of the stores in the journal. */
  readonly unfinished: readonly string[];
}

export function createMemoryStore(options: { readonly capacityBytes?: number } = {}): MemoryStore {
  const fragments = new MemoryFragmentStore(options.capacityBytes ?? Number.POSITIVE_INFINITY);
  const records = new MemoryRecordStore();
  const journal = new MemoryStoreJournal();
  const lock = new MemoryLock();
  const secrets = new MemorySecretStore(lock);
  return {
    fragments,
    records,
    journal,
    secrets,
    lock,
    usedBytes: () => fragments.usedBytes,
    fragmentRevision: () => fragments.revision,
    outboxCount: () => records.outboxCount,
    contents: () => ({
      ...fragments.contents(),
      ...records.contents(),
      ...journal.contents(),
      ...secrets.contents(),
    }),
    setCapacity: (capacityBytes) => fragments.setCapacity(capacityBytes),
    restart: () => {
      fragments.restart();
      lock.restart();
    },
    corruptBlock: (hash) => fragments.corruptBlock(hash),
    corruptIndex: (fragmentId) => fragments.corruptIndex(fragmentId),
    damageJournal: () => journal.damage(),
    forgetKept: () => fragments.forgetKept(),
    deleteBlock: (hash) => fragments.deleteBlock(hash),
  };
}

interface Claimed {
  /** Jobs and fragments that count the block. It is deleted with its last owner. */
  readonly owners: Set<string>;
  /** Undefined when the block was lost while it was claimed. */
  bytes: Uint8Array<ArrayBuffer> | undefined;
  /** Whether the bytes no longer fit the hash. They fitted when they were written. */
  isDamaged: boolean;
}

const JOB_OWNER = 'job:';
const FRAGMENT_OWNER = 'fragment:';

class MemoryFragmentStore implements FragmentStore {
  readonly #blocks = new Map<string, Claimed>();
  readonly #fragments = new Map<
    FragmentId,
    { readonly fragment: StoredFragment; readonly index: Uint8Array }
  >();
  /** By owner, then by number. */
  readonly #kept = new Map<
    string,
    Map<number, { readonly note: Uint8Array; readonly hashes: readonly BlockHash[] }>
  >();
  #capacityBytes: number;
  usedBytes = 0;
  revision = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
  }

  async putBlocks(
    owner: BlockOwner,
    blocks: readonly { hash: BlockHash; bytes: Uint8Array<ArrayBuffer> }[],
    _: 'claimed' | 'computed' = 'claimed',
    keep?: Keep,
  ): Promise<void> {
    const noted = keep && this.#kept.get(owner)?.get(keep.as)?.note;
    if (noted !== undefined && !equalBytes(noted, keep?.note ?? noted))
      throw new PalmError({ code: 'refused', reason: 'stored-in-another-tab' });
    for (const { hash, bytes } of blocks) {
      if (!equalBytes(sha256(bytes), hash)) {
        throw new PalmError({ code: 'corrupt', reason: 'block-not-stored' });
      }
    }
    const added = new Map(
      blocks
        .filter(({ hash }) => this.#blocks.get(blockKey(hash))?.bytes === undefined)
        .map(({ hash, bytes }) => [blockKey(hash), bytes.length]),
    );
    this.#use([...added.values()].reduce((sum, bytes) => sum + bytes, 0));
    this.revision += 1;
    for (const { hash, bytes } of blocks) {
      const key = blockKey(hash);
      const owners = this.#blocks.get(key)?.owners ?? new Set();
      this.#blocks.set(key, {
        owners: owners.add(JOB_OWNER + owner),
        bytes: bytes.slice(),
        isDamaged: false,
      });
    }
    if (keep === undefined) return;
    const ofOwner = this.#kept.get(owner) ?? new Map();
    const hashes = copyOf(blocks.map(({ hash }) => hash));
    this.#kept.set(owner, ofOwner.set(keep.as, { note: keep.note.slice(), hashes }));
  }

  async kept(owner: BlockOwner): Promise<Map<number, Kept>> {
    const kept = new Map<number, Kept>();
    for (const [keptAs, { note, hashes }] of this.#kept.get(owner) ?? []) {
      const isWhole = hashes.every((hash) => this.#blocks.get(blockKey(hash))?.bytes !== undefined);
      kept.set(keptAs, { note: note.slice(), blocks: isWhole ? copyOf(hashes) : undefined });
    }
    return kept;
  }

  async getBlock(hash: BlockHash): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const bytes = this.#blocks.get(blockKey(hash))?.bytes;
    if (bytes === undefined) return undefined;
    if (!equalBytes(sha256(bytes), hash)) {
      this.deleteBlock(hash);
      throw new PalmError({ code: 'corrupt', reason: 'block-dropped' });
    }
    return bytes.slice();
  }

  async hasBlocks(hashes: readonly BlockHash[]): Promise<boolean[]> {
    return hashes.map((hash) => this.#blocks.get(blockKey(hash))?.bytes !== undefined);
  }

  async commit(fragments: readonly NewFragment[]): Promise<void> {
    const added = fragments.filter(({ stored }) => !this.#fragments.has(stored.fragmentId));
    for (const { stored, indexBytes, hashes } of fragments) {
      if (fragmentIdOf(indexBytes) !== stored.fragmentId) {
        throw new PalmError({ code: 'corrupt', reason: 'index-not-stored' });
      }
      if (hashes.some((hash) => this.#blocks.get(blockKey(hash))?.bytes === undefined)) {
        throw new PalmError({ code: 'storage-failed', reason: 'block-missing' });
      }
    }
    this.#use(added.reduce((sum, { indexBytes }) => sum + indexBytes.length, 0));
    this.revision += 1;
    for (const { stored, indexBytes, hashes } of fragments) {
      for (const hash of hashes)
        this.#blocks.get(blockKey(hash))?.owners.add(FRAGMENT_OWNER + stored.fragmentId);
      this.#fragments.set(stored.fragmentId, {
        fragment: { ...stored },
        index: new Uint8Array(indexBytes),
      });
    }
  }

  async getIndex(fragmentId: FragmentId): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const index = this.#fragments.get(fragmentId)?.index;
    if (index === undefined) return undefined;
    if (fragmentIdOf(index) !== fragmentId) {
      await this.drop([fragmentId]);
      throw new PalmError({ code: 'corrupt', reason: 'fragment-dropped' });
    }
    return index.slice();
  }

  async list(): Promise<StoredFragment[]> {
    return Array.from(this.#fragments.values(), ({ fragment }) => ({ ...fragment }));
  }

  async drop(fragmentIds: readonly FragmentId[]): Promise<void> {
    this.revision += 1;
    for (const fragmentId of fragmentIds) {
      this.usedBytes -= this.#fragments.get(fragmentId)?.index.length ?? 0;
      this.#fragments.delete(fragmentId);
      this.#unclaim(FRAGMENT_OWNER + fragmentId);
    }
  }

  async release(owner: BlockOwner): Promise<void> {
    this.#kept.delete(owner);
    this.#unclaim(JOB_OWNER + owner);
  }

  forgetKept(): void {
    this.#kept.clear();
  }

  /** The page ended: jobs now claim only what was kept. */
  restart(): void {
    for (const owner of this.#owners()) {
      const kept = [...(this.#kept.get(owner)?.values() ?? [])].flatMap(({ hashes }) => hashes);
      const keptKeys = new Set(kept.map((hash) => blockKey(hash)));
      this.#unclaim(JOB_OWNER + owner, (key) => !keptKeys.has(key));
    }
  }

  async owners(): Promise<BlockOwner[]> {
    return this.#owners();
  }

  #owners(): BlockOwner[] {
    const jobs = new Set<BlockOwner>();
    for (const { owners } of this.#blocks.values()) {
      for (const owner of owners)
        if (owner.startsWith(JOB_OWNER)) jobs.add(parseBlockOwner(owner.slice(JOB_OWNER.length)));
    }
    return [...jobs].toSorted();
  }

  async clear(): Promise<void> {
    this.revision += 1;
    this.#blocks.clear();
    this.#fragments.clear();
    this.#kept.clear();
    this.usedBytes = 0;
  }

  contents(): Pick<StoreContents, 'fragments' | 'blocks' | 'notes'> {
    const blocks = [...this.#blocks].map(([key, { bytes, isDamaged, owners }]) => {
      const isSound = (): boolean => bytes !== undefined && !isDamaged;
      return [key, { isSound, owners: [...owners] }] as const;
    });
    const kept = [...this.#kept.values()].flatMap((ofOwner) => [...ofOwner.values()]);
    const notes = kept.map(({ note }) => hexOf(note));
    return { fragments: [...this.#fragments.values()], blocks: new Map(blocks), notes };
  }

  setCapacity(capacityBytes: number): void {
    this.#capacityBytes = capacityBytes;
  }

  corruptBlock(hash: BlockHash): boolean {
    const block = this.#blocks.get(blockKey(hash));
    const bytes = block?.bytes;
    if (block === undefined || bytes === undefined) return false;
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    block.isDamaged = !block.isDamaged;
    this.revision += 1;
    return true;
  }

  corruptIndex(fragmentId: FragmentId): boolean {
    const index = this.#fragments.get(fragmentId)?.index;
    if (index === undefined) return false;
    index[0] = (index[0] ?? 0) ^ 1;
    this.revision += 1;
    return true;
  }

  deleteBlock(hash: BlockHash): boolean {
    const block = this.#blocks.get(blockKey(hash));
    if (block?.bytes === undefined) return false;
    this.usedBytes -= block.bytes.length;
    block.bytes = undefined;
    this.revision += 1;
    return true;
  }

  #unclaim(owner: string, which: (key: string) => boolean = () => true): void {
    this.revision += 1;
    for (const [key, block] of this.#blocks) {
      if (!which(key) || !block.owners.delete(owner) || block.owners.size > 0) continue;
      this.usedBytes -= block.bytes?.length ?? 0;
      this.#blocks.delete(key);
    }
  }

  #use(bytes: number): void {
    if (this.usedBytes + bytes > this.#capacityBytes) {
      throw new PalmError({ code: 'storage-full', reason: 'device' });
    }
    this.usedBytes += bytes;
  }
}

class MemoryRecordStore implements RecordStore {
  readonly #records = new Map<string, StoredRecord>();
  readonly #outbox = new Set<FileId>();
  readonly #meta = new Map<string, unknown>();

  async putRecords(records: readonly StoredRecord[]): Promise<void> {
    for (const record of records) {
      this.#records.set(record.entryId, { ...record, bytes: record.bytes.slice() });
    }
  }

  async dropRecords(entryIds: readonly EntryId[]): Promise<void> {
    for (const entryId of entryIds) this.#records.delete(entryId);
  }

  async loadRecords(): Promise<StoredRecord[]> {
    return Array.from(this.#records.values(), (record) => ({
      ...record,
      bytes: record.bytes.slice(),
    })).toSorted((a, b) => (a.deviceId === b.deviceId ? a.seq - b.seq : a.deviceId < b.deviceId ? -1 : 1));
  }

  async loadOutbox(): Promise<FileId[]> {
    return [...this.#outbox].toSorted();
  }

  async putOutbox(fileId: FileId): Promise<void> {
    this.#outbox.add(fileId);
  }

  async dropOutbox(fileId: FileId): Promise<void> {
    this.#outbox.delete(fileId);
  }

  async getMeta(name: string): Promise<unknown> {
    return structuredClone(this.#meta.get(name));
  }

  async putMeta(name: string, value: unknown): Promise<void> {
    this.#meta.set(name, structuredClone(value));
  }

  async dropMeta(name: string): Promise<void> {
    this.#meta.delete(name);
  }

  get outboxCount(): number {
    return this.#outbox.size;
  }

  contents(): Pick<StoreContents, 'outbox' | 'entryIds' | 'metaNames' | 'metas'> {
    return {
      outbox: [...this.#outbox],
      entryIds: [...this.#records.keys()].toSorted(),
      metaNames: [...this.#meta.keys()].toSorted(),
      metas: this.#meta,
    };
  }

  async clear(): Promise<void> {
    this.#records.clear();
    this.#outbox.clear();
    this.#meta.clear();
  }
}

class MemorySecretStore implements SecretStore {
  readonly #secrets = new Map<string, Uint8Array>();
  readonly #lock: MemoryLock;

  constructor(lock: MemoryLock) {
    this.#lock = lock;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    this.#lock.check();
    return this.#secrets.get(name)?.slice();
  }

  async put(name: string, secret: Uint8Array): Promise<void> {
    this.#lock.check();
    this.#secrets.set(name, secret.slice());
  }

  async clear(): Promise<void> {
    this.#secrets.clear();
  }

  contents(): Pick<StoreContents, 'secretNames' | 'secrets'> {
    return { secretNames: [...this.#secrets.keys()].toSorted(), secrets: this.#secrets };
  }
}

class MemoryStoreJournal implements StoreJournal {
  readonly #stores = new Map<string, UnfinishedStore>();
  #damagedCount = 0;

  damage(): void {
    this.#damagedCount += this.#stores.size;
    this.#stores.clear();
  }

  async load(): Promise<{ stores: UnfinishedStore[]; damagedCount: number }> {
    const damagedCount = this.#damagedCount;
    this.#damagedCount = 0;
    const stores = Array.from(this.#stores.values(), (store) => structuredClone(store));
    return { stores: stores.toSorted((a, b) => a.begunAtMs - b.begunAtMs), damagedCount };
  }

  async put(store: UnfinishedStore): Promise<void> {
    this.#stores.set(store.storeId, structuredClone(store));
  }

  async end(storeId: string): Promise<void> {
    this.#stores.delete(storeId);
  }

  async clear(): Promise<void> {
    this.#stores.clear();
  }

  contents(): Pick<StoreContents, 'unfinished'> {
    return { unfinished: [...this.#stores.keys()] };
  }
}

function copyOf(blocks: readonly BlockHash[]): BlockHash[] {
  return blocks.map((hash) => parseBlockHash(hash.slice()));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
