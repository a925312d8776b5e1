// Bounds how many connections a server has. At the bound, a new one takes the place of the one that has been
// without a request for longest: idle ones, however many, shut nobody out. A connection has one request at
// a time: nothing would tell that the client of a waiting one is gone, and no client of today sends such.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export function boundConnections(server: Server, maxCount: number): void {
  const busy = new Set<Socket>();
  /** The one that is idle for longest comes first. */
  const idle = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    if (busy.size + idle.size >= maxCount) {
      const [longest] = idle;
      if (longest === undefined) {
        socket.destroy();
        return;
      }
      idle.delete(longest);
      longest.destroy();
    }
    idle.add(socket);
    socket.once('close', () => {
      idle.delete(socket);
      busy.delete(socket);
    });
  });
  const begins = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    if (busy.has(socket)) {
      socket.destroy();
      return;
    }
    idle.delete(socket);
    busy.add(socket);
    response.once('close', () => {
      if (busy.delete(socket) && !socket.destroyed) idle.add(socket);
    });
  };
  server.on('request', begins);
  server.on('checkContinue', begins);
}
