// A page's surroundings for tests of its downloads: a pool whose reads the test scripts, a disk in memory that forgets what
// was not made durable, a browser that notes what it is handed, and time that passes when the test says so.

import { signal } from '@preact/signals';
import { PalmError, type PalmErrorCode } from '../../src/core/model/errors.ts';
import type { FileStatus, PoolStatus, ReadOptions } from '../../src/runtime/api.ts';
import type { DownloadSink, DownloadStore, SavedDownload } from '../../src/ui/download/download-store.ts';
import { Downloads } from '../../src/ui/download/downloads.ts';
import { Alerts } from '../../src/ui/alerts.ts';

export const MIB = 1024 * 1024;

/** A read that ends at `endByte`: well, or with `error`. */
export interface ReadScript {
  readonly endByte?: number;
  readonly error?: unknown;
  /** It gives nothing and stays open. */
  readonly stuck?: boolean;
}

export class TestPool {
  readonly reads: { readonly fileId: string; readonly start: number }[] = [];
  /** For the next reads, in order; then reads bring the whole file. */
  readonly scripts: ReadScript[] = [];
  readonly #sizeOf: (fileId: string) => number;

  constructor(sizeOf: (fileId: string) => number) {
    this.#sizeOf = sizeOf;
  }

  read(fileId: string, options: ReadOptions = {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { start = 0, signal: aborting } = options;
    this.reads.push({ fileId, start });
    const { endByte = this.#sizeOf(fileId), error, stuck = false } = this.scripts.shift() ?? {};
    let atByte = start;
    return new ReadableStream({
      start(controller) {
        aborting?.addEventListener('abort', () => controller.error(new PalmError('cancelled', 'Cancelled.')));
      },
      pull(controller) {
        if (stuck) return new Promise<void>(() => undefined);
        const bytes = Math.min(MIB, endByte - atByte);
        atByte += bytes;
        if (bytes > 0) controller.enqueue(new Uint8Array(bytes));
        else if (error === undefined) controller.close();
        else controller.error(error);
        return undefined;
      },
    });
  }
}

interface DiskFile {
  saved: SavedDownload;
  isOpen: boolean;
}

/** Every 4 MiB become durable by themselves. */
const DURABLE_STEP_BYTES = 4 * MIB;

export class TestDisk implements DownloadStore {
  readonly files = new Map<string, DiskFile>();
  readonly dropped: string[] = [];
  readonly forgotten: string[] = [];
  /** Picked files ask first. */
  permission: 'granted' | 'prompt' | 'denied' = 'granted';
  /** Writes beyond this fail. */
  capacityBytes = Infinity;
  /** What the next `open`s fail with. */
  readonly openFailures: PalmErrorCode[] = [];

  list(): Promise<readonly SavedDownload[]> {
    return Promise.resolve([...this.files.values()].map(({ saved }) => saved));
  }

  begin({ fileId, size, picked }: Parameters<DownloadStore['begin']>[0]): Promise<void> {
    const place = picked === undefined ? 'kept' : 'picked';
    this.put({ fileId, size, place, durableBytes: 0, handedAtMs: undefined });
    return Promise.resolve();
  }

  put(saved: SavedDownload): void {
    this.files.set(saved.fileId, { saved, isOpen: false });
  }

  open(fileId: string): Promise<DownloadSink> {
    const failure = this.openFailures.shift();
    if (failure !== undefined) return Promise.reject(new PalmError(failure, 'It cannot be opened.'));
    const file = this.#file(fileId);
    if (file.isOpen) throw new Error('One download, one writer.');
    file.isOpen = true;
    return Promise.resolve(new TestSink(file, this));
  }

  mayWrite(fileId: string, ask: boolean): Promise<boolean> {
    this.#file(fileId);
    if (ask && this.permission === 'prompt') this.permission = 'granted';
    return Promise.resolve(this.permission === 'granted');
  }

  file(fileId: string): Promise<Blob> {
    return Promise.resolve(new Blob([new Uint8Array(this.#file(fileId).saved.durableBytes)]));
  }

  markHanded(fileId: string, handedAtMs: number): Promise<void> {
    const file = this.#file(fileId);
    file.saved = { ...file.saved, handedAtMs };
    return Promise.resolve();
  }

  forget(fileId: string): Promise<void> {
    this.files.delete(fileId);
    this.forgotten.push(fileId);
    return Promise.resolve();
  }

  drop(fileId: string): Promise<void> {
    if (this.files.get(fileId)?.isOpen === true) throw new Error('It is still being written.');
    this.files.delete(fileId);
    this.dropped.push(fileId);
    return Promise.resolve();
  }

  #file(fileId: string): DiskFile {
    const file = this.files.get(fileId);
    if (file === undefined) throw new Error(`There is no download of ${fileId}.`);
    return file;
  }
}

class TestSink implements DownloadSink {
  readonly #file: DiskFile;
  readonly #disk: TestDisk;
  writtenBytes: number;

  constructor(file: DiskFile, disk: TestDisk) {
    this.#file = file;
    this.#disk = disk;
    this.writtenBytes = file.saved.durableBytes;
  }

  get durableBytes(): number {
    return this.#file.saved.durableBytes;
  }

  async write(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.writtenBytes + piece.length > this.#disk.capacityBytes) {
      throw new PalmError('storage-full', 'No room is left.');
    }
    this.writtenBytes += piece.length;
    if (this.writtenBytes - this.durableBytes >= DURABLE_STEP_BYTES) this.#makeDurable();
  }

  async finish(): Promise<void> {
    this.#makeDurable();
    this.#file.isOpen = false;
  }

  async release(): Promise<void> {
    this.#makeDurable();
    this.#file.isOpen = false;
  }

  #makeDurable(): void {
    this.#file.saved = { ...this.#file.saved, durableBytes: this.writtenBytes };
  }
}

export interface DownloadWorld {
  readonly downloads: Downloads;
  readonly pool: TestPool;
  readonly disk: TestDisk;
  readonly alerts: Alerts;
  readonly said: string[];
  /** What the browser was handed. */
  readonly handed: { readonly name: string; readonly size: number }[];
  /** Names that the picker was asked for. */
  readonly asked: string[];
  /** What the picker does next. */
  picker: 'absent' | 'cancel' | 'file';
  readonly pauses: number[];
  /** Lets `ms` go by. */
  pass(ms: number): void;
  setFiles(files: readonly FileStatus[]): void;
  leavePool(): void;
  /** Lets what has been set off run on until `holds`. */
  until(what: string, holds: () => boolean): Promise<void>;
}

/** Turns of the event loop that anything here may take; none of it waits for time or for the outside. */
const MAX_TURNS = 2_000;

/** Opens a page, over the disk of an earlier one where that is given. */
export function openPage(files: readonly FileStatus[], disk = new TestDisk()): DownloadWorld {
  const sizes = new Map(files.map(({ fileId, size }) => [fileId, size]));
  const pool = new TestPool((fileId) => sizes.get(fileId) ?? 0);
  const status = signal(statusOf(files));
  const alerts = new Alerts();
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  let nowMs = 0;
  const world = {
    pool,
    disk,
    alerts,
    said: new Array<string>(),
    handed: new Array<{ name: string; size: number }>(),
    asked: new Array<string>(),
    picker: 'absent' as DownloadWorld['picker'], // widened: tests change it
    pauses: new Array<number>(),
    pass(ms: number) {
      nowMs += ms;
      for (const timer of timers) {
        if (timer.atMs > nowMs) continue;
        timers.delete(timer);
        timer.callback();
      }
    },
    setFiles(next: readonly FileStatus[]) {
      for (const { fileId, size } of next) sizes.set(fileId, size);
      status.value = statusOf(next);
    },
    leavePool() {
      const { device, devices, transfers, notices } = status.value;
      status.value = { device, devices, transfers, notices, files: [], unfinished: [] };
    },
    async until(what: string, holds: () => boolean) {
      for (let turn = 0; turn < MAX_TURNS; turn++) {
        if (holds()) return;
        await new Promise<void>((resolve) => setImmediate(resolve));
      }
      throw new Error(`It never came to this: ${what}.`);
    },
  };
  const downloads = new Downloads({
    pool,
    status,
    alerts,
    store: disk,
    saving: {
      pick(name) {
        world.asked.push(name);
        if (world.picker === 'absent') return Promise.resolve(undefined);
        if (world.picker === 'cancel') return Promise.reject(new DOMException('Closed.', 'AbortError'));
        return Promise.resolve(PICKED);
      },
      download: (whole, name) => void world.handed.push({ name, size: whole.size }),
    },
    say: (text) => void world.said.push(text),
    nowMs: () => nowMs,
    delay(delayMs, callback) {
      world.pauses.push(delayMs);
      const timer = { atMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
  });
  return Object.assign(world, { downloads });
}

/** It goes through the downloads unseen: only the disk looks inside. */
const PICKED: FileSystemFileHandle = {
  kind: 'file',
  name: 'picked',
  getFile: () => Promise.reject(new Error('Not here.')),
  createWritable: () => Promise.reject(new Error('Not here.')),
  isSameEntry: () => Promise.resolve(false),
};

export function fileOf(fileId: string, size: number, change: Partial<FileStatus> = {}): FileStatus {
  return {
    fileId,
    size,
    name: `${fileId}.bin`,
    path: '',
    mime: '',
    k: 2,
    n: 4,
    reach: 4,
    margin: 1,
    holders: [],
    private: false,
    openable: true,
    inOutbox: false,
    by: 'self',
    storedAtMs: 0,
    modifiedMs: 0,
    safe: true,
    ...change,
  };
}

function statusOf(files: readonly FileStatus[]): PoolStatus {
  return {
    device: { id: 'self', name: 'Laptop' },
    pool: { id: 'p', name: 'Home', relay: 'connected', alone: false },
    devices: [],
    files,
    transfers: [],
    unfinished: [],
    notices: [],
  };
}
