// What requests on the device's socket bring, and how failures are told.

import type { IncomingMessage } from 'node:http';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { TokenError } from '../gateway/tokens.ts';
import { words } from '../words.ts';
import { GatewayError } from './gateway-switch.ts';
import type { ToldError } from './messages.ts';

/** Far longer than any request but the bytes of a file. */
const MAX_BODY_BYTES = 64 * 1024;

/** A request that makes no sense. */
export class RequestError extends Error {}

export async function jsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) throw new RequestError('no bytes');
    byteCount += chunk.length;
    if (byteCount > MAX_BODY_BYTES) throw new RequestError('a request that is too long');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new RequestError('a text was expected');
}

/** A failure in words for the program. */
export function toldOf(error: unknown): ToldError {
  if (isPalmError(error)) return { code: error.code, message: error.message };
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return { code: 'source-changed', message: words.noSuchFile };
  if (code === 'EISDIR') return { code: 'bad-argument', message: words.isFolder };
  if (code === 'EACCES') return { code: 'source-changed', message: words.notAllowed };
  if (code === 'ENOSPC') {
    const full = new PalmError({ code: 'storage-full', reason: 'device' });
    return { code: full.code, message: words.diskFull };
  }
  if (
    error instanceof RequestError ||
    error instanceof TokenError ||
    error instanceof GatewayError ||
    error instanceof SyntaxError
  )
    return { code: 'bad-request', message: error.message };
  return { code: 'bug', message: error instanceof Error ? error.message : String(error) };
}
