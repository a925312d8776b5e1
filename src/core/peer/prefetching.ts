// Blocks that other devices foretold (`soon`): prefetched before the fragments that will need them are
// placed, a few at a time, and kept for their job until it is over. A hint is never a promise: blocks that
// are not fetched now are pulled later.
//
// Invariants, whatever the others say: the blocks counted by jobs, wanted or here, take at most half of the
// room that fragments leave, and give way when a fragment needs it; a block counts for one job; each job ends
// SOON_KEEP_MS after its last sign of progress.

import { blockKey, type BlockHash, type DeviceId, type JobId } from '../model/ids.ts';
import { BLOCK_BYTES, MAX_FORETOLD_BLOCKS, MAX_FORETOLD_JOBS, SOON_KEEP_MS } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';

/** How a fetch ended. `lost` with its link: it is tried again when the link is back. */
export type PrefetchOutcome = 'here' | 'lost' | 'failed' | 'corrupt' | 'full';

export type PrefetchEffect =
  /** Fetch this block from `from`, claim it for the job, answer with 'prefetched'. */
  | { readonly kind: 'prefetch'; readonly from: DeviceId; readonly job: JobId; readonly block: BlockHash }
  /** The job is over: stop its fetches, and release its claim once they have ended. */
  | { readonly kind: 'soon-over'; readonly from: DeviceId; readonly job: JobId };

interface Job {
  readonly from: DeviceId;
  readonly job: JobId;
  /** Wanted blocks, in the order they were told. */
  readonly waiting: Map<string, BlockHash>;
  readonly running: Set<string>;
  readonly here: Set<string>;
  /** It sent blocks that it did not foretell: no more are wanted from it. */
  isDeaf: boolean;
  endsAtMs: number;
}

/** Blocks fetched from one device at the same time: 2 MiB, twice what its send queue holds. */
const MAX_PREFETCHES = 8;
/** The share of the room left by fragments that hints may fill; a fragment still fits whole in the rest. */
const ROOM_PART = 0.5;

export class Prefetching {
  readonly #jobs = new Map<string, Job>();
  /** Which job counts a block. */
  readonly #known = new Map<string, Job>();
  readonly #runningCounts = new Map<DeviceId, number>();
  /** The disk took no more; true until the space is measured again. */
  #isDiskFull = false;

  /** Bytes that the jobs count of this device's disk; every block counts as a full one. */
  get bytes(): number {
    return this.#known.size * BLOCK_BYTES;
  }

  /** The part of `bytes` that is on the disk. */
  get hereBytes(): number {
    let hereCount = 0;
    for (const { here } of this.#jobs.values()) hereCount += here.size;
    return hereCount * BLOCK_BYTES;
  }

  /** `roomBytes`: what this device offers beyond the fragments that it is taking. */
  foretold(
    nowMs: MonotonicMs,
    from: DeviceId,
    id: JobId,
    blocks: readonly BlockHash[],
    roomBytes: number,
  ): void {
    const ofDevice = [...this.#jobs.values()].filter((job) => job.from === from);
    let blockCount = ofDevice.reduce((sum, job) => sum + countOf(job), 0);
    let job = this.#jobs.get(keyOf(from, id));
    if (this.#isDiskFull || job?.isDeaf === true) return;
    for (const hash of blocks) {
      const key = blockKey(hash);
      if (this.#known.has(key)) continue;
      if (blockCount >= MAX_FORETOLD_BLOCKS || this.bytes + BLOCK_BYTES > roomBytes * ROOM_PART) return;
      if (job === undefined) {
        if (ofDevice.length >= MAX_FORETOLD_JOBS) return;
        job = newJob(from, id);
        this.#jobs.set(keyOf(from, id), job);
      }
      job.waiting.set(key, hash);
      job.endsAtMs = nowMs + SOON_KEEP_MS;
      this.#known.set(key, job);
      blockCount += 1;
    }
  }

  /** The storer says that the job is over; unknown jobs are ignored. */
  over(from: DeviceId, id: JobId): PrefetchEffect[] {
    const job = this.#jobs.get(keyOf(from, id));
    return job === undefined ? [] : [this.#end(job)];
  }

  /** The device left the pool: what it foretold will never be placed. */
  left(device: DeviceId): PrefetchEffect[] {
    const jobs = [...this.#jobs.values()].filter(({ from }) => from === device);
    return jobs.map((job) => this.#end(job));
  }

  /** A fragment with `blocks` is being pulled: the pull fetches those that are not on their way. */
  pulling(blocks: readonly BlockHash[]): void {
    for (const key of blocks.map(blockKey))
      if (this.#known.get(key)?.waiting.delete(key)) this.#known.delete(key);
  }

  /** A fragment counts these blocks now. */
  held(blocks: readonly BlockHash[]): void {
    for (const key of blocks.map(blockKey)) {
      if (this.#known.get(key)?.here.delete(key)) this.#known.delete(key);
    }
  }

  /** A `prefetch` ended. */
  fetched(
    nowMs: MonotonicMs,
    from: DeviceId,
    id: JobId,
    hash: BlockHash,
    outcome: PrefetchOutcome,
  ): PrefetchEffect[] {
    const runningCount = (this.#runningCounts.get(from) ?? 0) - 1;
    if (runningCount > 0) this.#runningCounts.set(from, runningCount);
    else this.#runningCounts.delete(from);
    if (outcome === 'full') {
      this.#isDiskFull = true;
      return [...this.#jobs.values()].map((other) => this.#end(other));
    }
    const job = this.#jobs.get(keyOf(from, id));
    const key = blockKey(hash);
    if (job?.running.delete(key) !== true) return [];
    switch (outcome) {
      case 'here':
        job.here.add(key);
        job.endsAtMs = nowMs + SOON_KEEP_MS;
        return [];
      case 'lost':
        job.waiting.set(key, hash);
        return [];
      case 'failed':
        this.#known.delete(key);
        return [];
      case 'corrupt': {
        this.#known.delete(key);
        const end = this.#end(job);
        this.#jobs.set(keyOf(from, id), {
          ...newJob(from, id),
          isDeaf: true,
          endsAtMs: nowMs + SOON_KEEP_MS,
        });
        return [end];
      }
    }
  }

  /** The space was measured. */
  measured(): void {
    this.#isDiskFull = false;
  }

  /** Ends jobs that expired, and others, the latest first, until the rest fits into `roomBytes`. */
  trim(nowMs: MonotonicMs, roomBytes: number): PrefetchEffect[] {
    const effects: PrefetchEffect[] = [];
    for (const job of [...this.#jobs.values()].toReversed()) {
      const isTooMuch = this.bytes > roomBytes && countOf(job) > 0;
      if (isTooMuch || job.endsAtMs <= nowMs) effects.push(this.#end(job));
    }
    return effects;
  }

  /** What to fetch now. */
  start(isReachable: (device: DeviceId) => boolean): PrefetchEffect[] {
    const effects: PrefetchEffect[] = [];
    for (const { from, job, waiting, running } of this.#jobs.values()) {
      if (waiting.size === 0 || !isReachable(from)) continue;
      for (const [key, block] of waiting) {
        const runningCount = this.#runningCounts.get(from) ?? 0;
        if (runningCount >= MAX_PREFETCHES) break;
        this.#runningCounts.set(from, runningCount + 1);
        waiting.delete(key);
        running.add(key);
        effects.push({ kind: 'prefetch', from, job, block });
      }
    }
    return effects;
  }

  nextDeadlineMs(): MonotonicMs {
    let next = Infinity;
    for (const { endsAtMs } of this.#jobs.values()) next = Math.min(next, endsAtMs);
    return next;
  }

  #end(job: Job): PrefetchEffect {
    const { from, job: id } = job;
    this.#jobs.delete(keyOf(from, id));
    for (const key of [...job.waiting.keys(), ...job.running, ...job.here]) this.#known.delete(key);
    return { kind: 'soon-over', from, job: id };
  }
}

function newJob(from: DeviceId, job: JobId): Job {
  return {
    from,
    job,
    waiting: new Map(),
    running: new Set(),
    here: new Set(),
    isDeaf: false,
    endsAtMs: Infinity,
  };
}

function countOf({ waiting, running, here }: Job): number {
  return waiting.size + running.size + here.size;
}

function keyOf(from: DeviceId, job: JobId): string {
  return `${from}/${job}`;
}
