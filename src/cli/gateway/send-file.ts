// A file of the pool as an answer: whole, a part of it, or that the client has it (RFC 9110). A file's bytes
// never change, so its id is a strong validator.
//
// Invariants: what cannot be read says so before the first byte; at most READ_BYTES of each answer are in
// memory, and the next are read only when the client took these.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { create as dispositionOf } from 'content-disposition';
import fresh from 'fresh';
import mime from 'mime';
import parseRange from 'range-parser';
import type { FileStatus, Palm } from '../../runtime/api.ts';
import type { DeviceWorks } from '../operations/device-works.ts';
import { traceOf } from '../operations/tracing.ts';
import { words } from '../words.ts';
import { allowPlayer, belowK, Refusal } from './answer.ts';
import { leavingOf, written } from './written.ts';

/** Read at once, bytes. */
const READ_BYTES = 256 * 1024;
const GENERIC_TYPE = 'application/octet-stream';
const TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/u;
/** Not those of XML, such as SVG: they are documents. */
const MEDIA = /^(?:audio|video|image)\/(?!svg)[\w.-]+$/u;

export interface SendingDevice {
  readonly palm: Pick<Palm, 'read'>;
  readonly works: Pick<DeviceWorks, 'read'>;
}

export interface Sending {
  readonly stallMs: number;
  readonly asDownload: boolean;
  /** A strong validator of the bytes. Default: the file's id. */
  readonly tag?: string;
}

interface Part {
  readonly start: number;
  /** One past its last byte. */
  readonly end: number;
}

/** @throws Refusal; what `palm.read` fails with before the first byte. */
export async function sendFile(
  { palm, works }: SendingDevice,
  file: FileStatus,
  request: IncomingMessage,
  response: ServerResponse,
  { stallMs, asDownload, tag = file.fileId }: Sending,
): Promise<void> {
  const etag = `"${tag}"`;
  response.setHeader('ETag', etag);
  response.setHeader('Accept-Ranges', 'bytes');
  // Kept, but shown again only when the token still counts.
  response.setHeader('Cache-Control', 'private, no-cache');
  if (!matches(request.headers['if-match'], etag))
    throw new Refusal(412, 'precondition', words.gateway.otherFile);
  if (fresh(request.headers, { etag })) {
    response.statusCode = 304;
    response.end();
    return;
  }
  const mediaType = typeOf(file);
  response.setHeader('Content-Type', mediaType);
  if (MEDIA.test(mediaType)) allowPlayer(response);
  const type = asDownload ? 'attachment' : 'inline';
  response.setHeader('Content-Disposition', dispositionOf(file.name, { type }));
  const part = partOf(request, file.size, etag);
  const { start, end } = part ?? { start: 0, end: file.size };
  response.statusCode = part === undefined ? 200 : 206;
  response.setHeader('Content-Length', end - start);
  if (part !== undefined) response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${file.size}`);
  if (request.method === 'HEAD') {
    if (file.reach < file.k) throw belowK(words.gateway.belowK(file.reach, file.k));
    response.end();
  } else if (start === end) response.end();
  else
    await works.read(traceOf(request), (traceparent) =>
      sendBytes(palm, file.fileId, { start, end, traceparent }, response, stallMs),
    );
}

/** By its own word where it is one, else by its name. Text is UTF-8, as nearly all of it is. */
export function typeOf({ mime: given, name }: Pick<FileStatus, 'mime' | 'name'>): string {
  const isSaid = TYPE.test(given) && given !== GENERIC_TYPE;
  const type = isSaid ? given.toLowerCase() : (mime.getType(name) ?? GENERIC_TYPE);
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}

/** If-Match compares strongly (RFC 9110, 13.1.1). */
function matches(ifMatch: string | undefined, etag: string): boolean {
  if (ifMatch === undefined || ifMatch.trim() === '*') return true;
  return ifMatch.split(',').some((each) => each.trim() === etag);
}

/**
 * The part that is asked for, undefined for all. Several parts, ranges in another unit and ones that cannot
 * be read are answered with the whole file, as RFC 9110 (14.2) allows.
 * @throws Refusal for a range beyond the end.
 */
function partOf({ method, headers }: IncomingMessage, size: number, etag: string): Part | undefined {
  const { range, 'if-range': ifRange } = headers;
  // Ranges are defined for GET alone (RFC 9110, 14.2).
  if (method !== 'GET' || range === undefined || !/^ *bytes=/u.test(range)) return undefined;
  if (typeof ifRange === 'string' && ifRange !== etag) return undefined;
  const ranges = parseRange(size, range, { combine: true });
  if (ranges === -1)
    throw new Refusal(416, 'range', words.gateway.beyondEnd(size), { 'Content-Range': `bytes */${size}` });
  if (ranges === -2 || ranges.length !== 1) return undefined;
  const [only] = ranges;
  return only === undefined ? undefined : { start: only.start, end: only.end + 1 };
}

/** Resolves to how many bytes the client took. */
async function sendBytes(
  palm: Pick<Palm, 'read'>,
  fileId: string,
  part: Part & { readonly traceparent: string },
  response: ServerResponse,
  stallMs: number,
): Promise<number> {
  const leaving = leavingOf(response);
  // One buffer for all of it.
  const reader = palm.read(fileId, { ...part, signal: leaving.signal }).getReader({ mode: 'byob' });
  let piece = await reader.read(new Uint8Array(READ_BYTES));
  let byteCount = 0;
  while (!piece.done && !leaving.signal.aborted) {
    byteCount += piece.value.length;
    // Bytes that go out, however slowly, set this clock back; a client that takes none is cut off.
    response.socket?.setTimeout(stallMs);
    await written(response, piece.value, leaving.signal);
    // The pool may take longer.
    response.socket?.setTimeout(0);
    piece = await reader.read(new Uint8Array(piece.value.buffer));
  }
  response.socket?.setTimeout(stallMs);
  response.end();
  return byteCount;
}
