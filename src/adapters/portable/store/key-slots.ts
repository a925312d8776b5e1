// The file of key slots, for the small keys that must be erasable. Deleting from a database does not erase,
// because the engine rewrites its log and tables and leaves the old ones behind; a file of the origin's own
// file system (OPFS) is overwritten in place. So erasable data is a row that only its slot's key opens
// (sealed-rows.ts), and erasing it means overwriting 32 bytes.
//
// Slot i has a random key, in the form of its file (slot-forms.ts), or zeros. The whole file is in memory, as
// it lies on the disk, because a call to a handle costs some engines a millisecond. Changes gather until
// `flush`, which writes neighbours in one call, and keys are made and written in batches, ahead of use.
//
// Invariants: a slot is handed out once until it is freed; a key is never handed out twice; the file is as
// long as memory, and grows only when slots are taken, so that on a full disk whatever is there can be
// erased; after `flush` the file has what memory has; a key whose slot no row names has never sealed anything
// that is on the disk; what several rows name, all but one of them damaged, has its key until the last of
// them is gone. Without the lock key of a locked file, keys can be erased, and neither read nor made.

import { concatBytes } from '../../../core/model/bytes.ts';
import { PalmError } from '../../../core/model/errors.ts';
import { MAX_KEY_SLOTS } from '../../../core/model/limits.ts';
import type { PackFolder, PackHandle } from './pack-file.ts';
import { systemRandom } from '../random.ts';
import { storageFailure } from './storage-failure.ts';
import { openPackFile } from './pack-file.ts';
import { KEY_BYTES, PLAIN_SLOTS, type SlotForm } from './slot-forms.ts';

export const KEYS_FILE_NAME = 'keys';
const READ_BYTES = 2 ** 20;
/** Unchanged slots between two changed ones that are written too: a call costs more than 4 KiB. */
const GAP_SLOTS = 128;
/** The file grows by this many, or by an eighth. */
const GROWTH_SLOTS = 128;
/** Keys made together: two calls for some thirty small files. */
const SPARE_SLOTS = 128;

export class KeySlots {
  readonly #folder: PackFolder;
  #fileName: string;
  #file: PackHandle;
  #form: SlotForm;
  #bytes: Uint8Array<ArrayBuffer>;
  /** While all keys are written to another file: a change would be in one of the two. */
  #isMoving = false;
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

  private constructor(folder: PackFolder, { name, form }: SlotFile, file: PackHandle) {
    this.#folder = folder;
    this.#fileName = name;
    this.#form = form;
    this.#file = file;
    this.#bytes = new Uint8Array();
  }

  /**
   * `named` are the slots that rows name, each as often as it is named. The keys of all others, left by a
   * crash, are erased.
   * @throws PalmError 'storage-failed'.
   */
  static async over(
    folder: PackFolder,
    named: Iterable<number>,
    present: SlotFile = { name: KEYS_FILE_NAME, form: PLAIN_SLOTS },
  ): Promise<KeySlots> {
    try {
      const file = await openPackFile(folder, present.name);
      const slots = new KeySlots(folder, present, file);
      const { bytes, byteCount } = readAll(file, present.form.slotBytes);
      slots.#bytes = bytes;
      for (const slot of named) slots.#name(slot, byteCount);
      for (let slot = 0; slot < slots.#slotCount; slot++) {
        if (!slots.#taken.has(slot) && !slots.#isEmpty(slot)) slots.#erase(slot);
      }
      slots.flush();
      return slots;
    } catch (error) {
      throw storageFailure(error);
    }
  }

  /**
   * Free slots with new keys, which are durable after `flush`.
   * @throws PalmError 'storage-full' when there are no more, 'locked'.
   */
  take(count: number): number[] {
    if (this.#isMoving || !this.#form.isOpen) throw new PalmError({ code: 'locked' });
    if (this.#spare.length < count) this.#makeKeys(count - this.#spare.length);
    return this.#spare.splice(0, count);
  }

  /** Whether its key was erased, rather than lost with part of the file. */
  isErased(slot: number): boolean {
    return this.#isEmpty(slot) && !this.#missing.has(slot);
  }

  isMissing(slot: number): boolean {
    return this.#missing.has(slot);
  }

  /** The file that has the keys. */
  get fileName(): string {
    return this.#fileName;
  }

  /** A copy; undefined when the slot has no key. @throws PalmError 'locked'. */
  keyIn(slot: number): Uint8Array<ArrayBuffer> | undefined {
    return this.#isEmpty(slot) ? undefined : this.#form.open(this.#inMemory(slot));
  }

  /** From now on keys are read and made in `form`, which is that of the file. */
  use(form: SlotForm): void {
    this.#form = form;
  }

  /**
   * Writes all keys to another file, in its form, and erases the present one once `commit` resolved: from
   * then on the next start opens the other file. When it rejects, nothing has changed. Meanwhile no key can
   * be taken and no change be flushed.
   * @throws PalmError 'storage-full', 'storage-failed', 'locked', and whatever `commit` throws.
   */
  async moveTo({ name, form }: SlotFile, commit: () => Promise<void>): Promise<void> {
    this.#checkStill();
    this.flush();
    this.#isMoving = true;
    const before = { name: this.#fileName, file: this.#file };
    try {
      const bytes = this.#allIn(form);
      const file = await writeWhole(this.#folder, name, bytes);
      try {
        await commit();
      } catch (error) {
        file.close();
        throw error;
      }
      for (const slot of this.#changed) {
        // What was erased meanwhile.
        if (this.#isEmpty(slot)) bytes.fill(0, slot * form.slotBytes, (slot + 1) * form.slotBytes);
      }
      this.#fileName = name;
      this.#file = file;
      this.#form = form;
      this.#bytes = bytes;
    } catch (error) {
      throw storageFailure(error);
    } finally {
      this.#isMoving = false;
    }
    this.flush();
    before.file.close();
    await eraseFile(this.#folder, before.name);
  }

  /** The keys are gone for good after `flush`. The slots stay taken until they are freed. */
  erase(slots: Iterable<number>): void {
    for (const slot of slots) if (!this.#othersOf.has(slot) && slot < this.#slotCount) this.#erase(slot);
  }

  /** All keys are gone for good after `flush`, or in the file that `moveTo` writes. */
  eraseAll(): void {
    for (const slot of this.#spare.splice(0)) this.#giveBack(slot);
    for (let slot = 0; slot < this.#slotCount; slot++) if (!this.#isEmpty(slot)) this.#erase(slot);
  }

  /** The caller's rows no longer name these. They are erased. */
  free(slots: Iterable<number>): void {
    for (const slot of slots) {
      const otherCount = this.#othersOf.get(slot);
      if (otherCount === 1) this.#othersOf.delete(slot);
      else if (otherCount !== undefined) this.#othersOf.set(slot, otherCount - 1);
      if (otherCount !== undefined || !this.#taken.has(slot)) continue;
      // If two rows named it, both may have been let go together.
      if (!this.#isEmpty(slot)) this.#erase(slot);
      this.#missing.delete(slot);
      this.#giveBack(slot);
    }
  }

  /**
   * Flushes every change to disk. After an error the next call tries again.
   * @throws PalmError 'storage-full', 'storage-failed', 'locked'.
   */
  flush(): void {
    if (this.#changed.size === 0) return;
    this.#checkStill();
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
      const key = keys.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES);
      this.#inMemory(slot).set(this.#form.seal(key));
      this.#changed.add(slot);
    }
    this.#spare.push(...reached);
    if (reached.length < neededCount) throw storageFailure(failure);
  }

  get #slotCount(): number {
    return Math.floor(this.#bytes.length / this.#form.slotBytes);
  }

  /** A slot as it lies in the file, not copied. */
  #inMemory(slot: number): Uint8Array<ArrayBuffer> {
    const { slotBytes } = this.#form;
    return this.#bytes.subarray(slot * slotBytes, (slot + 1) * slotBytes);
  }

  #isEmpty(slot: number): boolean {
    return slot >= this.#slotCount || this.#inMemory(slot).every((byte) => byte === 0);
  }

  #checkStill(): void {
    if (this.#isMoving) throw new PalmError({ code: 'locked' });
  }

  /** The whole file in another form. @throws PalmError 'locked'. */
  #allIn(form: SlotForm): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#slotCount * form.slotBytes);
    for (let slot = 0; slot < this.#slotCount; slot++) {
      const key = this.keyIn(slot);
      if (key !== undefined) bytes.set(form.seal(key), slot * form.slotBytes);
    }
    return bytes;
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
    if ((slot + 1) * this.#form.slotBytes > fileByteCount) this.#missing.add(slot);
  }

  /** Makes the file, and with it the memory, large enough for `slot`. */
  #reach(slot: number): void {
    const slotCount = this.#slotCount;
    if (slot < slotCount) return;
    const growth = new Uint8Array(
      Math.max(slot + 1 - slotCount, GROWTH_SLOTS, Math.floor(slotCount / 8)) * this.#form.slotBytes,
    );
    this.#writeAt(growth, this.#bytes.length);
    this.#bytes = concatBytes(this.#bytes, growth);
  }

  #erase(slot: number): void {
    this.#inMemory(slot).fill(0);
    this.#changed.add(slot);
  }

  #write(first: number, end: number): void {
    const { slotBytes } = this.#form;
    this.#writeAt(this.#bytes.subarray(first * slotBytes, end * slotBytes), first * slotBytes);
  }

  #writeAt(bytes: Uint8Array<ArrayBuffer>, at: number): void {
    writeAt(this.#file, bytes, at);
  }
}

/** A file of key slots. */
export interface SlotFile {
  readonly name: string;
  readonly form: SlotForm;
}

/** Overwrites a file of keys that is not open, and removes it. @throws PalmError 'storage-failed'. */
export async function eraseFile(folder: PackFolder, name: string): Promise<void> {
  try {
    const file = await openPackFile(folder, name);
    try {
      const byteCount = file.getSize();
      for (let at = 0; at < byteCount; at += READ_BYTES)
        writeAt(file, new Uint8Array(Math.min(READ_BYTES, byteCount - at)), at);
      file.flush();
    } finally {
      file.close();
    }
    await folder.remove(name);
  } catch (error) {
    throw storageFailure(error);
  }
}

/** The open file, with these bytes alone, durable. */
async function writeWhole(
  folder: PackFolder,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<PackHandle> {
  const file = await openPackFile(folder, name);
  try {
    file.truncate(0);
    writeAt(file, bytes, 0);
    file.flush();
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

function writeAt(file: PackHandle, bytes: Uint8Array<ArrayBuffer>, at: number): void {
  // A full disk may also show as a short count.
  if (file.write(bytes, { at }) !== bytes.length) throw namedError('QuotaExceededError');
}

/** In whole slots: a partial last slot, left by a crash, is no key. */
function readAll(
  file: PackHandle,
  slotBytes: number,
): {
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
  const whole = new Uint8Array(Math.ceil(byteCount / slotBytes) * slotBytes);
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
