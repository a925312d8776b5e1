// Bytes that arrived on a client's connection and were not handled yet. `ws` handles all of a chunk
// immediately, even thousands of small messages; so the chunk is kept here, and `ws` gets one frame of it at
// a time.
//
// Invariant: while a chunk is kept, nothing more is read from the connection, so there is only one (and, at
// the start, the bytes that came with the request).

import type { Socket } from 'node:net';

/** Where to stop handing on, starting at `at`; at most the chunk's end. */
export type FindEnd = (chunk: Buffer, at: number) => number;

export class Intake {
  readonly #socket: Socket;
  readonly #onWaiting: () => void;
  /** null means that the client sends no more. */
  readonly #chunks: (Buffer | null)[] = [];
  /** Position in the first chunk. */
  #at = 0;
  #isMoreWanted = false;
  readonly #push: Socket['push'];
  readonly #read: Socket['_read'];

  /**
   * `head` has already arrived; `onWaiting` is called when there is something to take, once until all is
   * taken.
   */
  constructor(socket: Socket, head: Buffer, onWaiting: () => void) {
    this.#socket = socket;
    this.#onWaiting = onWaiting;
    this.#push = socket.push.bind(socket);
    this.#read = socket._read.bind(socket);
    socket.push = (chunk: unknown) => this.#keep(chunk instanceof Buffer ? chunk : null);
    socket._read = (size) => {
      if (this.#chunks.length === 0) this.#read(size);
      else this.#isMoreWanted = true;
    };
    socket.once('close', () => this.#chunks.splice(0));
    if (head.length > 0) this.#keep(head);
  }

  get heldBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + (chunk?.length ?? 0), 0);
  }

  /** Hands on the bytes up to the end that `findEnd` returns. True when more waits. */
  takeOne(findEnd: FindEnd): boolean {
    const [chunk] = this.#chunks;
    if (chunk === undefined || this.#socket.destroyed) return false;
    const from = this.#at;
    const end = chunk === null ? 0 : Math.min(chunk.length, findEnd(chunk, from));
    this.#at = end;
    // It stays in the list: bytes that arrive now wait behind it.
    this.#push(chunk?.subarray(from, end) ?? null);
    if (chunk === null || end === chunk.length) {
      this.#chunks.shift();
      this.#at = 0;
    }
    if (this.#chunks.length > 0) return true;
    if (this.#isMoreWanted) {
      this.#isMoreWanted = false;
      this.#socket._read(0);
    }
    return false;
  }

  /** Returns false when no more should be read, like a stream's `push`. */
  #keep(chunk: Buffer | null): boolean {
    this.#chunks.push(chunk);
    if (this.#chunks.length === 1) this.#onWaiting();
    return false;
  }
}
