// Files of which repairs on this device left staged blocks behind: its page ended, it had to pause, or it
// failed. The next repair of the file uses them, so that they are not fetched again.
//
// Invariant: leftovers are bounded, and each ends: a repair takes it up, or it is discarded.

import type { FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';

/** Whether a file needs repair is uncertain after a start for this long, ms: links and claims come first. */
const UNCERTAIN_MS = 30_000;
/** Unused for this long, ms, a leftover is discarded: another device repairs the file, or none can. */
const UNUSED_MS = 10 * 60_000;
/** As many as there are repairs at a time. */
export const MAX_LEFTOVERS = 4;

export class Leftovers {
  /** Since when each waits. The oldest comes first. */
  readonly #sinceMs = new Map<FileId, MonotonicMs>();

  /** A repair of `file` left staged blocks behind. */
  add(nowMs: MonotonicMs, file: FileId): void {
    this.#sinceMs.delete(file);
    this.#sinceMs.set(file, nowMs);
  }

  /** A repair of `file` uses what was left. */
  take(file: FileId): void {
    this.#sinceMs.delete(file);
  }

  /** Repairs were paused until now: none could take up anything. */
  waitAgain(nowMs: MonotonicMs): void {
    for (const file of this.#sinceMs.keys()) this.#sinceMs.set(file, nowMs);
  }

  /** Forgets, and returns, what is to be discarded. `mayUse`: whether repairs can begin at all. */
  discarded(nowMs: MonotonicMs, isNeeded: (file: FileId) => boolean, mayUse: boolean): FileId[] {
    const all = [...this.#sinceMs];
    const ended = all.filter(([file, sinceMs], at) => {
      if (all.length - at > MAX_LEFTOVERS) return true;
      const patienceMs = isNeeded(file) ? (mayUse ? UNUSED_MS : Infinity) : UNCERTAIN_MS;
      return nowMs >= sinceMs + patienceMs;
    });
    for (const [file] of ended) this.#sinceMs.delete(file);
    return ended.map(([file]) => file);
  }

  /** When something may have to be discarded next. */
  nextDeadlineMs(nowMs: MonotonicMs): MonotonicMs {
    const due = [...this.#sinceMs.values()].flatMap((ms) => [ms + UNCERTAIN_MS, ms + UNUSED_MS]);
    return Math.min(Infinity, ...due.filter((ms) => ms > nowMs));
  }
}
