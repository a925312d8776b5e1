// The catalogue's entries on this device's disk. A new entry is a row of its own, sealed for the pool
// (record-rows.ts), and durable before anything else happens. Rows are gathered into bundles: some hundreds
// of entries as the catalogue keeps them (packed-entry.ts), sealed with a key of the pool. Entries are
// checked before they are sealed, so those of a bundle that opens need no signature check and no opening of
// manifests: a hundred thousand entries take as many seals as there are bundles.
//
// A new bundle takes up small ones that were written before it, so there are never many. As it takes up only
// those that are no larger than the rest of it, an entry is written a few times at most.
//
// Invariants: a row goes only once its entry is in a bundle on the disk. Bundles are only read, or replaced
// whole, once the new one is on the disk. Entries that the catalogue let go of do not stay: the row is
// deleted, or the bundle is rewritten once half of it is such.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { checkEntry, type CheckedEntry } from '../../core/catalogue/check.ts';
import { decodeEntry } from '../../core/catalogue/entry.ts';
import { DeviceTexts, PackedEntry, packEntry, unpackEntries } from '../../core/catalogue/packed-entry.ts';
import { concatBytes, utf8 } from '../../core/model/bytes.ts';
import { isPalmError } from '../../core/model/errors.ts';
import type { DeviceId, EntryId } from '../../core/model/ids.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import { deriveBundleKey } from '../../core/model/pool-keys.ts';
import type { Cryptography, Random, RecordStore } from '../../core/ports.ts';
import type { Slices } from '../slices.ts';
import { RecordRows } from './record-rows.ts';
import { bytesOf, listOf, uintOf } from '../../core/encoding/decode.ts';

export interface CheckedRecordsPorts {
  readonly records: RecordStore;
  readonly cryptography: Cryptography;
  readonly random: Random;
  readonly keys: KeyRing;
  readonly catalogue: Catalogue;
  readonly slices: Pick<Slices, 'next'>;
  /** Takes work that nobody waits for, and its failure. */
  background(work: Promise<unknown>): void;
}

/** Rows at which a bundle is made. Opening checks rows one by one: a slow phone takes some 5 ms for each. */
const BUNDLE_ENTRIES = 32;
/** After a start fewer are enough: the next start need not check them again. */
const BUNDLE_ENTRIES_AT_START = 4;
/** Bytes of one bundle, without its last entry: databases read pieces of 1 MiB fastest. */
const BUNDLE_BYTES = 1024 * 1024;
/** More than all logs of a full pool need: a longer list is damaged. */
const MAX_BUNDLES = 1_000_000;
const MAX_BUNDLE_BYTES = 2 * BUNDLE_BYTES;
/** Entries checked at a time: a slow phone takes some 40 ms for them. */
const CHECKED_AT_ONCE = 8;
const NONCE_BYTES = 12;
const INDEX = 'catalogue';

/** What is known of a bundle on the disk. */
interface Bundle {
  readonly byteCount: number;
  /** Its entries that were let go of, and how many bytes those are. */
  readonly gone: Set<EntryId>;
  goneBytes: number;
}

export class CheckedRecords {
  readonly #ports: CheckedRecordsPorts;
  readonly #aad: Uint8Array<ArrayBuffer>;
  readonly #sealing: RecordRows;
  /** Entries in rows of their own, with their devices. */
  readonly #rows = new Map<EntryId, DeviceId>();
  readonly #bundles = new Map<number, Bundle>();
  #lastNumber = 0;
  /** Where bundled entries lie, by their bytes: those read from bundles, and those that this page bundled. */
  readonly #bundleOfRun = new WeakMap<Uint8Array, number>();
  readonly #bundleOfEntry = new Map<EntryId, number>();
  /** Changes of bundles, one after another. */
  #changing: Promise<void> = Promise.resolve();
  /** Rows that are being sealed and written: bundles are changed, and rows dropped, only after these. */
  readonly #putting = new Set<Promise<void>>();
  #isGathering = false;

  constructor(ports: CheckedRecordsPorts) {
    this.#ports = ports;
    this.#sealing = new RecordRows(ports);
    this.#aad = utf8(`palm/v1/checked-entries/${ports.keys.poolId}`);
  }

  /**
   * Puts all entries into the catalogue, which is still empty. Returns how many rows and bundles could not be
   * read.
   */
  async restore(): Promise<number> {
    const { records, catalogue } = this.#ports;
    const entries: PackedEntry[] = [];
    const damaged: number[] = [];
    const devices = new DeviceTexts();
    const [numbers, rows] = await Promise.all([this.#numbers(), records.loadRecords()]);
    for (const number of numbers) {
      this.#lastNumber = Math.max(this.#lastNumber, number);
      const run = await this.#read(number);
      if (run === undefined) {
        damaged.push(number);
        continue;
      }
      this.#bundles.set(number, { byteCount: run.length, gone: new Set(), goneBytes: 0 });
      this.#bundleOfRun.set(run, number);
      for (const entry of unpackEntries(run, devices)) {
        const read = entry.isUnread ? await this.#readAgain(entry) : undefined;
        if (read !== undefined) this.#bundleOfEntry.set(read.entryId, number);
        entries.push(read ?? entry);
      }
    }
    const opened = await Promise.all(rows.map((row) => this.#sealing.open(row)));
    const checked = await checkEntries(
      opened.map(({ bytes }) => bytes),
      this.#ports,
    );
    if (opened.some(({ isSealed }) => !isSealed)) this.#ports.background(this.#sealRows(checked));
    for (const { entry } of checked) this.#rows.set(entry.entryId, entry.deviceId);
    for (const entry of checked) entries.push(new PackedEntry(packEntry(entry), 0));
    const surplus = catalogue.restore(entries);
    if (damaged.length > 0) await this.#saveIndex();
    for (const number of damaged) await records.dropMeta(nameOf(number));
    if (surplus.length > 0) await this.forget(surplus);
    this.#gatherFrom(BUNDLE_ENTRIES_AT_START);
    return damaged.length + rows.length - checked.length;
  }

  /** Makes entries durable, all or none. */
  async keep(entries: readonly CheckedEntry[]): Promise<void> {
    for (const { entry } of entries) this.#rows.set(entry.entryId, entry.deviceId);
    const putting = this.#putRows(entries);
    this.#putting.add(putting);
    try {
      await putting;
    } finally {
      this.#putting.delete(putting);
    }
    this.#gatherFrom(BUNDLE_ENTRIES);
  }

  async #putRows(entries: readonly CheckedEntry[]): Promise<void> {
    const records = entries.map(({ entry: { entryId, deviceId, seq, bytes } }) => ({
      entryId,
      deviceId,
      seq,
      bytes,
    }));
    await this.#ports.records.putRecords(await this.#sealing.seal(records));
  }

  /** Seals rows of an earlier version that are still rows. */
  #sealRows(entries: readonly CheckedEntry[]): Promise<void> {
    return this.#change(() => this.#putRows(entries.filter(({ entry }) => this.#rows.has(entry.entryId))));
  }

  /** Removes entries that the catalogue let go of. */
  forget(entries: readonly PackedEntry[]): Promise<void> {
    return this.#change(async () => {
      const inRows = entries.filter(
        (entry) => !this.#bundleOfRun.has(entry.run) && this.#rows.has(entry.entryId),
      );
      for (const { entryId } of inRows) this.#rows.delete(entryId);
      await this.#ports.records.dropRecords(inRows.map(({ entryId }) => entryId));
      const halfGone = new Set<number>();
      for (const entry of entries) {
        const number = this.#numberOf(entry);
        const bundle = number === undefined ? undefined : this.#bundles.get(number);
        if (number === undefined || bundle === undefined) continue;
        bundle.gone.add(entry.entryId);
        bundle.goneBytes += entry.packedLength;
        if (2 * bundle.goneBytes >= bundle.byteCount) halfGone.add(number);
      }
      for (const number of halfGone) await this.#rewrite(number);
    });
  }

  /** Resolves when no bundle is being written. */
  async idle(): Promise<void> {
    await this.#changing;
  }

  #gatherFrom(rowCount: number): void {
    if (this.#isGathering || this.#rows.size < rowCount) return;
    this.#isGathering = true;
    const gathering = this.#change(() => this.#gather()).finally(() => (this.#isGathering = false));
    this.#ports.background(gathering);
  }

  async #gather(): Promise<void> {
    let gatheredCount: number;
    do {
      gatheredCount = await this.#gatherOnce();
      // More may have come in the meantime.
    } while (gatheredCount > 0 && this.#rows.size >= BUNDLE_ENTRIES);
  }

  /** Entries being published reach the catalogue a moment later: they stay rows. Returns how many did not. */
  async #gatherOnce(): Promise<number> {
    let gatheredCount = 0;
    let portion: PackedEntry[] = [];
    let byteCount = 0;
    for (const [entryId, deviceId] of this.#rows) {
      const entry = this.#ports.catalogue.find(deviceId, entryId);
      if (entry === undefined) continue;
      portion.push(entry);
      gatheredCount += 1;
      byteCount += entry.packedLength;
      if (byteCount < BUNDLE_BYTES) continue;
      await this.#bundle(portion);
      [portion, byteCount] = [[], 0];
    }
    if (portion.length > 0) await this.#bundle(portion, this.#smallOnes(byteCount));
    return gatheredCount;
  }

  /** Bundles to write again with `byteCount` others: each is no larger than all that joins it. */
  #smallOnes(byteCount: number): number[] {
    const small: number[] = [];
    let totalBytes = byteCount;
    for (const [number, bundle] of [...this.#bundles].toReversed()) {
      if (bundle.byteCount > totalBytes || totalBytes + bundle.byteCount > BUNDLE_BYTES) continue;
      small.push(number);
      totalBytes += bundle.byteCount;
    }
    return small;
  }

  /** Puts entries of rows into a new bundle, which takes the place of `earlier` ones. */
  async #bundle(entries: readonly PackedEntry[], earlier: readonly number[] = []): Promise<void> {
    const bundled: PackedEntry[] = [];
    const taken: number[] = [];
    for (const each of earlier) {
      const staying = await this.#stayingOf(each);
      // One that decayed since it was read stays as it is: the next start tells.
      if (staying === undefined) continue;
      bundled.push(...staying);
      taken.push(each);
    }
    await this.#write([...bundled, ...entries]);
    for (const { entryId } of entries) this.#rows.delete(entryId);
    await this.#ports.records.dropRecords(entries.map(({ entryId }) => entryId));
    if (taken.length > 0) await this.#drop(taken);
  }

  /** Replaces a bundle by one without the entries that were let go of. */
  async #rewrite(number: number): Promise<void> {
    const staying = (await this.#stayingOf(number)) ?? [];
    if (staying.length > 0) await this.#write(staying);
    await this.#drop([number]);
  }

  /** The entries of a bundle that were not let go of; undefined when it cannot be read. */
  async #stayingOf(number: number): Promise<PackedEntry[] | undefined> {
    const run = await this.#read(number);
    const gone = this.#bundles.get(number)?.gone;
    return run && Array.from(unpackEntries(run)).filter(({ entryId }) => gone?.has(entryId) !== true);
  }

  /** Removes bundles whose entries are elsewhere. */
  async #drop(numbers: readonly number[]): Promise<void> {
    for (const number of numbers) this.#bundles.delete(number);
    await this.#saveIndex();
    for (const number of numbers) await this.#ports.records.dropMeta(nameOf(number));
  }

  /** Where the entry lies: in the bundle that it was read from, or the one that took that one's place. */
  #numberOf({ run, entryId }: PackedEntry): number | undefined {
    const first = this.#bundleOfRun.get(run);
    return first !== undefined && this.#bundles.has(first) ? first : this.#bundleOfEntry.get(entryId);
  }

  /** Writes a new bundle. */
  async #write(entries: readonly PackedEntry[]): Promise<void> {
    const { cryptography, random, records, keys } = this.#ports;
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const run = concatBytes(...entries.map(({ packedBytes }) => packedBytes));
    const nonce = random.bytes(NONCE_BYTES);
    const key = deriveBundleKey(keys.current);
    const sealed = concatBytes(nonce, await cryptography.seal(key, nonce, this.#aad, run));
    await records.putMeta(nameOf(number), sealed);
    this.#bundles.set(number, { byteCount: run.length, gone: new Set(), goneBytes: 0 });
    for (const { entryId } of entries) this.#bundleOfEntry.set(entryId, number);
    await this.#saveIndex();
  }

  /**
   * An entry of a kind that this device did not know when it was bundled, if it knows the kind now. It was
   * sealed after its signature was checked; only what it says must be read.
   */
  async #readAgain({ bytes }: PackedEntry): Promise<PackedEntry | undefined> {
    if (decodeEntry(bytes).body.kind === 'unknown') return undefined;
    const { keys, cryptography } = this.#ports;
    return new PackedEntry(packEntry(await checkEntry(bytes, keys, cryptography)), 0);
  }

  /** Undefined when it is missing, or not as this device wrote it. */
  async #read(number: number): Promise<Uint8Array | undefined> {
    const kept = await this.#ports.records.getMeta(nameOf(number));
    try {
      const sealed = bytesOf(kept, NONCE_BYTES + 1, MAX_BUNDLE_BYTES);
      const [nonce, body] = [sealed.subarray(0, NONCE_BYTES), sealed.subarray(NONCE_BYTES)];
      for (const keys of this.#ports.keys.newestFirst) {
        const run = await this.#ports.cryptography.open(deriveBundleKey(keys), nonce, this.#aad, body);
        if (run !== undefined) return run;
      }
      return undefined;
    } catch (error) {
      if (isPalmError(error, 'bad-message')) return undefined;
      throw error;
    }
  }

  async #numbers(): Promise<number[]> {
    const kept = (await this.#ports.records.getMeta(INDEX)) ?? [];
    try {
      return listOf(kept, MAX_BUNDLES, (number) => uintOf(number, Number.MAX_SAFE_INTEGER));
    } catch (error) {
      if (isPalmError(error, 'bad-message')) return [];
      throw error;
    }
  }

  #saveIndex(): Promise<void> {
    return this.#ports.records.putMeta(INDEX, [...this.#bundles.keys()]);
  }

  #change(work: () => Promise<void>): Promise<void> {
    const done = this.#changing.then(() => Promise.allSettled(this.#putting)).then(work);
    // The caller gets the failure; the next change begins from what is on the disk.
    this.#changing = done.catch(() => undefined);
    return done;
  }
}

/** The records that pass, in order. */
export async function checkEntries(
  records: readonly Uint8Array[],
  { keys, cryptography, slices }: Pick<CheckedRecordsPorts, 'keys' | 'cryptography' | 'slices'>,
): Promise<CheckedEntry[]> {
  const checked: CheckedEntry[] = [];
  for (let at = 0; at < records.length; at += CHECKED_AT_ONCE) {
    // Engines check short records within the same task, whatever is awaited.
    await slices.next();
    const portion = records.slice(at, at + CHECKED_AT_ONCE).map(async (bytes) => {
      try {
        return await checkEntry(bytes, keys, cryptography);
      } catch (error) {
        if (isPalmError(error, 'bad-message')) return undefined;
        throw error;
      }
    });
    for (const entry of await Promise.all(portion)) if (entry !== undefined) checked.push(entry);
  }
  return checked;
}

function nameOf(number: number): string {
  return `${INDEX}/${number}`;
}
