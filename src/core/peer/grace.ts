// Contents that lost their last known name. Their fragments stay here for a while, because a name that this
// device has not heard of brings the content back: one part of a divided pool may remove the last name that
// it knows while the other part adds one.
//
// The grace ends as soon as every known member is known to have had the same catalogue as this device after
// the removal: then nobody can have such a name. Otherwise it ends after GRACE_MS. Until then its space
// counts as free, and what was removed first gives way first. It outlives pages, so it goes by wall time; but
// a jump of the wall clock under an open page ends nothing: whether time has passed cannot be known.

import type { DeviceId, FileId } from '../model/ids.ts';
import { GRACE_MS } from '../model/limits.ts';
import type { WallMs } from '../model/time.ts';

interface Waiting {
  readonly sinceMs: WallMs;
  /** Members that had the same catalogue after this count have had the removal. */
  readonly heardCount: number;
}

export class Grace {
  readonly #waiting = new Map<FileId, Waiting>();
  /** Counts up each time a device had the same catalogue as this one; by device, the last count. */
  readonly #heard = new Map<DeviceId, number>();
  #heardCount = 0;
  /** When an earlier page learned of removals, ms. */
  #restored: ReadonlyMap<FileId, WallMs> = new Map();
  /** Not later than the first end by time, ms. */
  #dueMs: WallMs = Infinity;
  #mayBeOver = false;
  #hasNew = false;
  #revision = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Changes with the contents that wait. */
  get revision(): number {
    return this.#revision;
  }

  has(file: FileId): boolean {
    return this.#waiting.has(file);
  }

  /** Since when each waits, ms. */
  *all(): Generator<[FileId, WallMs]> {
    for (const [file, { sinceMs }] of this.#waiting) yield [file, sinceMs];
  }

  /** What `all` gave on an earlier page; counts for those that are added. */
  restore(since: ReadonlyMap<FileId, WallMs>): void {
    this.#restored = since;
  }

  add(nowMs: WallMs, file: FileId): void {
    if (this.#waiting.has(file)) return;
    const sinceMs = Math.min(nowMs, this.#restored.get(file) ?? nowMs);
    this.#waiting.set(file, { sinceMs, heardCount: this.#heardCount });
    this.#dueMs = Math.min(this.#dueMs, sinceMs + GRACE_MS);
    this.#mayBeOver = true;
    this.#hasNew = true;
    this.#revision += 1;
  }

  delete(file: FileId): void {
    if (this.#waiting.delete(file)) this.#revision += 1;
  }

  /** The device has, or had a moment ago, exactly the entries that this one has. */
  hasAll(device: DeviceId): void {
    this.#heardCount += 1;
    this.#heard.set(device, this.#heardCount);
    this.#mayBeOver = true;
  }

  /** Whether any was added since the last call. */
  takeNew(): boolean {
    const hasNew = this.#hasNew;
    this.#hasNew = false;
    return hasNew;
  }

  /** The wall clock jumped: each waits as long as it would have without. */
  jumped(byMs: number): void {
    if (this.#waiting.size === 0) return;
    for (const [file, { sinceMs, heardCount }] of this.#waiting)
      this.#waiting.set(file, { sinceMs: sinceMs + byMs, heardCount });
    this.#dueMs += byMs;
    this.#revision += 1;
  }

  /** A member came or went. */
  membersChanged(): void {
    this.#mayBeOver = true;
  }

  /**
   * The contents whose grace is over; they wait no longer. `others`: the members besides this device.
   * `mayReturn`: whether a content waits in any case, because acts may let a name count again.
   */
  over(
    nowMs: WallMs,
    others: () => readonly DeviceId[],
    mayReturn: (file: FileId) => boolean = () => false,
  ): FileId[] {
    if (this.#waiting.size === 0 || (!this.#mayBeOver && nowMs < this.#dueMs)) return [];
    this.#mayBeOver = false;
    this.#dueMs = Infinity;
    const heardByAll = Math.min(Infinity, ...others().map((device) => this.#heard.get(device) ?? 0));
    const over: FileId[] = [];
    for (const [file, { sinceMs, heardCount }] of this.#waiting) {
      if ((heardByAll > heardCount && !mayReturn(file)) || nowMs - sinceMs >= GRACE_MS) over.push(file);
      else this.#dueMs = Math.min(this.#dueMs, sinceMs + GRACE_MS);
    }
    for (const file of over) this.delete(file);
    return over;
  }

  /** Those of `others` that may not know of every removal yet. */
  waitsFor(others: readonly DeviceId[]): DeviceId[] {
    let lastCount = -1;
    for (const { heardCount } of this.#waiting.values()) lastCount = Math.max(lastCount, heardCount);
    return others.filter((device) => (this.#heard.get(device) ?? 0) <= lastCount);
  }

  /** The longest removed contents that together have at least `bytes`; they wait no longer. */
  giveUp(bytes: number, bytesOf: (file: FileId) => number): FileId[] {
    const given: FileId[] = [];
    let givenBytes = 0;
    const oldestFirst = [...this.#waiting].toSorted(([, a], [, b]) => a.sinceMs - b.sinceMs);
    for (const [file] of oldestFirst) {
      if (givenBytes >= bytes) break;
      given.push(file);
      givenBytes += bytesOf(file);
    }
    for (const file of given) this.delete(file);
    return given;
  }

  nextDeadlineMs(): WallMs {
    return this.#waiting.size === 0 ? Infinity : this.#dueMs;
  }
}
