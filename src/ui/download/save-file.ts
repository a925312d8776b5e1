// Brings one file out of the pool and hands it to the browser's downloads. Up to BLOB_BYTES it is collected in memory
// and downloaded plainly, as people know it; larger ones are written straight to a place the person picks, where the
// browser has such a picker. Nothing is handed over unless every byte arrived.

import { PalmError } from '../../core/model/errors.ts';
import type { FileStatus, Pool } from '../../runtime/api.ts';
import { savedName } from '../text/file-name.ts';

/** What any phone can hold in memory once; above it a picker is worth its extra question. */
const BLOB_BYTES = 64 * 1024 * 1024;
/** An object URL is read by the download right after the click; a minute is ample even for a busy phone. */
const URL_LIFETIME_MS = 60_000;

/**
 * Must be called within a user gesture. Resolves when the file was handed to the browser.
 * @throws PalmError as `Pool.read` does; 'cancelled' when the person closes the picker or `signal` aborts;
 * 'corrupt' when fewer bytes arrived than the file has.
 */
export async function saveFile(
  pool: Pick<Pool, 'read'>,
  file: FileStatus,
  signal: AbortSignal,
): Promise<void> {
  const name = savedName(file.name);
  if (file.size > BLOB_BYTES && window.showSaveFilePicker !== undefined) {
    const handle = await window.showSaveFilePicker({ suggestedName: name });
    await writeTo(await handle.createWritable(), pool, file, signal);
    return;
  }
  download(await collect(pool, file, signal), name);
}

async function writeTo(
  writable: WritableStream<Uint8Array<ArrayBuffer>>,
  pool: Pick<Pool, 'read'>,
  file: FileStatus,
  signal: AbortSignal,
): Promise<void> {
  // A picked file keeps its old content until the stream closes: on any failure pipeTo aborts it instead.
  await pool.read(file.fileId, { signal }).pipeThrough(wholeFile(file.size)).pipeTo(writable, { signal });
}

async function collect(pool: Pick<Pool, 'read'>, file: FileStatus, signal: AbortSignal): Promise<Blob> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const gather = new WritableStream<Uint8Array<ArrayBuffer>>({
    write(chunk) {
      chunks.push(chunk);
    },
  });
  await pool.read(file.fileId, { signal }).pipeThrough(wholeFile(file.size)).pipeTo(gather, { signal });
  // Not the file's own type: a page from the pool must never be opened as a page of this origin.
  return new Blob(chunks, { type: 'application/octet-stream' });
}

/** Passes bytes on, and fails the stream at its end when they are not exactly `size`. */
function wholeFile(size: number): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let seenBytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      seenBytes += chunk.length;
      controller.enqueue(chunk);
    },
    flush() {
      if (seenBytes !== size) {
        throw new PalmError(
          'corrupt',
          `Only ${seenBytes} of ${size} bytes arrived. Nothing was saved; the pool still has the file. Try again.`,
        );
      }
    },
  });
}

function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(url), URL_LIFETIME_MS);
}
