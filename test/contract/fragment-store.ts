// The contract of FragmentStore (ports.ts), for every implementation. Each case gets an empty store.

import { isPalmError } from '../../src/core/model/errors.ts';
import {
  type BlockHash,
  type BlockOwner,
  type FileId,
  fileIdOf,
  type FragmentId,
  fragmentIdOf,
  ownerOfStore,
  ownerOfTaking,
} from '../../src/core/model/ids.ts';
import type { FragmentStore, Keep, Kept, NewFragment, StoredFragment } from '../../src/core/ports.ts';
import { dirtyMemory } from '../fixtures/dirty-memory.ts';
import { check, checkBytes, checkEqual, checkRejects, type ContractCase } from './contract-case.ts';
import { blockOf, type TestBlock } from '../fixtures/test-blocks.ts';

export interface FragmentStoreHarness {
  readonly store: FragmentStore;
  /** The same disk after the process died: a new store over the written data. */
  readonly reopen: () => Promise<FragmentStore>;
  /** Flips a bit of a block where it lies on the disk. */
  readonly corruptBlock: (hash: BlockHash) => Promise<void>;
  /** Makes a block vanish from the disk: reads return nothing, or other bytes. */
  readonly deleteBlock: (hash: BlockHash) => Promise<void>;
  /** Flips a bit of a fragment's index where it lies on the disk. */
  readonly corruptIndex: (fragmentId: FragmentId) => Promise<void>;
  /** From now on the disk has room for roughly this many more bytes. */
  readonly fillDisk: (freeBytes: number) => Promise<void>;
  /** There is room again. */
  readonly freeDisk: () => Promise<void>;
}

export const fragmentStoreCases: readonly ContractCase<FragmentStoreHarness>[] = [
  {
    name: 'only a block that was put is there, under its hash',
    async run({ store }) {
      const [one, two] = [blockOf(1, CONTRACT_BLOCK_BYTES), blockOf(2, CONTRACT_BLOCK_BYTES)];
      await store.putBlocks(ownerOfTaking(1), [one], 'claimed');
      checkBytes(await store.getBlock(one.hash), one.bytes, 'the block');
      checkEqual(await store.getBlock(two.hash), undefined, 'an absent block');
      checkEqual(await store.hasBlocks([two.hash, one.hash]), [false, true], 'presence');
      checkEqual(await store.hasBlocks([]), [], 'presence of nothing');
      await store.putBlocks(ownerOfTaking(1), [], 'claimed');
    },
  },
  {
    name: 'a block that does not match its hash is refused, together with the good ones in the same call',
    async run({ store }) {
      const [good, bad] = [
        blockOf(1, CONTRACT_BLOCK_BYTES),
        { hash: blockOf(2, CONTRACT_BLOCK_BYTES).hash, bytes: blockOf(3, CONTRACT_BLOCK_BYTES).bytes },
      ];
      await checkRejects(
        store.putBlocks(ownerOfTaking(1), [good, bad], 'claimed'),
        'corrupt',
        'a lying block',
      );
      checkEqual(await store.hasBlocks([good.hash, bad.hash]), [false, false], 'presence');
      checkEqual(await store.owners(), [], 'owners');
    },
  },
  {
    name: "bytes that are given and bytes that are answered are nobody else's",
    async run({ store }) {
      const { hash, bytes } = blockOf(1, CONTRACT_BLOCK_BYTES);
      const given = bytes.slice();
      await store.putBlocks(ownerOfTaking(1), [{ hash, bytes: given }], 'claimed');
      given.fill(0);
      (await store.getBlock(hash))?.fill(0);
      checkBytes(await store.getBlock(hash), bytes, 'the block');
    },
  },
  {
    name: 'only the visible part of a view of a larger buffer is stored',
    async run({ store }) {
      const { hash, bytes } = blockOf(1, CONTRACT_BLOCK_BYTES);
      const large = new Uint8Array(bytes.length + 100);
      large.set(bytes, 40);
      await store.putBlocks(
        ownerOfTaking(1),
        [{ hash, bytes: large.subarray(40, 40 + bytes.length) }],
        'claimed',
      );
      const answer = await store.getBlock(hash);
      checkBytes(answer, bytes, 'the block');
      checkEqual(answer?.buffer.byteLength, bytes.length, 'its buffer');
    },
  },
  {
    name: 'a fragment exists only from its commit on',
    async run({ store, reopen }) {
      const { blocks, fragment, index } = fragmentOf(0, [1, 2]);
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      checkEqual(await store.list(), [], 'fragments before the commit');
      checkEqual(await store.getIndex(fragment.fragmentId), undefined, 'its index before the commit');
      await store.commit([newFragment(fragment, index, blocks)]);
      await store.release(ownerOfTaking(1));
      const again = await reopen();
      checkEqual(await again.list(), [fragment], 'fragments');
      checkBytes(await again.getIndex(fragment.fragmentId), index, 'its index');
      for (const { hash, bytes } of blocks) checkBytes(await again.getBlock(hash), bytes, 'a block');
    },
  },
  {
    name: 'a commit with a missing block fails and leaves nothing',
    async run({ store }) {
      const { blocks, fragment, index } = fragmentOf(0, [1, 2]);
      await store.putBlocks(ownerOfTaking(1), blocks.slice(1), 'claimed');
      const commit = store.commit([newFragment(fragment, index, blocks)]);
      await checkRejects(commit, 'storage-failed', 'a commit with a missing block');
      checkEqual(await store.list(), [], 'fragments');
      checkEqual(await store.getIndex(fragment.fragmentId), undefined, 'its index');
      await store.release(ownerOfTaking(1));
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [false, false], 'presence');
    },
  },
  {
    name: 'fragments that are committed together all exist, or none if one lacks a block',
    async run({ store, reopen }) {
      const [one, two, three] = [fragmentOf(0, [1]), fragmentOf(1, [2]), fragmentOf(2, [3])];
      await store.putBlocks(ownerOfTaking(1), [...one.blocks, ...two.blocks], 'claimed');
      const lacking = [one, three].map(({ fragment, index, blocks }) => newFragment(fragment, index, blocks));
      await checkRejects(store.commit(lacking), 'storage-failed', 'a commit with a missing block');
      checkEqual(await store.list(), [], 'fragments before');
      await store.commit(
        [one, two].map(({ fragment, index, blocks }) => newFragment(fragment, index, blocks)),
      );
      await store.release(ownerOfTaking(1));
      const again = await reopen();
      const listed = (await again.list()).toSorted((a, b) => a.fragment - b.fragment);
      checkEqual(listed, [one.fragment, two.fragment], 'fragments after');
      checkEqual(
        await again.hasBlocks(hashesOf([...one.blocks, ...two.blocks])),
        [true, true],
        'their blocks',
      );
    },
  },
  {
    name: 'a commit of an index that does not match the id is refused',
    async run({ store }) {
      const { blocks, fragment } = fragmentOf(0, [1]);
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      const commit = store.commit([newFragment(fragment, new Uint8Array([1, 2, 3]), blocks)]);
      await checkRejects(commit, 'corrupt', 'a foreign index');
      checkEqual(await store.list(), [], 'fragments');
    },
  },
  {
    name: 'putting and committing twice is the same as once',
    async run({ store }) {
      const { blocks, fragment, index } = fragmentOf(0, [1, 2]);
      for (let round = 0; round < 2; round++) {
        await store.putBlocks(ownerOfTaking(1), [...blocks, ...blocks], 'claimed');
        await store.commit([newFragment(fragment, index, blocks)]);
      }
      await store.release(ownerOfTaking(1));
      await store.release(ownerOfTaking(1));
      checkEqual(await store.list(), [fragment], 'fragments');
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [true, true], 'presence');
      await store.drop([fragment.fragmentId]);
      await store.drop([fragment.fragmentId]);
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [false, false], 'presence after the drop');
    },
  },
  {
    name: 'blocks that a job did not keep are gone after a crash',
    async run({ store, reopen }) {
      const { blocks } = fragmentOf(0, [1, 2]);
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      const again = await reopen();
      checkEqual(await again.list(), [], 'fragments');
      checkEqual(await again.owners(), [], 'owners');
      checkEqual(await again.hasBlocks(hashesOf(blocks)), [false, false], 'presence');
    },
  },
  {
    name: 'blocks that a job kept survive a crash, and can be swept',
    async run({ store, reopen }) {
      const { blocks } = fragmentOf(0, [1, 2]);
      await store.putBlocks(ownerOfStore('x'), blocks, 'claimed', keepAs(0));
      const again = await reopen();
      checkEqual(await again.list(), [], 'fragments');
      checkEqual(await again.owners(), ['store:x'], 'owners');
      checkEqual(await again.hasBlocks(hashesOf(blocks)), [true, true], 'presence');
      await again.release(ownerOfStore('x'));
      checkEqual(await again.owners(), [], 'owners after the sweep');
      checkEqual(await again.hasBlocks(hashesOf(blocks)), [false, false], 'presence after the sweep');
      checkEqual(await keptBy(again, ownerOfStore('x')), [], 'what is kept after the sweep');
      checkEqual(await (await reopen()).owners(), [], 'owners after another crash');
    },
  },
  {
    name: 'a job can continue with its kept blocks after a crash',
    async run({ store, reopen }) {
      const { blocks, fragment, index } = fragmentOf(0, [1, 2]);
      await store.putBlocks(ownerOfStore('x'), blocks.slice(0, 1), 'claimed', keepAs(0));
      const again = await reopen();
      await again.putBlocks(ownerOfStore('x'), blocks.slice(1), 'claimed', keepAs(1));
      await again.commit([newFragment(fragment, index, blocks)]);
      await again.release(ownerOfStore('x'));
      const last = await reopen();
      checkEqual(await last.list(), [fragment], 'fragments');
      for (const { hash, bytes } of blocks) checkBytes(await last.getBlock(hash), bytes, 'a block');
    },
  },
  {
    name: 'kept blocks are found by their number, in the order in which they were put',
    async run({ store, reopen }) {
      const [one, two, three] = [
        blockOf(1, CONTRACT_BLOCK_BYTES),
        blockOf(2, CONTRACT_BLOCK_BYTES),
        blockOf(3, CONTRACT_BLOCK_BYTES),
      ];
      await store.putBlocks(ownerOfStore('x'), [two, one, two], 'claimed', keepAs(300));
      await store.putBlocks(ownerOfStore('x'), [one], 'claimed', keepAs(2));
      await store.putBlocks(ownerOfStore('x'), [three], 'claimed', keepAs(2));
      await store.putBlocks(ownerOfStore('x'), [three], 'claimed');
      await store.putBlocks(ownerOfStore('y'), [three], 'claimed', keepAs(7));
      const kept = [
        [2, keptAs(2, [three.hash])],
        [300, keptAs(300, [two.hash, one.hash, two.hash])],
      ];
      for (const each of [store, await reopen()]) {
        checkEqual(await keptBy(each, ownerOfStore('x')), kept, 'what is kept');
        checkEqual(
          await keptBy(each, ownerOfStore('y')),
          [[7, keptAs(7, [three.hash])]],
          'what the other kept',
        );
        checkEqual(await keptBy(each, ownerOfStore('z')), [], 'what nobody kept');
      }
    },
  },
  {
    name: 'a note stays when something else is kept under the same number',
    async run({ store }) {
      const [one, two] = [blockOf(1, CONTRACT_BLOCK_BYTES), blockOf(2, CONTRACT_BLOCK_BYTES)];
      await store.putBlocks(ownerOfStore('x'), [one], 'claimed', keepAs(1));
      const other = { as: 1, note: keepAs(2).note };
      await checkRejects(
        store.putBlocks(ownerOfStore('x'), [two], 'claimed', other),
        'refused',
        'another hash',
      );
      checkEqual(await keptBy(store, ownerOfStore('x')), [[1, keptAs(1, [one.hash])]], 'what is kept');
      checkEqual(await store.hasBlocks([two.hash]), [false], 'presence');
    },
  },
  {
    name: 'the hash of a kept set with a corrupt block stays',
    async run({ store, corruptBlock }) {
      const [one, two] = [blockOf(1, CONTRACT_BLOCK_BYTES), blockOf(2, CONTRACT_BLOCK_BYTES)];
      await store.putBlocks(ownerOfStore('x'), [one, two], 'claimed', keepAs(0));
      await store.putBlocks(ownerOfStore('x'), [two], 'claimed', keepAs(1));
      await corruptBlock(one.hash);
      await checkRejects(store.getBlock(one.hash), 'corrupt', 'reading it');
      const kept = [
        [0, keptAs(0, undefined)],
        [1, keptAs(1, [two.hash])],
      ];
      checkEqual(await keptBy(store, ownerOfStore('x')), kept, 'what is kept');
    },
  },
  {
    name: 'owners lists each job once, and never fragments',
    async run({ store }) {
      const { blocks, fragment, index } = fragmentOf(0, [1, 2, 3]);
      const owners = [ownerOfTaking(1), ownerOfStore('a'), ownerOfStore('fragment:b')];
      for (const [at, owner] of owners.entries()) await store.putBlocks(owner, blocks.slice(at), 'claimed');
      await store.commit([newFragment(fragment, index, blocks)]);
      checkEqual((await store.owners()).toSorted(), owners, 'owners');
      for (const owner of [...owners, ownerOfStore('unknown')]) await store.release(owner);
      checkEqual(await store.owners(), [], 'owners after the releases');
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [true, true, true], 'presence');
    },
  },
  {
    name: 'a block lives while one owner counts it: two jobs',
    async run({ store }) {
      const block = blockOf(1, CONTRACT_BLOCK_BYTES);
      await store.putBlocks(ownerOfStore('a'), [block], 'claimed');
      await store.putBlocks(ownerOfStore('b'), [block], 'claimed');
      await store.release(ownerOfStore('a'));
      checkEqual(await store.hasBlocks([block.hash]), [true], 'presence after one release');
      await store.release(ownerOfStore('b'));
      checkEqual(await store.hasBlocks([block.hash]), [false], 'presence after both');
    },
  },
  {
    name: 'a block lives while one owner counts it: two fragments that share it',
    async run({ store }) {
      const one = fragmentOf(0, [1, 2]);
      const two = fragmentOf(1, [2, 3]);
      await store.putBlocks(ownerOfTaking(1), [...one.blocks, ...two.blocks], 'claimed');
      await store.commit([newFragment(one.fragment, one.index, one.blocks)]);
      await store.commit([newFragment(two.fragment, two.index, two.blocks)]);
      await store.release(ownerOfTaking(1));
      const all = [1, 2, 3].map((seed) => blockOf(seed, CONTRACT_BLOCK_BYTES).hash);
      checkEqual(await store.hasBlocks(all), [true, true, true], 'presence');
      await store.drop([one.fragment.fragmentId]);
      checkEqual(await store.hasBlocks(all), [false, true, true], 'presence after one drop');
      checkEqual(await store.list(), [two.fragment], 'fragments after one drop');
      await store.drop([two.fragment.fragmentId]);
      checkEqual(await store.hasBlocks(all), [false, false, false], 'presence after both');
    },
  },
  {
    name: 'a block that occurs twice in a fragment is counted correctly',
    async run({ store }) {
      const { blocks, fragment, index } = fragmentOf(0, [1, 1, 1]);
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      await store.commit([newFragment(fragment, index, blocks)]);
      await store.release(ownerOfTaking(1));
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [true, true, true], 'presence');
      await store.drop([fragment.fragmentId]);
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [false, false, false], 'presence after the drop');
    },
  },
  {
    name: 'a block can be read into given memory, whatever that contains',
    async run({ store }) {
      const { hash, bytes } = blockOf(1, CONTRACT_BLOCK_BYTES);
      await store.putBlocks(ownerOfTaking(1), [blockOf(1, CONTRACT_BLOCK_BYTES)], 'claimed');
      for (const byteCount of [CONTRACT_BLOCK_BYTES + 1_000, CONTRACT_BLOCK_BYTES, 10])
        checkBytes(await store.getBlock(hash, dirtyMemory.take(byteCount)), bytes, 'a block');
      const absent = await store.getBlock(
        blockOf(2, CONTRACT_BLOCK_BYTES).hash,
        dirtyMemory.take(CONTRACT_BLOCK_BYTES),
      );
      checkEqual(absent, undefined, 'a block that is not here');
    },
  },
  {
    name: 'drop takes several fragments together and ignores unknown ones',
    async run({ store }) {
      const [one, two, three] = [fragmentOf(0, [1]), fragmentOf(1, [2]), fragmentOf(2, [3])];
      for (const { blocks, fragment, index } of [one, two]) {
        await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
        await store.commit([newFragment(fragment, index, blocks)]);
      }
      await store.release(ownerOfTaking(1));
      await store.drop([three.fragment.fragmentId, one.fragment.fragmentId, two.fragment.fragmentId]);
      checkEqual(await store.list(), [], 'fragments');
      checkEqual(await store.getIndex(one.fragment.fragmentId), undefined, 'an index');
      checkEqual(
        await store.hasBlocks([blockOf(1, CONTRACT_BLOCK_BYTES).hash, blockOf(2, CONTRACT_BLOCK_BYTES).hash]),
        [false, false],
        'presence',
      );
    },
  },
  {
    name: 'a drop while a job writes the same block leaves it to the job',
    async run({ store }) {
      const { blocks, fragment, index } = fragmentOf(0, [1]);
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      await store.commit([newFragment(fragment, index, blocks)]);
      await store.drop([fragment.fragmentId]);
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [true], 'presence');
      await store.commit([newFragment(fragment, index, blocks)]);
      await store.release(ownerOfTaking(1));
      checkEqual(await store.list(), [fragment], 'fragments');
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [true], 'presence after the release');
    },
  },
  {
    name: 'a corrupt block is reported once, dropped, and can be written again',
    async run({ store, corruptBlock }) {
      const { blocks, fragment, index } = fragmentOf(0, [1, 2]);
      const [victim, other] = hashesOf(blocks);
      if (victim === undefined || other === undefined) throw new Error('Two blocks were made.');
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      await store.commit([newFragment(fragment, index, blocks)]);
      await store.release(ownerOfTaking(1));
      await corruptBlock(victim);
      await checkRejects(store.getBlock(victim), 'corrupt', 'reading it');
      checkEqual(await store.getBlock(victim), undefined, 'reading it again');
      checkEqual(await store.hasBlocks([victim, other]), [false, true], 'presence');
      checkEqual(await store.list(), [fragment], 'fragments');

      await store.putBlocks(ownerOfStore('repair'), blocks.slice(0, 1), 'claimed');
      await store.release(ownerOfStore('repair'));
      checkBytes(await store.getBlock(victim), blockOf(1, CONTRACT_BLOCK_BYTES).bytes, 'the repaired block');
      await store.drop([fragment.fragmentId]);
      checkEqual(await store.hasBlocks([victim, other]), [false, false], 'presence after the drop');
    },
  },
  {
    name: 'putting a corrupt block again heals it',
    async run({ store, corruptBlock }) {
      const block = blockOf(1, CONTRACT_BLOCK_BYTES);
      await store.putBlocks(ownerOfStore('a'), [block], 'claimed');
      await corruptBlock(block.hash);
      await store.putBlocks(ownerOfStore('b'), [block], 'claimed');
      checkBytes(await store.getBlock(block.hash), block.bytes, 'the block');
    },
  },
  {
    name: 'a block that vanished is absent, and no commit relies on it',
    async run({ store, deleteBlock }) {
      const { blocks, fragment, index } = fragmentOf(0, [1, 2]);
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      const [victim] = hashesOf(blocks);
      if (victim === undefined) throw new Error('Two blocks were made.');
      await deleteBlock(victim);
      // A block missing from a file is damage; a missing row is not.
      const answer = await store.getBlock(victim).catch((error: unknown) => {
        if (!isPalmError(error, 'corrupt')) throw error;
      });
      checkEqual(answer, undefined, 'the block');
      checkEqual(await store.getBlock(victim), undefined, 'the block at the second look');
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [false, true], 'presence');
      const commit = store.commit([newFragment(fragment, index, blocks)]);
      await checkRejects(commit, 'storage-failed', 'a commit without it');
      await store.release(ownerOfTaking(1));
      checkEqual(await store.owners(), [], 'owners');
    },
  },
  {
    name: 'a corrupt fragment index is reported, and its fragment dropped with its blocks',
    async run({ store, corruptIndex }) {
      const { blocks, fragment, index } = fragmentOf(0, [1]);
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      await store.commit([newFragment(fragment, index, blocks)]);
      await store.release(ownerOfTaking(1));
      await corruptIndex(fragment.fragmentId);
      await checkRejects(store.getIndex(fragment.fragmentId), 'corrupt', 'reading it');
      checkEqual(await store.list(), [], 'fragments');
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [false], 'presence');
    },
  },
  {
    name: 'a full disk fails the whole call and leaves everything as it was',
    async run({ store, fillDisk, freeDisk }) {
      const kept = fragmentOf(0, [1, 2]);
      await store.putBlocks(ownerOfStore('kept'), kept.blocks, 'claimed');
      await store.commit([newFragment(kept.fragment, kept.index, kept.blocks)]);
      await store.release(ownerOfStore('kept'));

      // Room for the first block of three, but not for the second.
      const { blocks, fragment, index } = fragmentOf(1, [3, 4, 5]);
      await fillDisk(CONTRACT_BLOCK_BYTES * 1.5);
      await checkRejects(
        store.putBlocks(ownerOfTaking(1), blocks, 'claimed'),
        'storage-full',
        'putting three blocks',
      );
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [false, false, false], 'presence');
      checkEqual(await store.owners(), [], 'owners');
      checkEqual(await store.list(), [kept.fragment], 'fragments');
      for (const { hash, bytes } of kept.blocks)
        checkBytes(await store.getBlock(hash), bytes, 'an old block');

      await freeDisk();
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      await store.commit([newFragment(fragment, index, blocks)]);
      await store.release(ownerOfTaking(1));
      checkEqual((await store.list()).length, 2, 'fragments once there is room');
    },
  },
  {
    name: 'release and drop work on a full disk',
    async run({ store, fillDisk, freeDisk }) {
      const { blocks, fragment, index } = fragmentOf(0, [1, 2]);
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      await store.commit([newFragment(fragment, index, blocks)]);
      await fillDisk(0);
      await store.release(ownerOfTaking(1));
      await store.drop([fragment.fragmentId]);
      checkEqual(await store.hasBlocks(hashesOf(blocks)), [false, false], 'presence');
      await freeDisk();
    },
  },
  {
    name: 'simultaneous calls do not disturb each other',
    async run({ store }) {
      const fragments = Array.from({ length: 12 }, (_, at) => fragmentOf(at, [at, at + 1]));
      await Promise.all(
        fragments.map(async ({ blocks, fragment, index }, at) => {
          await store.putBlocks(ownerOfTaking(at), blocks, 'claimed');
          await store.commit([newFragment(fragment, index, blocks)]);
          await store.release(ownerOfTaking(at));
        }),
      );
      checkEqual((await store.list()).length, 12, 'fragments');
      await Promise.all(fragments.slice(1).map(({ fragment }) => store.drop([fragment.fragmentId])));
      const all = Array.from({ length: 13 }, (_, seed) => blockOf(seed, CONTRACT_BLOCK_BYTES).hash);
      const present = (await store.hasBlocks(all)).filter(Boolean).length;
      checkEqual(present, 2, 'blocks of the one fragment left');
    },
  },
  {
    name: 'one of several simultaneous calls fails alone',
    async run({ store, reopen }) {
      const [first, lacking, last] = [fragmentOf(0, [1]), fragmentOf(1, [2]), fragmentOf(2, [3])];
      await store.putBlocks(ownerOfTaking(1), [...first.blocks, ...last.blocks], 'claimed');
      const outcomes = await Promise.allSettled(
        [first, lacking, last].map(({ fragment, index, blocks }) =>
          store.commit([newFragment(fragment, index, blocks)]),
        ),
      );
      checkEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
        'outcomes',
      );
      const kept = (await (await reopen()).list()).map(({ fragment }) => fragment);
      checkEqual(
        kept.toSorted((a, b) => a - b),
        [0, 2],
        'fragments kept',
      );
    },
  },
  {
    name: 'clear removes everything',
    async run({ store, reopen }) {
      const { blocks, fragment, index } = fragmentOf(0, [1, 2]);
      await store.putBlocks(ownerOfTaking(1), blocks, 'claimed');
      await store.commit([newFragment(fragment, index, blocks)]);
      await store.clear();
      const again = await reopen();
      checkEqual(await again.list(), [], 'fragments');
      checkEqual(await again.owners(), [], 'owners');
      checkEqual(await again.hasBlocks(hashesOf(blocks)), [false, false], 'presence');
      checkEqual(await again.getIndex(fragment.fragmentId), undefined, 'an index');
      check((await again.list()).length === 0, 'the store can be used after it');
    },
  },
];

/**
 * Large enough to fill a disk in the middle of a call, and for blocks to lie in files where a store has them.
 */
export const CONTRACT_BLOCK_BYTES = 160 * 1024;

function fragmentOf(
  fragment: number,
  seeds: readonly number[],
): { readonly blocks: TestBlock[]; readonly fragment: StoredFragment; readonly index: Uint8Array } {
  const index = new Uint8Array([fragment, ...seeds]);
  const fileId: FileId = fileIdOf(new Uint8Array([9]));
  return {
    blocks: seeds.map((seed) => blockOf(seed, CONTRACT_BLOCK_BYTES)),
    fragment: {
      fragmentId: fragmentIdOf(index),
      fileId,
      fragment,
      blockBytes: seeds.length * CONTRACT_BLOCK_BYTES,
    },
    index,
  };
}

/** Keeps blocks under a number, with its own hash. */
export function keepAs(as: number): Keep {
  return { as, note: new Uint8Array(32).fill(as) };
}

/** The blocks kept by `keepAs`. */
function keptAs(as: number, blocks: readonly BlockHash[] | undefined): Kept {
  return { note: keepAs(as).note, blocks };
}

/** By number, ascending. */
async function keptBy(store: FragmentStore, owner: BlockOwner): Promise<[number, Kept][]> {
  return [...(await store.kept(owner))].toSorted(([a], [b]) => a - b);
}

function newFragment(
  stored: StoredFragment,
  indexBytes: Uint8Array,
  blocks: readonly TestBlock[],
): NewFragment {
  return { stored, indexBytes, hashes: hashesOf(blocks) };
}

function hashesOf(blocks: readonly TestBlock[]): BlockHash[] {
  return blocks.map((block) => block.hash);
}
