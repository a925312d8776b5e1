// Blocks that were just sealed are served from memory once, the indexes of their fragments while they are
// here, and the memory is bounded.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  type BlockHash,
  type FragmentId,
  fragmentIdOf,
  ownerOfTaking,
  parseBlockHash,
} from '../../../../../src/core/model/ids.ts';
import {
  type CachingStore,
  withRecentFragmentCache,
} from '../../../../../src/adapters/portable/store/recent-fragment-cache.ts';
import type { FragmentStore, NewFragment } from '../../../../../src/core/ports.ts';
import { fileIdAt } from '../../../../fixtures/pool-fixture.ts';

const MIB = 2 ** 20;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('a block that was sealed here is served once from memory, then from the disk', async () => {
  const { store, loads } = disk();
  await store.putBlocks(ownerOfTaking(1), [markedBlock(1)], 'computed');
  expect((await store.getBlock(markedHash(1)))?.[0]).toBe(1);
  expect(loads).toEqual([]);
  await store.getBlock(markedHash(1));
  expect(loads).toEqual([1]);
});

it('a small block that was sealed here is served from memory any number of times', async () => {
  const { store, loads, spent } = disk();
  const bytes = new Uint8Array(1_000).fill(7);
  await store.putBlocks(ownerOfTaking(1), [{ hash: markedHash(1), bytes }], 'computed');
  expect(areSame(spent, [bytes])).toBe(true);
  for (let time = 0; time < 3; time++) {
    const served = await store.getBlock(markedHash(1));
    expect(served).toEqual(new Uint8Array(1_000).fill(7));
    // It belongs to its taker.
    served?.fill(0);
  }
  expect(loads).toEqual([]);
});

it('of equal blocks, as a mirror has them, one is kept, and the memory of the others is spent', async () => {
  const { store, loads, spent } = disk();
  const [first, second] = [markedBlock(1), markedBlock(1)];
  await store.putBlocks(ownerOfTaking(1), [first, second], 'computed');
  expect(areSame(spent, [first.bytes])).toBe(true);
  expect(await store.getBlock(markedHash(1))).toBe(second.bytes);
  expect(loads).toEqual([]);
});

it('a block from elsewhere is not kept, and its bytes are spent', async () => {
  const { store, loads, spent } = disk();
  const block = markedBlock(1);
  await store.putBlocks(ownerOfTaking(1), [block], 'claimed');
  expect(areSame(spent, [block.bytes])).toBe(true);
  await store.getBlock(markedHash(1));
  expect(loads).toEqual([1]);
});

it('the oldest give way, and their memory is spent', async () => {
  const { store, loads, spent } = disk();
  const first = markedBlock(0);
  await store.putBlocks(ownerOfTaking(1), [first], 'computed');
  for (let seed = 1; seed <= 16; seed++)
    await store.putBlocks(ownerOfTaking(1), [markedBlock(seed)], 'computed');
  expect(areSame(spent, [first.bytes])).toBe(true);
  await store.getBlock(markedHash(0));
  for (let seed = 1; seed <= 16; seed++) await store.getBlock(markedHash(seed));
  expect(loads).toEqual([0]);
});

it('all are forgotten when nobody fetches them, when the store is cleared, and when fragments are dropped', async () => {
  for (const forget of [
    () => vi.advanceTimersByTimeAsync(20_000),
    (store: FragmentStore) => store.clear(),
    (store: FragmentStore) => store.drop([fragmentIdOf(new Uint8Array(1))]),
  ]) {
    const { store, loads, spent } = disk();
    const block = markedBlock(1);
    await store.putBlocks(ownerOfTaking(1), [block], 'computed');
    await forget(store);
    expect(areSame(spent, [block.bytes])).toBe(true);
    await store.getBlock(markedHash(1));
    expect(loads).toEqual([1]);
  }
});

it('the index of a fragment that was just made is served from memory, until the fragment is dropped', async () => {
  const { store, indexLoads } = disk();
  const made = fragmentOf(1);
  await store.putBlocks(ownerOfTaking(1), [markedBlock(1)], 'computed');
  await store.commit([made]);
  await store.getBlock(markedHash(1));
  for (let time = 0; time < 2; time++)
    expect(await store.getIndex(made.stored.fragmentId)).toEqual(made.indexBytes);
  expect(indexLoads).toEqual([]);
  await store.drop([made.stored.fragmentId]);
  expect(await store.getIndex(made.stored.fragmentId)).toBeUndefined();
  expect(indexLoads).toEqual([made.stored.fragmentId]);
});

it('a dropped fragment takes its own blocks along, and no others', async () => {
  const { store, loads, spent } = disk();
  const [one, two] = [markedBlock(1), markedBlock(2)];
  await store.putBlocks(ownerOfTaking(1), [one, two], 'computed');
  await store.commit([fragmentOf(1), fragmentOf(2)]);
  await store.drop([fragmentOf(1).stored.fragmentId]);
  expect(areSame(spent, [one.bytes])).toBe(true);
  await store.getBlock(markedHash(1));
  await store.getBlock(markedHash(2));
  expect(loads).toEqual([1]);
});

it('fragments of blocks from elsewhere, and those that could not be made, are not kept', async () => {
  const { store, indexLoads } = disk();
  await store.putBlocks(ownerOfTaking(1), [markedBlock(1)], 'claimed');
  await store.commit([fragmentOf(1)]);
  const failing = disk(undefined, new Error('full'));
  await failing.store.putBlocks(ownerOfTaking(1), [markedBlock(2)], 'computed');
  await expect(failing.store.commit([fragmentOf(2)])).rejects.toThrow('full');
  await store.getIndex(fragmentOf(1).stored.fragmentId);
  await failing.store.getIndex(fragmentOf(2).stored.fragmentId);
  expect([...indexLoads, ...failing.indexLoads]).toEqual([
    fragmentOf(1).stored.fragmentId,
    fragmentOf(2).stored.fragmentId,
  ]);
});

it('the oldest indexes give way when there are too many', async () => {
  const { store, indexLoads } = disk();
  await store.putBlocks(ownerOfTaking(1), [markedBlock(1)], 'computed');
  const long = [1, 2, 3].map((seed) => fragmentOf(1, MIB / 2 - seed));
  await store.commit(long);
  for (const { stored } of long) await store.getIndex(stored.fragmentId);
  expect(indexLoads).toEqual([long[0]?.stored.fragmentId]);
});

it('blocks that could not be written are not served', async () => {
  const { store, loads, spent } = disk(new Error('full'));
  await expect(store.putBlocks(ownerOfTaking(1), [markedBlock(1)], 'computed')).rejects.toThrow('full');
  expect(spent).toEqual([]);
  await store.getBlock(markedHash(1));
  expect(loads).toEqual([1]);
});

/** A store that records each load: the first byte of a block's hash, or the id of an index. */
function disk(
  failure?: Error,
  commitFailure?: Error,
): { store: FragmentStore; loads: number[]; indexLoads: FragmentId[]; spent: Uint8Array[] } {
  const loads: number[] = [];
  const indexLoads: FragmentId[] = [];
  const spent: Uint8Array[] = [];
  const nothing = (): Promise<void> => Promise.resolve();
  const store: CachingStore = {
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
    commit: () => (commitFailure === undefined ? nothing() : Promise.reject(commitFailure)),
    getIndex(fragmentId) {
      indexLoads.push(fragmentId);
      return Promise.resolve(undefined);
    },
    list: () => Promise.resolve([]),
    drop: nothing,
    release: nothing,
    owners: () => Promise.resolve([]),
    clear: nothing,
  };
  return { store: withRecentFragmentCache(store, (bytes) => spent.push(bytes)), loads, indexLoads, spent };
}

/** Whether these are the same arrays: comparing their contents takes seconds. */
function areSame(spent: readonly Uint8Array[], expected: readonly Uint8Array[]): boolean {
  return spent.length === expected.length && spent.every((bytes, at) => bytes === expected[at]);
}

/** A fragment of one block, that of `seed`. */
function fragmentOf(seed: number, indexBytes = 90): NewFragment {
  const index = new Uint8Array(indexBytes).fill(seed);
  const stored = { fragmentId: fragmentIdOf(index), fileId: fileIdAt(seed), fragment: 0, blockBytes: MIB };
  return { stored, indexBytes: index, hashes: [markedHash(seed)] };
}

function markedBlock(seed: number): { hash: BlockHash; bytes: Uint8Array<ArrayBuffer> } {
  return { hash: markedHash(seed), bytes: new Uint8Array(MIB).fill(seed) };
}

function markedHash(seed: number): BlockHash {
  return parseBlockHash(new Uint8Array(32).fill(seed));
}
