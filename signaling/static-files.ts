// The built app, from a folder.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import sirv from 'sirv';
import { StartError } from './start-error.ts';

/** Answers GET and HEAD requests; calls `next` when there is no such file. */
export type FileHandler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** Vite puts what carries its content's hash in its name here; all else must be asked for again each time. */
const HASHED_FOLDER = '/assets/';

/**
 * Serves the files that are in `appDir` now: the list is made once, so that no request can name anything else.
 * @throws StartError when the folder holds no app.
 */
export function serveFiles(appDir: string): FileHandler {
  if (!existsSync(join(appDir, 'index.html'))) {
    throw new StartError(`There is no app in ${appDir}. Build it with: npm run build`);
  }
  const serve = sirv(appDir, {
    etag: true,
    setHeaders(response, pathname) {
      const isHashed = pathname.startsWith(HASHED_FOLDER);
      response.setHeader('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return (request, response, next) => {
    // Ranges are optional (RFC 9110, section 14), no file of the app needs them, and sirv trips over odd ones.
    delete request.headers.range;
    // A file that was deleted since the list was made ends this answer, not the relay.
    response.once('pipe', (file) => file.once('error', () => response.destroy()));
    serve(request, response, next);
  };
}
