// What the fragment worker offers across its boundary: the FragmentStore, with Outcomes; blocks are transferred both ways.

import { transfer } from 'comlink';
import { discard } from '../core/model/bytes.ts';
import type { BlockHash } from '../core/model/ids.ts';
import type { FragmentStore } from '../core/ports.ts';
import { buffersOf } from './buffers.ts';
import { outcomeOf, type Outcome } from './outcome.ts';

type Method = Exclude<keyof FragmentStore, 'putBlocks' | 'getBlock'>;

/** See FragmentStore; whatever fails there is an Outcome here, and nothing is thrown. */
export type FragmentService = {
  readonly [Name in Method]: (
    ...given: Parameters<FragmentStore[Name]>
  ) => Promise<Outcome<Awaited<ReturnType<FragmentStore[Name]>>>>;
} & {
  /** Answers the blocks' bytes, in order: once they are written they are transferred back, to be sent or used again. */
  putBlocks(
    ...given: Parameters<FragmentStore['putBlocks']>
  ): Promise<Outcome<readonly Uint8Array<ArrayBuffer>[]>>;
  getBlock(hash: BlockHash, into: Uint8Array<ArrayBuffer>): Promise<BlockAnswer>;
};

export interface BlockAnswer {
  readonly outcome: Outcome<Uint8Array<ArrayBuffer> | undefined>;
  /** The memory that was given, if the block does not lie in it. */
  readonly spent: Uint8Array<ArrayBuffer> | undefined;
}

/** Serves the store once it is there; while it is not, or never comes, calls wait or fail with it. */
export function createFragmentService(opening: Promise<FragmentStore>): FragmentService {
  return {
    async putBlocks(owner, blocks, ...given) {
      const all = blocks.map(({ bytes }) => bytes);
      const outcome = await outcomeOf(async () => {
        await (await opening).putBlocks(owner, blocks, ...given);
        return all;
      });
      if (outcome.kind === 'failed') for (const bytes of all) discard(bytes);
      return transfer(outcome, outcome.kind === 'done' ? buffersOf(all) : []);
    },
    kept: (owner) => outcomeOf(async () => (await opening).kept(owner)),
    async getBlock(hash, into) {
      const outcome = await outcomeOf(async () => (await opening).getBlock(hash, into));
      const bytes = outcome.kind === 'done' ? outcome.value : undefined;
      const spent = bytes?.buffer === into.buffer ? undefined : into;
      return transfer({ outcome, spent }, buffersOf([into, ...(bytes === undefined ? [] : [bytes])]));
    },
    hasBlocks: (hashes) => outcomeOf(async () => (await opening).hasBlocks(hashes)),
    commit: (fragments) => outcomeOf(async () => (await opening).commit(fragments)),
    getIndex: (fragmentId) => outcomeOf(async () => (await opening).getIndex(fragmentId)),
    list: () => outcomeOf(async () => (await opening).list()),
    drop: (fragmentIds) => outcomeOf(async () => (await opening).drop(fragmentIds)),
    release: (owner) => outcomeOf(async () => (await opening).release(owner)),
    owners: () => outcomeOf(async () => (await opening).owners()),
    clear: () => outcomeOf(async () => (await opening).clear()),
  };
}
