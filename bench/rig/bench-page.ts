// The benches' code inside each page, next to the app's `window.palm`: it makes the bytes where they are
// used, and measures with the page's own clock, so only small numbers cross to the bench.

import type { PageSide } from '../../test/e2e/page-side.ts';

export interface Timed {
  readonly elapsedMs: number;
  /** Tasks of the page's main thread over 50 ms during the work (Long Tasks API), ms each, longest first. */
  readonly longTasksMs: readonly number[];
}

export interface StoreTiming extends Timed {
  readonly fileId: string;
  /**
   * When `store` resolved: a quorum of fragments is durable. `elapsedMs` lasts until all fragments are
   * placed.
   */
  readonly answeredMs: number;
}

export interface StoreWork {
  /** Makes the file different from all earlier ones, so the pool never has it already. */
  readonly tag: number;
  readonly bytes: number;
  /** Default 4 of 8. */
  readonly geometry?: { readonly k: number; readonly n: number; readonly mirror?: boolean };
  /** With fewer than three devices the storer keeps its copy for safety, and the file stays in its outbox. */
  readonly staysInOutbox: boolean;
}

export interface SmallFilesWork {
  /** As in StoreWork. */
  readonly tag: number;
  readonly fileCount: number;
  readonly fileBytes: number;
}

/** What the links that are open now have sent so far, from WebRTC's own statistics. */
export interface LinkCosts {
  readonly links: number;
  /** Frames of the data channels, and their bytes. */
  readonly messages: number;
  readonly messageBytes: number;
  /** Packets, and bytes in them, without the checks of ICE. */
  readonly packets: number;
  readonly bytes: number;
  /** ICE's checks of paths, and answers to those of the other end. */
  readonly checks: number;
  readonly answers: number;
}

export interface BenchPage {
  linkCosts(): Promise<LinkCosts>;
  /** Payload bytes of all data channels that this page ever had, from WebRTC's own statistics. */
  linkBytes(): Promise<{ readonly sent: number; readonly received: number }>;
  /** Writes the file for `store` to the disk, in pieces: it is never in memory. */
  prepareSource(bytes: number): Promise<void>;
  store(work: StoreWork): Promise<StoreTiming>;
  /** Reads start..end-1 and drops each piece. @throws Error when another number of bytes arrives. */
  read(fileId: string, start: number, end: number): Promise<Timed>;
  /** The same into one buffer of 1 MiB, which the reader brings (`mode: 'byob'`). */
  readIntoBuffer(fileId: string, start: number, end: number): Promise<Timed>;
  /** ms until the first bytes of a read of start..end-1, which is then cancelled. */
  firstBytes(fileId: string, start: number, end: number): Promise<number>;
  /**
   * Makes `input`, the app's own, pick new files together. Ends when all are placed; the pool must be empty
   * before.
   */
  pickFiles(input: HTMLInputElement, work: SmallFilesWork): Promise<Timed>;
  /** Stores new files one after another. Ends like `pickFiles`. */
  storeInTurn(work: SmallFilesWork): Promise<Timed>;
  /**
   * Stores new files as mirrors on two devices, as many at a time as the app stores picked ones. Ends like
   * `pickFiles`.
   */
  storeMirrors(work: SmallFilesWork): Promise<Timed>;
  /** Removes every file of the pool. */
  removeAll(): Promise<void>;
  /** Resolves when this device no longer holds any block. */
  emptied(): Promise<void>;
}

declare global {
  interface Window {
    benchPage: BenchPage;
  }
}

/** Counts the channels' bytes: runs in the page, before the app does, as source text. */
export function installLinkBytes(): void {
  const counts: (() => Promise<{ sent: number; received: number }>)[] = [];
  const connections: WeakRef<RTCPeerConnection>[] = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      // Weak references: Chromium allows 500 connections, including unused ones that are still referenced.
      const itself = new WeakRef(this);
      connections.push(itself);
      const last = { sent: 0, received: 0 };
      counts.push(async () => {
        const channels = [...((await itself.deref()?.getStats())?.values() ?? [])].filter(
          (stats) => stats.type === 'data-channel',
        );
        last.sent = Math.max(
          last.sent,
          channels.reduce((sum, { bytesSent }) => sum + bytesSent, 0),
        );
        last.received = Math.max(
          last.received,
          channels.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0),
        );
        return last;
      });
    }
  };
  window.benchPage = Object.assign(window.benchPage ?? {}, {
    async linkCosts() {
      const costs = { links: 0, messages: 0, messageBytes: 0, packets: 0, bytes: 0, checks: 0, answers: 0 };
      for (const connection of connections) {
        const stats = [...((await connection.deref()?.getStats())?.values() ?? [])];
        if (!stats.some(({ type, state }) => type === 'data-channel' && state === 'open')) continue;
        costs.links += 1;
        for (const each of stats) {
          if (each.type === 'data-channel') {
            costs.messages += each.messagesSent;
            costs.messageBytes += each.bytesSent;
          } else if (each.type === 'transport') {
            costs.packets += each.packetsSent;
            costs.bytes += each.bytesSent;
          } else if (each.type === 'candidate-pair') {
            costs.checks += each.requestsSent;
            costs.answers += each.responsesSent;
          }
        }
      }
      return costs;
    },
    async linkBytes() {
      const all = await Promise.all(counts.map((count) => count()));
      return {
        sent: all.reduce((sum, { sent }) => sum + sent, 0),
        received: all.reduce((sum, { received }) => sum + received, 0),
      };
    },
  });
}

/**
 * Stores, reads and removes: runs in the page, before the app does, as source text; `palmTest` is there
 * already.
 */
export function installBenchWork(): void {
  const palmTest: PageSide = window.palmTest;
  const sourceName = 'bench-source';
  const pieceBytes = 4 * 2 ** 20;
  const bufferBytes = 2 ** 20;
  /** As many small files as the app stores at a time (src/ui/state/store-queue.ts). */
  const atOnce = 32;
  /** More files than one work makes, so no two works share a seed. */
  const maxFiles = 1_000_000;
  /** At the beginning of every file, so that no two are equal. */
  const tagBytes = 16;
  const longTasks: { startMs: number; durationMs: number }[] = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      longTasks.push({ startMs: startTime, durationMs: duration });
    }
  }).observe({ type: 'longtask' });

  const sourceFile = async (): Promise<FileSystemFileHandle> =>
    (await navigator.storage.getDirectory()).getFileHandle(sourceName, { create: true });
  const longTasksBetween = async (startMs: number, endMs: number): Promise<readonly number[]> => {
    // Long tasks are reported in a separate task, after they ended.
    await new Promise((resolve) => setTimeout(resolve));
    const during = longTasks.filter((task) => task.startMs >= startMs && task.startMs <= endMs);
    return during.map(({ durationMs }) => durationMs).toSorted((a, b) => b - a);
  };
  const timed = async (startMs: number): Promise<Timed> => {
    const endMs = performance.now();
    return { elapsedMs: endMs - startMs, longTasksMs: await longTasksBetween(startMs, endMs) };
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await palmTest.nextChange(50);
  };

  const placed = (fileCount: number): Promise<void> =>
    until(() => {
      const { files } = window.palm.status();
      return files.length === fileCount && files.every(({ inOutbox }) => !inOutbox);
    });
  const newFiles = ({ tag, fileCount, fileBytes }: SmallFilesWork): File[] =>
    Array.from(
      { length: fileCount },
      (_, at) => new File([palmTest.seededBytes(tag * maxFiles + at, fileBytes)], `bench ${tag} ${at}`),
    );

  window.benchPage = Object.assign(window.benchPage ?? {}, {
    async prepareSource(bytes: number) {
      const writable = await (await sourceFile()).createWritable();
      for (let at = 0; at < bytes; at += pieceBytes) {
        await writable.write(palmTest.seededBytes(at + 1, Math.min(pieceBytes, bytes - at)));
      }
      await writable.close();
    },
    async store({ tag, bytes, geometry = { k: 4, n: 8 }, staysInOutbox }: StoreWork): Promise<StoreTiming> {
      const source = await (await sourceFile()).getFile();
      if (source.size < bytes) throw new Error(`The source has ${source.size} bytes only.`);
      const head = palmTest.seededBytes(tag, tagBytes);
      const blob = new Blob([head, source.slice(0, bytes - tagBytes)]);
      const startMs = performance.now();
      const { fileId } = await window.palm.store(blob, { name: `bench ${tag}`, ...geometry });
      const answeredMs = performance.now() - startMs;
      const inOutbox = () => window.palm.status().files.find((file) => file.fileId === fileId)?.inOutbox;
      if (!staysInOutbox) await until(() => inOutbox() === false);
      return { fileId, answeredMs, ...(await timed(startMs)) };
    },
    async read(fileId: string, start: number, end: number): Promise<Timed> {
      const startMs = performance.now();
      let receivedBytes = 0;
      const stream = window.palm.read(fileId, { start, end }).getReader();
      for (let next = await stream.read(); !next.done; next = await stream.read())
        receivedBytes += next.value.length;
      const timing = await timed(startMs);
      if (receivedBytes !== end - start) throw new Error(`${receivedBytes} of ${end - start} bytes arrived.`);
      return timing;
    },
    async readIntoBuffer(fileId: string, start: number, end: number): Promise<Timed> {
      const startMs = performance.now();
      let receivedBytes = 0;
      let buffer = new ArrayBuffer(bufferBytes);
      const stream = window.palm.read(fileId, { start, end }).getReader({ mode: 'byob' });
      for (;;) {
        const { value, done } = await stream.read(new Uint8Array(buffer));
        if (done) break;
        receivedBytes += value.length;
        buffer = value.buffer;
      }
      const timing = await timed(startMs);
      if (receivedBytes !== end - start) throw new Error(`${receivedBytes} of ${end - start} bytes arrived.`);
      return timing;
    },
    async firstBytes(fileId: string, start: number, end: number) {
      const startMs = performance.now();
      const stream = window.palm.read(fileId, { start, end }).getReader();
      const first = await stream.read();
      const elapsedMs = performance.now() - startMs;
      await stream.cancel();
      if (first.done) throw new Error('Nothing arrived.');
      return elapsedMs;
    },
    async pickFiles(input: HTMLInputElement, work: SmallFilesWork) {
      const picked = new DataTransfer();
      for (const file of newFiles(work)) picked.items.add(file);
      const startMs = performance.now();
      input.files = picked.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
      await placed(work.fileCount);
      return timed(startMs);
    },
    async storeInTurn(work: SmallFilesWork) {
      const files = newFiles(work);
      const startMs = performance.now();
      for (const file of files) await window.palm.store(file, { name: file.name });
      await placed(work.fileCount);
      return timed(startMs);
    },
    async storeMirrors(work: SmallFilesWork) {
      const files = newFiles(work);
      const startMs = performance.now();
      const storeNext = async (): Promise<void> => {
        for (let file = files.pop(); file !== undefined; file = files.pop())
          await window.palm.store(file, { name: file.name, k: 1, n: 2, mirror: true });
      };
      await Promise.all(Array.from({ length: atOnce }, storeNext));
      await placed(work.fileCount);
      return timed(startMs);
    },
    async removeAll() {
      for (const { fileId } of window.palm.status().files) await window.palm.remove(fileId);
    },
    async emptied() {
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle('blocks', { create: true });
      const count = async () => {
        let files = 0;
        for await (const _ of folder.keys()) files += 1;
        return files;
      };
      while ((await count()) > 0) await palmTest.nextChange(50);
    },
  });
}

/** Gives a device's links one connection, as in earlier versions. Runs in the page, as source text. */
export function installOneConnection(): void {
  Object.defineProperty(RTCDataChannel.prototype, 'protocol', { get: () => '' });
}

/** Makes a device read but never hold: it has no space to offer. Runs in the page, as source text. */
export function installNoSpace(): void {
  // A blank tab has no storage at all.
  if (isSecureContext) StorageManager.prototype.estimate = () => Promise.resolve({ usage: 0, quota: 0 });
}
