// Back pressure: bytes go out no faster than a client takes them.

import type { ServerResponse } from 'node:http';

/** Resolves once the system has the bytes, or the client went away: Node may not tell of the former then. */
export function written(response: ServerResponse, bytes: Uint8Array, leaving: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      leaving.removeEventListener('abort', done);
      resolve();
    };
    leaving.addEventListener('abort', done);
    response.write(bytes, done);
  });
}
