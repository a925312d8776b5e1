// Tabs that come back after a freeze, and readers that went meanwhile: nothing of before is left where the
// device is, and nothing of it is taken for something new.

import { beforeEach, describe, expect, it } from 'vitest';
import { PalmError } from '../../../../src/core/model/errors.ts';
import { pieceStream } from '../../../../src/runtime/read/piece-stream.ts';
import { DONE, fileOf, TabWorld, TEN, type TestTab } from '../../../fixtures/tab-world.ts';

let world: TabWorld;
let first: TestTab;
let second: TestTab;

beforeEach(async () => {
  world = new TabWorld();
  first = world.open();
  await first.palm.ready;
  second = world.open();
  await second.palm.ready;
});

describe('a tab that was frozen while it waited in line', () => {
  it('is shown everything again, and hears no answer to what it asked for before', async () => {
    world.files.set('a', fileOf('a'));
    first.device.changed();
    await world.settle();
    const storing = second.palm.store(new Blob(['x']), TEN);
    await world.settle();
    second.freeze();
    world.files.set('b', fileOf('b'));
    first.device.changed();
    await world.settle();
    second.resume();
    await world.settle();
    expect(second.palm.status().files).toEqual([fileOf('a'), fileOf('b')]);
    await expect(second.palm.openLink('x')).resolves.toEqual({ fileId: 'private' });
    expect(first.device.stores).toHaveLength(2);
    let isStored = false;
    void storing.then(() => (isStored = true));
    first.device.stores[0]?.end({ ...DONE, fileId: 'of before' });
    await world.settle();
    expect(isStored).toBe(false);
    first.device.stores[1]?.end(DONE);
    await expect(storing).resolves.toEqual(DONE);
  });

  it('leaves no read behind', async () => {
    world.bytes = new Uint8Array(30);
    first.device.readableBytes = 10;
    const reading = readAll(pieceStream(second.palm.pieces('file', {})));
    await world.settle();
    second.freeze();
    await world.settle();
    expect(first.device.reads).toMatchObject([{ isCancelled: true }]);
    first.device.readableBytes = Infinity;
    second.resume();
    await expect(reading).resolves.toHaveLength(30);
    expect(first.device.reads.map(({ start }) => start)).toEqual([0, 10]);
  });
});

describe('a reader that loses interest', () => {
  it('while its read begins: it is cancelled where it goes on', async () => {
    first.device.holdReads();
    const stream = pieceStream(second.palm.pieces('file', {}));
    await world.settle();
    expect(first.device.reads).toHaveLength(1);
    await stream.cancel();
    await world.settle();
    expect(first.device.reads).toMatchObject([{ isCancelled: true }]);
  });

  it('while the device moves: nothing is read where it moved to', async () => {
    first.device.readableBytes = 10;
    world.bytes = new Uint8Array(30);
    const stream = pieceStream(second.palm.pieces('file', {}));
    const reader = stream.getReader();
    await reader.read();
    const reading = reader.read();
    await world.settle();
    const third = world.open('v2');
    await world.settle();
    second.freeze();
    first.end();
    await world.settle();
    await reader.cancel();
    third.end();
    second.resume();
    await world.settle();
    await expect(reading).resolves.toMatchObject({ done: true });
    expect(second.device.reads.filter(({ isCancelled }) => !isCancelled)).toEqual([]);
  });

  it('after the device moved: the tab of before is asked for nothing', async () => {
    const bugs: unknown[] = [];
    const note = (error: unknown): void => void bugs.push(error);
    process.on('uncaughtException', note);
    const aborting = new AbortController();
    const { signal } = aborting;
    const reading = readAll(pieceStream(second.palm.pieces('file', { signal })));
    const storing = second.palm.store(new Blob(['x']), { ...TEN, signal });
    first.device.readableBytes = 0;
    await world.settle();
    second.freeze();
    second.resume();
    await world.settle();
    aborting.abort(new PalmError({ code: 'cancelled', reason: 'transfer' }));
    await expect(reading).rejects.toMatchObject({ code: 'cancelled' });
    await world.settle();
    expect(first.device.stores.map((store) => store.signal?.aborted)).toEqual([false, true]);
    first.device.stores[1]?.fail(new PalmError({ code: 'cancelled', reason: 'transfer' }));
    await expect(storing).rejects.toMatchObject({ code: 'cancelled' });
    process.off('uncaughtException', note);
    expect(bugs).toEqual([]);
  });
});

async function readAll(stream: ReadableStream<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of stream) bytes.push(...piece);
  return bytes;
}

// As a program without types may ask.
it.each([null, Number.NaN, -1, '5'])('a range from %s is judged by the device, unchanged', async (given) => {
  const asked = { start: given as number };
  for (const { palm } of [first, second]) {
    void readAll(pieceStream(palm.pieces('file', asked))).catch(() => undefined); // not looked at here
    await world.settle();
  }
  expect(first.device.reads.map(({ start }) => start)).toEqual([given, given]);
});
