// Writing downloads to the disk: the worker's service over a folder in memory, the page's side of it over
// real channels, when bytes become durable, and the records in a database.

import { expose } from 'comlink';
import {
  IDBCursor,
  IDBDatabase,
  IDBFactory,
  IDBIndex,
  IDBObjectStore,
  IDBRequest,
  IDBTransaction,
} from 'fake-indexeddb';
import { openDB } from 'idb';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Erasures } from '../../../../../src/adapters/browser/downloads/erasures.ts';
import {
  DownloadRecords,
  type DownloadRecord,
} from '../../../../../src/adapters/browser/downloads/opfs-records.ts';
import { KeptSink, PickedSink } from '../../../../../src/adapters/browser/downloads/opfs-sinks.ts';
import { OpfsWriter } from '../../../../../src/adapters/browser/downloads/opfs-writer.ts';
import { isPalmError, type PalmErrorCode } from '../../../../../src/core/model/errors.ts';
import { fileIdOf } from '../../../../../src/core/model/ids.ts';
import type { OpfsService } from '../../../../../src/adapters/browser/downloads/opfs-contract.ts';
import { createOpfsService } from '../../../../../src/adapters/browser/in-worker/opfs-service.ts';

const MIB = 1024 * 1024;
const FILE_ID = fileIdOf(new Uint8Array([1]));

const started: ChannelWorker[] = [];
beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory());
  const classes = { IDBCursor, IDBDatabase, IDBIndex, IDBObjectStore, IDBRequest, IDBTransaction };
  for (const [name, value] of Object.entries(classes)) vi.stubGlobal(name, value);
});

afterEach(() => {
  vi.unstubAllGlobals();
  for (const worker of started.splice(0)) worker.terminate();
});

describe('the worker’s service', () => {
  test('writes in place, and cuts off bytes that were not durable when it is opened again', async () => {
    const folder = new MemoryFolder();
    const service = serviceOver(folder);
    expect(await service.open('film', 0)).toEqual({ kind: 'done', value: 0 });
    await service.write('film', 0, bytes(1, 2, 3, 4));
    await service.write('film', 4, bytes(5, 6));
    await service.close('film');
    expect(folder.contentOf('film')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await service.open('film', 3)).toEqual({ kind: 'done', value: 3 });
    expect(folder.contentOf('film')).toEqual([1, 2, 3]);
    await service.close('film');
    expect(await service.open('film', 100)).toEqual({ kind: 'done', value: 3 });
  });

  test('erases the part that it cuts off: zeros are on the disk before the file is shortened', async () => {
    const folder = new MemoryFolder();
    const service = serviceOver(folder);
    await service.open('film', 0);
    await service.write('film', 0, bytes(1, 2, 3, 4));
    await service.close('film');
    await service.open('film', 3);
    await service.close('film');
    expect(folder.cuts).toEqual([{ lost: bytes(0), flushed: true }]);
    await service.open('film', 3);
    await service.close('film');
    expect(await service.erase('film')).toEqual({ kind: 'done', value: undefined });
    expect(folder.cuts.slice(1)).toEqual([{ lost: bytes(0, 0, 0), flushed: true }]);
    expect(folder.contentOf('film')).toEqual([]);
    expect(await service.erase('film')).toMatchObject({ kind: 'done' });
  });

  test('erases a file of several portions, but not an open one', async () => {
    const folder = new MemoryFolder();
    const service = serviceOver(folder);
    await service.open('film', 0);
    await service.write('film', 0, new Uint8Array(9 * MIB).fill(7));
    expect(await service.erase('film')).toMatchObject({ kind: 'failed', failure: { code: 'refused' } });
    await service.close('film');
    expect(await service.erase('film')).toMatchObject({ kind: 'done' });
    expect(folder.cuts[0]?.lost).toHaveLength(9 * MIB);
    expect(folder.cuts[0]?.lost.every((byte) => byte === 0)).toBe(true);
  });

  test('an erasing that fails leaves the file to be erased again', async () => {
    const folder = new MemoryFolder();
    const service = serviceOver(folder);
    await service.open('film', 0);
    await service.write('film', 0, bytes(1, 2));
    await service.close('film');
    folder.writeFails = () => new DOMException('No.', 'InvalidStateError');
    expect(await service.erase('film')).toMatchObject({
      kind: 'failed',
      failure: { code: 'storage-failed' },
    });
    expect([folder.contentOf('film'), folder.cuts]).toEqual([[1, 2], []]);
    folder.writeFails = undefined;
    expect(await service.erase('film')).toMatchObject({ kind: 'done' });
  });

  test('reports a full disk, whether the disk says so or writes less', async () => {
    const folder = new MemoryFolder();
    const service = serviceOver(folder);
    await service.open('film', 0);
    folder.writeFails = () => new DOMException('Full.', 'QuotaExceededError');
    expect(await service.write('film', 0, bytes(1))).toMatchObject({
      kind: 'failed',
      failure: { code: 'storage-full' },
    });
    folder.writeFails = undefined;
    folder.capacityBytes = 2;
    expect(await service.write('film', 0, bytes(1, 2, 3))).toMatchObject({
      failure: { code: 'storage-full' },
    });
  });

  test.each([
    ['NoModificationAllowedError', 'refused'],
    ['SecurityError', 'unsupported'],
    ['InvalidStateError', 'storage-failed'],
  ])('reports %s as %s', async (name, code) => {
    const service = createOpfsService(() => Promise.reject(new DOMException('No.', name)));
    expect(await service.open('film', 0)).toMatchObject({ kind: 'failed', failure: { code } });
  });

  test('reports that there are no sync access handles', async () => {
    const folder = new MemoryFolder();
    folder.hasSyncHandles = false;
    expect(await serviceOver(folder).open('film', 0)).toMatchObject({ failure: { code: 'unsupported' } });
  });

  test('closes a file that it could not cut', async () => {
    const folder = new MemoryFolder();
    const service = serviceOver(folder);
    folder.truncateFails = true;
    expect(await service.open('film', 0)).toMatchObject({ kind: 'failed' });
    folder.truncateFails = false;
    expect(await service.open('film', 0)).toEqual({ kind: 'done', value: 0 });
  });
});

describe('the page’s side', () => {
  test('transfers buffers instead of copying them, and receives errors with their code', async () => {
    const folder = new MemoryFolder();
    const writer = writerOver(folder);
    await writer.open('film', 0);
    const piece = bytes(1, 2, 3);
    const writing = writer.write('film', 0, piece);
    expect(piece.length).toBe(0);
    await writing;
    folder.capacityBytes = 3;
    await expectCode(writer.write('film', 3, bytes(4)), 'storage-full');
    expect(folder.contentOf('film')).toEqual([1, 2, 3]);
  });

  test('starts one worker for all files, and ends it with the last', async () => {
    const writer = writerOver(new MemoryFolder());
    await writer.open('a', 0);
    await writer.open('b', 0);
    expect(started).toHaveLength(1);
    await writer.close('a');
    expect(started[0]?.terminated).toBe(false);
    await writer.close('b');
    expect(started[0]?.terminated).toBe(true);
    await writer.open('a', 0);
    expect(started).toHaveLength(2);
  });

  test('fails the calls of a worker that dies, and the next open gets another worker', async () => {
    const folder = new MemoryFolder();
    const writer = writerOver(folder);
    await writer.open('film', 0);
    folder.flushHangs = true;
    const flushing = writer.flush('film');
    started[0]?.dispatchEvent(new Event('error'));
    await expectCode(flushing, 'worker-failed');
    await expectCode(writer.write('film', 0, bytes(1)), 'worker-failed');
    await writer.close('film');
    expect(started[0]?.terminated).toBe(true);
    folder.releaseAll();
    expect(await writer.open('film', 0)).toBe(0);
  });

  test('fails the open when the worker cannot be started', async () => {
    const writer = new OpfsWriter(() => {
      throw new TypeError('refused by the content security policy');
    });
    await expectCode(writer.open('film', 0), 'worker-failed');
  });
});

describe('erasing', () => {
  test('runs while a file is written, one file after another', async () => {
    const folder = new MemoryFolder();
    const writer = writerOver(folder);
    for (const name of ['a', 'b', 'film']) {
      await writer.open(name, 0);
      await writer.write(name, 0, bytes(1, 2, 3));
    }
    for (const name of ['a', 'b']) await writer.close(name);
    const order: string[] = [];
    const erasures = new Erasures(async (name) => {
      order.push(name);
      await writer.erase(name);
      order.push(`${name} is erased`);
    });
    const erasing = Promise.all([erasures.begin('a'), erasures.begin('b'), erasures.begin('a')]);
    await writer.write('film', 3, bytes(4));
    await erasures.settled('b');
    expect(order).toEqual(['a', 'a is erased', 'b', 'b is erased']);
    await erasing;
    expect(['a', 'b', 'film'].map((name) => folder.contentOf(name))).toEqual([[], [], [1, 2, 3, 4]]);
    expect(started).toHaveLength(1);
    await writer.close('film');
    expect(started[0]?.terminated).toBe(true);
  });

  test('continues with the next file when it fails for one', async () => {
    const erasures = new Erasures((name) =>
      name === 'bad' ? Promise.reject(new Error('It cannot be opened.')) : Promise.resolve(),
    );
    const failing = erasures.begin('bad');
    await Promise.all([erasures.begin('good'), erasures.settled('bad')]);
    await expect(failing).rejects.toThrow('It cannot be opened.');
  });
});

describe('a kept file', () => {
  test('is durable every 8 MiB and at the end, never before it is flushed', async () => {
    const folder = new MemoryFolder();
    const writer = writerOver(folder);
    const durable: [number, number][] = [];
    await writer.open('film', 0);
    const sink = new KeptSink(writer, 'film', 0, async (durableBytes) => {
      durable.push([durableBytes, folder.flushedBytesOf('film')]);
    });
    for (let piece = 0; piece < 17; piece++) await sink.write(new Uint8Array(MIB));
    expect(durable).toEqual([
      [8 * MIB, 8 * MIB],
      [16 * MIB, 16 * MIB],
    ]);
    expect([sink.writtenBytes, sink.durableBytes]).toEqual([17 * MIB, 16 * MIB]);
    await sink.finish();
    expect(durable.at(-1)).toEqual([17 * MIB, 17 * MIB]);
    expect(started[0]?.terminated).toBe(true);
  });

  test('keeps what it can when it is released, and claims no more', async () => {
    const folder = new MemoryFolder();
    const writer = writerOver(folder);
    const durable: number[] = [];
    const onDurable = async (durableBytes: number): Promise<void> => void durable.push(durableBytes);
    await writer.open('film', 0);
    const sink = new KeptSink(writer, 'film', 0, onDurable);
    await sink.write(bytes(1, 2, 3));
    await sink.release();
    expect(durable).toEqual([3]);

    const start = await writer.open('film', 3);
    const next = new KeptSink(writer, 'film', start, onDurable);
    await next.write(bytes(4));
    started.at(-1)?.dispatchEvent(new Event('error'));
    await next.release();
    expect([durable, next.durableBytes]).toEqual([[3], 3]);
  });
});

describe('a picked file', () => {
  test('is made durable at 16 MiB and whenever it has doubled, and is copied only to continue', async () => {
    const picked = new MemoryPicked();
    const durable: number[] = [];
    const sink = new PickedSink(picked.handle(), 0, async (durableBytes, modifiedMs) => {
      durable.push(durableBytes);
      expect(modifiedMs).toBe(picked.modifiedMs);
    });
    for (let piece = 0; piece < 40; piece++) await sink.write(new Uint8Array(MIB));
    expect(durable).toEqual([16 * MIB, 32 * MIB]);
    expect(picked.sizeBytes).toBe(32 * MIB);
    await sink.finish();
    expect(picked.sizeBytes).toBe(40 * MIB);
    expect(durable.at(-1)).toBe(40 * MIB);
    expect(picked.copiedBytes).toBeLessThan(40 * MIB + 16 * MIB);
  });

  test('keeps its old content until there is something new', async () => {
    const picked = new MemoryPicked();
    picked.sizeBytes = 7;
    const sink = new PickedSink(picked.handle(), 0, () => Promise.resolve());
    await sink.release();
    expect(picked.sizeBytes).toBe(7);
    const next = new PickedSink(picked.handle(), 0, () => Promise.resolve());
    await next.write(new Uint8Array(3));
    expect(picked.sizeBytes).toBe(7);
    await next.finish();
    expect(picked.sizeBytes).toBe(3);
  });

  test.each([
    ['QuotaExceededError', { code: 'storage-full', reason: 'picked-file' }],
    ['NotFoundError', { code: 'storage-failed', reason: 'picked-file-gone' }],
    ['NotAllowedError', { code: 'storage-failed', reason: 'picked-file-locked' }],
    ['OddError', { code: 'storage-failed', reason: 'picked-file', detail: 'OddError' }],
  ] as const)('reports the meaning of %s, and a release then claims nothing', async (name, failure) => {
    const picked = new MemoryPicked();
    const durable: number[] = [];
    const sink = new PickedSink(picked.handle(), 0, async (durableBytes) => void durable.push(durableBytes));
    picked.fails = new DOMException('No.', name);
    await expect(sink.write(new Uint8Array(1))).rejects.toMatchObject({ failure });
    await sink.release();
    expect([durable, sink.durableBytes]).toEqual([[], 0]);
  });
});

describe('the records', () => {
  const record: DownloadRecord = {
    fileId: FILE_ID,
    size: 100,
    destination: { kind: 'kept' },
    durableBytes: 40,
    startedAtMs: 5,
    handedAtMs: undefined,
  };

  const { destination, ...others } = record;
  /** As it is on the disk. */
  const row = { ...others, place: destination };

  test('come back unchanged, oldest first, one for each file', async () => {
    const records = new DownloadRecords('records');
    const older = { ...record, fileId: fileIdOf(new Uint8Array([2])), startedAtMs: 4 };
    await records.put(record);
    await records.put(older);
    await records.put({ ...record, durableBytes: 60, handedAtMs: 9 });
    const loaded = await new DownloadRecords('records').load();
    expect(loaded).toEqual([older, { ...record, durableBytes: 60, handedAtMs: 9 }]);
    await records.drop(older.fileId);
    expect(await records.load()).toHaveLength(1);
  });

  test.each<[string, object]>([
    ['an invalid file id', { fileId: '../escape' }],
    ['more bytes than the file has', { durableBytes: 101 }],
    ['a negative size', { size: -1 }],
    ['a fraction', { durableBytes: 1.5 }],
    ['an invalid place', { place: { kind: 'elsewhere' } }],
    ['a picked file without its handle', { place: { kind: 'picked', handle: {}, modifiedMs: 0 } }],
    ['an invalid time', { handedAtMs: 'now' }],
  ])('with %s are ignored and removed', async (_what, change) => {
    const records = new DownloadRecords('records');
    await records.put({ ...record, fileId: fileIdOf(new Uint8Array([3])) });
    const database = await openDB('records', 1);
    await database.put('downloads', { ...row, ...change });
    expect(await records.load()).toHaveLength(1);
    expect(await database.count('downloads')).toBe(1);
    database.close();
  });
});

test('a name that an earlier version recorded is not kept', async () => {
  const records = new DownloadRecords('records');
  const record: DownloadRecord = {
    fileId: FILE_ID,
    size: 100,
    destination: { kind: 'kept' },
    durableBytes: 40,
    startedAtMs: 5,
    handedAtMs: undefined,
  };
  await records.put(record);
  const database = await openDB('records', 1);
  const row: unknown = await database.get('downloads', FILE_ID);
  expect(row).toHaveProperty('place', record.destination);
  await database.put('downloads', { ...Object(row), name: 'film.mp4' });
  expect(await records.load()).toEqual([record]);
  expect(await database.getAll('downloads')).toEqual([row]);
  database.close();
});

function serviceOver(folder: MemoryFolder): OpfsService {
  return createOpfsService(() => Promise.resolve(folder.handle()));
}

function writerOver(folder: MemoryFolder): OpfsWriter {
  return new OpfsWriter(() => {
    const worker = new ChannelWorker(serviceOver(folder));
    started.push(worker);
    return worker;
  });
}

function bytes(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values);
}

async function expectCode(promise: Promise<unknown>, code: PalmErrorCode): Promise<Error> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!isPalmError(error, code)) throw new Error(`Not ${code}: ${String(error)}`);
  return error;
}

function emptyFile() {
  return { content: new Uint8Array(0), flushedBytes: 0, isFlushed: true };
}

/** A folder of OPFS, as far as the service uses it. */
class MemoryFolder {
  readonly #files = new Map<string, { content: Uint8Array; flushedBytes: number; isFlushed: boolean }>();
  readonly #open = new Set<string>();
  hasSyncHandles = true;
  capacityBytes = Infinity;
  writeFails: (() => Error) | undefined;
  truncateFails = false;
  flushHangs = false;
  /** The parts that were cut off of files, as they were at that moment. */
  readonly cuts: { readonly lost: Uint8Array; readonly flushed: boolean }[] = [];

  contentOf(name: string): number[] {
    return [...(this.#files.get(name)?.content ?? [])];
  }

  flushedBytesOf(name: string): number {
    return this.#files.get(name)?.flushedBytes ?? 0;
  }

  /** Called when a worker ends. */
  releaseAll(): void {
    this.#open.clear();
  }

  handle(): FileSystemDirectoryHandle {
    const getFileHandle = async (name: string): Promise<object> => {
      if (!this.#files.has(name)) this.#files.set(name, emptyFile());
      return this.hasSyncHandles ? { createSyncAccessHandle: async () => this.#sync(name) } : {};
    };
    return { getFileHandle } as unknown as FileSystemDirectoryHandle; // all that the service uses
  }

  #sync(name: string) {
    if (this.#open.has(name)) throw new DOMException('Open.', 'NoModificationAllowedError');
    this.#open.add(name);
    const file = this.#files.get(name) ?? emptyFile();
    return {
      getSize: () => file.content.length,
      truncate: (sizeBytes: number) => {
        if (this.truncateFails) throw new DOMException('No.', 'InvalidStateError');
        const lost = file.content.slice(sizeBytes);
        if (lost.length > 0) this.cuts.push({ lost, flushed: file.isFlushed });
        file.content = file.content.slice(0, sizeBytes);
      },
      write: (piece: Uint8Array, { at }: { at: number }) => {
        if (this.writeFails !== undefined) throw this.writeFails();
        const fitting = piece.subarray(0, Math.max(0, this.capacityBytes - at));
        const grown = new Uint8Array(Math.max(file.content.length, at + fitting.length));
        grown.set(file.content);
        grown.set(fitting, at);
        file.content = grown;
        file.isFlushed = false;
        return fitting.length;
      },
      flush: () => {
        if (this.flushHangs) return new Promise(() => undefined);
        file.flushedBytes = file.content.length;
        file.isFlushed = true;
        return undefined;
      },
      close: () => void this.#open.delete(name),
    };
  }
}

/** A file outside OPFS: its content changes only when a stream to it closes. */
class MemoryPicked {
  sizeBytes = 0;
  modifiedMs = 0;
  copiedBytes = 0;
  fails: Error | undefined;

  handle(): FileSystemFileHandle {
    const createWritable = async ({ keepExistingData }: { keepExistingData: boolean }): Promise<object> => {
      if (this.fails !== undefined) throw this.fails;
      let sizeBytes = keepExistingData ? this.sizeBytes : 0;
      let atByte = 0;
      this.copiedBytes += sizeBytes;
      return {
        seek: async (position: number) => void (atByte = position),
        write: async (piece: Uint8Array) => {
          atByte += piece.length;
          sizeBytes = Math.max(sizeBytes, atByte);
        },
        close: async () => {
          this.sizeBytes = sizeBytes;
          this.modifiedMs++;
        },
      };
    };
    const getFile = async () => ({ size: this.sizeBytes, lastModified: this.modifiedMs });
    return { createWritable, getFile } as unknown as FileSystemFileHandle; // all that a sink uses
  }
}

/** What the writer uses of a Worker, with the service on the other end of a real channel. */
class ChannelWorker extends EventTarget implements Worker {
  readonly #near: MessagePort;
  readonly #far: MessagePort;
  terminated = false;
  onmessage = null;
  onmessageerror = null;
  onerror = null;

  constructor(service: OpfsService) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.#near = port1;
    this.#far = port2;
    expose(service, port2);
    port1.addEventListener('message', (event: MessageEvent<unknown>) => {
      this.dispatchEvent(new MessageEvent('message', { data: event.data }));
    });
    port1.start();
  }

  postMessage(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void {
    this.#near.postMessage(message, Array.isArray(transfer) ? transfer : []);
  }

  terminate(): void {
    this.terminated = true;
    this.#near.close();
    this.#far.close();
  }
}
