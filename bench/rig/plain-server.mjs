// Plain requests, for comparison: a page without a script, as many bytes as are asked for, and any taken. As
// a program (`node plain-server.mjs`) it serves all addresses of its host, and prints its port.

import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

/** One piece of an answer. */
const PIECE = Buffer.alloc(2 ** 20, 7);

/** @returns {import('node:http').Server} not listening yet */
export function plainServer() {
  return createServer((request, response) => {
    if (request.method === 'POST') {
      request.resume().on('end', () => response.writeHead(204).end());
      return;
    }
    const byteCount = Number(request.url?.slice(1));
    if (byteCount === 0) {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>');
      return;
    }
    response.writeHead(200, { 'Content-Length': byteCount });
    let left = byteCount;
    const send = () => {
      while (left > 0) {
        const part = PIECE.subarray(0, Math.min(left, PIECE.length));
        left -= part.length;
        if (!response.write(part)) {
          response.once('drain', send);
          return;
        }
      }
      response.end();
    };
    send();
  });
}

/**
 * @param {import('node:http').Server} server
 * @returns {number}
 */
export function portOf(server) {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it has a port');
  return address.port;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = plainServer().listen(0, () => console.log(String(portOf(server))));
}
