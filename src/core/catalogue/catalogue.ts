// The pool's replicated set of signed records, and what it says: files, removals, names. It is a set that only grows,
// so two devices that exchange their difference hold the same catalogue, whatever the order. Removal is a tombstone that
// wins over its file; names are last-writer-wins by hybrid time, then by entry id.

import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf, utf8 } from '../model/bytes.ts';
import type { DeviceId, EntryId, FileId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';
import type { CheckedEntry } from './check.ts';
import { compareTimes, ZERO_TIME, tickAfter, type HybridTime } from './clock.ts';
import { DeviceLog } from './device-log.ts';
import type { Entry } from './entry.ts';
import type { Manifest } from './manifest.ts';

/** How far one device's log reaches here: `digest` tells two branches of equal length apart. */
export interface LogHead {
  readonly device: DeviceId;
  readonly seq: number;
  readonly digest: string;
}

/**
 * A place in the catalogue as it is sent: logs by device id, and within a log its entries by number, then by entry id.
 * Without `entry` it lies before all entries above `seq`.
 */
export interface LogCursor {
  readonly device: DeviceId;
  readonly seq: number;
  readonly entry: EntryId | undefined;
}

/** What the next entry of a log must say of its place. */
export interface EntryPlace {
  readonly seq: number;
  readonly prev: EntryId | undefined;
  readonly at: HybridTime;
}

export interface AddResult {
  readonly added: readonly CheckedEntry[];
  /** Devices of whose log an earlier part is missing here: ask for it from the start. */
  readonly orphaned: readonly DeviceId[];
}

interface Named {
  readonly name: string;
  readonly entry: Entry;
}

export class Catalogue {
  readonly #logs = new Map<DeviceId, DeviceLog>();
  readonly #files = new Map<FileId, Manifest>();
  readonly #removed = new Set<FileId>();
  readonly #byContentTag = new Map<string, Set<FileId>>();
  readonly #profiles = new Map<DeviceId, Named>();
  readonly #left = new Set<DeviceId>();
  #poolName: Named | undefined;
  #latest: HybridTime = ZERO_TIME;

  /** Adds checked entries; within one device's log, in order. */
  add(entries: readonly CheckedEntry[]): AddResult {
    const added: CheckedEntry[] = [];
    const orphaned = new Set<DeviceId>();
    for (const checked of entries) {
      const { deviceId } = checked.entry;
      const log = this.#logOf(deviceId);
      const outcome = log?.add(checked);
      if (outcome === 'orphan') orphaned.add(deviceId);
      if (log === undefined || outcome !== 'added') continue;
      this.#logs.set(deviceId, log);
      added.push(checked);
      this.#apply(checked);
    }
    return { added, orphaned: [...orphaned] };
  }

  /** Where this device's next entry goes. */
  placeOf(device: DeviceId, nowMs: number): EntryPlace {
    const head = this.#logs.get(device)?.head;
    return { seq: (head?.entry.seq ?? 0) + 1, prev: head?.entry.entryId, at: tickAfter(this.#latest, nowMs) };
  }

  /** By device id. */
  heads(): LogHead[] {
    const heads = [...this.#logs].map(([device, log]) => ({ device, seq: log.seq, digest: log.digest }));
    return heads.toSorted((a, b) => (a.device < b.device ? -1 : 1));
  }

  /** Equal for equal catalogues: 64 hex digits. */
  digest(): string {
    return hexOf(
      sha256(
        utf8(
          this.heads()
            .map((head) => `${head.device} ${head.seq} ${head.digest}`)
            .join('\n'),
        ),
      ),
    );
  }

  /**
   * Entries that a device with `theirs` may lack: by device id, in order within each log. Where logs are equally long but
   * differ, or theirs is a branch that is not ours, that whole log: forks are rare. With `from`, only what lies after it:
   * of that log everything, whatever `theirs` says of it, and of later logs what `theirs` lacks.
   */
  *missingFor(theirs: readonly LogHead[], from?: LogCursor): Generator<CheckedEntry> {
    const known = new Map(theirs.map((head) => [head.device, head]));
    for (const device of [...this.#logs.keys()].toSorted()) {
      const log = this.#logs.get(device);
      if (log === undefined || (from !== undefined && device < from.device)) continue;
      if (device === from?.device) yield* log.after(from.seq, from.entry);
      else yield* log.after(agreedSeq(log, known.get(device)));
    }
  }

  /** Files that were not removed. */
  files(): ReadonlyMap<FileId, Manifest> {
    return this.#files;
  }

  isRemoved(fileId: FileId): boolean {
    return this.#removed.has(fileId);
  }

  /** A file of the pool with this content tag; of several, the smallest id. */
  fileWithTag(contentTag: Uint8Array): FileId | undefined {
    return [...(this.#byContentTag.get(hexOf(contentTag)) ?? [])].toSorted()[0];
  }

  deviceName(device: DeviceId): string {
    return this.#profiles.get(device)?.name ?? '';
  }

  /** Devices that wrote a profile and have not left. */
  members(): DeviceId[] {
    return [...this.#profiles.keys()].filter((device) => !this.#left.has(device));
  }

  hasLeft(device: DeviceId): boolean {
    return this.#left.has(device);
  }

  get poolName(): string {
    return this.#poolName?.name ?? '';
  }

  /**
   * A stranger's log beyond the bound on devices is not opened. A new log is kept only once it has an entry: an empty
   * one would make equal catalogues look different.
   */
  #logOf(device: DeviceId): DeviceLog | undefined {
    const log = this.#logs.get(device);
    return log !== undefined || this.#logs.size >= MAX_DEVICE_COUNT ? log : new DeviceLog();
  }

  #apply({ entry, file }: CheckedEntry): void {
    if (compareTimes(entry.at, this.#latest) > 0) this.#latest = entry.at;
    const { body } = entry;
    switch (body.kind) {
      case 'profile':
        if (isLater(entry, this.#profiles.get(entry.deviceId)?.entry)) {
          this.#profiles.set(entry.deviceId, { name: body.name, entry });
        }
        break;
      case 'pool':
        if (isLater(entry, this.#poolName?.entry)) this.#poolName = { name: body.name, entry };
        break;
      case 'file':
        if (file !== undefined && !this.#removed.has(file.fileId)) this.#addFile(file.fileId, file.manifest);
        break;
      case 'remove':
        this.#removed.add(body.file);
        this.#dropFile(body.file);
        break;
      case 'leave':
        this.#left.add(entry.deviceId);
        break;
      case 'unknown':
        break;
    }
  }

  #addFile(fileId: FileId, manifest: Manifest): void {
    this.#files.set(fileId, manifest);
    if (manifest.access.kind !== 'pool') return;
    const tag = hexOf(manifest.access.contentTag);
    const tagged = this.#byContentTag.get(tag) ?? new Set();
    this.#byContentTag.set(tag, tagged.add(fileId));
  }

  #dropFile(fileId: FileId): void {
    const manifest = this.#files.get(fileId);
    this.#files.delete(fileId);
    if (manifest?.access.kind === 'pool')
      this.#byContentTag.get(hexOf(manifest.access.contentTag))?.delete(fileId);
  }
}

/** Up to which number a device with `theirs` surely has what is in `log`. */
function agreedSeq(log: DeviceLog, theirs: LogHead | undefined): number {
  if (theirs === undefined) return 0;
  if (theirs.seq < log.seq) return theirs.seq;
  if (theirs.seq === log.seq) return theirs.digest === log.digest ? log.seq : 0;
  // A longer log there may still lack a branch that is here.
  return log.entryCount > log.seq ? 0 : log.seq;
}

function isLater(entry: Entry, than: Entry | undefined): boolean {
  if (than === undefined) return true;
  return (compareTimes(entry.at, than.at) || (entry.entryId < than.entryId ? -1 : 1)) > 0;
}
