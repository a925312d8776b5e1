// What a member does to the others that they ought to hear of: who, what and how many. In a pool of equal
// members none of it can be prevented, but all of it can be reported. The screens have the sentences
// (src/ui/text/en/misdeeds.ts).

import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';

export type Misdeed =
  /** It removed files that other devices had stored. */
  | 'removed-files'
  /** It sent records that were refused: malformed, of another pool, or not signed by the device they name. */
  | 'forged-records'
  /** Its log split: it wrote one number twice. */
  | 'forked-log'
  /** It wrote more than a log may hold, in bytes or branches. The rest is not kept. */
  | 'overfull-log'
  /** It claimed to hold fragments, and sent wrong proofs of them. */
  | 'false-claims'
  /** It published a file as equal to one with other bytes. */
  | 'false-equal'
  /** It dated a name more than a day ahead. */
  | 'future-name'
  /** It keeps claiming fragments that it did not give. */
  | 'withheld';

export interface MisdeedEffect {
  readonly kind: 'misdeed';
  readonly device: DeviceId;
  readonly what: Misdeed;
  /** How many more since the last report. */
  readonly count: number;
}

/** A device that removes this many files of others within the time below is reported: fewer is tidying up. */
export const MANY_REMOVALS = 10;
export const REMOVALS_WITHIN_MS = 60 * 60_000;

interface Spell {
  count: number;
  sinceMs: number;
}

/** Counts removals until they are many. */
export class Removals {
  readonly #spells = new Map<DeviceId, Spell>();

  /** `device` removed `count` files of others. Returns how many to report now; 0 while they are few. */
  counted(device: DeviceId, count: number, nowMs: MonotonicMs): number {
    const last = this.#spells.get(device);
    const isOver = last === undefined || nowMs - last.sinceMs > REMOVALS_WITHIN_MS;
    const spell = isOver ? { count: 0, sinceMs: nowMs } : last;
    const before = spell.count;
    spell.count += count;
    if (last !== undefined || this.#spells.size < MAX_DEVICE_COUNT) this.#spells.set(device, spell);
    if (spell.count < MANY_REMOVALS) return 0;
    return before < MANY_REMOVALS ? spell.count : count;
  }
}
