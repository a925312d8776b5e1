// Who may use the gateway. Websites reach its port through a browser of this machine, and so do other users:
// Host must be its own (a name that was rebound to this address is not), requests that another site caused
// are refused, and a token is asked for always.
//
// Invariant: a token is in no answer and no log.

import type { IncomingMessage } from 'node:http';
import { words } from '../words.ts';
import { Refusal } from './answer.ts';
import { allows, type Scope, type Tokens, type TokenStatus } from './tokens.ts';

/** Both ways to show a token. Browsers, file managers and curl take it as the password of any user. */
const CHALLENGE = 'Basic realm="Palm", charset="UTF-8"';

/** The values of Host by which this gateway is called. */
export function ownHosts(host: string, port: number, name: string | undefined): ReadonlySet<string> {
  const own = name ?? (host.includes(':') ? `[${host}]` : host);
  const called = isLoopback(host) ? ['localhost', '127.0.0.1', '[::1]', own] : [own];
  const hosts = called.map((each) => `${each}:${port}`);
  // A proxy in front has a port of its own.
  if (name !== undefined || port === 80) hosts.push(own);
  return new Set(hosts.map((each) => each.toLowerCase()));
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(?:::ffff:)?127\./u.test(host);
}

/** @throws Refusal unless the request is for this gateway, and caused by no other site. */
export function checkOrigin(request: IncomingMessage, hosts: ReadonlySet<string>): void {
  const [host, ...others] = request.headersDistinct['host'] ?? [];
  if (host === undefined || others.length > 0 || !hosts.has(host.toLowerCase()))
    throw new Refusal(421, 'wrong-host', words.gateway.wrongHost);
  const { origin, 'sec-fetch-site': site } = request.headers;
  const isOwn = origin === undefined || [`http://${host}`, `https://${host}`].includes(origin);
  const isDirect = site === undefined || site === 'same-origin' || site === 'none';
  if (!isOwn || !isDirect) throw new Refusal(403, 'cross-site', words.gateway.crossSite);
}

/** @throws Refusal without a token that counts in this pool. */
export function tokenOf(
  request: IncomingMessage,
  tokens: Pick<Tokens, 'check'>,
  poolId: string,
): TokenStatus {
  const found = tokens.check(shownToken(request.headers.authorization ?? ''), poolId);
  if (found !== undefined) return found;
  throw new Refusal(401, 'no-token', words.gateway.noToken, { 'WWW-Authenticate': CHALLENGE });
}

/** @throws Refusal. */
export function checkScope(token: TokenStatus, scope: Scope): void {
  if (!allows(token, scope)) throw new Refusal(403, 'scope', words.gateway.scope(scope));
}

/** RFC 6750 and RFC 7617. '' where there is none. */
function shownToken(authorization: string): string {
  const [, scheme = '', credentials = ''] = /^(bearer|basic) +([^\s]+)$/iu.exec(authorization) ?? [];
  if (scheme.toLowerCase() !== 'basic') return credentials;
  const pair = Buffer.from(credentials, 'base64').toString('utf8');
  return pair.slice(pair.indexOf(':') + 1);
}
