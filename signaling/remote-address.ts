// Who is counted as one remote side: the key under which all limits per address are kept.
//
// One machine has as many IPv6 addresses as it likes within its network's /64, so those count together. A whole home
// network is one /64 then; the limits have room for a school behind one address, and so for that.

import { isIP } from 'node:net';

declare const brand: unique symbol;

/** An IPv4 address, or the first 64 bits of an IPv6 address. */
export type AddressKey = string & { readonly [brand]: 'AddressKey' };

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The key of a socket's remote address. A socket that is gone already has none and counts under a key of its own. */
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
  // The one place that makes keys: `text` is normalised above, and an unknown form is a key of its own.
  return text as AddressKey;
}
