// The simulator's stores keep the ports' contracts, and are deterministic.

import { describe, expect, it } from 'vitest';
import { isPalmError } from '../../../src/core/model/errors.ts';
import { ownerOfStore } from '../../../src/core/model/ids.ts';
import { fragmentStoreCases, type FragmentStoreHarness } from '../../contract/fragment-store.ts';
import { recordStoreCases } from '../../contract/record-store.ts';
import { storeJournalCases } from '../../contract/store-journal.ts';
import { createMemoryStore } from '../../sim/memory-store.ts';
import { blockOf } from '../../fixtures/test-blocks.ts';

describe('the fragment store', () => {
  for (const { name, run } of fragmentStoreCases) it(name, () => run(harness()));
});

describe('the record store', () => {
  for (const { name, run } of recordStoreCases) {
    it(name, async () => {
      const { records } = createMemoryStore();
      await run({ store: records, reopen: async () => records });
    });
  }
});

describe('the store journal', () => {
  for (const { name, run } of storeJournalCases) {
    it(name, async () => {
      const { journal } = createMemoryStore();
      await run({ journal, reopen: async () => journal });
    });
  }
});

describe('the capacity', () => {
  it('bounds blocks and indexes, and is given back by release', async () => {
    const store = createMemoryStore({ capacityBytes: 10 });
    const { hash, bytes } = blockOf(8, 8);
    await store.fragments.putBlocks(ownerOfStore('a'), [{ hash, bytes }], 'claimed');
    expect(store.usedBytes()).toBe(8);
    const more = blockOf(3, 3);
    const putting = store.fragments.putBlocks(ownerOfStore('b'), [more], 'claimed');
    await expect(putting).rejects.toSatisfy((error) => isPalmError(error, 'storage-full'));
    await store.fragments.release(ownerOfStore('a'));
    expect(store.usedBytes()).toBe(0);
    await store.fragments.putBlocks(ownerOfStore('b'), [more], 'claimed');
    expect(store.usedBytes()).toBe(3);
  });
});

function harness(): FragmentStoreHarness {
  const store = createMemoryStore();
  return {
    store: store.fragments,
    reopen: async () => {
      store.restart();
      return store.fragments;
    },
    corruptBlock: async (hash) => void store.corruptBlock(hash),
    deleteBlock: async (hash) => void store.deleteBlock(hash),
    corruptIndex: async (fragmentId) => void store.corruptIndex(fragmentId),
    fillDisk: async (freeBytes) => store.setCapacity(store.usedBytes() + freeBytes),
    freeDisk: async () => store.setCapacity(Number.POSITIVE_INFINITY),
  };
}
