// Keeps Node from making objects for requests that will not be answered. Node parses everything from one
// read, a thousand small requests in 64 KiB, even if the connection was cut at the ninth.

import type { Socket } from 'node:net';

const HEADERS_END = Buffer.from('\r\n\r\n');

/**
 * Cuts a connection when more than `requestCount` requests come together. What bodies there are is sealed:
 * none looks like so many requests.
 */
export function gateRequests(socket: Socket, requestCount: number): void {
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (!(chunk instanceof Buffer) || !holdsMore(chunk, requestCount)) return push(chunk, encoding);
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

function holdsMore(chunk: Buffer, requestCount: number): boolean {
  let at = -HEADERS_END.length;
  for (let count = 0; count <= requestCount; count += 1) {
    at = chunk.indexOf(HEADERS_END, at + HEADERS_END.length);
    if (at === -1) return false;
  }
  return true;
}

function ignore(): void {
  // The parser's own listener gets them.
}
