// The relay's answers to plain HTTP requests, on both ports.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { ServerCertificate } from './certificate-store.ts';
import { FINGERPRINTS_PATH, LAN_PATH, LANE_PATH, REACHED_PATH } from '../src/core/model/relay-paths.ts';
import { type Host, originOf, readHost } from './host.ts';
import { onboardingHeaders, onboardingPage, PLAIN_HEADERS, reachedPage, waysIn } from './onboarding.ts';
import { appHeaders } from './security-headers.ts';
import { platformOf } from './trust/platforms.ts';
import { profileOf } from './trust/profile.ts';
import { AUTHORITY_PATH, PROFILE_PATH } from './trust/trust-steps.ts';
import { type FileHandler, HASHED_FOLDER } from './app-files.ts';
import type { Connections } from './connections.ts';

export interface WebContent {
  readonly files: FileHandler;
  /** Names of this machine that requests may use, besides localhost and addresses. */
  ownNames(): readonly string[];
  /** The relay's own name, while it answers to it. */
  localName(): string | undefined;
  /** The certificate's fingerprint, and the authority if it is the relay's own. */
  certificate(): Pick<ServerCertificate, 'certificateFingerprint' | 'authority'>;
  /** Known once the https port listens. */
  httpsPort(): number;
  /** Whether it was a request of a client of the rooms; then it is answered. */
  signaling(request: IncomingMessage, response: ServerResponse, host: Host, secure: boolean): boolean;
  /** The app's present addresses for the other devices on the network; known once the https port listens. */
  lan(): readonly string[];
  /** Whether a device next to the relay answers this request of its lane. */
  readonly lane: LaneAnswer | undefined;
}

/** Answers the request, or returns false and leaves it alone. */
export type LaneAnswer = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * The listener for the https port (`secure`), or for the http port, which serves the app to this machine
 * only.
 */
export function answerRequests(
  content: WebContent,
  connections: Connections,
  secure: boolean,
): RequestListener {
  return (request, response) => {
    if (!connections.take(request, response)) return;
    const host = readHost(request.headers.host, content.ownNames());
    if (host === undefined) {
      answerText(
        response,
        421,
        'Palm does not answer to this name. Use the address that the relay printed.\n',
      );
      return;
    }
    const headers = headersOf(host, secure, request, namedFor(content, host));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    if (content.signaling(request, response, host, secure)) return;
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    if (pathOf(request) === LANE_PATH && (secure || host.loopback)) {
      if (content.lane?.(request, response) === true) return;
      if (!isReading) {
        response.setHeader('Connection', 'close');
        answerNotFound(response);
        return;
      }
    }
    if (!isReading) {
      response.setHeader('Allow', 'GET, HEAD');
      response.setHeader('Connection', 'close'); // nobody reads a body that may follow
      answerText(response, 405, 'Palm only serves its pages here.\n');
      return;
    }
    answerPage(content, secure, host, request, response);
  };
}

function answerPage(
  content: WebContent,
  secure: boolean,
  host: Host,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const isApp = secure || host.loopback;
  const notFound = () => answerNotFound(response);
  const path = pathOf(request);
  if (path === '/ping') {
    // The page on the http port asks under other names, and the https port before the certificate is trusted.
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    return answerText(response, 200, 'palm');
  }
  if (path === REACHED_PATH) {
    const name = namedFor(content, host);
    const reached = { origin: originOf(host, secure), ...(name === undefined ? {} : { name }) };
    return answerReached(reached, request, response);
  }
  // A page on localhost has no other way to learn this machine's addresses.
  if (path === LAN_PATH && host.loopback) {
    return answer(response, 200, 'application/json', JSON.stringify(content.lan()));
  }
  const { authority, certificateFingerprint } = content.certificate();
  if (path === FINGERPRINTS_PATH) {
    const fingerprints = { certificate: certificateFingerprint, authority: authority?.fingerprint ?? null };
    return answer(response, 200, 'application/json', JSON.stringify(fingerprints));
  }
  if (path === AUTHORITY_PATH && authority !== undefined) {
    return answer(response, 200, 'application/x-x509-ca-cert', authority.certificate);
  }
  if (path === PROFILE_PATH && authority !== undefined) {
    return answer(response, 200, 'application/x-apple-aspen-config', profileOf(authority.certificate));
  }
  if (isApp) {
    return content.files(request, response, () => {
      if (!isForPeople(request, path)) return notFound();
      // The app reads the path: it may be an invite whose # was escaped.
      request.url = '/';
      return content.files(request, response, notFound);
    });
  }
  if (path !== '/' && !isForPeople(request, path)) return notFound();
  const ways = waysIn(host, content.httpsPort(), content.localName());
  for (const [name, value] of Object.entries(onboardingHeaders(ways))) response.setHeader(name, value);
  const platform = platformOf(request.headers['user-agent'] ?? '');
  const page = onboardingPage(ways, content.certificate(), platform);
  return answer(response, 200, 'text/html;charset=utf-8', page);
}

/** For the app, which compares it with its own origin; or for a person whom the app sent here. */
function answerReached(
  reached: { readonly origin: string; readonly name?: string },
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (isForPeople(request)) answer(response, 200, 'text/html;charset=utf-8', reachedPage());
  else answer(response, 200, 'application/json', JSON.stringify(reached));
}

function headersOf(
  host: Host,
  secure: boolean,
  request: IncomingMessage,
  named: string | undefined,
): Record<string, string> {
  const isApp = secure || host.loopback;
  return isApp && pathOf(request) !== REACHED_PATH ? appHeaders(host, secure, named) : PLAIN_HEADERS;
}

/**
 * The relay's own name as an origin, for a page that came by an address: its connection doctor tries whether
 * the name would do, too.
 */
function namedFor(content: WebContent, host: Host): string | undefined {
  if (host.loopback || !IS_ADDRESS.test(host.name)) return undefined;
  return waysIn(host, content.httpsPort(), content.localName()).named?.secure;
}

const IS_ADDRESS = /^(?:[0-9.]+|\[.*\])$/;

function pathOf(request: IncomingMessage): string | undefined {
  return request.url?.split('?', 1)[0];
}

/**
 * Whether a person opened `path`. A part of the app that is gone must stay a 404 to the app: the sign of an
 * update.
 */
function isForPeople(request: IncomingMessage, path = '/'): boolean {
  return /\btext\/html\b/.test(request.headers.accept ?? '') && !path.startsWith(HASHED_FOLDER);
}

function answerNotFound(response: ServerResponse): void {
  answerText(response, 404, 'There is no such page here.\n');
}

function answerText(response: ServerResponse, status: number, text: string): void {
  answer(response, status, 'text/plain;charset=utf-8', text);
}

/** Node leaves the body out of an answer to HEAD. */
function answer(response: ServerResponse, status: number, type: string, body: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.setHeader('Cache-Control', 'no-store');
  response.end(body);
}
