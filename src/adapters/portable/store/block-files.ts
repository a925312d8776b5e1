// Where large blocks lie: files of this origin's own file system (OPFS), written and read in place through
// sync access handles, which exist in workers only. A file is a pack of slots (pack-slots.ts); a slot holds
// one block. The database knows which slot has which block (fragment-store.ts); here a slot is only taken
// or free.
//
// Why not rows of IndexedDB: Chromium keeps each large value as a file of its own behind two more processes,
// which costs about four times the processor time of a write in place
// (docs/decisions/0009-blocks-in-files.md).
//
// Space comes back as far as a page can give it back: holes are used first, a file is cut behind its last
// block, and a pack without a block has no file. Nothing of that needs room on the disk.
//
// Invariants: a slot is handed out once until it is freed; only its taker writes to it; at most
// MAX_OPEN_PACKS handles are open; a file is never cut below a slot that is taken.

import { isPalmError, type PalmError } from '../../../core/model/errors.ts';
import { storageFailure } from './storage-failure.ts';
import { openPackFile, type PackFolder, type PackHandle } from './pack-file.ts';
import { kindOfPack, PACK_SLOTS } from './pack-slots.ts';
import { packOf, SlotMap } from './slot-map.ts';

/** Open files of this worker. */
const MAX_OPEN_PACKS = 64;

interface OpenPack {
  readonly handle: PackHandle;
  isDirty: boolean;
}

export class BlockFiles {
  readonly #folder: PackFolder;
  readonly #slots = new SlotMap();
  /** Packs whose tails are about to be cut. */
  readonly #cutting = new Set<number>();
  /** Packs whose file is being removed: their numbers are not reused until that is done. */
  readonly #leaving = new Set<number>();
  /** Least recently used first. */
  readonly #open = new Map<number, OpenPack>();
  readonly #opening = new Map<number, Promise<OpenPack>>();

  private constructor(folder: PackFolder) {
    this.#folder = folder;
  }

  /**
   * `taken` are the slots that hold blocks. Files without any, and tails behind the last one, are left by a
   * crash, and removed.
   */
  static async over(folder: PackFolder, taken: Iterable<number>): Promise<BlockFiles> {
    const files = new BlockFiles(folder);
    for (const slot of taken) files.#slots.take(slot);
    for (const name of await folder.names()) {
      if (!files.#slots.has(packNamed(name))) await folder.remove(name);
    }
    for (const number of files.#slots.packs())
      if (files.#slots.endOf(number) < PACK_SLOTS) await files.#cutTail(number);
    return files;
  }

  /** Bytes of the files that hold no block and will be used before a file grows. */
  holeBytes(): number {
    return this.#slots.holeBytes();
  }

  /** A free slot for a block of `byteCount`. It belongs to its taker until it is freed. */
  take(byteCount: number): number {
    return this.#slots.takeFor(byteCount, this.#leaving);
  }

  /**
   * Writes a block to a slot that was taken for that many bytes.
   * @throws PalmError 'storage-full', 'storage-failed'.
   */
  async write(slot: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      await this.#use(slot, (pack, at) => {
        pack.isDirty = true;
        // A full disk may also show as a short count.
        if (pack.handle.write(bytes, { at }) !== bytes.length) throw storageFull();
      });
    } catch (error) {
      throw storageFailure(error);
    }
  }

  /**
   * Fills `into` with the slot's bytes. Returns the filled part, which is shorter where the file is.
   * @throws PalmError 'storage-failed'.
   */
  async read(slot: number, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await this.#use(slot, ({ handle }, at) => into.subarray(0, handle.read(into, { at })));
    } catch (error) {
      throw storageFailure(error);
    }
  }

  /** The taker no longer needs the slot. */
  free(slot: number): void {
    if (!this.#slots.isTaken(slot)) return;
    const number = packOf(slot);
    const end = this.#slots.endOf(number);
    this.#slots.free(slot);
    if (!this.#slots.has(number)) void this.#removePack(number);
    else if (this.#slots.endOf(number) < end) void this.#cutTail(number);
  }

  /** Flushes all writes to disk. @throws PalmError 'storage-full', 'storage-failed'. */
  flush(): void {
    try {
      for (const pack of this.#open.values()) flushPack(pack);
    } catch (error) {
      throw storageFailure(error);
    }
  }

  close(): void {
    for (const number of this.#open.keys()) this.#closePack(number);
  }

  /** Never rejects: a tail that cannot be cut now is cut later, or by the next start. */
  async #cutTail(number: number): Promise<void> {
    // Whoever frees one slot often frees its neighbours too: all of them are one cut.
    if (this.#cutting.has(number)) return;
    this.#cutting.add(number);
    await Promise.resolve();
    try {
      if (!this.#slots.has(number)) return;
      const pack = this.#open.get(number) ?? (await this.#openPack(number));
      // During the wait, others may have closed it, or its last block may have gone and its file with it.
      if (this.#open.get(number) !== pack || !this.#slots.has(number)) return;
      const end = this.#slots.endOf(number) * kindOfPack(number).slotBytes;
      if (pack.handle.getSize() > end) pack.handle.truncate(end);
    } catch {
      // The next start cuts it.
    } finally {
      this.#cutting.delete(number);
    }
  }

  /** Runs `work` with the slot's pack open; `at` is the slot's offset in it. */
  async #use<Answer>(slot: number, work: (pack: OpenPack, at: number) => Answer): Promise<Answer> {
    const number = packOf(slot);
    const at = (slot % PACK_SLOTS) * kindOfPack(number).slotBytes;
    for (;;) {
      const pack = this.#open.get(number) ?? (await this.#openPack(number));
      // During the wait, others may have closed it to open theirs.
      if (this.#open.get(number) !== pack) continue;
      this.#open.delete(number);
      this.#open.set(number, pack);
      return work(pack, at);
    }
  }

  #openPack(number: number): Promise<OpenPack> {
    const opening = this.#opening.get(number) ?? this.#openAnew(number);
    this.#opening.set(number, opening);
    return opening;
  }

  async #openAnew(number: number): Promise<OpenPack> {
    try {
      const pack = { handle: await openPackFile(this.#folder, nameOf(number)), isDirty: false };
      for (const leastRecent of this.#open.keys()) {
        if (this.#open.size < MAX_OPEN_PACKS) break;
        this.#closePack(leastRecent);
      }
      this.#open.set(number, pack);
      return pack;
    } finally {
      this.#opening.delete(number);
    }
  }

  #closePack(number: number): void {
    const pack = this.#open.get(number);
    this.#open.delete(number);
    if (pack === undefined) return;
    try {
      flushPack(pack);
    } finally {
      pack.handle.close();
    }
  }

  /** Never rejects: the next start removes a file that cannot be removed now. */
  async #removePack(number: number): Promise<void> {
    this.#leaving.add(number);
    try {
      await this.#opening.get(number);
      this.#open.get(number)?.handle.close();
      this.#open.delete(number);
      await this.#folder.remove(nameOf(number));
    } catch {
      // The next start removes it.
    } finally {
      this.#leaving.delete(number);
    }
  }
}

function flushPack(pack: OpenPack): void {
  if (!pack.isDirty) return;
  pack.handle.flush();
  pack.isDirty = false;
}

function nameOf(number: number): string {
  return `pack-${number}`;
}

/** NaN for a name that is not a pack's. */
function packNamed(name: string): number {
  return Number(/^pack-(\d+)$/u.exec(name)?.[1] ?? 'none');
}

function storageFull(): PalmError {
  const error = new Error('the file took fewer bytes than it was given');
  error.name = 'QuotaExceededError';
  const failure = storageFailure(error);
  if (!isPalmError(failure, 'storage-full')) throw new Error('a met quota is storage-full');
  return failure;
}
