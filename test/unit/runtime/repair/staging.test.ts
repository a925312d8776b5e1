// Staged blocks outlive their page, and are used again only where they are what the next repair needs.

import { expect, it } from 'vitest';
import { ownerOfRepair } from '../../../../src/core/model/ids.ts';
import { Staging } from '../../../../src/runtime/repair/staging.ts';
import { createMemoryStore, type MemoryStore } from '../../../sim/memory-store.ts';
import { dirtyMemory } from '../../../fixtures/dirty-memory.ts';
import { fileIdAt } from '../../../fixtures/pool-fixture.ts';
import { blockOf } from '../../../fixtures/test-blocks.ts';

const FILE = fileIdAt(1);
const SEGMENTS = [0, 1, 2];

function stagingOf(store: MemoryStore, fragments: readonly number[], isKept = true): Staging {
  return new Staging(FILE, fragments, isKept, { fragments: store.fragments, memory: dirtyMemory });
}

function blockAt(segment: number, index: number): { index: number } & ReturnType<typeof blockOf> {
  return { index, ...blockOf(segment * 100 + index) };
}

/** A page staged three segments of fragments 5 and 2, and ended. */
async function stagedStore(isKept = true): Promise<MemoryStore> {
  const store = createMemoryStore();
  const staging = stagingOf(store, [5, 2], isKept);
  for (const segment of SEGMENTS) await staging.write(segment, [blockAt(segment, 5), blockAt(segment, 2)]);
  store.restart();
  return store;
}

it('finds all blocks of the same fragments again', async () => {
  const store = await stagedStore();
  const staged = await stagingOf(store, [2, 5]).staged();
  expect(staged).toEqual(
    SEGMENTS.map((segment) => new Map([2, 5].map((index) => [index, blockAt(segment, index).hash]))),
  );
});

it('uses those of some fragments when the others came back', async () => {
  const store = await stagedStore();
  const staged = await stagingOf(store, [5]).staged();
  expect(staged).toEqual(SEGMENTS.map((segment) => new Map([[5, blockAt(segment, 5).hash]])));
});

it.each([
  ['of a fragment that was not rebuilt', [2, 7], () => undefined],
  ['one of which is damaged', [2, 5], (store: MemoryStore) => store.corruptBlock(blockAt(1, 5).hash)],
  ['one of which is missing', [2, 5], (store: MemoryStore) => store.deleteBlock(blockAt(1, 5).hash)],
] as const)('releases blocks %s, and begins again', async (_what, fragments, harm) => {
  const store = await stagedStore();
  harm(store);
  const staging = stagingOf(store, fragments);
  expect(await staging.staged()).toEqual([]);
  expect(await store.fragments.owners()).toEqual([]);
  expect(store.usedBytes()).toBe(0);
  await staging.write(
    0,
    fragments.map((index) => blockAt(0, index)),
  );
  expect(await stagingOf(store, fragments).staged()).toHaveLength(1);
});

it('keeps nothing beyond the page of what is not worth it', async () => {
  const store = await stagedStore(false);
  expect(await store.fragments.owners()).toEqual([]);
  expect(store.usedBytes()).toBe(0);
  expect(await store.fragments.kept(ownerOfRepair(FILE))).toEqual(new Map());
});
