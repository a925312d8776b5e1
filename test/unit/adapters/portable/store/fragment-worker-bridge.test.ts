// The page's FragmentStore keeps the port's contract across the boundary to its worker, and survives the
// worker.

import { expose } from 'comlink';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDeviceStore } from '../../../../../src/adapters/browser/store/idb-device-store.ts';
import type { OpenDeviceStore } from '../../../../../src/adapters/portable/store/device-store.ts';
import { BufferPool } from '../../../../../src/adapters/portable/buffer-pool.ts';
import { bridgeToFragmentWorker } from '../../../../../src/adapters/portable/store/fragment-worker-bridge.ts';
import { isPalmError } from '../../../../../src/core/model/errors.ts';
import { ownerOfTaking } from '../../../../../src/core/model/ids.ts';
import { BLOCK_BYTES } from '../../../../../src/core/model/limits.ts';
import type { FragmentStore } from '../../../../../src/core/ports.ts';
import { createFragmentWorkerService } from '../../../../../src/adapters/portable/store/fragment-worker-service.ts';
import { fragmentStoreCases, keepAs } from '../../../../contract/fragment-store.ts';
import { ChannelWorker } from '../../../../fixtures/channel-worker.ts';
import { emptyIndexedDb } from '../../../../fixtures/fake-indexeddb.ts';
import { TestPackFolder } from '../../../../fixtures/pack-folder.ts';
import { blockOf, hashOf } from '../../../../fixtures/test-blocks.ts';

/** They change data on the disk, which idb-store.test.ts does. */
const NEEDS_THE_DISK = /corrupt block|corrupt fragment index|vanished|full disk/u;

const started: ChannelWorker[] = [];

beforeEach(emptyIndexedDb);

afterEach(() => {
  for (const worker of started.splice(0)) worker.terminate();
});

describe('the fragment store behind its worker', () => {
  for (const { name, run } of fragmentStoreCases) {
    if (NEEDS_THE_DISK.test(name)) continue;
    it(name, async () => {
      const unused = (): Promise<void> => Promise.reject(new Error('This case needs the disk.'));
      await run({
        store: keepingBlocks(openStore()),
        reopen: () => Promise.resolve(keepingBlocks(openStore())),
        corruptBlock: unused,
        deleteBlock: unused,
        corruptIndex: unused,
        fillDisk: unused,
        freeDisk: unused,
      });
    });
  }

  it('takes the buffers of blocks', async () => {
    const { hash, bytes } = blockOf(1, 200_000);
    await openStore().putBlocks(ownerOfTaking(1), [{ hash, bytes }], 'claimed');
    expect(bytes).toHaveLength(0);
  });
});

it('the buffer of a block from elsewhere comes back once it is written', async () => {
  const buffers = new BufferPool();
  const store = openStore(buffers);
  const bytes = buffers.take(BLOCK_BYTES);
  bytes.fill(7);
  const hash = hashOf(bytes);
  await store.putBlocks(ownerOfTaking(1), [{ hash, bytes }], 'claimed');
  expect(bytes).toHaveLength(0);
  // The bytes just written are still in it: it is the same memory.
  expect(buffers.take(BLOCK_BYTES)[0]).toBe(7);
  expect(buffers.take(BLOCK_BYTES)[0]).toBe(0);
});

it('a block from the files is returned in reused memory, and unused memory is given back', async () => {
  const memory = new BufferPool();
  const folder = new TestPackFolder();
  const store = openStore(memory, folder);
  const bytes = new Uint8Array(200_000).fill(7);
  const hash = hashOf(bytes);
  await store.putBlocks(ownerOfTaking(1), [{ hash, bytes }], 'claimed');
  memory.give(memory.take(BLOCK_BYTES).fill(9));
  expect(await store.getBlock(hashOf(new Uint8Array(1)))).toBeUndefined();
  const answer = await store.getBlock(hash);
  expect(answer).toEqual(new Uint8Array(200_000).fill(7));
  // After the block there are the old bytes.
  expect(new Uint8Array(answer?.buffer ?? new ArrayBuffer(0))[200_001]).toBe(9);
  folder.delete();
});

describe('a worker that dies', () => {
  it('fails its calls, reports that kept data is safe, and is replaced for the next call', async () => {
    const store = openStore();
    const { hash, bytes } = blockOf(1, 200_000);
    await store.putBlocks(ownerOfTaking(1), [{ hash, bytes: bytes.slice() }], 'claimed', keepAs(0));
    const reading = store.getBlock(hash);
    started[0]?.dispatchEvent(new Event('error'));
    const failure: unknown = await reading.catch((error: unknown) => error);
    expect(failure).toMatchObject({ failure: { code: 'storage-failed', reason: 'fragment-worker' } });
    expect(started[0]?.terminated).toBe(true);
    expect(await store.getBlock(hash)).toEqual(bytes);
    expect(started).toHaveLength(2);
  });

  it('fails every call with the reason if the store cannot be opened', async () => {
    const opening = Promise.reject<OpenDeviceStore>(new Error('no storage'));
    opening.catch(() => undefined);
    const refused = bridgeToFragmentWorker(new BufferPool(), () => {
      const worker = new ChannelWorker((port) => expose(createFragmentWorkerService(opening), port));
      started.push(worker);
      return worker;
    });
    await expect(refused.fragments.list()).rejects.toSatisfy((error) => isPalmError(error, 'worker-failed'));
  });
});

function openStore(memory = new BufferPool(), folder?: TestPackFolder): FragmentStore {
  return bridgeToFragmentWorker(memory, () => {
    const opening = openDeviceStore(folder?.folders);
    const worker = new ChannelWorker((port) => expose(createFragmentWorkerService(opening), port));
    started.push(worker);
    return worker;
  }).fragments;
}

/** The cases look at their blocks again after they gave them away. */
function keepingBlocks(store: FragmentStore): FragmentStore {
  return {
    ...store,
    putBlocks: (owner, blocks, ...given) =>
      store.putBlocks(
        owner,
        blocks.map(({ hash, bytes }) => ({ hash, bytes: bytes.slice() })),
        ...given,
      ),
  };
}
