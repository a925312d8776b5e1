// One device's log as this device keeps it. Honest logs are chains. A chain can fork when a device's disk
// lost its last records and it writes their numbers again; a hostile device may do so on purpose.
//
// The kept entries are a function of all entries ever offered, in any order, and of the points that acts
// name. Take all entries in branch order: an entry before those that follow it, and at a fork first the
// branch that leads to a point, then the one whose first entry has the smaller id. An entry is kept if at
// most MAX_LOG_BYTES of records and fewer than MAX_LOG_BRANCHES branch ends come before it. Both counts only
// grow as entries come, and depend only on kept entries. So the last in branch order is always the one to
// evict, and devices that exchange what they keep end up with the same
// (docs/decisions/0019-what-a-log-may-hold.md).

import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf, utf8 } from '../model/bytes.ts';
import type { EntryId } from '../model/ids.ts';
import { MAX_LOG_BRANCHES, MAX_LOG_BYTES } from '../model/limits.ts';
import type { PackedEntry } from './packed-entry.ts';

/** A position in a log: an entry's number, and the first 8 bytes of its id's digest in hexadecimal. */
export interface LogMark {
  readonly seq: number;
  readonly mark: string;
}

export interface AddOutcome {
  /**
   * 'orphan': the entry before it is not here. 'beyond': it is not kept, because others come first and the
   * log is full. 'forked': added, as the first of a new branch.
   */
  readonly kind: 'added' | 'forked' | 'known' | 'orphan' | 'beyond';
  /** Entries that were evicted for it. */
  readonly evicted: readonly PackedEntry[];
}

/** Entries in a row, each before the next. `parent` has the one before the first, if there is one. */
interface Branch {
  parent: Branch | undefined;
  entries: PackedEntry[];
}

const NOTHING: readonly PackedEntry[] = [];

export class DeviceLog {
  readonly #byId = new Map<EntryId, PackedEntry>();
  /** In branch order. Each ends in an entry that none follows. */
  readonly #branches: Branch[] = [];
  readonly #maxBytes: number;
  #points: ReadonlySet<EntryId>;
  #byteCount = 0;
  #digest: string | undefined;

  constructor(maxBytes = MAX_LOG_BYTES, points: ReadonlySet<EntryId> = new Set()) {
    this.#maxBytes = maxBytes;
    this.#points = points;
  }

  /** From now on, what leads to these entries is kept before what does not. */
  prefer(points: ReadonlySet<EntryId>): void {
    this.#points = points;
    this.#branches.sort((one, other) => (this.#goesBefore(one, other) ? -1 : 1));
  }

  has(entryId: EntryId): boolean {
    return this.#byId.has(entryId);
  }

  get(entryId: EntryId): PackedEntry | undefined {
    return this.#byId.get(entryId);
  }

  get entryCount(): number {
    return this.#byId.size;
  }

  get branchCount(): number {
    return this.#branches.length;
  }

  /** Bytes of the records, which the quota counts. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** The highest sequence number; 0 when empty. */
  get seq(): number {
    return this.#branches.reduce((highest, branch) => Math.max(highest, endOf(branch)), 0);
  }

  add(entry: PackedEntry): AddOutcome {
    const { entryId } = entry;
    if (this.#byId.has(entryId)) return { kind: 'known', evicted: NOTHING };
    const prev = this.#before(entry);
    if (prev === undefined && entry.seq > 1) return { kind: 'orphan', evicted: NOTHING };
    const isFork = this.#append(entry, prev);
    this.#byId.set(entryId, entry);
    this.#byteCount += entry.recordLength;
    this.#digest = undefined;
    if (this.#points.has(entryId)) this.prefer(this.#points);
    const evicted = this.#trim();
    if (this.#byId.has(entryId)) return { kind: isFork ? 'forked' : 'added', evicted };
    return { kind: 'beyond', evicted: evicted.filter((gone) => gone !== entry) };
  }

  /** Whether `entry` is the one that is named, or comes before it; false while that one is not here. */
  isUpTo(entry: PackedEntry, { entry: last }: { readonly entry: EntryId }): boolean {
    const end = this.#byId.get(last);
    if (end === undefined || entry.seq > end.seq) return false;
    const branch = this.#branches.find(({ entries }) => entries[end.seq - (entries[0]?.seq ?? 1)] === end);
    return branch !== undefined && entriesAt(branch, entry.seq)[0] === entry;
  }

  /**
   * The entry that the device's next one follows: the end of the longest branch; of equals, the smallest id.
   */
  get head(): PackedEntry | undefined {
    const { seq } = this;
    return this.#branches
      .filter((branch) => endOf(branch) === seq)
      .flatMap(({ entries }) => entries.at(-1) ?? [])
      .toSorted(byEntryId)[0];
  }

  /** Equal for equal sets of entries: a hash over the branches' ends, 16 hex digits. */
  get digest(): string {
    const ends = this.#branches.flatMap(({ entries }) => entries.at(-1)?.entryId ?? []);
    this.#digest ??= hexOf(sha256(utf8(ends.toSorted().join(' '))).subarray(0, 8));
    return this.#digest;
  }

  /**
   * Tells other devices what this log has, so that they find what is missing here: its ends, and steps of 1,
   * 2, 4… back from the head.
   */
  marks(): LogMark[] {
    const ends = this.#branches.flatMap(({ entries }) => entries.at(-1) ?? []);
    const { head } = this;
    const branch = this.#branches.find(({ entries }) => entries.at(-1) === head);
    const steps: PackedEntry[] = [];
    for (let back = 1; branch !== undefined && head !== undefined && back < head.seq; back *= 2) {
      steps.push(...entriesAt(branch, head.seq - back));
    }
    return [...new Set([...ends, ...steps])].map(({ seq, mark }) => ({ seq, mark }));
  }

  /** The latest entry for which `is` returns true: the highest number, and of equals the smallest id. */
  last(is: (entry: PackedEntry) => boolean): PackedEntry | undefined {
    for (let seq = this.seq; seq > 0; seq--) {
      const found = this.#row(seq).find(is);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  *entries(): Generator<PackedEntry> {
    for (const { entries } of this.#branches) yield* entries;
  }

  /**
   * Entries that a device with the entries of `theirs` may lack: those that are not among `theirs` and
   * precede none of them. By number, then by entry id. Starts above `seq`; with `entry`, also includes those
   * of `seq` beyond `entry`.
   */
  *missing(theirs: readonly LogMark[], seq: number, entry?: EntryId): Generator<PackedEntry> {
    const known = theirs.flatMap((mark) => this.#positionOf(mark));
    const knownTo = this.#branches.map((branch) =>
      known.reduce(
        (highest, position) => Math.max(highest, Math.min(position.seq, sharedTo(branch, position.branch))),
        0,
      ),
    );
    const first = entry === undefined ? seq + 1 : Math.max(1, seq);
    for (let at = Math.max(first, Math.min(...knownTo) + 1); at <= this.seq; at++) {
      const row = this.#branches.flatMap((branch, index) =>
        at > (knownTo[index] ?? 0) && at >= startOf(branch)
          ? (branch.entries[at - startOf(branch)] ?? [])
          : [],
      );
      for (const missing of row.toSorted(byEntryId)) {
        if (entry === undefined || at > seq || missing.entryId > entry) yield missing;
      }
    }
  }

  #before(entry: PackedEntry): PackedEntry | undefined {
    for (const { entries } of this.#branches) {
      const end = entries.at(-1);
      if (end !== undefined && entry.follows(end)) return end;
    }
    const { prevId, seq } = entry;
    const prev = prevId === undefined ? undefined : this.#byId.get(prevId);
    return prev?.seq === seq - 1 ? prev : undefined;
  }

  /** Whether `entry` began a new branch. */
  #append(entry: PackedEntry, prev: PackedEntry | undefined): boolean {
    const parent =
      prev && this.#branches.find((branch) => branch.entries[prev.seq - startOf(branch)] === prev);
    if (prev !== undefined && parent !== undefined && endOf(parent) === prev.seq) {
      parent.entries.push(entry);
      return false;
    }
    const branch: Branch = { parent, entries: [entry] };
    const at = this.#branches.findIndex((other) => this.#goesBefore(branch, other));
    this.#branches.splice(at === -1 ? this.#branches.length : at, 0, branch);
    return this.#branches.length > 1;
  }

  /** Evicts the last in branch order until the log fits. */
  #trim(): PackedEntry[] {
    const evicted: PackedEntry[] = [];
    for (let branch = this.#branches.at(-1); branch !== undefined; branch = this.#branches.at(-1)) {
      const last = branch.entries.at(-1);
      if (last === undefined) break;
      const fits = this.#byteCount - last.recordLength <= this.#maxBytes;
      if (fits && this.#branches.length <= MAX_LOG_BRANCHES) break;
      branch.entries.pop();
      this.#byId.delete(last.entryId);
      this.#byteCount -= last.recordLength;
      evicted.push(last);
      this.#endAt(branch, last.seq - 1);
    }
    return evicted;
  }

  /** The last branch now ends with number `seq`. If another branch begins after that, the two become one. */
  #endAt(branch: Branch, seq: number): void {
    const next = this.#branches.find((other) => other.parent === branch && startOf(other) === seq + 1);
    if (next !== undefined) {
      // It is the first of them, so `branch` takes its place in the order.
      branch.entries = branch.entries.concat(next.entries);
      for (const other of this.#branches) if (other.parent === next) other.parent = branch;
      this.#branches.splice(this.#branches.indexOf(branch), 1);
      this.#branches.splice(this.#branches.indexOf(next), 1, branch);
    } else if (branch.entries.length === 0) {
      this.#branches.pop();
    }
  }

  /** Compares the entries at the split. */
  #goesBefore(one: Branch, other: Branch): boolean {
    const split = sharedTo(one, other) + 1;
    const [[a], [b]] = [entriesAt(one, split), entriesAt(other, split)];
    if (a === undefined || b === undefined) return false;
    const [leads, otherLeads] = [this.#leadsToPoint(a), this.#leadsToPoint(b)];
    return leads === otherLeads ? a.entryId < b.entryId : leads;
  }

  #leadsToPoint(entry: PackedEntry): boolean {
    return [...this.#points].some((point) => this.isUpTo(entry, { entry: point }));
  }

  #positionOf({ seq, mark }: LogMark): { readonly branch: Branch; readonly seq: number }[] {
    const branch = this.#branches.find(({ entries }) => entries[seq - (entries[0]?.seq ?? 0)]?.mark === mark);
    return branch === undefined ? [] : [{ branch, seq }];
  }

  #row(seq: number): PackedEntry[] {
    return this.#branches
      .flatMap((branch) => branch.entries[seq - startOf(branch)] ?? [])
      .toSorted(byEntryId);
  }
}

function startOf({ entries }: Branch): number {
  return entries[0]?.seq ?? 1;
}

function endOf(branch: Branch): number {
  return startOf(branch) + branch.entries.length - 1;
}

/** A branch and those it continues, the first first. */
function lineOf(branch: Branch): Branch[] {
  const line: Branch[] = [];
  for (let at: Branch | undefined = branch; at !== undefined; at = at.parent) line.unshift(at);
  return line;
}

/** The entry with this number on the path to the branch's end. */
function entriesAt(branch: Branch, seq: number): PackedEntry[] {
  let at: Branch | undefined = branch;
  while (at !== undefined && seq < startOf(at)) at = at.parent;
  const entry = at?.entries[seq - startOf(at)];
  return entry === undefined ? [] : [entry];
}

/** The last number up to which the paths to the ends of two branches are the same. */
function sharedTo(one: Branch, other: Branch): number {
  const [line, otherLine] = [lineOf(one), lineOf(other)];
  let depth = 0;
  while (depth < line.length && line[depth] === otherLine[depth]) depth += 1;
  const [leaves, otherLeaves] = [line[depth], otherLine[depth]];
  const common = line[depth - 1];
  if (leaves === undefined && otherLeaves === undefined) return endOf(one);
  return Math.min(
    leaves === undefined ? Infinity : startOf(leaves) - 1,
    otherLeaves === undefined ? Infinity : startOf(otherLeaves) - 1,
    common === undefined ? 0 : endOf(common),
  );
}

function byEntryId(a: PackedEntry, b: PackedEntry): number {
  return a.entryId < b.entryId ? -1 : 1;
}
