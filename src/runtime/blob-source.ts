// A Blob or File as the source of a store. A File that changes on disk while it is read fails its slices.

import { discard } from '../core/model/bytes.ts';
import { PalmError } from '../core/model/errors.ts';
import type { ByteSource } from '../core/ports.ts';

/**
 * Read at once, bytes, where less is asked for: each slice of a file costs the page a call to another process that it waits
 * for, some milliseconds on a busy machine. Two such pieces are in memory at most while a file is read from its beginning on.
 */
const PIECE_BYTES = 4 * 2 ** 20;

interface Piece {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array<ArrayBuffer>>;
  /** Reads that wait for it. */
  readerCount: number;
}

export function blobSource(blob: Blob): ByteSource {
  return new BlobSource(blob);
}

class BlobSource implements ByteSource {
  readonly size: number;
  readonly #blob: Blob;
  /** The one read last, while more of it may be asked for. */
  #piece: Piece | undefined;

  constructor(blob: Blob) {
    this.size = blob.size;
    this.#blob = blob;
  }

  async read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    signal?.throwIfAborted();
    const piece = this.#pieceWith(start, end);
    piece.readerCount += 1;
    try {
      const bytes = await piece.bytes;
      return bytes.slice(start - piece.start, end - piece.start);
    } finally {
      piece.readerCount -= 1;
      await this.#letGo(piece, end);
    }
  }

  /** As many of what is asked for in a row as fit. */
  #pieceWith(start: number, end: number): Piece {
    const known = this.#piece;
    if (known !== undefined && known.start <= start && end <= known.end) return known;
    const stepBytes = Math.max(1, end - start);
    const pieceEnd = Math.min(
      this.size,
      start + Math.max(1, Math.floor(PIECE_BYTES / stepBytes)) * stepBytes,
    );
    const piece = { start, end: pieceEnd, bytes: this.#load(start, pieceEnd), readerCount: 0 };
    this.#piece = piece;
    return piece;
  }

  async #load(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = new Uint8Array(await this.#blob.slice(start, end).arrayBuffer());
    } catch (cause) {
      throw changed(cause);
    }
    if (bytes.length !== end - start) throw changed();
    return bytes;
  }

  /** Gives its memory back once it was read to its end, or another one took its place. */
  async #letGo(piece: Piece, readTo: number): Promise<void> {
    if (readTo === piece.end && this.#piece === piece) this.#piece = undefined;
    if (this.#piece === piece || piece.readerCount > 0) return;
    const [loaded] = await Promise.allSettled([piece.bytes]);
    if (loaded.status === 'fulfilled') discard(loaded.value);
  }
}

function changed(cause?: unknown): PalmError {
  const text =
    'The file changed or became unreadable while it was being stored. Nothing of it was kept; add it again to store it as it is now.';
  return new PalmError('source-changed', text, cause === undefined ? undefined : { cause });
}
