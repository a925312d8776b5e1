// The pool's replicated set of signed records, and what it says: files, removals, names. Devices that
// exchange their differences keep the same entries in any order (device-log.ts), and so hold the same
// catalogue. A removal is a tombstone that wins over the name that it takes away; a content is a file of the
// pool while it has a name (file-index.ts).
//
// Logs are bounded, so an entry may be evicted, and what it said ends. Only the bound on the number of logs
// is not a function of the entries: see #logOf.

import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf, utf8 } from '../model/bytes.ts';
import type { DeviceId, EntryId, FileId } from '../model/ids.ts';
import { LOG_RESERVE_BYTES, MAX_DEVICE_COUNT, MAX_LOG_BYTES } from '../model/limits.ts';
import { JUMP_MS } from '../clock-watch.ts';
import type { CheckedEntry } from './check.ts';
import { MAX_HYBRID_MS, tickAfter, type HybridTime } from './clock.ts';
import type { EntryPosition, LogCursor, LogHead } from './log-head.ts';
import { DeviceLog } from './device-log.ts';
import { ALL_RIGHTS, type Counting, type EntryRights } from './entry-rights.ts';
import { LimitedEntries } from './limited-entries.ts';
import { FileIndex, type GivenName, type ListedFile } from './file-index.ts';
import { Changes, type AddResult } from './changes.ts';
import { increase } from './counts.ts';
import type { Manifest, PublishedManifest } from './manifest.ts';
import { PackedEntry, packEntry } from './packed-entry.ts';
import { PoolIndex } from './pool-index.ts';
import type { StoredBytes } from './stored-bytes.ts';
import type { PoolPolicy } from '../model/policy.ts';
import type { WallMs } from '../model/time.ts';

export class Catalogue {
  readonly #logs = new Map<DeviceId, DeviceLog>();
  readonly #files = new FileIndex();
  #pool = this.#newPool();
  /** How many of a device's kept entries say that it left. */
  readonly #left = new Map<DeviceId, number>();
  readonly #self: DeviceId | undefined;
  readonly #maxLogBytes: number;
  readonly #rights: EntryRights;
  readonly #limited: LimitedEntries;
  #digest: string | undefined;
  /** The wall clock as last told. */
  #toldMs: WallMs = 0;

  /** `self`: the device whose own log always has room. */
  constructor(self?: DeviceId, maxLogBytes = MAX_LOG_BYTES, rights = ALL_RIGHTS) {
    this.#self = self;
    this.#maxLogBytes = maxLogBytes;
    this.#rights = rights;
    this.#limited = new LimitedEntries(rights);
  }

  /**
   * The wall clock. Told first: what is dated more than 12 hours ahead waits. If it was set back, what was
   * followed too early waits again.
   */
  tell(nowMs: WallMs): void {
    if (nowMs < this.#toldMs - JUMP_MS) {
      this.#pool = this.#newPool();
      this.#pool.tell(nowMs);
      for (const log of this.#logs.values())
        for (const entry of log.entries())
          if (this.#limited.countingOf(entry) !== 'none') this.#pool.apply(entry, 1);
    }
    this.#toldMs = nowMs;
    this.#pool.tell(nowMs);
  }

  /** When `tell` may change the pool's name or policy, ms. */
  nextDeadlineMs(): WallMs {
    return this.#pool.nextDeadlineMs();
  }

  /** Adds checked entries; within one device's log, in order. */
  add(entries: readonly CheckedEntry[]): AddResult {
    const changes = new Changes();
    const added: [CheckedEntry, PackedEntry][] = [];
    for (const checked of entries) {
      const { deviceId, entryId } = checked.entry;
      // Entries arrive repeatedly, as links overlap; packing this one would be wasted work.
      if (this.#logs.get(deviceId)?.has(entryId) === true) continue;
      const packed = new PackedEntry(packEntry(checked), 0, deviceId);
      if (this.#add(packed, changes)) added.push([checked, packed]);
    }
    const came = new Set(added.map(([{ entry }]) => entry.entryId));
    // A point that just came may let entries before it count.
    const devices = new Set(added.map(([, { deviceId }]) => deviceId));
    for (const device of devices) if (this.#rights.pointsOf(device).size > 0) this.#recount(device, changes);
    const kept = added.filter(([, { deviceId, entryId }]) => this.find(deviceId, entryId) !== undefined);
    const checkedOnes = kept.map(([checked]) => checked);
    return this.#resultOf(changes, checkedOnes, came);
  }

  /** What entries of these devices may do has changed. */
  rightsChanged(devices: readonly DeviceId[]): AddResult {
    const changes = new Changes();
    for (const device of devices) this.#recount(device, changes);
    return this.#resultOf(changes, [], new Set());
  }

  #resultOf(changes: Changes, added: readonly CheckedEntry[], came: ReadonlySet<EntryId>): AddResult {
    return {
      added,
      evicted: changes.evicted.filter(({ entryId }) => !came.has(entryId)),
      lost: [...changes.files].filter((file) => !this.#files.isKnown(file)),
      nameless: [...changes.contents.keys()].filter((content) => this.isRemoved(content)),
      named: [...changes.contents].flatMap(([content, wasNamed]) =>
        !wasNamed && this.files().has(content) ? [content] : [],
      ),
      orphaned: [...changes.orphaned],
      forks: changes.forks,
      beyond: changes.beyond,
    };
  }

  /**
   * Adds entries that were checked and kept before, in any order. Returns those that no longer have a place
   * here or are duplicates. Entries that lack the one before them are left out but not returned: that one may
   * still come.
   */
  restore(entries: readonly PackedEntry[]): PackedEntry[] {
    const changes = new Changes();
    const orphans = new Set<PackedEntry>();
    for (const entry of entries.toSorted((a, b) => a.seq - b.seq)) {
      this.#add(entry, changes);
      if (changes.orphaned.delete(entry.deviceId)) orphans.add(entry);
    }
    for (const device of this.#logs.keys())
      if (this.#rights.pointsOf(device).size > 0) this.#recount(device, changes);
    return entries.filter(
      (entry) => !orphans.has(entry) && this.find(entry.deviceId, entry.entryId) !== entry,
    );
  }

  /** An entry that is kept. */
  find(device: DeviceId, entryId: EntryId): PackedEntry | undefined {
    return this.#logs.get(device)?.get(entryId);
  }

  /** Where this device's next entry goes. */
  positionOf(device: DeviceId, nowMs: WallMs): EntryPosition {
    this.tell(nowMs);
    const head = this.#logs.get(device)?.head;
    return { seq: (head?.seq ?? 0) + 1, prev: head?.entryId, at: tickAfter(this.#pool.latest, nowMs) };
  }

  /**
   * Bytes of records that still fit into a device's log. Files get less, so that they can still be removed.
   */
  roomOf(device: DeviceId, what: 'file' | 'other'): number {
    const reserve = what === 'file' ? LOG_RESERVE_BYTES : 0;
    return this.#maxLogBytes - reserve - (this.#logs.get(device)?.byteCount ?? 0);
  }

  /** By device id. */
  heads(): LogHead[] {
    const heads = [...this.#logs].map(([device, log]) => ({
      device,
      seq: log.seq,
      digest: log.digest,
      marks: log.marks(),
    }));
    return heads.toSorted((a, b) => (a.device < b.device ? -1 : 1));
  }

  /** Whether it takes no more logs. From then on its set of logs stays the same. */
  get isClosed(): boolean {
    return this.#logs.size >= MAX_DEVICE_COUNT;
  }

  /** Equal for equal catalogues: 64 hex digits. */
  digest(): string {
    this.#digest ??= this.digestWithout(new Set());
    return this.#digest;
  }

  /** Equal for catalogues that differ only in the logs of these devices. */
  digestWithout(devices: ReadonlySet<DeviceId>): string {
    const lines = [...this.#logs.keys()]
      .filter((device) => !devices.has(device))
      .toSorted()
      .map((device) => `${device} ${this.#logs.get(device)?.seq} ${this.#logs.get(device)?.digest}`);
    return hexOf(sha256(utf8(lines.join('\n'))));
  }

  /** The devices whose logs are here but not among `theirs`. */
  logsBeside(theirs: readonly LogHead[]): Set<DeviceId> {
    const named = new Set(theirs.map(({ device }) => device));
    return new Set([...this.#logs.keys()].filter((device) => !named.has(device)));
  }

  /**
   * Entries that a device with `theirs` may lack: by device id, in order within each log. With `from`, only
   * those after it. If that device is `closed`, only those of the logs in `theirs`.
   */
  *missingFor(theirs: readonly LogHead[], from?: LogCursor, closed = false): Generator<PackedEntry> {
    const known = new Map(theirs.map((head) => [head.device, head]));
    for (const device of [...this.#logs.keys()].toSorted()) {
      const log = this.#logs.get(device);
      if (log === undefined || (from !== undefined && device < from.device)) continue;
      const head = known.get(device);
      if (head?.digest === log.digest || (closed && head === undefined)) continue;
      if (device === from?.device) yield* log.missing(head?.marks ?? [], from.seq, from.entry);
      // A longer log than this one contains all of it, unless they split: then this device asks for theirs,
      // and finds out.
      else if (log.branchCount > 1 || (head?.seq ?? 0) <= log.seq) yield* log.missing(head?.marks ?? [], 0);
    }
  }

  /** Whether a name of this content is known that does not count now, and may again. */
  isHidden(content: FileId): boolean {
    return this.#files.isHidden(content);
  }

  /** Contents that have a name. */
  files(): ReadonlyMap<FileId, PublishedManifest> {
    return this.#files.files;
  }

  /** What devices stored. */
  get stored(): StoredBytes {
    return this.#files.stored;
  }

  /** Of a content, even one that has no name left. */
  manifestOf(content: FileId): Manifest | undefined {
    return this.#files.manifestOf(content);
  }

  /** Every name that people see. */
  listed(): Iterable<ListedFile> {
    return this.#files.listed();
  }

  listedFile(fileId: FileId): ListedFile | undefined {
    return this.#files.listedFile(fileId);
  }

  /** A name that is known, listed or taken away. */
  nameOf(fileId: FileId): GivenName | undefined {
    return this.#files.nameOf(fileId);
  }

  /** The ids of a content's names, the manifest's own first. */
  namesOf(content: FileId): FileId[] {
    return this.#files.namesOf(content);
  }

  /** Whether this name was taken away, a manifest's or a further one. */
  isTaken(fileId: FileId): boolean {
    return this.#files.isTaken(fileId);
  }

  /** Whether a content's names were all taken away, as far as is known. */
  isRemoved(content: FileId): boolean {
    return this.#files.isTaken(content) && !this.#files.files.has(content);
  }

  /** Whether devices that know no further names take this content for removed. */
  isRemovedForAll(content: FileId): boolean {
    return this.#files.isRemovedForAll(content);
  }

  /**
   * The date of a file that is stored now: after the dates of all files that are known, whatever their
   * storers' clocks showed. It only orders lists, so any date is followed.
   */
  dateOfNextFile(nowMs: WallMs): WallMs {
    return Math.min(Math.max(0, Math.floor(nowMs), this.#files.latestMs + 1), MAX_HYBRID_MS);
  }

  /** Files published under this content tag, by id. Only their storers know whether their bytes match. */
  filesWithTag(contentTag: Uint8Array): FileId[] {
    return this.#files.withTag(contentTag);
  }

  deviceName(device: DeviceId): string {
    return this.#pool.deviceName(device);
  }

  /** When a device took its present name, by its own log. */
  namedAt(device: DeviceId): HybridTime | undefined {
    return this.#pool.namedAt(device);
  }

  /** Devices that wrote a profile and have not left. */
  members(): DeviceId[] {
    return this.#pool.profiled().filter((device) => this.isMember(device));
  }

  isMember(device: DeviceId): boolean {
    return this.#pool.isProfiled(device) && !this.#left.has(device) && this.#rights.isIn(device);
  }

  /** Whether it left, or was shut out. */
  hasLeft(device: DeviceId): boolean {
    return this.#left.has(device) || this.#rights.isOut(device);
  }

  get poolName(): string {
    return this.#pool.poolName;
  }

  /** Entries of invites, live or over. */
  get liveInvites(): ReadonlySet<PackedEntry> {
    return this.#pool.liveInvites;
  }

  get policy(): PoolPolicy {
    return this.#pool.policy;
  }

  /** Whether it was added. */
  #add(entry: PackedEntry, changes: Changes): boolean {
    const { deviceId } = entry;
    const log = this.#logOf(deviceId);
    if (log === undefined) return false;
    const { kind, evicted } = log.add(entry);
    if (kind === 'orphan') changes.orphaned.add(deviceId);
    if (kind === 'known' || kind === 'orphan') return false;
    this.#logs.set(deviceId, log);
    this.#digest = undefined;
    if (kind === 'forked') increase(changes.forks, deviceId, 1);
    const goneCount = evicted.length + (kind === 'beyond' ? 1 : 0);
    if (goneCount > 0) increase(changes.beyond, deviceId, goneCount);
    for (const gone of evicted) {
      changes.evicted.push(gone);
      this.#apply(gone, -1, changes, this.#limited.forget(gone));
    }
    if (kind === 'beyond') return false;
    this.#apply(entry, 1, changes, this.#limited.note(entry, log));
    return true;
  }

  /**
   * Logs of strangers beyond the bound on devices are not opened, so which logs are kept depends on who came
   * first. With any other rule, an attacker who makes up a thousand devices could push the honest ones out. A
   * new log is kept only once it has an entry: an empty one would make equal catalogues look different.
   */
  #logOf(device: DeviceId): DeviceLog | undefined {
    const log = this.#logs.get(device);
    if (log !== undefined) return log;
    const isOwnMissing = this.#self !== undefined && !this.#logs.has(this.#self);
    const most = isOwnMissing && device !== this.#self ? MAX_DEVICE_COUNT - 1 : MAX_DEVICE_COUNT;
    if (this.#logs.size >= most) return undefined;
    return new DeviceLog(this.#maxLogBytes, this.#rights.pointsOf(device));
  }

  #newPool(): PoolIndex {
    return new PoolIndex((device) => {
      const log = this.#logs.get(device);
      return log && this.#limited.countedOf(log);
    });
  }

  /** Applies anew what counts otherwise than before, by the points that acts name now. */
  #recount(device: DeviceId, changes: Changes): void {
    const log = this.#logs.get(device);
    log?.prefer(this.#rights.pointsOf(device));
    for (const entry of log?.entries() ?? []) {
      const before = this.#limited.countingOf(entry);
      if (log === undefined || this.#rights.countingOf(entry, log) === before) continue;
      this.#apply(entry, -1, changes, before);
      this.#apply(entry, 1, changes, this.#limited.note(entry, log));
    }
  }

  /** What the entry says begins to count, or ends, as far as it does. */
  #apply(entry: PackedEntry, change: 1 | -1, changes: Changes, counting: Counting = 'all'): void {
    const { kind, fileId } = entry;
    if (counting !== 'none') this.#pool.apply(entry, change);
    if (fileId !== undefined) {
      const content = kind === 'name' ? entry.fileName.content : this.#files.contentOf(fileId);
      if (!changes.contents.has(content)) changes.contents.set(content, this.files().has(content));
    }
    switch (kind) {
      case 'profile':
      case 'pool':
      case 'policy':
      case 'live-invite':
      case 'unknown':
        break;
      case 'file':
        if (fileId === undefined) break;
        this.#files.said(fileId, entry, change, counting !== 'none');
        if (change === -1) changes.files.add(fileId);
        break;
      case 'remove':
      case 'unname':
        if (fileId === undefined || counting === 'none') break;
        this.#files.taken(fileId, kind, change, counting === 'own' ? entry.deviceId : undefined);
        break;
      case 'name':
        if (fileId !== undefined) this.#files.named(fileId, entry, change, counting !== 'none');
        break;
      case 'leave':
        if (counting !== 'none') increase(this.#left, entry.deviceId, change);
        break;
    }
  }
}
