// What counts as one remote address: the key for all limits per address.
//
// One machine can use any number of IPv6 addresses within its network's /64, so those count together. A whole
// home network is then one /64; the limits have room for a school behind one address, so also for that.

import { isIP } from 'node:net';

declare const brand: unique symbol;

/** An IPv4 address, or the first 64 bits of an IPv6 address. */
export type AddressKey = string & { readonly [brand]: 'AddressKey' };

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * The key of a socket's remote address. A socket that is already closed has none and counts under a key of
 * its own.
 */
export function addressKeyOf(remoteAddress: string | undefined): AddressKey {
  return validKey(keyText(remoteAddress ?? ''));
}

function keyText(remoteAddress: string): string {
  const [address = ''] = remoteAddress.split('%'); // fe80::1%eth0
  const mapped = MAPPED_IPV4.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  return isIP(address) === 6 ? `${firstFourGroups(address)}::/64` : address;
}

/** The first 64 bits of an IPv6 address, without leading zeros in its groups. */
function firstFourGroups(address: string): string {
  const [head = '', tail = ''] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  // A dotted IPv4 tail is two groups.
  const rightCount = right.length + (tail.includes('.') ? 1 : 0);
  const isShort = address.includes('::');
  const zeros = isShort ? Array.from({ length: Math.max(0, 8 - left.length - rightCount) }, () => '0') : [];
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':');
}

function validKey(text: string): AddressKey {
  // The only place that makes keys: `text` is normalised above, and an unknown form is its own key.
  return text as AddressKey;
}
