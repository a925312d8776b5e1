// On which days this device met others of its pool, and so whether it meets them rarely: whoever sees a pool
// every second week finds a loss weeks late, and can restore nothing until the next time.
//
// Days are of this device's wall clock. One that is wrong costs or saves a few bytes of repair: no state of
// a member depends on it.

import type { WallMs } from '../model/time.ts';

const DAY_MS = 24 * 60 * 60_000;

/** Of so many days, the last ones. One odd gap among them, a holiday or an extra evening, changes nothing. */
export const MET_DAYS = 4;
/** A pool that is seen this many days apart, or more, meets rarely. */
const RARE_DAYS = 4;

export class Meetings {
  /** In order; the last may be today. */
  #days: readonly number[] = [];

  get days(): readonly number[] {
    return this.#days;
  }

  /** Those of an earlier page. */
  restore(days: readonly number[]): void {
    this.#days = days.toSorted((a, b) => a - b).slice(-MET_DAYS);
  }

  /** This device is linked with another. */
  meets(wallMs: WallMs): void {
    const today = Math.floor(wallMs / DAY_MS);
    if (this.#days.at(-1) === today) return;
    // Days to come are those of a clock that was ahead.
    const before = this.#days.filter((day) => day < today);
    this.#days = [...before, today].slice(-MET_DAYS);
  }

  /** Whether most of the last gaps between two days were long; false until there were so many. */
  get areRare(): boolean {
    if (this.#days.length < MET_DAYS) return false;
    const gaps = this.#days.slice(1).map((day, at) => day - (this.#days[at] ?? day));
    return gaps.filter((gap) => gap >= RARE_DAYS).length * 2 > gaps.length;
  }
}
