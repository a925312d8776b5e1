// Where others on the network reach this machine.

import type { networkInterfaces } from 'node:os';

/** Bridges, tunnels and virtual machines' networks: phones are rarely there. */
const VIRTUAL_INTERFACE =
  /^(br-|docker|ifb|lxc|lxd|podman|tailscale|tap|tun|utun|veth|virbr|vboxnet|vEthernet|vmnet|wg|zt)/i;

/** The addresses among those of `interfaces` that others on the network may reach, likeliest first. */
export function reachableAddresses(interfaces: ReturnType<typeof networkInterfaces>): string[] {
  const found = Object.entries(interfaces).flatMap(([interfaceName, entries]) =>
    (entries ?? [])
      .filter(({ internal, address }) => !internal && !isBoundToInterface(address))
      .map(({ address, family }) => ({ address, family, rank: rankOf(interfaceName, address) })),
  );
  const ranked = found.toSorted((a, b) => a.rank - b.rank);
  const of = (wanted: string) =>
    ranked.filter(({ family }) => family === wanted).map(({ address }) => address);
  const hasNetwork = ranked.some(({ family, rank }) => family === 'IPv4' && rank < RANK.unassigned);
  return [...new Set(hasNetwork ? of('IPv4') : [...of('IPv6'), ...of('IPv4')])];
}

const RANK = { real: 0, virtual: 1, unassigned: 2 };

function rankOf(interfaceName: string, address: string): number {
  if (address.startsWith('169.254.')) return RANK.unassigned; // no DHCP server answered (RFC 3927)
  return VIRTUAL_INTERFACE.test(interfaceName) ? RANK.virtual : RANK.real;
}

/** A link-local IPv6 address: it needs the name of an interface, which no URL can carry (RFC 4291, 2.5.6). */
function isBoundToInterface(address: string): boolean {
  return /^fe[89ab]/i.test(address);
}
