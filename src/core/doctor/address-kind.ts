// How a relay is called.

import type { AddressKind } from './facts.ts';

/** `hostname`: as a URL has it, an IPv6 address in brackets. */
export function addressKindOf(hostname: string): AddressKind {
  if (/^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u.test(hostname)) return 'loopback';
  if (/^(?:\d{1,3}(?:\.\d{1,3}){3}|\[.*\])$/u.test(hostname)) return 'ip';
  return /\.local\.?$/u.test(hostname) ? 'local-name' : 'name';
}
