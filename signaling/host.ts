// Which `Host` and `Origin` headers the relay accepts.
//
// A foreign site may point its own name at this machine (DNS rebinding), and its page would then count as the
// relay's own origin. So the relay accepts only names that are certainly this machine's: addresses,
// localhost, and its own names.

import { isIP } from 'node:net';

export interface Host {
  /**
   * Name or address as in the header, lower case, with brackets around an IPv6 address and without the port.
   */
  readonly name: string;
  /** `name`, and the port if given. */
  readonly authority: string;
  /**
   * The browser is on this machine, and gives http:// the rights of a secure context (W3C Secure Contexts,
   * 3.1).
   */
  readonly loopback: boolean;
}

const HOST_PATTERN = /^([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?$/;

/**
 * Reads a Host header; undefined when it is absent, malformed or names another machine. `ownNames` are lower
 * case.
 */
export function readHost(header: string | undefined, ownNames: readonly string[]): Host | undefined {
  const authority = header?.toLowerCase() ?? '';
  const name = HOST_PATTERN.exec(authority)?.[1];
  if (name === undefined) return undefined;
  const address = name.startsWith('[') ? name.slice(1, -1) : name;
  const version = isIP(address);
  const isAddress = name.startsWith('[') ? version === 6 : version === 4;
  if (!isAddress && name !== 'localhost' && !ownNames.includes(name)) return undefined;
  const loopback = name === 'localhost' || name === '[::1]' || (version === 4 && name.startsWith('127.'));
  return { name, authority, loopback };
}

/** Whether a WebSocket may be opened: by a page of this relay, or by a program (which sends no Origin). */
export function isOwnOrigin(origin: string | undefined, host: Host, secure: boolean): boolean {
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).origin === originOf(host, secure);
}

/** The origin of a page that was asked for at `host`; '' for a port that no URL has. */
export function originOf(host: Host, secure: boolean): string {
  const own = `${secure ? 'https' : 'http'}://${host.authority}`;
  return URL.canParse(own) ? new URL(own).origin : '';
}
