// Keeps Node from making objects of requests that will not be answered: it parses all that came in one read, a thousand
// small requests in 64 KiB, before it lets go of a connection that was cut at the ninth.

import type { Socket } from 'node:net';

const HEADERS_END = Buffer.from('\r\n\r\n');

/** Cuts a connection when more than `requestCount` requests come at once. Requests here have no bodies to be mistaken. */
export function gateRequests(socket: Socket, requestCount: number): void {
  const push = socket.push.bind(socket);
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (!(chunk instanceof Buffer) || !holdsMore(chunk, requestCount)) return push(chunk, encoding);
    socket.destroy();
    return false;
  };
  // Without a listener of ours, Node's parser takes the bytes from the system directly, past `push`.
  socket.on('data', ignore);
}

/** From here on the connection carries something else than requests. */
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
  // The parser's own listener has them.
}
