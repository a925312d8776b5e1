// What every answer of the gateway has, and answers that are a refusal or a failure, in words.

import type { IncomingMessage, ServerResponse } from 'node:http';
import Negotiator from 'negotiator';
import { isPalmError, type PalmErrorCode } from '../../core/model/errors.ts';
import { words } from '../words.ts';

/** A request that is not met. `message` is for people. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** Devices that could bring back what is missing are often back within this, s. */
const RETRY_AFTER_S = 30;

/** The header that names a request in the answer and in the log. */
export const REQUEST_ID = 'x-request-id';

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Nothing that comes from here runs, is framed, guessed at, read by another origin, or kept by a proxy. */
const EVERY_ANSWER = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': `sandbox; ${POLICY}`,
} as const;

export function secure(response: ServerResponse): void {
  for (const [name, value] of Object.entries(EVERY_ANSWER)) response.setHeader(name, value);
}

/**
 * For recordings, films and pictures that hold no document: a browser's player asks for their parts as its
 * own page, which a sandbox would make a stranger's.
 */
export function allowPlayer(response: ServerResponse): void {
  response.setHeader('Content-Security-Policy', POLICY);
}

/** Whether the client would rather have JSON than what is for people. */
export function prefersJson(request: IncomingMessage): boolean {
  return new Negotiator(request).mediaType(['text/html', 'application/json']) === 'application/json';
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

/** With `HEAD`, Node leaves the body out. */
export function sendText(response: ServerResponse, status: number, type: string, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', `${type}; charset=utf-8`);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

/** Ends a response with why it failed; one that has begun is cut off, so that nobody takes it for whole. */
export function sendFailure(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // What was said of a file that is not sent after all.
  for (const name of response.getHeaderNames()) if (name !== REQUEST_ID) response.removeHeader(name);
  secure(response);
  // Whoever was refused need not send the rest of the body.
  if (hasBody(request) && !request.complete) response.setHeader('Connection', 'close');
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  const { status, code, message } = refusal;
  if (prefersJson(request)) sendJson(response, status, { error: { code, message } });
  else sendText(response, status, 'text/plain', `${message}\n`);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Bugs are told as such, without what they say about the machine. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isPalmError(error)) {
    const status = STATUS[error.code] ?? 500;
    const headers = status === 503 ? { 'Retry-After': String(RETRY_AFTER_S) } : {};
    return new Refusal(status, error.code, error.message, headers);
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC') return new Refusal(507, 'storage-full', words.diskFull);
  return new Refusal(500, 'bug', words.gateway.bug);
}

export function belowK(message: string): Refusal {
  return new Refusal(503, 'not-enough-fragments', message, { 'Retry-After': String(RETRY_AFTER_S) });
}

const STATUS: Partial<Record<PalmErrorCode, number>> = {
  'not-in-pool': 503,
  locked: 503,
  'not-enough-fragments': 503,
  'link-closed': 503,
  deadline: 503,
  refused: 503,
  'unknown-file': 404,
  'removed-file': 404,
  'link-needed': 403,
  'not-allowed': 403,
  'bad-argument': 400,
  'storage-full': 507,
  'over-quota': 507,
  'log-full': 507,
};
