// Blocks that were just sealed are served from memory once, and the memory is bounded.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type BlockHash, fragmentIdOf, parseBlockHash } from '../../src/core/model/ids.ts';
import { type ReturningStore, withRecentBlocks } from '../../src/adapters/browser/recent-blocks.ts';
import type { FragmentStore } from '../../src/core/ports.ts';

const MIB = 2 ** 20;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('a block that was sealed here is served once from memory, then from the disk', async () => {
  const { store, loads } = disk();
  await store.putBlocks('job', [blockOf(1)], 'computed');
  expect((await store.getBlock(hashOf(1)))?.[0]).toBe(1);
  expect(loads).toEqual([]);
  await store.getBlock(hashOf(1));
  expect(loads).toEqual([1]);
});

it('a block from elsewhere is not kept, and its bytes are spent', async () => {
  const { store, loads, spent } = disk();
  const block = blockOf(1);
  await store.putBlocks('job', [block], 'claimed');
  expect(spent).toEqual([block.bytes]);
  await store.getBlock(hashOf(1));
  expect(loads).toEqual([1]);
});

it('the oldest give way, and their memory is spent', async () => {
  const { store, loads, spent } = disk();
  const first = blockOf(0);
  await store.putBlocks('job', [first], 'computed');
  for (let seed = 1; seed <= 16; seed++) await store.putBlocks('job', [blockOf(seed)], 'computed');
  expect(spent).toEqual([first.bytes]);
  await store.getBlock(hashOf(0));
  for (let seed = 1; seed <= 16; seed++) await store.getBlock(hashOf(seed));
  expect(loads).toEqual([0]);
});

it('all are forgotten when nobody fetches, when the store is cleared, and when fragments are dropped', async () => {
  for (const forget of [
    () => vi.advanceTimersByTimeAsync(20_000),
    (store: FragmentStore) => store.clear(),
    (store: FragmentStore) => store.drop([fragmentIdOf(new Uint8Array(1))]),
  ]) {
    const { store, loads, spent } = disk();
    const block = blockOf(1);
    await store.putBlocks('job', [block], 'computed');
    await forget(store);
    expect(spent).toEqual([block.bytes]);
    await store.getBlock(hashOf(1));
    expect(loads).toEqual([1]);
  }
});

it('blocks that could not be written are not served', async () => {
  const { store, loads, spent } = disk(new Error('full'));
  await expect(store.putBlocks('job', [blockOf(1)], 'computed')).rejects.toThrow('full');
  expect(spent).toEqual([]);
  await store.getBlock(hashOf(1));
  expect(loads).toEqual([1]);
});

/** A store that notes the first byte of the hash of each block that is loaded from it. */
function disk(failure?: Error): { store: FragmentStore; loads: number[]; spent: Uint8Array[] } {
  const loads: number[] = [];
  const spent: Uint8Array[] = [];
  const nothing = (): Promise<void> => Promise.resolve();
  const store: ReturningStore = {
    putBlocks: async (_, blocks) => {
      if (failure !== undefined) throw failure;
      return blocks.map(({ bytes }) => bytes);
    },
    getBlock(hash) {
      loads.push(hash[0] ?? -1);
      return Promise.resolve(undefined);
    },
    kept: () => Promise.resolve(new Map()),
    hasBlocks: () => Promise.resolve([]),
    commit: nothing,
    getIndex: () => Promise.resolve(undefined),
    list: () => Promise.resolve([]),
    drop: nothing,
    release: nothing,
    owners: () => Promise.resolve([]),
    clear: nothing,
  };
  return { store: withRecentBlocks(store, (bytes) => spent.push(bytes)), loads, spent };
}

function blockOf(seed: number): { hash: BlockHash; bytes: Uint8Array<ArrayBuffer> } {
  return { hash: hashOf(seed), bytes: new Uint8Array(MIB).fill(seed) };
}

function hashOf(seed: number): BlockHash {
  return parseBlockHash(new Uint8Array(32).fill(seed));
}
