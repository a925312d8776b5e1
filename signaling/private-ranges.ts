// The addresses that the relay's authority may vouch for: those that no website has.

import { BlockList, isIP } from 'node:net';

/** Network and length of its prefix. */
const PRIVATE_RANGES = [
  ['10.0.0.0', 8], // private, RFC 1918
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16], // link-local, RFC 3927
  ['100.64.0.0', 10], // shared with the provider, and used by overlay networks, RFC 6598
  ['127.0.0.0', 8], // loopback
  ['::1', 128],
  ['fe80::', 10], // link-local, RFC 4291
  ['fc00::', 7], // unique local, RFC 4193
] as const;

/** In CIDR notation. */
export const PRIVATE_RANGE_TEXTS: readonly string[] = PRIVATE_RANGES.map(
  ([network, prefix]) => `${network}/${prefix}`,
);

const LIST = new BlockList();
for (const [network, prefix] of PRIVATE_RANGES) LIST.addSubnet(network, prefix, familyOf(network));

/** Whether `address` is in one of the ranges; false if it is not an address. */
export function isPrivateAddress(address: string): boolean {
  return isIP(address) !== 0 && LIST.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
