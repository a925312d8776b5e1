// One attempt at a download: opens its destination where it stopped, reads the rest of the file into it, and
// closes it.

import { isPalmError, PalmError } from '../../core/model/errors.ts';
import type { Palm } from '../../runtime/api.ts';
import { fitsMemory } from './download-rules.ts';
import type { DownloadSink, DownloadStore } from './download-store.ts';
import { MemoryFile } from './memory-file.ts';

export type Attempt =
  /** Every byte is there and durable. */
  | { readonly kind: 'whole' }
  /** The read ended well, but the number of bytes differs from the file's. */
  | { readonly kind: 'wrong'; readonly arrivedBytes: number }
  | { readonly kind: 'failed'; readonly error: unknown; readonly broughtBytes: boolean };

interface Target {
  readonly fileId: string;
  readonly size: number;
  /** Becomes a MemoryFile where the browser cannot keep files and this one is small enough. */
  destination: 'kept' | 'picked' | MemoryFile;
}

/** Never rejects. `onArrived` is told how many bytes were there before the read, and after a failure. */
export async function attemptDownload(
  target: Target,
  palm: Pick<Palm, 'read'>,
  store: DownloadStore,
  signal: AbortSignal,
  onArrived: (arrivedBytes: number) => void,
): Promise<Attempt> {
  let sink: DownloadSink | undefined;
  let startBytes = 0;
  try {
    const opened = await openSink(target, store);
    sink = opened;
    startBytes = opened.writtenBytes;
    onArrived(startBytes);
    const bytes = palm.read(target.fileId, { start: startBytes, signal });
    // A stream of writes holds one piece while another is being written: a download needs no more memory
    // here.
    await bytes.pipeTo(new WritableStream({ write: (piece) => opened.write(piece) }), { signal });
    const arrivedBytes = opened.writtenBytes;
    if (arrivedBytes !== target.size) {
      await opened.release();
      return { kind: 'wrong', arrivedBytes };
    }
    await opened.finish();
    return { kind: 'whole' };
  } catch (error) {
    if (sink === undefined) return { kind: 'failed', error, broughtBytes: false };
    await sink.release();
    onArrived(sink.durableBytes);
    return { kind: 'failed', error, broughtBytes: sink.durableBytes > startBytes };
  }
}

async function openSink(target: Target, store: DownloadStore): Promise<DownloadSink> {
  if (target.destination instanceof MemoryFile) return target.destination;
  try {
    return await store.open(target.fileId);
  } catch (error) {
    if (target.destination === 'picked' || !isPalmError(error, 'unsupported')) throw error;
    if (!fitsMemory(target.size))
      throw new PalmError({ code: 'unsupported', reason: 'large-download' }, { cause: error });
    await store.drop(target.fileId);
    target.destination = new MemoryFile();
    return target.destination;
  }
}
