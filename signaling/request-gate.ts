// Keeps Node from making objects for requests that will not be answered. Node parses everything from one
// read, a thousand small requests in 64 KiB, even if the connection was cut at the ninth.

import type { Socket } from 'node:net';

const HEADERS_END = Buffer.from('\r\n\r\n');

/**
 * Cuts a connection when more than `requestCount` requests come together. What a body says is not looked at
 * while each head and each length has been seen whole; after anything else, whatever looks like a request
 * counts as one.
 */
export function gateRequests(socket: Socket, requestCount: number): void {
  const push = socket.push.bind(socket);
  const bodies = new Bodies();
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (!(chunk instanceof Buffer) || !holdsMore(chunk, requestCount, bodies)) return push(chunk, encoding);
    socket.destroy();
    return false;
  };
  // Without a listener of ours, Node's parser takes the bytes directly from the system, bypassing `push`.
  socket.on('data', ignore);
}

/** From now on the connection carries something other than requests. */
export function ungate(socket: Socket): void {
  Reflect.deleteProperty(socket, 'push');
  socket.off('data', ignore);
}

function holdsMore(chunk: Buffer, requestCount: number, bodies: Bodies): boolean {
  let at = bodies.rest(chunk.length);
  for (let count = 0; count <= requestCount; count += 1) {
    const end = chunk.indexOf(HEADERS_END, at);
    if (end === -1) {
      if (at < chunk.length) bodies.lose();
      return false;
    }
    at = end + HEADERS_END.length + bodies.after(chunk, at, end);
    if (at >= chunk.length) {
      bodies.goOn(at - chunk.length);
      // What begins in the next chunk is counted there.
      return count >= requestCount;
    }
  }
  return true;
}

/** Where the bodies on one connection end, as long as that is beyond doubt. */
class Bodies {
  #isSure = true;
  /** Of a body that goes on in the next chunk. */
  #restBytes = 0;

  /** How much of a chunk of `byteCount` belongs to the body before. */
  rest(byteCount: number): number {
    const bytes = Math.min(this.#restBytes, byteCount);
    this.#restBytes -= bytes;
    return bytes;
  }

  /** The length of the body after the head that takes start..end-1 of `chunk`; 0 when it is not sure. */
  after(chunk: Buffer, start: number, end: number): number {
    if (!this.#isSure) return 0;
    const head = chunk.toString('latin1', start, end);
    // A body in chunks says itself where it ends.
    if (/transfer-encoding/iu.test(head)) {
      this.#isSure = false;
      return 0;
    }
    const lengths = [...head.matchAll(/content-length/giu)];
    if (lengths.length === 0) return 0;
    const length = /\r\ncontent-length: *(\d{1,9}) *(?:\r\n|$)/iu.exec(head)?.[1];
    if (length !== undefined && lengths.length === 1) return Number(length);
    this.#isSure = false;
    return 0;
  }

  goOn(byteCount: number): void {
    this.#restBytes = byteCount;
  }

  /** A head was cut in two. */
  lose(): void {
    this.#isSure = false;
  }
}

function ignore(): void {
  // The parser's own listener gets them.
}
