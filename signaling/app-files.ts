// The built app, served from memory.
//
// Invariants: all files are read once, at the start, and no request opens one; a path is looked up as it was
// sent, never decoded or joined, so no request can name another file; a waiting answer holds one slice of its
// file.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ANSWER_SLICE_BYTES, MAX_APP_BYTES } from './relay-limits.ts';
import { StartError } from './start-error.ts';

/** Answers GET and HEAD requests; calls `next` when there is no such file. */
export type FileHandler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

interface AppFile {
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
  readonly bytes: Buffer;
  /** The same, compressed; undefined where that saves nothing. */
  readonly gzip: Buffer | undefined;
}

/**
 * Vite puts files with a content hash in their name here; browsers must ask for all others again each time.
 */
export const HASHED_FOLDER = '/assets/';

const TYPES = new Map([
  ['.css', 'text/css'],
  ['.html', 'text/html;charset=utf-8'],
  ['.ico', 'image/x-icon'],
  ['.js', 'text/javascript'],
  ['.json', 'application/json'],
  ['.png', 'image/png'],
  ['.svg', 'image/svg+xml'],
  ['.txt', 'text/plain;charset=utf-8'],
  ['.wasm', 'application/wasm'],
  ['.webmanifest', 'application/manifest+json'],
  ['.woff2', 'font/woff2'],
]);

/**
 * Reads the app and serves it.
 * @throws StartError when the folder holds no app, or more than an app can be.
 */
export function serveFiles(appDir: string): FileHandler {
  const files = readApp(appDir);
  return (request, response, next) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    const file = files.get(path === '/' ? '/index.html' : path);
    if (file === undefined) return next();
    return sendFile(request, response, file);
  };
}

function readApp(appDir: string): ReadonlyMap<string, AppFile> {
  const files = new Map<string, AppFile>();
  let totalBytes = 0;
  for (const path of filePaths(appDir)) {
    const bytes = readFileSync(path);
    totalBytes += bytes.length;
    if (totalBytes > MAX_APP_BYTES) {
      throw new StartError(
        `${appDir} holds more than ${MAX_APP_BYTES / 1024 / 1024} MiB, which is no built app. Build it with: npm run build`,
      );
    }
    const name = `/${relative(appDir, path).split(sep).join('/')}`;
    files.set(name, appFile(name, bytes));
  }
  if (!files.has('/index.html')) {
    throw new StartError(`There is no app in ${appDir}. Build it with: npm run build`);
  }
  return files;
}

/** All files below `folder`, except hidden ones. */
function filePaths(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.'))
      .flatMap((entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return filePaths(path);
        return entry.isFile() ? [path] : [];
      });
  } catch (cause) {
    throw new StartError(`There is no app that can be read in ${folder}. Build it with: npm run build`, {
      cause,
    });
  }
}

function appFile(name: string, bytes: Buffer): AppFile {
  const gzip = gzipSync(bytes, { level: 9 });
  return {
    type: TYPES.get(extname(name)) ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    cacheControl: name.startsWith(HASHED_FOLDER) ? 'public, max-age=31536000, immutable' : 'no-cache',
    bytes,
    gzip: gzip.length < 0.9 * bytes.length ? gzip : undefined,
  };
}

/**
 * Ranges are optional (RFC 9110, section 14), and no file of the app needs them: every answer is complete.
 */
function sendFile(request: IncomingMessage, response: ServerResponse, file: AppFile): void {
  const gzip = acceptsGzip(request) ? file.gzip : undefined;
  const bytes = gzip ?? file.bytes;
  // Two encodings are two representations, each with its own strong tag (RFC 9110, section 8.8.3).
  const etag = gzip === undefined ? file.etag : `${file.etag.slice(0, -1)}-gzip"`;
  response.setHeader('Cache-Control', file.cacheControl);
  response.setHeader('ETag', etag);
  if (file.gzip !== undefined) response.setHeader('Vary', 'Accept-Encoding');
  if (isKnown(request.headers['if-none-match'], etag)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.statusCode = 200;
  response.setHeader('Content-Type', file.type);
  response.setHeader('Content-Length', bytes.length);
  if (gzip !== undefined) response.setHeader('Content-Encoding', 'gzip');
  if (request.method === 'HEAD') response.end();
  else sendSlices(response, bytes);
}

/** Hands over one slice at a time, so a client that does not read costs one slice. */
function sendSlices(response: ServerResponse, bytes: Buffer): void {
  let sentBytes = 0;
  const proceed = (): void => {
    while (sentBytes < bytes.length) {
      const slice = bytes.subarray(sentBytes, sentBytes + ANSWER_SLICE_BYTES);
      sentBytes += slice.length;
      if (!response.write(slice)) {
        response.once('drain', proceed);
        return;
      }
    }
    response.end();
  };
  proceed();
}

/** RFC 9110, section 12.5.3: `gzip` or `*` is listed, and not with a weight of 0. */
function acceptsGzip(request: IncomingMessage): boolean {
  const [accepted = ''] = [request.headers['accept-encoding']].flat();
  return accepted.split(',').some((coding) => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(coding));
}

/** RFC 9110, section 13.1.2: the comparison is weak. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
