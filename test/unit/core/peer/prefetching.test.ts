// Foretold blocks on virtual time: what is fetched from which device and when it is given up, and that no
// sequence of hints, fetches and ends makes a device hold more than its bounds, or for longer.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blockKey,
  parseBlockHash,
  parseJobId,
  type BlockHash,
  type DeviceId,
  type JobId,
} from '../../../../src/core/model/ids.ts';
import {
  BLOCK_BYTES,
  MAX_FORETOLD_BLOCKS,
  MAX_FORETOLD_JOBS,
  SOON_KEEP_MS,
} from '../../../../src/core/model/limits.ts';
import {
  Prefetching,
  type PrefetchEffect,
  type PrefetchOutcome,
} from '../../../../src/core/peer/prefetching.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const [A, B] = [deviceAt(0).deviceId, deviceAt(1).deviceId];
const MAX_PREFETCHES = 8;
const ROOM = 2 ** 40;
const ALL = (): boolean => true;

function jobAt(index: number): JobId {
  return parseJobId(seededBytes(16, 900 + index));
}

function hashAt(index: number): BlockHash {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, index);
  return parseBlockHash(bytes);
}

function hashesAt(first: number, count: number): BlockHash[] {
  return indicesOf(count).map((index) => hashAt(first + index));
}

function startedBy(prefetching: Prefetching, isReachable = ALL): BlockHash[] {
  return prefetching
    .start(isReachable)
    .flatMap((effect) => (effect.kind === 'prefetch' ? [effect.block] : []));
}

describe('foretold blocks', () => {
  it('are fetched in their order, a bounded number at a time from one device', () => {
    const prefetching = new Prefetching();
    prefetching.foretold(0, A, jobAt(0), hashesAt(0, 10), ROOM);
    prefetching.foretold(0, B, jobAt(0), hashesAt(100, 1), ROOM);
    expect(startedBy(prefetching)).toEqual([...hashesAt(0, MAX_PREFETCHES), hashAt(100)]);
    expect(startedBy(prefetching)).toEqual([]);
    prefetching.fetched(0, A, jobAt(0), hashAt(3), 'here');
    prefetching.fetched(0, A, jobAt(0), hashAt(0), 'failed');
    expect(startedBy(prefetching)).toEqual(hashesAt(8, 2));
    expect(prefetching.bytes).toBe(10 * BLOCK_BYTES);
    expect(prefetching.hereBytes).toBe(BLOCK_BYTES);
  });

  it('that are told twice, by any device and for any job, are fetched once', () => {
    const prefetching = new Prefetching();
    prefetching.foretold(0, A, jobAt(0), [hashAt(0), hashAt(0)], ROOM);
    prefetching.foretold(0, A, jobAt(1), [hashAt(0)], ROOM);
    prefetching.foretold(0, B, jobAt(0), [hashAt(0)], ROOM);
    expect(startedBy(prefetching)).toEqual([hashAt(0)]);
    prefetching.fetched(0, A, jobAt(0), hashAt(0), 'here');
    prefetching.foretold(0, B, jobAt(0), [hashAt(0)], ROOM);
    expect(startedBy(prefetching)).toEqual([]);
  });

  it('wait while their device is out of reach, and are tried again when its link was lost', () => {
    const prefetching = new Prefetching();
    prefetching.foretold(0, A, jobAt(0), hashesAt(0, 2), ROOM);
    expect(startedBy(prefetching, () => false)).toEqual([]);
    expect(startedBy(prefetching)).toEqual(hashesAt(0, 2));
    for (const hash of hashesAt(0, 2)) prefetching.fetched(0, A, jobAt(0), hash, 'lost');
    expect(startedBy(prefetching, () => false)).toEqual([]);
    expect(startedBy(prefetching)).toEqual(hashesAt(0, 2));
  });

  it('fill half of the room and no more, and give way to what fragments need, the latest job first', () => {
    const prefetching = new Prefetching();
    const room = 10 * BLOCK_BYTES;
    prefetching.foretold(0, A, jobAt(0), hashesAt(0, 3), room);
    prefetching.foretold(0, A, jobAt(1), hashesAt(10, 9), room);
    expect(prefetching.bytes).toBe(5 * BLOCK_BYTES);
    expect(prefetching.trim(0, 5 * BLOCK_BYTES)).toEqual([]);
    expect(prefetching.trim(0, 4 * BLOCK_BYTES)).toEqual([{ kind: 'soon-over', from: A, job: jobAt(1) }]);
    expect(prefetching.bytes).toBe(3 * BLOCK_BYTES);
    expect(prefetching.trim(0, -1)).toEqual([{ kind: 'soon-over', from: A, job: jobAt(0) }]);
  });

  it('are left to a pull that needs them unless on their way; those of a fragment are not counted here', () => {
    const prefetching = new Prefetching();
    prefetching.foretold(0, A, jobAt(0), hashesAt(0, 12), ROOM);
    expect(startedBy(prefetching)).toEqual(hashesAt(0, 8));
    prefetching.pulling(hashesAt(0, 11));
    for (const hash of hashesAt(0, 8)) prefetching.fetched(0, A, jobAt(0), hash, 'here');
    expect(startedBy(prefetching)).toEqual([hashAt(11)]);
    prefetching.held(hashesAt(0, 11));
    expect(prefetching.bytes).toBe(BLOCK_BYTES);
  });

  it('go with the end of their job, even those on their way; ends of unknown jobs are ignored', () => {
    const prefetching = new Prefetching();
    prefetching.foretold(0, A, jobAt(0), hashesAt(0, 9), ROOM);
    startedBy(prefetching);
    expect(prefetching.over(B, jobAt(0))).toEqual([]);
    expect(prefetching.over(A, jobAt(1))).toEqual([]);
    expect(prefetching.over(A, jobAt(0))).toEqual([{ kind: 'soon-over', from: A, job: jobAt(0) }]);
    expect(prefetching.over(A, jobAt(0))).toEqual([]);
    expect(prefetching.bytes).toBe(0);
    // Those under way still take their device's turns.
    prefetching.foretold(0, A, jobAt(2), hashesAt(20, 2), ROOM);
    expect(startedBy(prefetching)).toEqual([]);
    prefetching.fetched(0, A, jobAt(0), hashAt(0), 'here');
    expect(startedBy(prefetching)).toEqual([hashAt(20)]);
    expect(prefetching.hereBytes).toBe(0);
  });

  it('are kept for a while without a sign of their store, and no longer', () => {
    const prefetching = new Prefetching();
    prefetching.foretold(0, A, jobAt(0), hashesAt(0, 2), ROOM);
    startedBy(prefetching);
    prefetching.fetched(5_000, A, jobAt(0), hashAt(0), 'here');
    expect(prefetching.nextDeadlineMs()).toBe(5_000 + SOON_KEEP_MS);
    expect(prefetching.trim(5_000 + SOON_KEEP_MS - 1, ROOM)).toEqual([]);
    expect(prefetching.trim(5_000 + SOON_KEEP_MS, ROOM)).toEqual([
      { kind: 'soon-over', from: A, job: jobAt(0) },
    ]);
    expect(prefetching.nextDeadlineMs()).toBe(Infinity);
  });

  it('are dropped for a job that sent others than it foretold, and for all jobs when the disk is full', () => {
    const prefetching = new Prefetching();
    prefetching.foretold(0, A, jobAt(0), hashesAt(0, 2), ROOM);
    prefetching.foretold(0, A, jobAt(1), hashesAt(10, 1), ROOM);
    startedBy(prefetching);
    const end = { kind: 'soon-over', from: A, job: jobAt(0) };
    expect(prefetching.fetched(0, A, jobAt(0), hashAt(0), 'corrupt')).toEqual([end]);
    prefetching.foretold(1, A, jobAt(0), hashesAt(5, 2), ROOM);
    expect(startedBy(prefetching)).toEqual([]);
    expect(prefetching.fetched(1, A, jobAt(1), hashAt(10), 'full')).toContainEqual({ ...end, job: jobAt(1) });
    expect(prefetching.bytes).toBe(0);
    prefetching.foretold(2, B, jobAt(2), hashesAt(20, 1), ROOM);
    expect(startedBy(prefetching)).toEqual([]);
    prefetching.measured();
    prefetching.foretold(2, B, jobAt(2), hashesAt(20, 1), ROOM);
    expect(startedBy(prefetching)).toEqual([hashAt(20)]);
  });

  it('of a flood are kept for the first jobs, and of these the first blocks', () => {
    const prefetching = new Prefetching();
    for (let job = 0; job < MAX_FORETOLD_JOBS + 5; job++)
      prefetching.foretold(0, A, jobAt(job), [hashAt(job)], ROOM);
    expect(prefetching.bytes).toBe(MAX_FORETOLD_JOBS * BLOCK_BYTES);
    for (let at = 100; at < 100 + 2 * MAX_FORETOLD_BLOCKS; at += 64)
      prefetching.foretold(0, A, jobAt(0), hashesAt(at, 64), ROOM);
    expect(prefetching.bytes).toBe(MAX_FORETOLD_BLOCKS * BLOCK_BYTES);
    // Another device has its own bounds.
    prefetching.foretold(0, B, jobAt(0), [hashAt(99)], ROOM);
    expect(prefetching.bytes).toBe((MAX_FORETOLD_BLOCKS + 1) * BLOCK_BYTES);
  });
});

const OUTCOMES: readonly PrefetchOutcome[] = ['here', 'lost', 'failed', 'corrupt', 'full'];
const device = fc.constantFrom(A, B);
const someHashes = fc.record({ first: fc.nat(40), count: fc.nat(12) });

const step = fc.oneof(
  fc.record({ kind: fc.constant('soon'), from: device, job: fc.nat(20), blocks: someHashes }),
  fc.record({ kind: fc.constant('over'), from: device, job: fc.nat(20) }),
  fc.record({ kind: fc.constant('ended'), which: fc.nat(20), outcome: fc.constantFrom(...OUTCOMES) }),
  fc.record({ kind: fc.constant('pulling'), blocks: someHashes }),
  fc.record({ kind: fc.constant('held'), blocks: someHashes }),
  fc.record({ kind: fc.constant('room'), blocks: fc.nat(60) }),
  fc.record({ kind: fc.constant('pass'), ms: fc.nat(SOON_KEEP_MS) }),
  fc.record({ kind: fc.constant('measured') }),
);

describe('whatever others say and however fetches end,', () => {
  it('the bounds hold, no block is fetched twice at a time, and nothing is left in the end', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const taker = new Taker();
        for (const one of steps) {
          switch (one.kind) {
            case 'soon':
              taker.told(one.from, jobAt(one.job), hashesAt(one.blocks.first, one.blocks.count));
              break;
            case 'over':
              taker.carryOut(taker.prefetching.over(one.from, jobAt(one.job)));
              break;
            case 'ended':
              taker.fetchEnds(one.which, one.outcome);
              break;
            case 'pulling':
              taker.prefetching.pulling(hashesAt(one.blocks.first, one.blocks.count));
              break;
            case 'held':
              taker.prefetching.held(hashesAt(one.blocks.first, one.blocks.count));
              break;
            case 'room':
              taker.roomBytes = one.blocks * BLOCK_BYTES;
              break;
            case 'pass':
              taker.nowMs += one.ms;
              break;
            case 'measured':
              taker.prefetching.measured();
              break;
          }
          taker.goOn();
        }
        taker.nowMs += SOON_KEEP_MS;
        while (taker.running.length > 0) taker.fetchEnds(0, 'failed');
        taker.goOn();
        expect(taker.prefetching.bytes).toBe(0);
        expect(taker.prefetching.hereBytes).toBe(0);
        expect(taker.prefetching.nextDeadlineMs()).toBe(Infinity);
        expect(taker.claims.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});

/** A device that carries out what its machine wants, and counts. */
class Taker {
  readonly prefetching = new Prefetching();
  readonly running: (PrefetchEffect & { kind: 'prefetch' })[] = [];
  /** Jobs that a claim was made for and that have not ended. */
  readonly claims = new Set<string>();
  roomBytes = 30 * BLOCK_BYTES;
  nowMs = 0;

  told(from: DeviceId, job: JobId, blocks: readonly BlockHash[]): void {
    const before = this.prefetching.bytes;
    this.prefetching.foretold(this.nowMs, from, job, blocks, this.roomBytes);
    const added = this.prefetching.bytes - before;
    if (added > 0) expect(this.prefetching.bytes).toBeLessThanOrEqual(this.roomBytes / 2);
  }

  fetchEnds(which: number, outcome: PrefetchOutcome): void {
    const ended = this.running[which % Math.max(1, this.running.length)];
    if (ended === undefined) return;
    this.running.splice(this.running.indexOf(ended), 1);
    this.carryOut(this.prefetching.fetched(this.nowMs, ended.from, ended.job, ended.block, outcome));
  }

  goOn(): void {
    this.carryOut(this.prefetching.trim(this.nowMs, this.roomBytes));
    expect(this.prefetching.bytes).toBeLessThanOrEqual(this.roomBytes);
    expect(this.prefetching.hereBytes).toBeLessThanOrEqual(this.prefetching.bytes);
    expect(this.prefetching.nextDeadlineMs()).toBeGreaterThan(this.nowMs);
    this.carryOut(this.prefetching.start(ALL));
    for (const from of [A, B]) {
      const ofDevice = this.running.filter((fetch) => fetch.from === from);
      expect(ofDevice.length).toBeLessThanOrEqual(MAX_PREFETCHES);
    }
  }

  carryOut(effects: readonly PrefetchEffect[]): void {
    for (const effect of effects) {
      const claim = `${effect.from}/${effect.job}`;
      if (effect.kind === 'soon-over') {
        this.claims.delete(claim);
        continue;
      }
      const key = blockKey(effect.block);
      const twice = this.running.some(
        ({ from, job, block }) =>
          `${from}/${job}` === claim && blockKey(block) === key && this.claims.has(claim),
      );
      expect(twice, 'a block of a job that goes on is fetched once at a time').toBe(false);
      this.claims.add(claim);
      this.running.push(effect);
    }
  }
}
