// What the address asks for. Pure. Invites and file links are secrets: they follow the '#', which browsers
// never send to a server, and `main.tsx` removes them from the address bar once they were tried.

import { findLinks, linkTextOf, plainText } from '../core/model/pasted-link.ts';
import { MAX_PASTED_CHARS } from '../core/model/limits.ts';

export type Route =
  | { readonly kind: 'home' }
  /** `invite` is the whole address: the field shows it, and `Palm.join` takes it. */
  | { readonly kind: 'join'; readonly invite: string }
  /** `link` is the whole address, as `Palm.openLink` takes it. */
  | { readonly kind: 'file'; readonly link: string }
  /** To invite a device, from the icon on the home screen. */
  | { readonly kind: 'invite' }
  /** To open the connection doctor. */
  | { readonly kind: 'doctor' }
  /** The app has one page, and this is not its path. */
  | { readonly kind: 'unknown'; readonly path: string };

/** What the manifest's shortcut opens (vite.config.ts). */
const INVITE_HASH = '#/invite';
/** What people can be told to open. */
const DOCTOR_HASH = '#/doctor';

/** The route of an address (`location.href`), also of one whose '#' became part of the path. */
export function parseRoute(href: string): Route {
  if (href.length > MAX_PASTED_CHARS || !URL.canParse(href)) return { kind: 'home' };
  const link = linksIn(href).at(-1);
  if (link?.kind === 'join') return { kind: 'join', invite: href };
  if (link?.kind === 'file') return { kind: 'file', link: href };
  const { pathname, hash } = new URL(href);
  if (pathname === '/' && hash === INVITE_HASH) return { kind: 'invite' };
  if (pathname === '/' && hash === DOCTOR_HASH) return { kind: 'doctor' };
  return pathname === '/' || pathname === '/index.html'
    ? { kind: 'home' }
    : { kind: 'unknown', path: pathname };
}

/** The invite in scanned or pasted text, trimmed; undefined when it is clearly something else. */
export function inviteIn(text: string): string | undefined {
  return linksIn(text).some(({ kind }) => kind === 'join') ? text.trim() : undefined;
}

/**
 * An invite made at another address than `ownOrigin`, without the text around it: devices of a pool meet at
 * one address.
 */
export function foreignInvite(
  invite: string,
  ownOrigin: string,
): { readonly origin: string; readonly url: string } | undefined {
  const link = linksIn(invite).findLast(({ kind }) => kind === 'join');
  if (link?.origin === undefined || !URL.canParse(link.origin)) return undefined;
  const { origin } = new URL(link.origin);
  return origin === ownOrigin ? undefined : { origin, url: `${origin}/#/join/${linkTextOf(link.after)}` };
}

function linksIn(text: string): ReturnType<typeof findLinks> {
  return text.length > MAX_PASTED_CHARS ? [] : findLinks(plainText(text));
}

/** Whether only this machine can reach `hostname`. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u.test(hostname);
}
