// A Blob or File as the source of a store. A File that changes on disk while it is read fails its reads,
// where the browser notices (`noticesChanges`).
//
// Its size is only what the browser believed when it was asked: a file may have been written, cut or deleted
// since. So the read that reaches the size also looks for the end of the file, and an empty file is read like
// any other.
//
// It is read as one stream, straight into the given buffers: each slice would cost the page a call to another
// process, and a copy from separate memory. Reads that do not follow each other reopen the stream.
//
// Invariant: reads are carried out one at a time, in the order of the calls.

import { isMissingFunction } from '../../core/model/bug.ts';
import { changedSource } from '../../core/model/source-failures.ts';
import type { ByteSource, Memory } from '../../core/ports.ts';

/** Buffers are taken from `memory`. */
export function blobSource(blob: Blob, memory: Memory, noticesChanges: boolean): ByteSource {
  return new BlobSource(blob, memory, noticesChanges);
}

/** Browsers compare the times of files by whole seconds, ms; with room for a clock that is read later. */
const FRESH_MS = 2_000;

/** Whether a change may leave the file's time as it is: it was written a moment ago. */
export function isFresh(blob: Blob, nowMs: number): boolean {
  return blob instanceof File && blob.lastModified > nowMs - FRESH_MS;
}

interface OpenStream {
  readonly reader: ReadableStreamBYOBReader;
  /** Where the next read continues. */
  at: number;
}

/**
 * Sources being read. Chromium (156) collects a blob's stream if only code that waits for it refers to it;
 * its reads then never settle. A read of a file is such code, unless this set refers to the source too.
 */
const underWay = new Set<BlobSource>();

class BlobSource implements ByteSource {
  readonly size: number;
  readonly noticesChanges: boolean;
  readonly #blob: Blob;
  readonly #memory: Memory;
  #stream: OpenStream | undefined;
  /** Settles when all earlier reads have; never rejects. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(blob: Blob, memory: Memory, noticesChanges: boolean) {
    this.size = blob.size;
    this.noticesChanges = noticesChanges;
    this.#blob = blob;
    this.#memory = memory;
  }

  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const reading = this.#before.then(() => this.#read(start, end, signal));
    this.#before = reading.catch(() => undefined);
    return reading;
  }

  async checkUnchanged(): Promise<void> {
    try {
      // Chromium checks whether a file changed when a read of it begins, not during the read.
      await this.#slice(Math.max(0, this.size - 1), this.size);
    } catch (cause) {
      throw isMissingFunction(cause) ? cause : changedSource(cause);
    }
  }

  async #read(start: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    underWay.add(this);
    try {
      const stream = this.#streamAt(start);
      const bytes = stream === undefined ? await this.#slice(start, end) : await this.#fill(stream, end);
      if (end === this.size) {
        if (stream !== undefined) await this.#expectEnd(stream);
        this.#close();
      }
      return bytes;
    } catch (cause) {
      this.#close();
      if (isMissingFunction(cause)) throw cause;
      throw changedSource(await this.#refusal(cause));
    } finally {
      underWay.delete(this);
    }
  }

  /** Why reads fail now. Chromium's streams fail for any reason with the same TypeError (`cause`). */
  async #refusal(cause: unknown): Promise<unknown> {
    try {
      await this.#slice(0, Math.min(1, this.size));
      return cause;
    } catch (reason) {
      return reason;
    }
  }

  /** Undefined in engines whose Blobs cannot fill the reader's own buffers. */
  #streamAt(start: number): OpenStream | undefined {
    if (this.#stream?.at === start) return this.#stream;
    this.#close();
    // A slice costs a call to another process; small files have only their beginnings.
    const reader = byobReaderOf(start === 0 ? this.#blob : this.#blob.slice(start, this.size));
    this.#stream = reader === undefined ? undefined : { reader, at: start };
    return this.#stream;
  }

  async #slice(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    // A slice would stop where the file should end.
    const part = start === 0 && end === this.size ? this.#blob : this.#blob.slice(start, end);
    const bytes = new Uint8Array(await part.arrayBuffer());
    if (bytes.length !== end - start) throw new Error(`${bytes.length} of ${end - start} bytes were there`);
    return bytes;
  }

  /** The stream's bytes from its position up to `end`. @throws Error when it ends before. */
  async #fill(stream: OpenStream, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const byteCount = end - stream.at;
    // Each read takes the buffer and gives it back.
    let { buffer } = this.#memory.take(byteCount);
    for (let filledBytes = 0; filledBytes < byteCount;) {
      const rest = new Uint8Array(buffer, filledBytes, byteCount - filledBytes);
      const { value, done } = await stream.reader.read(rest);
      if (done || value === undefined) throw new Error(`${filledBytes} of ${byteCount} bytes were there`);
      filledBytes += value.length;
      buffer = value.buffer;
    }
    stream.at = end;
    return new Uint8Array(buffer, 0, byteCount);
  }

  /** @throws Error when the file goes on behind its size. */
  async #expectEnd({ reader }: OpenStream): Promise<void> {
    const { done } = await reader.read(new Uint8Array(1));
    if (!done) throw new Error(`more than ${this.size} bytes were there`);
  }

  #close(): void {
    // Nobody waits for it. The cancel of a failed stream rejects with the failure that was reported already.
    this.#stream?.reader.cancel().catch(() => undefined);
    this.#stream = undefined;
  }
}

function byobReaderOf(blob: Blob): ReadableStreamBYOBReader | undefined {
  try {
    return blob.stream().getReader({ mode: 'byob' });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
