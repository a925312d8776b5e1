// The FragmentStore of the page: every call goes to the fragment worker, and blocks are transferred there and back.
//
// Invariants: each call settles exactly once, by its worker or by its worker's death; after a death the next call starts
// another worker, over what is on the disk.

import { type Remote, transfer, wrap } from 'comlink';
import { PalmError } from '../../core/model/errors.ts';
import { BLOCK_BYTES } from '../../core/model/limits.ts';
import type { FragmentStore, Memory } from '../../core/ports.ts';
import { buffersOf } from '../../workers/buffers.ts';
import type { FragmentService } from '../../workers/fragment-service.ts';
import type { Outcome } from '../../workers/outcome.ts';
import { type ReturningStore, withRecentFragments } from './recent-fragments.ts';
import { callWorker, type CalledWorker } from './worker-call.ts';

/**
 * Errors are those of FragmentStore; a worker that dies, or cannot be started, is 'storage-failed'. Blocks are
 * answered in `memory`, which gets that of written blocks back once nobody is likely to fetch them.
 */
export function openWorkerFragments(memory: Memory, createWorker: () => Worker = startWorker): FragmentStore {
  let running: CalledWorker<FragmentService> | undefined;

  const start = (): CalledWorker<FragmentService> => {
    let worker: Worker;
    try {
      worker = createWorker();
    } catch (cause) {
      throw workerDied(cause);
    }
    const started: CalledWorker<FragmentService> = {
      service: wrap<FragmentService>(worker),
      pending: new Set(),
    };
    const fail = (event: Event): void => {
      if (running === started) running = undefined;
      worker.terminate();
      for (const reject of started.pending) reject(workerDied(event));
    };
    worker.addEventListener('error', fail);
    worker.addEventListener('messageerror', fail);
    return started;
  };

  const call = async <Value>(
    send: (service: Remote<FragmentService>) => Promise<Outcome<Value>>,
  ): Promise<Value> => callWorker((running ??= start()), send);

  const store: ReturningStore = {
    putBlocks: (owner, blocks, ...given) =>
      call((service) => {
        const transferred = buffersOf(blocks.map(({ bytes }) => bytes));
        return service.putBlocks(owner, transfer([...blocks], transferred), ...given);
      }),
    kept: (owner) => call((service) => service.kept(owner)),
    getBlock: (hash) =>
      call(async (service) => {
        const into = memory.take(BLOCK_BYTES);
        const { outcome, spent } = await service.getBlock(hash, transfer(into, [into.buffer]));
        if (spent !== undefined) memory.give(spent);
        return outcome;
      }),
    hasBlocks: (hashes) => call((service) => service.hasBlocks(hashes)),
    commit: (fragments) => call((service) => service.commit(fragments)),
    getIndex: (fragmentId) => call((service) => service.getIndex(fragmentId)),
    list: () => call((service) => service.list()),
    drop: (fragmentIds) => call((service) => service.drop(fragmentIds)),
    release: (owner) => call((service) => service.release(owner)),
    owners: () => call((service) => service.owners()),
    clear: () => call((service) => service.clear()),
  };
  return withRecentFragments(store, (bytes) => memory.give(bytes));
}

function startWorker(): Worker {
  return new Worker(new URL('../../workers/fragments/fragment.worker.ts', import.meta.url), {
    type: 'module',
  });
}

function workerDied(cause: unknown): PalmError {
  return new PalmError(
    'storage-failed',
    "The part of Palm that keeps this device's fragments stopped. What was kept is safe; try again.",
    { cause },
  );
}
