// Scrubbing: a device reads its own fragments through, at its leisure, from another place each time.

import { describe, expect, it } from 'vitest';
import { encodeFragmentIndex } from '../../../../src/core/coding/fragment-index.ts';
import { PalmError } from '../../../../src/core/model/errors.ts';
import { blockKey, fragmentIdOf, type FileId } from '../../../../src/core/model/ids.ts';
import type { SparingReason } from '../../../../src/core/model/sparing.ts';
import type { Ask } from '../../../../src/core/wire/asks.ts';
import { Scrubbing } from '../../../../src/runtime/repair/scrubbing.ts';
import { dirtyMemory } from '../../../fixtures/dirty-memory.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { deviceAt, fileIdAt } from '../../../fixtures/pool-fixture.ts';
import { hashOf } from '../../../fixtures/test-blocks.ts';

const DAY_MS = 24 * 3_600_000;
const BLOCK_BYTES = 262_144;

interface Device {
  readonly clock: ManualClock;
  readonly scrubbing: Scrubbing;
  /** What was read: `file/fragment` of indexes, `file/fragment/block` of blocks. */
  readonly reads: string[];
  readonly failures: unknown[];
  /** Fragments that are held. */
  readonly own: Map<FileId, Set<number>>;
  /** Blocks that are damaged. */
  readonly damaged: Set<string>;
  spare(reason: SparingReason | undefined): void;
  pass(ms: number, stepMs?: number): Promise<void>;
}

/** A device that holds fragment 0 of each file of so many blocks. A read takes `readMs`. */
function device(blockCounts: readonly number[], startMs = 0, blockBytes = BLOCK_BYTES): Device {
  const clock = new ManualClock();
  clock.set(startMs);
  const reads: string[] = [];
  const failures: unknown[] = [];
  const own = new Map(blockCounts.map((_, file) => [fileIdAt(file), new Set([0])]));
  const names = new Map<string, string>();
  const blocksOf = (file: number): ReturnType<typeof hashOf>[] =>
    Array.from({ length: blockCounts[file] ?? 0 }, (_, block) => {
      const hash = hashOf(seededBytes(8, file * 1_000 + block));
      names.set(blockKey(hash), `${file}/0/${block}`);
      return hash;
    });
  const indexes = blockCounts.map((_, file) =>
    encodeFragmentIndex({ fragment: 0, share: seededBytes(32, 1), blocks: blocksOf(file) }),
  );
  const damaged = new Set<string>();
  const listeners = new Set<() => void>();
  const sparing: { reason: SparingReason | undefined; watch(listener: () => void): () => void } = {
    reason: undefined,
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const loadHeld = async (ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    if (ask.kind === 'get-index') {
      const file = [...own.keys()].indexOf(ask.file);
      reads.push(`${file}/${ask.fragment}`);
      return indexes[file];
    }
    if (ask.kind !== 'get-block') throw new Error('it asks for one piece at a time');
    const name = names.get(blockKey(ask.hash)) ?? '';
    reads.push(name);
    if (!damaged.has(name)) return new Uint8Array(blockBytes);
    own.get(fileIdAt(Number(name.split('/')[0])))?.clear();
    throw new PalmError({ code: 'corrupt', reason: 'copy-elsewhere' });
  };
  const stored = blockCounts.map((_, file) => ({
    fragmentId: fragmentIdOf(indexes[file] ?? new Uint8Array(0)),
    fileId: fileIdAt(file),
    fragment: 0,
    blockBytes: 1,
  }));
  const scrubbing = new Scrubbing(
    {
      clock,
      memory: dirtyMemory,
      sparing,
      driver: {
        deviceId: deviceAt(0).deviceId,
        peer: { own: { of: (file) => own.get(file) ?? new Set() } },
        held: { all: () => stored.filter(({ fileId }) => (own.get(fileId)?.size ?? 0) > 0) },
        serving: { loadHeld },
      },
    },
    (error) => failures.push(error),
  );
  scrubbing.start();
  return {
    clock,
    scrubbing,
    reads,
    failures,
    own,
    damaged,
    spare: (reason) => {
      sparing.reason = reason;
      for (const listener of listeners) listener();
    },
    pass: async (ms, stepMs = 100) => {
      for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
        clock.advance(stepMs);
        for (let turn = 0; turn < 8; turn++) await Promise.resolve();
      }
    },
  };
}

const blocksIn = (reads: readonly string[]): string[] => reads.filter((read) => read.split('/').length === 3);

describe('a pass', () => {
  it('reads each block once, those of large fragments in several visits', async () => {
    const { reads, pass } = device([3, 40, 1, 16]);
    await pass(120_000);
    const blocks = blocksIn(reads);
    expect(blocks).toHaveLength(60);
    expect(new Set(blocks).size).toBe(60);
    // The index of 40 blocks is read once for each 16.
    expect(reads.filter((read) => read === '1/0')).toHaveLength(3);
  });

  it('begins no sooner than fifteen seconds after the start, and reads half a megabyte a second', async () => {
    const { reads, pass } = device([500]);
    await pass(14_900);
    expect(reads).toEqual([]);
    await pass(60_000);
    const bytes = blocksIn(reads).length * BLOCK_BYTES;
    expect(bytes / 60_000).toBeLessThan(510);
    expect(bytes / 60_000).toBeGreaterThan(350);
  });

  it('comes to other blocks first on another day', async () => {
    const firsts = new Set<string>();
    for (let day = 0; day < 8; day++) {
      const { reads, pass } = device([500, 500, 500, 500], day * DAY_MS);
      await pass(20_000);
      firsts.add(blocksIn(reads)[0] ?? '');
    }
    expect(firsts.size).toBeGreaterThan(5);
  });

  it('is followed by the next after a day', async () => {
    const { reads, pass } = device([2, 2], 0, 100);
    await pass(DAY_MS - 60_000, 5_000);
    expect(blocksIn(reads)).toHaveLength(4);
    await pass(120_000, 1_000);
    expect(blocksIn(reads)).toHaveLength(8);
  });

  it('goes on past a fragment that is damaged, and reads no more of it', async () => {
    const { reads, damaged, failures, pass } = device([30, 30, 30]);
    for (let block = 0; block < 30; block++) damaged.add(`1/0/${block}`);
    await pass(120_000);
    expect(blocksIn(reads).filter((read) => read.startsWith('1/'))).toHaveLength(1);
    expect(blocksIn(reads)).toHaveLength(61);
    expect(failures).toEqual([]);
  });

  it('leaves out fragments that were dropped meanwhile', async () => {
    const { reads, own, pass } = device([200, 200]);
    await pass(16_000);
    const count = reads.length;
    for (const held of own.values()) held.clear();
    await pass(600_000);
    expect(reads).toHaveLength(count);
  });
});

it('waits while the device spares its battery, and goes on afterwards', async () => {
  const { reads, spare, pass } = device([500]);
  await pass(20_000);
  const count = reads.length;
  expect(count).toBeGreaterThan(3);
  spare('battery-low');
  await pass(60_000);
  expect(reads.length).toBeLessThanOrEqual(count + 1);
  const resting = reads.length;
  spare(undefined);
  await pass(60_000);
  expect(reads.length).toBeGreaterThan(resting + 50);
});

it('reads nothing once it is stopped', async () => {
  const { reads, scrubbing, pass } = device([500]);
  await pass(20_000);
  await scrubbing.stop();
  const count = reads.length;
  await pass(60_000);
  expect(reads).toHaveLength(count);
});
