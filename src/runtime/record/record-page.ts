// A page of the record: the catalogue's entries in the order of their own dates, newest last. Dates are what
// the writers say; within one log the number is what counts.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { compareEntries, type DatedEntry } from '../../core/catalogue/latest-entry.ts';
import type { CheckedAct } from '../../core/catalogue/grants/act.ts';
import { PackedEntry } from '../../core/catalogue/packed-entry.ts';
import { PalmError } from '../../core/model/errors.ts';
import { parseDeviceId, parseEntryId, type DeviceId } from '../../core/model/ids.ts';
import { MAX_RECORD_PAGE } from '../../core/model/limits.ts';
import type { RecordOptions } from '../record-api.ts';

const DEFAULT_ITEMS = 100;

/** What the record lists. */
export type Recorded = PackedEntry | CheckedAct;

export interface RecordPage {
  /** Newest last. */
  readonly rows: readonly Recorded[];
  /** Those of them that are entries of logs. */
  readonly entries: readonly PackedEntry[];
  /** How many there are in all, of the device if one was named. */
  readonly total: number;
  /** Where the page before this one ends; undefined if this is the first. */
  readonly earlier: string | undefined;
  /** For each device whose log split: the first number that it wrote twice. */
  readonly splitAt: ReadonlyMap<DeviceId, number>;
}

/** @throws PalmError 'bad-argument'. */
export function recordPage(
  catalogue: Pick<Catalogue, 'missingFor'>,
  options: RecordOptions,
  acts: readonly CheckedAct[] = [],
): RecordPage {
  const { device, before, limit } = checked(options);
  // One more than asked for, to know whether more come before.
  const newest = new Newest(limit + 1);
  const splitAt = new Map<DeviceId, number>();
  let total = 0;
  let last: PackedEntry | undefined;
  for (const entry of catalogue.missingFor([])) {
    const isTwin = last?.deviceId === entry.deviceId && last.seq === entry.seq;
    if (isTwin && !splitAt.has(entry.deviceId)) splitAt.set(entry.deviceId, entry.seq);
    last = entry;
    if (device !== undefined && entry.deviceId !== device) continue;
    total += 1;
    const place = placeOf(entry);
    if (before === undefined || compareEntries(place, before) < 0) newest.offer(place, entry);
  }
  for (const act of acts) {
    const { id, by, at } = act.record;
    if (device !== undefined && by !== device) continue;
    total += 1;
    const place = { at, entryId: id };
    if (before === undefined || compareEntries(place, before) < 0) newest.offer(place, act);
  }
  const found = newest.ascending();
  const page = found.slice(-limit);
  const [first] = page;
  const hasEarlier = found.length > page.length && first !== undefined;
  return {
    rows: page.map(({ row }) => row),
    entries: page.flatMap(({ row }) => (row instanceof PackedEntry ? row : [])),
    total,
    earlier: hasEarlier ? textOf(first.place) : undefined,
    splitAt,
  };
}

interface Found {
  readonly place: DatedEntry;
  readonly row: Recorded;
}

/** The greatest of all that are offered, so many at most. */
class Newest {
  readonly #maxCount: number;
  #found: Found[] = [];
  /** Nothing below it is among the greatest any more. */
  #least: DatedEntry | undefined;

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  offer(place: DatedEntry, row: Recorded): void {
    if (this.#least !== undefined && compareEntries(place, this.#least) < 0) return;
    this.#found.push({ place, row });
    // Sorted now and then: a hundred thousand entries take a few dozen small sorts.
    if (this.#found.length >= 4 * this.#maxCount) this.#trim();
  }

  ascending(): readonly Found[] {
    this.#trim();
    return this.#found;
  }

  #trim(): void {
    this.#found = this.#found.toSorted((a, b) => compareEntries(a.place, b.place)).slice(-this.#maxCount);
    if (this.#found.length === this.#maxCount) this.#least = this.#found[0]?.place;
  }
}

/** A place in the order of the record; of an entry, decoded once. */
function placeOf({ at, entryId }: PackedEntry): DatedEntry {
  return { at, entryId };
}

function textOf({ at: { ms, count }, entryId }: DatedEntry): string {
  return `${ms}.${count}.${entryId}`;
}

interface CheckedOptions {
  readonly device: DeviceId | undefined;
  readonly before: DatedEntry | undefined;
  readonly limit: number;
}

function checked({ device, before, limit = DEFAULT_ITEMS }: RecordOptions): CheckedOptions {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RECORD_PAGE)
    throw new PalmError({ code: 'bad-argument', reason: 'record-limit', max: MAX_RECORD_PAGE });
  try {
    return {
      device: device === undefined ? undefined : parseDeviceId(device),
      before: before === undefined ? undefined : parsePlace(before),
      limit,
    };
  } catch (cause) {
    throw new PalmError({ code: 'bad-argument', reason: 'record-place' }, { cause });
  }
}

function parsePlace(text: string): DatedEntry {
  const [ms = '', count = '', id] = text.split('.');
  const at = { ms: Number(ms), count: Number(count) };
  if (!Number.isSafeInteger(at.ms) || !Number.isSafeInteger(at.count)) throw new RangeError(text);
  return { at, entryId: parseEntryId(id) };
}
