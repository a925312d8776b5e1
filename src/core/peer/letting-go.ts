// Drops copies because another device has the same fragment: second copies, fragments that were moved, and
// everything on a device that leaves. Before it drops, this device challenges the other from its own bytes.
//
// Two devices must never drop because of each other. So a proof is also a promise: who proves that it has a
// fragment keeps it for PLEDGE_MS, longer than anybody may take to act on the proof. And who has asked others
// for proofs in order to drop gives none himself: it calls its own attempt off first, or, if both asked each
// other, one of them refuses. So whenever a copy is dropped, another device has just proved the fragment and
// still keeps it.
//
// Invariants: at most one attempt a file; each ends by its verdicts, by time, or by a jump of the clock.

import type { DeviceId, FileId } from '../model/ids.ts';
import { CHALLENGE_DEADLINE_MS, MAX_PLEDGES } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { Holders } from '../placement/health.ts';
import type { Place } from '../wire/places.ts';
import type { Challenges, Verdict } from './challenges.ts';

/** Who waits for a proof acts on it within its challenge's deadline; the rest is for clocks that differ. */
export const PLEDGE_MS = 4 * CHALLENGE_DEADLINE_MS;
/** Challenges wait in line behind others; after this, ms, an attempt is over. */
const ATTEMPT_MS = 60_000;

interface Attempt {
  readonly untilMs: MonotonicMs;
  /** By fragment: who is asked for a proof, and how many have not answered. */
  readonly open: Map<number, { readonly keepers: ReadonlySet<DeviceId>; openCount: number }>;
}

export class LettingGo {
  readonly #self: DeviceId;
  readonly #challenges: Pick<Challenges, 'canProve' | 'want'>;
  readonly #attempts = new Map<FileId, Attempt>();
  /** Until when fragments are kept that this device proved to have. */
  readonly #pledges = new Map<string, MonotonicMs>();
  /** Until when everything is kept: an earlier page may have promised it, or there were too many promises. */
  #allUntilMs: MonotonicMs | undefined;
  /** This device leaves: nobody may count on what it has. */
  isLeaving = false;

  constructor(self: DeviceId, challenges: Pick<Challenges, 'canProve' | 'want'>) {
    this.#self = self;
    this.#challenges = challenges;
  }

  /** Whether any challenge of `file` is for an attempt to drop. */
  has(file: FileId, fragment?: number): boolean {
    const attempt = this.#attempts.get(file);
    return fragment === undefined ? attempt !== undefined : attempt?.open.has(fragment) === true;
  }

  get size(): number {
    return this.#attempts.size;
  }

  /**
   * Challenges each of `keepers` for its fragments, in order to drop this device's copies. What this device
   * promised to keep is left out, unless the file's storer, which has all of it, `isAskedFor`s it. False if
   * nothing was begun.
   */
  begin(nowMs: MonotonicMs, file: FileId, keepers: Holders, isAskedFor = false): boolean {
    if (this.#attempts.has(file)) return false;
    const claims = new Map<DeviceId, ReadonlySet<number>>();
    const open: Attempt['open'] = new Map();
    for (const [device, fragments] of keepers) {
      if (!this.#challenges.canProve(device)) continue;
      const some = [...fragments].filter(
        (each) => isAskedFor || this.keepUntilMs(nowMs, file, each) <= nowMs,
      );
      if (some.length > 0) claims.set(device, new Set(some));
      for (const fragment of some) {
        const known = open.get(fragment) ?? { keepers: new Set(), openCount: 0 };
        open.set(fragment, {
          keepers: new Set([...known.keepers, device]),
          openCount: known.openCount + 1,
        });
      }
    }
    if (open.size === 0 || this.#challenges.want(nowMs, file, claims) === 0) return false;
    this.#attempts.set(file, { untilMs: nowMs + ATTEMPT_MS, open });
    return true;
  }

  /** Until when this device keeps the fragment, whatever others prove. */
  keepUntilMs(nowMs: MonotonicMs, file: FileId, fragment: number): MonotonicMs {
    this.#allUntilMs ??= nowMs + PLEDGE_MS;
    return Math.max(this.#allUntilMs, this.#pledges.get(keyOf(file, fragment)) ?? -Infinity);
  }

  /** `from` challenges this device. Whether it may have a proof; then this device keeps the fragment. */
  challenged(nowMs: MonotonicMs, from: DeviceId, { file, fragment }: Place): boolean {
    if (this.isLeaving) return false;
    const attempt = this.#attempts.get(file);
    const own = attempt?.open.get(fragment);
    // Both want to drop. Both ids are known to both, so exactly one refuses.
    if (own?.keepers.has(from) === true && this.#self < from) return false;
    if (own !== undefined) this.#end(file, fragment);
    this.#pledge(nowMs, keyOf(file, fragment));
    return true;
  }

  /** Whether the fragment of this verdict can be dropped now. */
  judged({ device, place: { file, fragment }, outcome }: Verdict): boolean {
    const open = this.#attempts.get(file)?.open.get(fragment);
    if (open?.keepers.has(device) !== true) return false;
    open.openCount -= 1;
    if (outcome === 'proved' || open.openCount === 0) this.#end(file, fragment);
    return outcome === 'proved';
  }

  /** Nothing of `file` is to be dropped because of proofs any longer. */
  forget(file: FileId): void {
    this.#attempts.delete(file);
  }

  /** The device may have slept: promises that it waited for may have ended meanwhile. */
  clockJumped(): void {
    this.#attempts.clear();
  }

  /** Ends the attempts that took too long. Returns their files. */
  expired(nowMs: MonotonicMs): FileId[] {
    const late = [...this.#attempts].filter(([, { untilMs }]) => untilMs <= nowMs).map(([file]) => file);
    for (const file of late) this.#attempts.delete(file);
    return late;
  }

  nextDeadlineMs(): MonotonicMs {
    return Math.min(Infinity, ...Array.from(this.#attempts.values(), ({ untilMs }) => untilMs));
  }

  #end(file: FileId, fragment: number): void {
    const attempt = this.#attempts.get(file);
    attempt?.open.delete(fragment);
    if (attempt?.open.size === 0) this.#attempts.delete(file);
  }

  #pledge(nowMs: MonotonicMs, key: string): void {
    const untilMs = nowMs + PLEDGE_MS;
    if (!this.#pledges.has(key) && this.#pledges.size >= MAX_PLEDGES) {
      for (const [other, endMs] of this.#pledges) if (endMs <= nowMs) this.#pledges.delete(other);
      if (this.#pledges.size >= MAX_PLEDGES) {
        this.#allUntilMs = untilMs;
        return;
      }
    }
    this.#pledges.set(key, untilMs);
  }
}

function keyOf(file: FileId, fragment: number): string {
  return `${file}/${fragment}`;
}
