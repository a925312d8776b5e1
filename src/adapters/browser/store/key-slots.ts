// The file of key slots, for the small keys that must be erasable. Deleting from a database does not erase,
// because the engine rewrites its log and tables and leaves the old ones behind; a file of the origin's own
// file system (OPFS) is overwritten in place. So erasable data is a row that only its slot's key opens
// (sealed-rows.ts), and erasing it means overwriting 32 bytes.
//
// Slot i has the bytes 32 i to 32 i + 31: a random key, or zeros. The whole file is in memory, 32 bytes for
// each row, because a call to a handle costs some engines a millisecond. Changes gather until `flush`, which
// writes neighbours in one call, and keys are made and written in batches, ahead of use.
//
// Invariants: a slot is handed out once until it is freed; a key is never handed out twice; the file is as
// long as memory, and grows only when slots are taken, so that on a full disk whatever is there can be
// erased; after `flush` the file has what memory has; a key whose slot no row names has never sealed anything
// that is on the disk; what several rows name, all but one of them damaged, has its key until the last of
// them is gone.

import { concatBytes } from '../../../core/model/bytes.ts';
import { MAX_KEY_SLOTS } from '../../../core/model/limits.ts';
import type { PackFolder, PackHandle } from './pack-file.ts';
import { systemRandom } from '../../portable/random.ts';
import { storageFailure } from './idb-database.ts';
import { openPackFile } from './pack-file.ts';

const KEY_BYTES = 32;
export const KEYS_FILE_NAME = 'keys';
const READ_BYTES = 2 ** 20;
/** Unchanged slots between two changed ones that are written too: a call costs more than 4 KiB. */
const GAP_SLOTS = 128;
/** The file grows by this many, or by an eighth. */
const GROWTH_SLOTS = 128;
/** Keys made together: two calls for some thirty small files. */
const SPARE_SLOTS = 128;

export class KeySlots {
  readonly #file: PackHandle;
  #bytes: Uint8Array<ArrayBuffer>;
  readonly #taken = new Set<number>();
  /** No earlier slot is free. */
  #firstFree = 0;
  readonly #changed = new Set<number>();
  /** Slots with keys that are not taken yet. They count as taken. */
  readonly #spare: number[] = [];
  /** For each slot that several rows named when the file was opened: how many more than one still do. */
  readonly #othersOf = new Map<number, number>();
  /** Slots that rows named but the opened file did not have: it was cut short. */
  readonly #missing = new Set<number>();

  private constructor(file: PackHandle, bytes: Uint8Array<ArrayBuffer>) {
    this.#file = file;
    this.#bytes = bytes;
  }

  /**
   * `named` are the slots that rows name, each as often as it is named. The keys of all others, left by a
   * crash, are erased.
   * @throws PalmError 'storage-failed'.
   */
  static async over(folder: PackFolder, named: Iterable<number>): Promise<KeySlots> {
    try {
      const file = await openPackFile(folder, KEYS_FILE_NAME);
      const { bytes, byteCount } = readAll(file);
      const slots = new KeySlots(file, bytes);
      for (const slot of named) slots.#name(slot, byteCount);
      for (let slot = 0; slot < slots.#slotCount; slot++) {
        if (!slots.#taken.has(slot) && slots.keyIn(slot) !== undefined) slots.#erase(slot);
      }
      slots.flush();
      return slots;
    } catch (error) {
      throw storageFailure(error);
    }
  }

  /**
   * Free slots with new keys, which are durable after `flush`.
   * @throws PalmError 'storage-full' when there are no more.
   */
  take(count: number): number[] {
    if (this.#spare.length < count) this.#makeKeys(count - this.#spare.length);
    return this.#spare.splice(0, count);
  }

  /** Whether its key was erased, rather than lost with part of the file. */
  isErased(slot: number): boolean {
    return this.keyIn(slot) === undefined && !this.#missing.has(slot);
  }

  isMissing(slot: number): boolean {
    return this.#missing.has(slot);
  }

  /** Not copied; undefined when the slot has no key. */
  keyIn(slot: number): Uint8Array<ArrayBuffer> | undefined {
    if (slot >= this.#slotCount) return undefined;
    const key = this.#bytes.subarray(slot * KEY_BYTES, (slot + 1) * KEY_BYTES);
    return key.some((byte) => byte !== 0) ? key : undefined;
  }

  /** The keys are gone for good after `flush`. The slots stay taken until they are freed. */
  erase(slots: Iterable<number>): void {
    for (const slot of slots) if (!this.#othersOf.has(slot) && slot < this.#slotCount) this.#erase(slot);
  }

  /** The caller's rows no longer name these. They are erased. */
  free(slots: Iterable<number>): void {
    for (const slot of slots) {
      const otherCount = this.#othersOf.get(slot);
      if (otherCount === 1) this.#othersOf.delete(slot);
      else if (otherCount !== undefined) this.#othersOf.set(slot, otherCount - 1);
      if (otherCount !== undefined || !this.#taken.has(slot)) continue;
      // If two rows named it, both may have been let go together.
      if (this.keyIn(slot) !== undefined) this.#erase(slot);
      this.#missing.delete(slot);
      this.#giveBack(slot);
    }
  }

  /**
   * Flushes every change to disk. After an error the next call tries again.
   * @throws PalmError 'storage-full', 'storage-failed'.
   */
  flush(): void {
    if (this.#changed.size === 0) return;
    try {
      for (const [first, end] of runsOf(this.#changed)) this.#write(first, end);
      this.#file.flush();
      this.#changed.clear();
    } catch (error) {
      throw storageFailure(error);
    }
  }

  close(): void {
    this.#file.close();
  }

  /**
   * Makes at least `neededCount` more keys, and further ones where there is room.
   * @throws PalmError 'storage-full'.
   */
  #makeKeys(neededCount: number): void {
    const slots = this.#takeFree(Math.max(neededCount, SPARE_SLOTS));
    let failure: unknown = namedError('QuotaExceededError');
    try {
      this.#reach(Math.max(-1, ...slots.slice(-1)));
    } catch (error) {
      failure = error;
    }
    const reached = slots.filter((slot) => slot < this.#slotCount);
    for (const slot of slots.slice(reached.length)) this.#giveBack(slot);
    const keys = systemRandom.bytes(reached.length * KEY_BYTES);
    for (const [at, slot] of reached.entries()) {
      this.#bytes.set(keys.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES), slot * KEY_BYTES);
      this.#changed.add(slot);
    }
    this.#spare.push(...reached);
    if (reached.length < neededCount) throw storageFailure(failure);
  }

  get #slotCount(): number {
    return Math.floor(this.#bytes.length / KEY_BYTES);
  }

  /** Up to `count` free slots, in ascending order. */
  #takeFree(count: number): number[] {
    const slots: number[] = [];
    for (; slots.length < count && this.#firstFree < MAX_KEY_SLOTS; this.#firstFree++) {
      if (this.#taken.has(this.#firstFree)) continue;
      this.#taken.add(this.#firstFree);
      slots.push(this.#firstFree);
    }
    return slots;
  }

  #giveBack(slot: number): void {
    this.#taken.delete(slot);
    this.#firstFree = Math.min(this.#firstFree, slot);
  }

  #name(slot: number, fileByteCount: number): void {
    if (this.#taken.has(slot)) this.#othersOf.set(slot, (this.#othersOf.get(slot) ?? 0) + 1);
    this.#taken.add(slot);
    if ((slot + 1) * KEY_BYTES > fileByteCount) this.#missing.add(slot);
  }

  /** Makes the file, and with it the memory, large enough for `slot`. */
  #reach(slot: number): void {
    const slotCount = this.#slotCount;
    if (slot < slotCount) return;
    const growth = new Uint8Array(
      Math.max(slot + 1 - slotCount, GROWTH_SLOTS, Math.floor(slotCount / 8)) * KEY_BYTES,
    );
    this.#writeAt(growth, this.#bytes.length);
    this.#bytes = concatBytes(this.#bytes, growth);
  }

  #erase(slot: number): void {
    this.#bytes.fill(0, slot * KEY_BYTES, (slot + 1) * KEY_BYTES);
    this.#changed.add(slot);
  }

  #write(first: number, end: number): void {
    this.#writeAt(this.#bytes.subarray(first * KEY_BYTES, end * KEY_BYTES), first * KEY_BYTES);
  }

  #writeAt(bytes: Uint8Array<ArrayBuffer>, at: number): void {
    // A full disk may also show as a short count.
    if (this.#file.write(bytes, { at }) !== bytes.length) throw namedError('QuotaExceededError');
  }
}

/** In whole slots: a partial last slot, left by a crash, is no key. */
function readAll(file: PackHandle): {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly byteCount: number;
} {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; ; at += READ_BYTES) {
    const part = new Uint8Array(READ_BYTES);
    const byteCount = file.read(part, { at });
    parts.push(part.subarray(0, byteCount));
    if (byteCount < READ_BYTES) break;
  }
  const byteCount = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(Math.ceil(byteCount / KEY_BYTES) * KEY_BYTES);
  for (const [at, part] of parts.entries()) whole.set(part, at * READ_BYTES);
  return { bytes: whole, byteCount };
}

/** The slots in ascending runs, each [first, one after the last]. */
function runsOf(slots: ReadonlySet<number>): [number, number][] {
  const runs: [number, number][] = [];
  for (const slot of [...slots].toSorted((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last !== undefined && slot <= last[1] + GAP_SLOTS) last[1] = slot + 1;
    else runs.push([slot, slot + 1]);
  }
  return runs;
}

function namedError(name: string): Error {
  const error = new Error('the file took fewer bytes than it was given');
  error.name = name;
  return error;
}
