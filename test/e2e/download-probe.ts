// The download tests' code inside a page: it notes where each read begins, can stop reads at a byte, and
// replaces the save picker, which no test can click. A picked file lies in OPFS, so it has a real handle,
// like one from the real picker.

import type { Palm } from '../../src/runtime/api.ts';

declare global {
  interface Window {
    downloadProbe: DownloadProbe;
  }
}

export interface DownloadProbe {
  /** The first byte of each read that this page began, in order. */
  readonly reads: number[];
  /** The file names passed to the picker. */
  readonly picked: string[];
  pickerAnswer: 'cancel' | 'file';
  /** Where a read is stopped now; undefined if none is. */
  stalledAtByte: number | undefined;
  /**
   * Lets reads pass only bytes before `byte`, on later pages of this tab too; undefined lets them continue.
   */
  stallAt(byte: number | undefined): void;
  /** Lets the reads of later pages continue; reads that are stopped on this page stay stopped. */
  liftForLaterPages(): void;
}

/** Runs in each page before the app does, as source text, so it refers to nothing outside itself. */
export function installDownloadProbe(): void {
  const key = 'test/stall-at';
  let release = (): void => undefined;
  const probe: DownloadProbe = {
    reads: [],
    picked: [],
    pickerAnswer: 'file',
    stalledAtByte: undefined,
    stallAt(byte) {
      if (byte === undefined) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, String(byte));
      release();
    },
    liftForLaterPages() {
      sessionStorage.removeItem(key);
    },
  };
  window.downloadProbe = probe;

  const gate = (start: number): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> => {
    let passedBytes = start;
    return new TransformStream({
      async transform(chunk, controller) {
        while (passedBytes + chunk.length > Number(sessionStorage.getItem(key) ?? Infinity)) {
          probe.stalledAtByte = passedBytes;
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        }
        probe.stalledAtByte = undefined;
        passedBytes += chunk.length;
        controller.enqueue(chunk);
      },
    });
  };

  let resolveSet: (pool: Palm) => void = () => undefined;
  const set = new Promise<Palm>((resolve) => {
    resolveSet = resolve;
  });
  let palm: Palm | undefined;
  Object.defineProperty(window, 'palm', {
    // A caller that waits until it is ready also waits until the app has set it.
    get: () => palm ?? { ready: set.then((pool) => pool.ready) },
    set(pool: Palm) {
      const read = pool.read.bind(pool);
      pool.read = (fileId, options = {}) => {
        const { start = 0 } = options;
        probe.reads.push(start);
        return read(fileId, options).pipeThrough(gate(start));
      };
      palm = pool;
      resolveSet(pool);
    },
  });

  const showSaveFilePicker = async (options: { suggestedName: string }): Promise<FileSystemFileHandle> => {
    probe.picked.push(options.suggestedName);
    if (probe.pickerAnswer === 'cancel') throw new DOMException('The user aborted a request.', 'AbortError');
    const root = await navigator.storage.getDirectory();
    return root.getFileHandle('picked.bin', { create: true });
  };
  Object.assign(window, { showSaveFilePicker });
}
