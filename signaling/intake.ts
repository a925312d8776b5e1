// What came in on a client's connection and was not handled yet. `ws` handles at once whatever a chunk holds, thousands of
// small messages; here the chunk is kept, and `ws` gets one frame of it at a time.
//
// Invariant: while something is kept nothing more is read from the connection, so that it is one chunk (and at the start
// what came with the request).

import type { Socket } from 'node:net';

/** How far to hand on what begins at `at`; at most to the chunk's end. */
export type FindEnd = (chunk: Buffer, at: number) => number;

export class Intake {
  readonly #socket: Socket;
  readonly #onWaiting: () => void;
  /** null is the end of what the client sends. */
  readonly #chunks: (Buffer | null)[] = [];
  /** How far into the first chunk it came. */
  #at = 0;
  #isMoreWanted = false;
  readonly #push: Socket['push'];
  readonly #read: Socket['_read'];

  /** `head` came already; `onWaiting` is called when there is something to take, once until all is taken. */
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

  /** Hands on what there is up to the end that is found. True when more waits. */
  takeOne(findEnd: FindEnd): boolean {
    const [chunk] = this.#chunks;
    if (chunk === undefined || this.#socket.destroyed) return false;
    const from = this.#at;
    const end = chunk === null ? 0 : Math.min(chunk.length, findEnd(chunk, from));
    this.#at = end;
    // It stays in the list meanwhile: what comes now waits behind it.
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

  /** False, as a stream's `push` is when no more should be read. */
  #keep(chunk: Buffer | null): boolean {
    this.#chunks.push(chunk);
    if (this.#chunks.length === 1) this.#onWaiting();
    return false;
  }
}
