// The page's side of the fragment worker's stores: every call goes to the worker, and blocks are transferred
// both ways.
//
// Invariants: each call settles exactly once, by its worker or by its worker's death; after a death the next
// call starts another worker, over what is on the disk.

import { type Remote, transfer, wrap } from 'comlink';
import { PalmError } from '../../../core/model/errors.ts';
import { BLOCK_BYTES } from '../../../core/model/limits.ts';
import type { DeviceStore, Memory } from '../../../core/ports.ts';
import { buffersOf } from '../threads/buffers.ts';
import type { LaneClient } from '../../../core/lane-port.ts';
import type { HeldLock } from './device-store.ts';
import type { FragmentWorkerService, FromLane } from './fragment-worker-service.ts';
import type { Outcome } from '../threads/outcome.ts';
import { type CachingStore, withRecentFragmentCache } from './recent-fragment-cache.ts';
import { callWorker, type CalledWorker } from '../threads/worker-call.ts';

export interface FragmentWorkerBridge extends DeviceStore {
  /**
   * Resolves when the worker has opened this device's database in this version: nobody else opens it before.
   * @throws PalmError 'storage-failed', 'storage-full', 'other-tab'.
   */
  opened(): Promise<void>;
  /** The lanes of a page of this origin: the worker makes their requests. */
  laneClient(origin: string): LaneClient;
  /** As `OwnSpace`, and may throw what a dead worker does. */
  holeBytes(): Promise<number>;
  spendReserve(): Promise<boolean>;
  restoreReserve(): Promise<void>;
  /** As OpenDeviceStore's. */
  check(): Promise<void>;
}

/**
 * Errors are those of the stores; a worker that dies, or cannot be started, is 'storage-failed'. Blocks are
 * returned in `memory`; the memory of written blocks returns to it once they are unlikely to be fetched.
 * `createWorker` starts a fragment worker (workers/fragment.worker.ts).
 */
export function bridgeToFragmentWorker(memory: Memory, createWorker: () => Worker): FragmentWorkerBridge {
  let running: CalledWorker<FragmentWorkerService> | undefined;
  /** What opens the lock in the next worker. */
  let held: HeldLock | undefined;

  const start = (): CalledWorker<FragmentWorkerService> => {
    let worker: Worker;
    try {
      worker = createWorker();
    } catch (cause) {
      throw workerDied(cause);
    }
    const started: CalledWorker<FragmentWorkerService> = {
      service: wrap<FragmentWorkerService>(worker),
      pending: new Set(),
    };
    const fail = (event: Event): void => {
      if (running === started) running = undefined;
      worker.terminate();
      for (const reject of started.pending) reject(workerDied(event));
    };
    worker.addEventListener('error', fail);
    worker.addEventListener('messageerror', fail);
    // Before any call: they wait for the stores in the order in which they came.
    const opening = held;
    if (opening !== undefined)
      callWorker(started, (service) => service.useHeld(opening)).catch(() => undefined); // calls meet it
    return started;
  };

  const call = async <Value>(
    send: (service: Remote<FragmentWorkerService>) => Promise<Outcome<Value>>,
  ): Promise<Value> => callWorker((running ??= start()), send);

  const callPlain = <Value>(
    send: (service: Remote<FragmentWorkerService>) => Promise<Value>,
  ): Promise<Value> => call(async (service) => ({ kind: 'done', value: await send(service) }));

  const store: CachingStore = {
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
  return {
    fragments: withRecentFragmentCache(store, (bytes) => memory.give(bytes)),
    journal: {
      load: () => call((service) => service.loadJournal()),
      put: (unfinished) => call((service) => service.putJournal(unfinished)),
      end: (storeId) => call((service) => service.endJournal(storeId)),
      clear: () => call((service) => service.clearJournal()),
    },
    secrets: {
      get: (name) => call((service) => service.getSecret(name)),
      put: (name, secret) => call((service) => service.putSecret(name, secret)),
      clear: () => call((service) => service.clearSecrets()),
    },
    lock: {
      state: () => call((service) => service.lockState()),
      ways: () => call((service) => service.lockWays()),
      async close(change) {
        held = await call((service) => service.closeLock(change));
      },
      async open(opener, remove) {
        held = await call((service) => service.openLock(opener, remove));
      },
      async forget() {
        held = await call((service) => service.forgetLock());
      },
    },
    laneClient: (origin) => ({
      origin,
      async fetchBlocks(token, hashes, arrived) {
        const { port1: port, port2: workerPort } = new MessageChannel();
        const ended = new Promise<boolean>((resolve) => {
          port.addEventListener('message', ({ data }: MessageEvent<FromLane>) => {
            if (data.kind === 'block') return arrived(data.at, data.bytes);
            for (const bytes of data.spent) memory.give(bytes);
            resolve(data.isSound);
          });
          port.start();
        });
        try {
          await callPlain((service) => {
            const into = hashes.map(() => memory.take(BLOCK_BYTES));
            const [memoryOf, portOf] = [transfer(into, buffersOf(into)), transfer(workerPort, [workerPort])];
            return service.fetchRun({ origin, token }, hashes, memoryOf, portOf);
          });
          return await ended;
        } finally {
          port.close();
        }
      },
      bringBlocks: (token, items) =>
        callPlain((service) =>
          service.bringRun(
            { origin, token },
            transfer([...items], buffersOf(items.map(({ bytes }) => bytes))),
          ),
        ),
    }),
    holeBytes: () => call((service) => service.holeBytes()),
    spendReserve: () => call((service) => service.spendReserve()),
    restoreReserve: () => call((service) => service.restoreReserve()),
    opened: () => call((service) => service.opened()),
    check: () => call((service) => service.check()),
  };
}

function workerDied(cause: unknown): PalmError {
  return new PalmError({ code: 'storage-failed', reason: 'fragment-worker' }, { cause });
}
