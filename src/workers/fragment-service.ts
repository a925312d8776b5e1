// What the fragment worker offers across its boundary: the FragmentStore, with Outcomes; blocks are transferred both ways.

import { transfer } from 'comlink';
import type { FragmentStore } from '../core/ports.ts';
import { outcomeOf, type Outcome } from './outcome.ts';

/** See FragmentStore; whatever fails there is an Outcome here, and nothing is thrown. */
export type FragmentService = {
  readonly [Method in keyof FragmentStore]: (
    ...given: Parameters<FragmentStore[Method]>
  ) => Promise<Outcome<Awaited<ReturnType<FragmentStore[Method]>>>>;
};

/** Serves the store once it is there; while it is not, or never comes, calls wait or fail with it. */
export function createFragmentService(opening: Promise<FragmentStore>): FragmentService {
  return {
    putBlocks: (...given) => outcomeOf(async () => (await opening).putBlocks(...given)),
    kept: (owner) => outcomeOf(async () => (await opening).kept(owner)),
    async getBlock(hash) {
      const outcome = await outcomeOf(async () => (await opening).getBlock(hash));
      const bytes = outcome.kind === 'done' ? outcome.value : undefined;
      return transfer(outcome, bytes === undefined ? [] : [bytes.buffer]);
    },
    hasBlocks: (hashes) => outcomeOf(async () => (await opening).hasBlocks(hashes)),
    commit: (...given) => outcomeOf(async () => (await opening).commit(...given)),
    getIndex: (fragmentId) => outcomeOf(async () => (await opening).getIndex(fragmentId)),
    list: () => outcomeOf(async () => (await opening).list()),
    drop: (fragmentIds) => outcomeOf(async () => (await opening).drop(fragmentIds)),
    release: (owner) => outcomeOf(async () => (await opening).release(owner)),
    owners: () => outcomeOf(async () => (await opening).owners()),
    clear: () => outcomeOf(async () => (await opening).clear()),
  };
}
