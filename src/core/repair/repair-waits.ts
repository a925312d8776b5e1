// Since when files need repair, and which claims put it off. Repair waits a while before it begins, and ends
// when nothing is missing any more; a member that claims a missing fragment every few seconds, and withdraws
// it again, would have it wait and begin anew for ever.
//
// A device is unsteady about a file if it made a claim that ended a need, and withdrew it within a day while
// nobody else had the fragment. The wait goes on as if that claim had never been made, and of this device
// only what it claims all along counts for the file's repair. An honest device comes to that with a copy that
// was lost soon after it came, and loses nothing: the fragment is rebuilt elsewhere. A device that restarts
// withdraws nothing; one that is gone, and returns, and is gone again, is none of this.
//
// Invariant: only files that need repair, or did within a day, are remembered, and of the latter MAX_ENDED;
// those with unsteady devices give way last.

import type { DeviceId, FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import { packFragments, unpackFragments } from '../placement/fragment-set.ts';
import type { FragmentSet, PackedFragments } from '../placement/fragment-set.ts';
import type { Holders } from '../placement/health.ts';

/** A claim that is withdrawn within this, ms, has ended no need: longer than large files take to repair. */
const STEADY_AFTER_MS = 24 * 60 * 60_000;

/** Some hundred bytes each. A device that has just joined sees each file lack something for a moment. */
const MAX_ENDED = 10_000;

const NOBODY: Holders = new Map();
const NOTHING: FragmentSet = new Set();

export interface Wait {
  /** When the file was first seen to need repair. */
  readonly sinceMs: MonotonicMs;
  /** When one of its fragments last came back, each counted once. */
  readonly progressMs: MonotonicMs;
}

interface Waiting extends Wait {
  progressMs: MonotonicMs;
  /** Fragments that came back during this wait. */
  readonly restored: Set<number>;
}

type Came = ReadonlyMap<DeviceId, PackedFragments>;

interface Watched {
  waiting: Waiting;
  /** What was durable when this was last looked at; nobody once the need has ended. */
  durable: Holders;
  /** Claims that were made when the need ended, and were not before; undefined while there is one. */
  ended: { readonly atMs: MonotonicMs; readonly came: Came } | undefined;
  /** By unsteady device, those of its claims that count. */
  readonly unsteady: Map<DeviceId, FragmentSet>;
}

export class RepairWaits {
  readonly #self: DeviceId;
  readonly #files = new Map<FileId, Watched>();

  constructor(self: DeviceId) {
    this.#self = self;
  }

  /** Whether the file needs repair, or did a while ago. */
  has(file: FileId): boolean {
    return this.#files.has(file);
  }

  /** Those of these claims that count; all of a device that claims more than `cap`. */
  steadyOf(file: FileId, claims: Holders, cap: number): Holders {
    const unsteady = this.#files.get(file)?.unsteady;
    if (unsteady === undefined || unsteady.size === 0) return claims;
    const steady = new Map(claims);
    for (const [device, counted] of unsteady) {
      const claimed = claims.get(device);
      if (claimed !== undefined && claimed.size <= cap)
        steady.set(device, new Set([...claimed].filter((fragment) => counted.has(fragment))));
    }
    return steady;
  }

  /** Whether the device is given nothing of the file. */
  isUnsteady(file: FileId, device: DeviceId): boolean {
    return this.#files.get(file)?.unsteady.has(device) === true;
  }

  /** The file needs repair: `durable` is what counts of it. */
  needed(nowMs: MonotonicMs, file: FileId, durable: Holders, isGone: (device: DeviceId) => boolean): Wait {
    const known = this.#files.get(file);
    const watched = known ?? { waiting: newWaiting(nowMs), durable, ended: undefined, unsteady: new Map() };
    this.#files.set(file, watched);
    const there = fragmentsOf(durable);
    if (watched.ended !== undefined) {
      const wasPutOff = this.#putOff(watched, watched.ended.came, durable, isGone);
      if (!wasPutOff) watched.waiting = newWaiting(nowMs);
      watched.ended = undefined;
    } else {
      const { waiting } = watched;
      const before = fragmentsOf(watched.durable);
      for (const fragment of there) {
        if (before.has(fragment) || waiting.restored.has(fragment)) continue;
        waiting.restored.add(fragment);
        waiting.progressMs = nowMs;
      }
    }
    for (const device of watched.unsteady.keys())
      if (!isGone(device)) watched.unsteady.set(device, durable.get(device) ?? NOTHING);
    watched.durable = durable;
    return watched.waiting;
  }

  /** The file needs no repair: `durable` is what counts of it. */
  over(nowMs: MonotonicMs, file: FileId, durable: Holders): void {
    const watched = this.#files.get(file);
    if (watched === undefined) return;
    watched.ended ??= { atMs: nowMs, came: without(durable, watched.durable) };
    watched.durable = NOBODY;
    if (nowMs - watched.ended.atMs >= STEADY_AFTER_MS) this.#files.delete(file);
  }

  /** Forgets all but `files`, and what is too much. */
  keepOnly(files: { has(file: FileId): boolean }): void {
    for (const file of this.#files.keys()) if (!files.has(file)) this.#files.delete(file);
    if (this.#files.size <= MAX_ENDED) return;
    const ended = [...this.#files].filter(([, watched]) => watched.ended !== undefined);
    const lightest = ended.toSorted(([, a], [, b]) => a.unsteady.size - b.unsteady.size);
    for (const [file] of lightest.slice(0, Math.max(0, ended.length - MAX_ENDED))) this.#files.delete(file);
  }

  /** Whether claims that had ended the need are made no longer, so that there is one again. */
  #putOff(
    { unsteady }: Watched,
    came: Came,
    durable: Holders,
    isGone: (device: DeviceId) => boolean,
  ): boolean {
    const there = fragmentsOf(durable);
    let wasPutOff = false;
    for (const [device, fragments] of came) {
      if (device === this.#self || isGone(device)) continue;
      if ([...unpackFragments(fragments)].every((fragment) => there.has(fragment))) continue;
      unsteady.set(device, NOTHING);
      wasPutOff = true;
    }
    return wasPutOff;
  }
}

function newWaiting(nowMs: MonotonicMs): Waiting {
  return { sinceMs: nowMs, progressMs: nowMs, restored: new Set() };
}

function fragmentsOf(holders: Holders): Set<number> {
  return new Set([...holders.values()].flatMap((fragments) => [...fragments]));
}

/** Those of `holders` that are not in `others`. */
function without(holders: Holders, others: Holders): Came {
  const rest = new Map<DeviceId, PackedFragments>();
  for (const [device, fragments] of holders) {
    const some = [...fragments].filter((fragment) => others.get(device)?.has(fragment) !== true);
    if (some.length > 0) rest.set(device, packFragments(some));
  }
  return rest;
}
