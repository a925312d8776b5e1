// The page's own work: the queue of files to store, and the rows of the transfers list.

import { effect, signal } from '@preact/signals';
import { describe, expect, test } from 'vitest';
import { PalmError } from '../../../src/core/model/errors.ts';
import { MAX_SMALL_STORES } from '../../../src/core/model/limits.ts';
import type {
  StoreOptions,
  StoreResult,
  TransferStatus,
  UnfinishedStatus,
} from '../../../src/runtime/api.ts';
import { Alerts } from '../../../src/ui/alerts.ts';
import {
  MAX_QUEUED_FILES,
  type Added,
  type AddedFile,
  type UnreadEntry,
} from '../../../src/ui/state/added.ts';
import { folderOf } from '../../../src/ui/state/dropped-files.ts';
import { paced } from '../../../src/ui/state/paced.ts';
import { Resumptions } from '../../../src/ui/state/resumptions.ts';
import { MAX_STORING, StoreQueue, type Stored } from '../../../src/ui/state/store-queue.ts';
import { explain } from '../../../src/ui/text/explain.ts';
import { transferRows, unfinishedRows } from '../../../src/ui/state/transfer-rows.ts';

const UNREADABLE = new PalmError({ code: 'source-changed', reason: 'unreadable', of: 'file' });
const DEVICE_FULL = new PalmError({ code: 'storage-full', reason: 'device' });

/** A pool whose stores are ended by the test. */
class ManualPool {
  readonly calls: {
    readonly options: StoreOptions;
    readonly done: (result: StoreResult) => void;
    readonly failed: (error: unknown) => void;
  }[] = [];

  readonly blobs: Blob[] = [];

  store(blob: Blob, options: StoreOptions): Promise<StoreResult> {
    this.blobs.push(blob);
    return new Promise((done, failed) => {
      this.calls.push({ options, done, failed });
      options.signal?.addEventListener('abort', () =>
        failed(new PalmError({ code: 'cancelled', reason: 'transfer' })),
      );
    });
  }

  call(index: number): (typeof this.calls)[number] {
    const call = this.calls[index];
    if (call === undefined) throw new Error(`There was no store number ${index}.`);
    return call;
  }
}

const STORED: StoreResult = { fileId: 'f', deduplicated: false, placed: 8 };

function queueOf(...names: readonly string[]) {
  const pool = new ManualPool();
  const stored: Stored[] = [];
  const leftOut: number[] = [];
  const queue = new StoreQueue({
    palm: pool,
    onStored: (one) => stored.push(one),
    onLeftOut: (count) => leftOut.push(count),
  });
  queue.add(allOf(names.map((name) => added(name))), false);
  return { pool, queue, stored, leftOut };
}

function allOf(files: readonly AddedFile[], notRead: readonly UnreadEntry[] = []): Added {
  return { files, unread: notRead, beyondCount: 0 };
}

/** Large enough that no two count as small. */
const LARGE = new Uint8Array(2 ** 21);

function added(name: string, bytes: string | Uint8Array<ArrayBuffer> = LARGE) {
  return { file: new File([bytes], name, { type: 'text/plain' }), path: 'a/b' };
}

function unread(name: string): UnreadEntry {
  return { name, path: 'a/b', isFolder: false, failure: UNREADABLE };
}

/** Lets settled promises run their reactions. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

test('fast changes are drawn immediately, then at a readable pace, and in the end as they are', () => {
  const source = signal(0);
  const delays: (() => void)[] = [];
  const { shown, stop } = paced(source, 100, (_, callback) => {
    delays.push(callback);
    return () => delays.splice(delays.indexOf(callback), 1);
  });
  const pass = (): void => delays.shift()?.();
  const drawn: number[] = [];
  const stopDrawing = effect(() => void drawn.push(shown.value));
  for (source.value = 1; source.value < 10; source.value += 1);
  expect(drawn).toEqual([0, 1]);
  pass();
  expect(drawn).toEqual([0, 1, 10]);
  // Nothing came in the meantime: the next change is shown immediately again.
  pass();
  expect(delays).toEqual([]);
  source.value = 11;
  expect(drawn).toEqual([0, 1, 10, 11]);
  source.value = 12;
  stop();
  expect(delays).toEqual([]);
  source.value = 13;
  expect(drawn).toEqual([0, 1, 10, 11]);
  stopDrawing();
});

describe('the store queue', () => {
  test('stores two at a time, in order, with name, folder and type', async () => {
    const { pool, queue, stored } = queueOf('1', '2', '3', '4');
    expect(pool.calls).toHaveLength(MAX_STORING);
    expect(pool.call(0).options).toMatchObject({
      name: '1',
      path: 'a/b',
      mime: 'text/plain',
      private: false,
    });
    expect(queue.items.value.map((item) => item.state.kind)).toEqual([
      'storing',
      'storing',
      'waiting',
      'waiting',
    ]);
    pool.call(1).done(STORED);
    await settle();
    expect(pool.calls.map((call) => call.options.name)).toEqual(['1', '2', '3']);
    expect(stored.map((one) => one.name)).toEqual(['2']);
    expect(queue.items.value.map((item) => item.name)).toEqual(['1', '3', '4']);
  });

  test('stores small files by the dozen, but not together with a large one', () => {
    const { pool, queue } = queueOf();
    const small = Array.from({ length: MAX_SMALL_STORES - 1 }, (_, at) => added(`${at}`, 'x'));
    queue.add(allOf([...small, added('large'), added('after', 'x')]), false);
    expect(pool.calls).toHaveLength(MAX_SMALL_STORES - 1);
    const many = queueOf();
    many.queue.add(allOf([...small, ...small]), false);
    expect(many.pool.calls).toHaveLength(MAX_SMALL_STORES);
  });

  test('keeps a failed file with its reason, lets the next one start, and tries again when asked', async () => {
    const { pool, queue } = queueOf('1', '2', '3');
    pool.call(0).failed(DEVICE_FULL);
    await settle();
    const [failed] = queue.items.value;
    expect(failed?.state).toEqual({ kind: 'failed', reason: explain(DEVICE_FULL) });
    expect(pool.calls).toHaveLength(3);
    pool.call(1).done(STORED);
    queue.retry(failed?.id ?? -1);
    // Pressed again before the row was redrawn.
    queue.retry(failed?.id ?? -1);
    await settle();
    expect(pool.call(3).options.name).toBe('1');
    expect(pool.calls).toHaveLength(4);
  });

  test('names a bug as a bug', async () => {
    const { pool, queue } = queueOf('1');
    pool.call(0).failed(new TypeError('x is not a function'));
    await settle();
    expect(queue.items.value[0]?.state).toMatchObject({ kind: 'failed' });
    expect(JSON.stringify(queue.items.value[0]?.state)).toContain('x is not a function');
  });

  test('cancelling takes a file out, running or waiting', async () => {
    const { pool, queue, stored } = queueOf('1', '2', '3');
    const [running, , waiting] = queue.items.value;
    queue.cancel(waiting?.id ?? -1);
    queue.cancel(running?.id ?? -1);
    await settle();
    expect(pool.call(0).options.signal?.aborted).toBe(true);
    expect(queue.items.value.map((item) => item.name)).toEqual(['2']);
    expect(stored).toEqual([]);
    queue.cancelAll();
    await settle();
    expect(queue.items.value).toEqual([]);
  });

  test('a transfer cancelled elsewhere leaves without complaint', async () => {
    const { pool, queue } = queueOf('1');
    pool.call(0).failed(new PalmError({ code: 'cancelled', reason: 'transfer' }));
    await settle();
    expect(queue.items.value).toEqual([]);
  });

  test('passes on a private file’s link', async () => {
    const { pool, queue, stored } = queueOf();
    queue.add(allOf([added('diary')]), true);
    expect(pool.call(0).options.private).toBe(true);
    pool.call(0).done({ ...STORED, link: 'https://palm/#/file/x' });
    await settle();
    expect(stored).toEqual([{ name: 'diary', deduplicated: false, link: 'https://palm/#/file/x' }]);
  });

  test('says how many did not fit, those that were only counted included', () => {
    const { queue, leftOut } = queueOf('first');
    const many = Array.from({ length: MAX_QUEUED_FILES }, () => added('x', 'x'));
    queue.add({ files: many, unread: [unread('y')], beyondCount: 5_000 }, false);
    expect(leftOut).toEqual([5_002]);
    expect(queue.items.value).toHaveLength(MAX_QUEUED_FILES);
  });

  test('stores what can be read, and lists the rest by name and reason', async () => {
    const { pool, queue, stored } = queueOf();
    queue.add(allOf([added('1'), added('2')], [unread('locked')]), false);
    pool.call(0).done(STORED);
    pool.call(1).done(STORED);
    await settle();
    expect(stored.map(({ name }) => name)).toEqual(['1', '2']);
    expect(queue.items.value.map(({ name, state }) => [name, state])).toEqual([
      ['locked', { kind: 'failed', reason: explain(UNREADABLE) }],
    ]);
  });

  test('reads an entry again before it is stored again', async () => {
    const { pool, queue } = queueOf();
    const mended = added('mended', 'as it is now');
    let readable = false;
    const again: UnreadEntry = {
      ...unread('mended'),
      reread: async () => (readable ? allOf([mended]) : allOf([], [again])),
    };
    queue.add(allOf([], [again]), true);
    queue.retryFailed();
    await settle();
    expect(pool.calls).toHaveLength(0);
    expect(queue.items.value.map(({ state }) => state.kind)).toEqual(['failed']);
    readable = true;
    queue.retryFailed();
    await settle();
    expect(pool.call(0).options).toMatchObject({ name: 'mended', private: true });
    expect(queue.items.value.map(({ file }) => file)).toEqual([mended.file]);
  });

  test('reads an entry that was empty when it was dropped again when its turn comes', async () => {
    const { pool, queue } = queueOf('1', '2');
    const filled = added('later', 'filled');
    queue.add(allOf([{ ...added('later', ''), reread: async () => allOf([filled]) }]), false);
    pool.call(0).done(STORED);
    await settle();
    expect(pool.blobs.at(-1)).toBe(filled.file);
  });

  test('tries all failed ones again together, or clears them together, and leaves the others', async () => {
    const { pool, queue } = queueOf('1', '2', '3');
    queue.add(allOf([], [unread('no second try')]), false);
    pool.call(0).failed(DEVICE_FULL);
    pool.call(1).failed(DEVICE_FULL);
    await settle();
    queue.retryFailed();
    await settle();
    expect(pool.calls.map(({ options }) => options.name)).toEqual(['1', '2', '3', '1']);
    const states = () => queue.items.value.map(({ name, state }) => [name, state.kind]);
    expect(states()).toEqual([
      ['1', 'storing'],
      ['2', 'waiting'],
      ['3', 'storing'],
      ['no second try', 'failed'],
    ]);
    queue.clearFailed();
    expect(states().map(([name]) => name)).toEqual(['1', '2', '3']);
  });
});

test('rows join the page’s work with the pool’s transfers, each once', () => {
  const { queue } = queueOf('same', 'same');
  const transfers: TransferStatus[] = [
    transfer('t1', 'same', LARGE.length),
    { ...transfer('t2', 'film', 9), kind: 'read', fileId: 'other', phase: 'reading' },
  ];
  const rows = transferRows(queue.items.value, [], transfers);
  expect(rows.map(({ owner, phase }) => [owner.kind, phase])).toEqual([
    ['queue', 'placing'],
    ['queue', 'starting'],
    ['pool', 'reading'],
  ]);
});

test('an interrupted store is not shown next to the file that the queue tries to store', () => {
  const { queue } = queueOf('same');
  const rows = [unfinishedAt('a', 'same'), unfinishedAt('b', 'other')];
  expect(unfinishedRows(rows, queue.items.value).map(({ id }) => id)).toEqual(['b']);
  expect(unfinishedRows(rows, []).map(({ id }) => id)).toEqual(['a', 'b']);
});

describe('resumptions', () => {
  function resumptionsOf(unfinished: UnfinishedStatus[]) {
    const calls: {
      id: string;
      file: Blob | undefined;
      done: (result: StoreResult) => void;
      failed: (error: unknown) => void;
    }[] = [];
    const discarded: string[] = [];
    const alerts = new Alerts();
    const stored: Stored[] = [];
    const pool = {
      resumeStore: (id: string, file?: Blob) =>
        new Promise<StoreResult>((done, failed) => calls.push({ id, file, done, failed })),
      discardStore: async (id: string) => void discarded.push(id),
      status: () => ({
        device: { id: '', name: '' },
        devices: [],
        files: [],
        transfers: [],
        notices: [],
        repairs: [],
        activity: [],
        lock: 'none' as const,
        unfinished,
      }),
    };
    const resumptions = new Resumptions({ palm: pool, alerts, onStored: (one) => stored.push(one) });
    return { resumptions, calls, discarded, alerts, stored, unfinished };
  }

  test('continue stores that need nothing, and pass on a private file’s link', async () => {
    const { resumptions, calls, stored } = resumptionsOf([
      unfinishedAt('a', 'one', 'nothing'),
      unfinishedAt('b', 'two', 'permission'),
      unfinishedAt('c', 'three', 'file'),
    ]);
    resumptions.continueAll();
    expect(calls.map(({ id }) => id)).toEqual(['a']);
    expect(resumptions.runningCount.value).toBe(1);
    calls[0]?.done({ ...STORED, link: 'https://palm/#/file/x' });
    await settle();
    expect(stored).toEqual([{ name: 'one', deduplicated: false, link: 'https://palm/#/file/x' }]);
    expect(resumptions.runningCount.value).toBe(0);
  });

  test('say why one could not continue, until it is tried again', async () => {
    const one = unfinishedAt('a', 'one', 'file');
    const { resumptions, calls, alerts } = resumptionsOf([one]);
    const file = new File(['x'], 'one');
    void resumptions.continue(one, file);
    expect(calls[0]?.file).toBe(file);
    calls[0]?.failed(DEVICE_FULL);
    await settle();
    expect(resumptions.reasons.value.get('a')).toBe(explain(DEVICE_FULL));
    expect(alerts.list.value).toEqual([]);
    void resumptions.continue(one);
    expect(resumptions.reasons.value.size).toBe(0);
    calls[1]?.failed(new PalmError({ code: 'cancelled', reason: 'transfer' }));
    await settle();
    expect(resumptions.reasons.value.size).toBe(0);
  });

  test('raise an alert for one that is gone for good', async () => {
    const one = unfinishedAt('a', 'one', 'file');
    const { resumptions, calls, alerts, unfinished } = resumptionsOf([one]);
    void resumptions.continue(one);
    unfinished.splice(0);
    const error = new PalmError({ code: 'source-changed', reason: 'while-read' });
    calls[0]?.failed(error);
    await settle();
    expect(alerts.list.value).toMatchObject([{ text: `“one” was not stored. ${explain(error)}` }]);
  });

  test('discard', async () => {
    const one = unfinishedAt('a', 'one', 'file');
    const { resumptions, discarded } = resumptionsOf([one]);
    await resumptions.discard(one);
    expect(discarded).toEqual(['a']);
  });
});

test('folders are taken from any form of path', () => {
  expect(folderOf('/a/b/c.txt')).toBe('a/b');
  expect(folderOf('a/c.txt')).toBe('a');
  expect(folderOf('c.txt')).toBe('');
  expect(folderOf('')).toBe('');
});

function transfer(id: string, name: string, totalBytes: number): TransferStatus {
  return {
    id,
    kind: 'store',
    name,
    fileId: '',
    phase: 'placing',
    doneBytes: 0,
    totalBytes,
    bytesPerSecond: 0,
  };
}

function unfinishedAt(id: string, name: string, needs: UnfinishedStatus['needs'] = 'file'): UnfinishedStatus {
  return { id, name, path: '', size: LARGE.length, private: false, sealedBytes: 0, needs };
}
