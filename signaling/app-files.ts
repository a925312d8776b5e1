// The built app, served from memory.
//
// The build puts compressed forms of a file next to it (vite.config.ts): they are sent to browsers that
// accept them, and have no path of their own.
//
// Invariants: all files are read once, at the start, and no request opens one; a path is looked up as it was
// sent, never decoded or joined, so no request can name another file; a compressed form holds exactly its
// file's bytes; a waiting answer holds one slice of its file.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { ANSWER_SLICE_BYTES, MAX_APP_BYTES } from './relay-limits.ts';
import { StartError } from './start-error.ts';

/** Answers GET and HEAD requests; calls `next` when there is no such file. */
export type FileHandler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

interface AppFile {
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
  readonly bytes: Buffer;
  /** The same, compressed, smallest first; none where that saves nothing. */
  readonly compressed: readonly Compressed[];
}

interface Compressed {
  readonly coding: Coding;
  readonly bytes: Buffer;
}

/** Content codings (RFC 9110, section 8.4.1; RFC 7932). */
type Coding = 'br' | 'gzip';

/** What the build appends to the name of a compressed form; smallest first. */
const FORMS = [
  {
    suffix: '.br',
    coding: 'br',
    expand: (bytes: Buffer, most: number) => brotliDecompressSync(bytes, { maxOutputLength: most }),
  },
  {
    suffix: '.gz',
    coding: 'gzip',
    expand: (bytes: Buffer, most: number) => gunzipSync(bytes, { maxOutputLength: most }),
  },
] as const;

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
  const contents = new Map<string, Buffer>();
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
    contents.set(name, bytes);
  }
  const files = new Map<string, AppFile>();
  for (const [name, bytes] of contents) {
    if (!isForm(name, contents)) files.set(name, appFile(name, bytes, contents));
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

/** Whether `name` is that of another file's compressed form. */
function isForm(name: string, contents: ReadonlyMap<string, Buffer>): boolean {
  return FORMS.some(({ suffix }) => name.endsWith(suffix) && contents.has(name.slice(0, -suffix.length)));
}

function appFile(name: string, bytes: Buffer, contents: ReadonlyMap<string, Buffer>): AppFile {
  return {
    type: TYPES.get(extname(name)) ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    cacheControl: name.startsWith(HASHED_FOLDER) ? 'public, max-age=31536000, immutable' : 'no-cache',
    bytes,
    compressed: compressedForms(name, bytes, contents),
  };
}

/** Those that the build made; in a folder without them gzip alone, made now. */
function compressedForms(
  name: string,
  bytes: Buffer,
  contents: ReadonlyMap<string, Buffer>,
): readonly Compressed[] {
  const built = FORMS.flatMap(({ suffix, coding, expand }) => {
    const form = contents.get(`${name}${suffix}`);
    if (form === undefined) return [];
    if (!isSame(bytes, () => expand(form, bytes.length + 1))) {
      throw new StartError(`${name}${suffix} does not belong to ${name}. Build the app again: npm run build`);
    }
    return [{ coding, bytes: form }];
  });
  if (built.length > 0) return built;
  const gzip = gzipSync(bytes, { level: 9 });
  return gzip.length < 0.9 * bytes.length ? [{ coding: 'gzip', bytes: gzip }] : [];
}

function isSame(bytes: Buffer, expand: () => Buffer): boolean {
  try {
    return expand().equals(bytes);
  } catch {
    return false; // it is damaged, or longer
  }
}

/**
 * Ranges are optional (RFC 9110, section 14), and no file of the app needs them: every answer is complete.
 */
function sendFile(request: IncomingMessage, response: ServerResponse, file: AppFile): void {
  const form = acceptedForm(request, file.compressed);
  const bytes = form?.bytes ?? file.bytes;
  // Each encoding is another representation, with a strong tag of its own (RFC 9110, section 8.8.3).
  const etag = form === undefined ? file.etag : `${file.etag.slice(0, -1)}-${form.coding}"`;
  response.setHeader('Cache-Control', file.cacheControl);
  response.setHeader('ETag', etag);
  if (file.compressed.length > 0) response.setHeader('Vary', 'Accept-Encoding');
  if (isKnown(request.headers['if-none-match'], etag)) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.statusCode = 200;
  response.setHeader('Content-Type', file.type);
  response.setHeader('Content-Length', bytes.length);
  if (form !== undefined) response.setHeader('Content-Encoding', form.coding);
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

/**
 * The form that the browser prefers, by RFC 9110, section 12.5.3; among equals the smallest. Undefined for
 * the file as it is, which every client takes, whatever it says.
 */
function acceptedForm(request: IncomingMessage, forms: readonly Compressed[]): Compressed | undefined {
  const [accepted = ''] = [request.headers['accept-encoding']].flat();
  const weights = weightsOf(accepted);
  const weightOf = (coding: string): number => weights.get(coding) ?? weights.get('*') ?? 0;
  let best: Compressed | undefined;
  // Uncompressed bytes need not be listed to be accepted; then they are the last choice.
  let bestWeight = weights.get('identity') ?? 0;
  for (const form of forms) {
    const weight = weightOf(form.coding);
    if (weight > bestWeight || (weight === bestWeight && weight > 0 && best === undefined)) {
      best = form;
      bestWeight = weight;
    }
  }
  return best;
}

/** Each listed coding's weight; 0 for one that is malformed. */
function weightsOf(accepted: string): ReadonlyMap<string, number> {
  return new Map(
    accepted
      .toLowerCase()
      .split(',')
      .map((item) => {
        const [coding = '', ...parameters] = item.split(';').map((part) => part.trim());
        const quality = parameters.find((parameter) => parameter.startsWith('q='));
        if (quality === undefined) return [coding, 1];
        return [coding, QUALITY.test(quality) ? Number(quality.slice(2)) : 0];
      }),
  );
}

/** RFC 9110, section 12.4.2. */
const QUALITY = /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** RFC 9110, section 13.1.2: the comparison is weak. */
function isKnown(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes(etag) || tags.includes('*');
}
