// What a member does to the others that they ought to hear of: who, what and how many. None of it can be
// prevented in a pool whose members are equal; all of it can be told. The screens have the sentences
// (src/ui/text/en/misdeeds.ts).

import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';

export type Misdeed =
  /** It removed files that other devices had stored. */
  | 'removed-files'
  /** Records that it sent were refused: malformed, of another pool, or not signed by whom they name. */
  | 'forged-records'
  /** Its log split: it wrote one number twice. */
  | 'forked-log'
  /** It wrote more than a log may hold, in bytes or branches: the rest is not kept. */
  | 'overfull-log'
  /** It claimed to hold fragments, and sent wrong proofs of them. */
  | 'false-claims'
  /** It published a file as equal to one that has other bytes. */
  | 'false-equal'
  /** It dated a name more than a day ahead. */
  | 'future-name'
  /** It says that it holds fragments that it did not give, and goes on saying so. */
  | 'withheld';

export interface MisdeedEffect {
  readonly kind: 'misdeed';
  readonly device: DeviceId;
  readonly what: Misdeed;
  /** How many more since this was told last. */
  readonly count: number;
}

/**
 * Removals of others' files by one device within `REMOVALS_WITHIN_MS` that are told of: fewer are tidying up.
 */
export const MANY_REMOVALS = 10;
export const REMOVALS_WITHIN_MS = 60 * 60_000;

interface Spell {
  count: number;
  sinceMs: number;
}

/** Counts removals until they are many. */
export class Removals {
  readonly #spells = new Map<DeviceId, Spell>();

  /** `device` removed `count` files of others. Returns how many to tell of now; 0 while they are few. */
  counted(device: DeviceId, count: number, nowMs: number): number {
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
