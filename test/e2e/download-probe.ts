// What the download tests keep inside a page: it notes where each read begins, can stop reads at a byte, and
// answers the save picker, which no test can click. A picked file is one of OPFS: a real handle, as the real
// picker's is.

import type { Palm } from '../../src/runtime/api.ts';

declare global {
  interface Window {
    downloadProbe: DownloadProbe;
  }
}

export interface DownloadProbe {
  /** The first byte of each read that this page began, in order. */
  readonly reads: number[];
  /** The names that the picker was asked for. */
  readonly picked: string[];
  pickerAnswer: 'cancel' | 'file';
  /** Where a read is stopped now; undefined when none is. */
  stalledAtByte: number | undefined;
  /** Lets reads pass only bytes before `byte`, on later pages of this tab too; undefined lets them go on. */
  stallAt(byte: number | undefined): void;
  /** Lets the reads of later pages go on; what is stopped on this page stays stopped. */
  liftForLaterPages(): void;
}

/** Runs in each page before the app does, as source text: it names nothing outside itself. */
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
    // Until the app has set it, whoever waits for it to be ready waits for that as well.
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
