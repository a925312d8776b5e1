// Back pressure: bytes go out no faster than a client takes them.

import type { ServerResponse } from 'node:http';

/**
 * Aborts when the client is gone: of a response that waits behind another one on its connection Node does not
 * tell.
 */
export function leavingOf(response: ServerResponse): AbortController {
  const { socket } = response.req;
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  socket.once('close', leave);
  response.once('close', () => {
    socket.off('close', leave);
    leave();
  });
  return leaving;
}

/**
 * Resolves once the system has the bytes, with true, or the client went away: Node may not tell of the former
 * then.
 */
export async function written(
  response: ServerResponse,
  bytes: Uint8Array,
  leaving: AbortSignal,
): Promise<boolean> {
  if (leaving.aborted) return false;
  return new Promise((resolve) => {
    const leave = (): void => resolve(false);
    leaving.addEventListener('abort', leave, { once: true });
    response.write(bytes, (error) => {
      leaving.removeEventListener('abort', leave);
      resolve(error === null || error === undefined);
    });
  });
}
