// Damaged fragments: they do not count, what is left of them stays for a repair, and goes where its key share
// would count with others.

import { describe, expect, it } from 'vitest';
import { encodeFragmentIndex } from '../../../../src/core/coding/fragment-index.ts';
import { fragmentIdOf, ownerOfStore, parseBlockHash } from '../../../../src/core/model/ids.ts';
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

    await next.fragments.dropDamaged(FILE, 0);
    expect(numbersOn(disk)).toEqual([0, 1, 2]);
    await next.fragments.dropDamaged(FILE, 2);
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

async function opened(disk: Disk, isNamed = true): Promise<{ fragments: HeldFragments; held: Set<number> }> {
  const held = new Set<number>();
  const fragments = new HeldFragments({
    ...disk,
    held: (stored) => {
      for (const { fragment } of stored) held.add(fragment);
    },
    unheld: ({ fragment }) => held.delete(fragment),
    damaged: () => undefined,
  });
  await fragments.loadDamage();
  await fragments.restore({ manifestOf: () => FILE, files: () => new Set(isNamed ? [FILE] : []) });
  return { fragments, held };
}

function numbersOn(disk: Disk): number[] {
  return disk.contents().fragments.map(({ fragment }) => fragment.fragment);
}
