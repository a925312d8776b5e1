// Where the bytes of one download go, in order: a file in OPFS, or a file that the person picked.
//
// Invariants: a sink's `writtenBytes` are the file's first bytes, without a gap; `onDurable` is called only
// with bytes that survive this page; after an error a sink can only be released.

import { isWrongCall } from '../../../core/model/bug.ts';
import { PalmError } from '../../../core/model/errors.ts';
import type { OpfsWriter } from './opfs-writer.ts';

/** One call at a time. */
export interface FileSink {
  /** Bytes written from the file's beginning, including those that were there at first. */
  readonly writtenBytes: number;
  /** The part of these that survives this page. */
  readonly durableBytes: number;
  /**
   * Takes ownership of `piece`: its buffer may be transferred. @throws PalmError 'storage-full',
   * 'storage-failed', 'worker-failed'.
   */
  write(piece: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Makes everything durable, and closes. @throws as `write`. */
  finish(): Promise<void>;
  /** Closes, after making as much as possible durable. Never rejects. */
  release(): Promise<void>;
}

/**
 * Reports that the first `durableBytes` will survive this page; `modifiedMs` is the file's time stamp then.
 */
export type OnDurable = (durableBytes: number, modifiedMs: number) => Promise<void>;

/**
 * Bytes between two flushes of an OPFS file: the most that a crash can cost, some tenths of a second of a
 * fast link.
 */
const FLUSH_BYTES = 8 * 1024 * 1024;

/** A file in OPFS, already open in the worker. */
export class KeptSink implements FileSink {
  readonly #writer: OpfsWriter;
  readonly #name: string;
  readonly #onDurable: OnDurable;
  #writtenBytes: number;
  #durableBytes: number;

  constructor(writer: OpfsWriter, name: string, startBytes: number, onDurable: OnDurable) {
    this.#writer = writer;
    this.#name = name;
    this.#onDurable = onDurable;
    this.#writtenBytes = startBytes;
    this.#durableBytes = startBytes;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get durableBytes(): number {
    return this.#durableBytes;
  }

  async write(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    // Its length goes with its buffer.
    const pieceBytes = piece.length;
    await this.#writer.write(this.#name, this.#writtenBytes, piece);
    this.#writtenBytes += pieceBytes;
    if (this.#writtenBytes - this.#durableBytes >= FLUSH_BYTES) await this.#flush();
  }

  async finish(): Promise<void> {
    await this.#flush();
    await this.#writer.close(this.#name);
  }

  async release(): Promise<void> {
    // A release follows a failure that the caller reports. If this fails too, fewer bytes are durable, and
    // the record says so.
    await this.#flush().catch(() => undefined);
    await this.#writer.close(this.#name).catch(() => undefined);
  }

  async #flush(): Promise<void> {
    if (this.#durableBytes === this.#writtenBytes) return;
    await this.#writer.flush(this.#name);
    await this.#onDurable(this.#writtenBytes, 0);
    this.#durableBytes = this.#writtenBytes;
  }
}

/**
 * A picked file is written to a copy next to it, which replaces it when the stream closes. So making bytes
 * durable means closing, and continuing means copying what is there. That happens at this size, and whenever
 * the size has doubled: in total less than the file's size is copied, and at most half of what arrived can be
 * lost.
 */
const FIRST_CHECKPOINT_BYTES = 16 * 1024 * 1024;

/** A file outside, which Palm may already write to. */
export class PickedSink implements FileSink {
  readonly #handle: FileSystemFileHandle;
  readonly #onDurable: OnDurable;
  #writable: FileSystemWritableFileStream | undefined;
  #writtenBytes: number;
  #durableBytes: number;

  /** @param startBytes of the file's present content are kept; 0 replaces all of it. */
  constructor(handle: FileSystemFileHandle, startBytes: number, onDurable: OnDurable) {
    this.#handle = handle;
    this.#onDurable = onDurable;
    this.#writtenBytes = startBytes;
    this.#durableBytes = startBytes;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  get durableBytes(): number {
    return this.#durableBytes;
  }

  async write(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    await orPalmError(async () => {
      this.#writable ??= await this.#open();
      await this.#writable.write(piece);
    });
    this.#writtenBytes += piece.length;
    const due = Math.max(FIRST_CHECKPOINT_BYTES, 2 * this.#durableBytes);
    if (this.#writtenBytes >= due) await this.#checkpoint();
  }

  async finish(): Promise<void> {
    await this.#checkpoint();
  }

  async release(): Promise<void> {
    // As for a kept file; a failed stream has dropped its copy already.
    await this.#checkpoint().catch(() => undefined);
  }

  /** Opened only when there is something to write: with `startBytes` it costs a copy. */
  async #open(): Promise<FileSystemWritableFileStream> {
    const writable = await this.#handle.createWritable({ keepExistingData: this.#writtenBytes > 0 });
    await writable.seek(this.#writtenBytes);
    return writable;
  }

  async #checkpoint(): Promise<void> {
    const writable = this.#writable;
    if (writable === undefined) return;
    this.#writable = undefined;
    const modifiedMs = await orPalmError(async () => {
      await writable.close();
      return (await this.#handle.getFile()).lastModified;
    });
    await this.#onDurable(this.#writtenBytes, modifiedMs);
    this.#durableBytes = this.#writtenBytes;
  }
}

/** Runs `work` on a download's file. @throws PalmError 'storage-full', 'storage-failed' with the cause. */
export async function orPalmError<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (cause) {
    throw isWrongCall(cause) ? cause : fileFailure(cause);
  }
}

function fileFailure(cause: unknown): PalmError {
  const name = cause instanceof Error ? cause.name : String(cause);
  switch (name) {
    case 'QuotaExceededError':
      return new PalmError({ code: 'storage-full', reason: 'picked-file' }, { cause });
    case 'NotFoundError':
      return new PalmError({ code: 'storage-failed', reason: 'picked-file-gone' }, { cause });
    case 'NotAllowedError':
      return new PalmError({ code: 'storage-failed', reason: 'picked-file-locked' }, { cause });
    default:
      return new PalmError({ code: 'storage-failed', reason: 'picked-file', detail: name }, { cause });
  }
}
