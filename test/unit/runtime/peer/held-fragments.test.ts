// Damaged fragments: they do not count, what is left of them stays for a repair, and goes where its key share
// would count with others.

import { describe, expect, it } from 'vitest';
import { encodeFragmentIndex } from '../../../../src/core/coding/fragment-index.ts';
import { type FileId, fragmentIdOf, ownerOfStore, parseBlockHash } from '../../../../src/core/model/ids.ts';
import type { StoredFragment } from '../../../../src/core/ports.ts';
import { HeldFragments } from '../../../../src/runtime/peer/held-fragments.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { createMemoryStore } from '../../../sim/memory-store.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { fileIdAt, itemAt } from '../../../fixtures/pool-fixture.ts';

const FILE = fileIdAt(1);
const BLOCK_BYTES = 100;

describe('a damaged fragment', () => {
  it('does not count and stays on the disk, also after a restart, until what is left of it is dropped', async () => {
    const disk = createMemoryStore();
    const stored = await threeFragments(disk);
    const first = await opened(disk);
    await first.fragments.indexLost(FILE, 0);
    expect(first.held).toEqual(new Set([1, 2]));
    const next = await opened(disk);
    expect(next.held).toEqual(new Set([1, 2]));
    expect(numbersOn(disk)).toEqual([0, 1, 2]);

    await next.fragments.dropDamaged(FILE, [0]);
    expect(numbersOn(disk)).toEqual([0, 1, 2]);
    await next.fragments.dropDamaged(FILE, [2]);
    expect(numbersOn(disk)).toEqual([1, 2]);
    expect(next.held).toEqual(new Set([1, 2]));
    expect(await disk.records.getMeta('damaged-fragments')).toEqual([]);
    // Of a content without a name, only what is sound is kept for one that may come.
    await next.fragments.indexLost(FILE, 2);
    const last = await opened(disk, false);
    expect(last.held).toEqual(new Set([1]));
    expect(numbersOn(disk)).toEqual([1]);
    // What was fetched again is not dropped with the damage.
    await first.fragments.addFetched(itemAt(stored, 0));
    await first.fragments.dropDamaged(FILE);
    expect(first.held).toEqual(new Set([0, 1, 2]));
  });
});

describe('a dropped fragment', () => {
  it('is listed until the disk has confirmed that it is erased, sound or damaged, and if it never does', async () => {
    const disk = createMemoryStore();
    await threeFragments(disk);
    const { fragments, held, told } = await opened(disk);
    const real = disk.fragments.drop.bind(disk.fragments);
    const erasing: ((how: 'done' | 'failed') => void)[] = [];
    disk.fragments.drop = async (ids) => {
      const how = await new Promise((resolve) => erasing.push(resolve));
      if (how === 'failed') throw new Error('The disk is gone.');
      await real(ids);
    };
    await fragments.indexLost(FILE, 0);
    const works = [
      fragments.drop(FILE, [1]),
      fragments.dropDamaged(FILE),
      fragments.dropWithDamaged(FILE, [2]),
    ];
    expect([...held]).toEqual([]);
    expect(fragments.dropping()).toEqual([FILE]);
    itemAt(erasing, 0)('done');
    await itemAt(works, 0);
    itemAt(erasing, 1)('done');
    await itemAt(works, 1);
    expect([fragments.dropping(), told.length]).toEqual([[FILE], 2]);
    itemAt(erasing, 2)('failed');
    await expect(itemAt(works, 2)).rejects.toThrow('The disk is gone.');
    expect(fragments.dropping()).toEqual([FILE]);
    expect(numbersOn(disk)).toEqual([2]);
  });

  it('is listed no more once it is erased', async () => {
    const disk = createMemoryStore();
    await threeFragments(disk);
    const { fragments, told } = await opened(disk);
    const work = fragments.drop(FILE, [0, 1, 2]);
    expect([fragments.dropping(), told]).toEqual([[FILE], []]);
    await work;
    expect([fragments.dropping(), told]).toEqual([[], [[]]]);
  });
});

type Disk = ReturnType<typeof createMemoryStore>;

async function threeFragments(disk: Disk): Promise<StoredFragment[]> {
  const owner = ownerOfStore('test');
  const made: StoredFragment[] = [];
  for (const fragment of indicesOf(3)) {
    const bytes = seededBytes(BLOCK_BYTES, fragment);
    const hash = parseBlockHash(sha256(bytes));
    const indexBytes = encodeFragmentIndex({
      fragment,
      share: seededBytes(32, 100 + fragment),
      blocks: [hash],
    });
    const stored = {
      fragmentId: fragmentIdOf(indexBytes),
      fileId: FILE,
      fragment,
      blockBytes: BLOCK_BYTES,
    };
    await disk.fragments.putBlocks(owner, [{ hash, bytes }], 'claimed');
    await disk.fragments.commit([{ stored, indexBytes, hashes: [hash] }]);
    made.push(stored);
  }
  return made;
}

interface Opened {
  readonly fragments: HeldFragments;
  readonly held: Set<number>;
  /** What was listed as being dropped, each time that it was said to have changed. */
  readonly told: FileId[][];
}

async function opened(disk: Disk, isNamed = true): Promise<Opened> {
  const held = new Set<number>();
  const told: FileId[][] = [];
  const fragments = new HeldFragments({
    ...disk,
    held: (stored) => {
      for (const { fragment } of stored) held.add(fragment);
    },
    unheld: ({ fragment }) => held.delete(fragment),
    dropped: () => told.push(fragments.dropping()),
    damaged: () => undefined,
  });
  await fragments.loadDamage();
  await fragments.restore({ manifestOf: () => FILE, files: () => new Set(isNamed ? [FILE] : []) });
  return { fragments, held, told };
}

function numbersOn(disk: Disk): number[] {
  return disk.contents().fragments.map(({ fragment }) => fragment.fragment);
}
