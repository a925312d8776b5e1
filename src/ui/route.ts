// What the address asks for. Pure. Invites and file links are secrets: they follow the '#', which browsers
// never send to a server, and `main.tsx` removes them from the address bar once they were tried.

/** Longer than any invite or file link. */
export const MAX_LINK_CHARS = 2048;

export type Route =
  | { readonly kind: 'home' }
  /** `invite` is the whole address: the field shows it, and `Palm.join` takes it. */
  | { readonly kind: 'join'; readonly invite: string }
  /** `link` is the whole address, as `Palm.openLink` takes it. */
  | { readonly kind: 'file'; readonly link: string };

/** The route of an address (`location.href`). Anything unknown is 'home'. */
export function parseRoute(href: string): Route {
  if (href.length > MAX_LINK_CHARS) return { kind: 'home' };
  const hash = URL.canParse(href) ? new URL(href).hash : '';
  if (/^#\/join(?:\/|$)/u.test(hash)) return { kind: 'join', invite: href };
  if (/^#\/file(?:\/|$)/u.test(hash)) return { kind: 'file', link: href };
  return { kind: 'home' };
}

/** The invite in scanned or pasted text, trimmed; undefined when it is clearly something else. */
export function inviteIn(text: string): string | undefined {
  const trimmed = text.trim();
  return parseRoute(trimmed).kind === 'join' ? trimmed : undefined;
}

/**
 * The origin at which an invite was made, when it is not `ownOrigin`: devices of a pool meet at one address.
 */
export function foreignOrigin(invite: string, ownOrigin: string): string | undefined {
  const trimmed = invite.trim();
  if (!URL.canParse(trimmed)) return undefined;
  const url = new URL(trimmed);
  const web = url.protocol === 'https:' || url.protocol === 'http:';
  return web && url.origin !== ownOrigin ? url.origin : undefined;
}

/** Whether only this machine can reach `hostname`. */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u.test(hostname);
}
