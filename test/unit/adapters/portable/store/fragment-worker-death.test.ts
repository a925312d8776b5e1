// A fragment worker that dies at work, or never starts: its call fails in words for people, kept data is
// still there, and the next call gets a new worker.

import { expose } from 'comlink';
import { afterEach, expect, it } from 'vitest';
import { BufferPool } from '../../../../../src/adapters/portable/buffer-pool.ts';
import { bridgeToFragmentWorker } from '../../../../../src/adapters/portable/store/fragment-worker-bridge.ts';
import { ownerOfTaking } from '../../../../../src/core/model/ids.ts';
import type { FragmentStore } from '../../../../../src/core/ports.ts';
import { createFragmentWorkerService } from '../../../../../src/adapters/portable/store/fragment-worker-service.ts';
import { createMemoryStore } from '../../../../sim/memory-store.ts';
import { ChannelWorker } from '../../../../fixtures/channel-worker.ts';
import { blockOf } from '../../../../fixtures/test-blocks.ts';

const BLOCK_BYTES = 1_000;
const started: ChannelWorker[] = [];

afterEach(() => {
  for (const worker of started.splice(0)) worker.terminate();
});

it('a worker that dies while it writes fails only that write', async () => {
  const store = openStore();
  const [kept, lost] = [copyable(1), copyable(2)];
  await store.putBlocks(ownerOfTaking(1), [kept.copy()], 'computed');
  const writing = store.putBlocks(ownerOfTaking(1), [lost.copy()], 'computed');
  started[0]?.dispatchEvent(new Event('error'));
  await expectToldSafe(writing);
  await store.putBlocks(ownerOfTaking(1), [lost.copy()], 'computed');
  expect(started).toHaveLength(2);
  expect(await store.getBlock(kept.hash)).toEqual(kept.bytes);
  expect(await store.getBlock(lost.hash)).toEqual(lost.bytes);
});

it('a worker that dies while it reads fails those reads, and each block can be read again', async () => {
  const store = openStore();
  const blocks = [1, 2, 3].map(copyable);
  await store.putBlocks(
    ownerOfTaking(1),
    blocks.map((block) => block.copy()),
    'claimed',
  );
  const reads = blocks.map(({ hash }) => store.getBlock(hash));
  started[0]?.dispatchEvent(new MessageEvent('messageerror'));
  for (const read of reads) await expectToldSafe(read);
  for (const { hash, bytes } of blocks) expect(await store.getBlock(hash)).toEqual(bytes);
});

it('a worker that cannot be started fails the call with the cause, and the next call tries again', async () => {
  const cause = new TypeError('refused by the content security policy');
  let isRefused = true;
  const store = openStore(() => {
    if (isRefused) throw cause;
  });
  for (let call = 0; call < 2; call++)
    expect(await expectToldSafe(store.list())).toHaveProperty('cause', cause);
  isRefused = false;
  expect(await store.list()).toEqual([]);
});

/** All its workers have the same disk. */
function openStore(beforeStart: () => void = () => undefined): FragmentStore {
  const space = {
    holeBytes: () => 0,
    spendReserve: async () => false,
    restoreReserve: async () => undefined,
  };
  const held = { heldLock: () => undefined, useHeld: async () => undefined };
  const stores = { ...createMemoryStore(), space, ...held };
  return bridgeToFragmentWorker(new BufferPool(), () => {
    beforeStart();
    const service = createFragmentWorkerService(Promise.resolve({ ...stores, check: async () => undefined }));
    const worker = new ChannelWorker((port) => expose(service, port));
    started.push(worker);
    return worker;
  }).fragments;
}

async function expectToldSafe(call: Promise<unknown>): Promise<unknown> {
  const failure: unknown = await call.then(
    () => 'it did not fail',
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ failure: { code: 'storage-failed', reason: 'fragment-worker' } });
  return failure;
}

function copyable(seed: number) {
  const { hash, bytes } = blockOf(seed, BLOCK_BYTES);
  return { hash, bytes, copy: () => ({ hash, bytes: bytes.slice() }) };
}
