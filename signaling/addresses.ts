// What this machine is called on its network.

import { hostname, networkInterfaces } from 'node:os';

export interface MachineAddresses {
  /** Names without a domain, lower case: the machine's own, then its mDNS name. */
  readonly names: readonly string[];
  /** IPv4 addresses that others on the network may reach, likeliest first. */
  readonly lan: readonly string[];
}

/** Bridges, tunnels and virtual machines' networks: phones are rarely there. */
const VIRTUAL_INTERFACE =
  /^(br-|docker|ifb|lxc|lxd|podman|tailscale|tap|tun|utun|veth|virbr|vboxnet|vEthernet|vmnet|wg|zt)/i;

/** Reads the machine's current names and addresses. */
export function machineAddresses(): MachineAddresses {
  const found = Object.entries(networkInterfaces()).flatMap(([interfaceName, entries]) =>
    (entries ?? [])
      .filter((entry) => entry.family === 'IPv4' && !entry.internal)
      .map(({ address }) => ({ address, rank: rankOf(interfaceName, address) })),
  );
  const lan = found.toSorted((a, b) => a.rank - b.rank).map(({ address }) => address);
  return { names: machineNames(hostname()), lan: [...new Set(lan)] };
}

/** The names that follow from a system's host name; none if DNS cannot carry it. */
export function machineNames(systemName: string): string[] {
  const [label = ''] = systemName.toLowerCase().split('.');
  const isLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label); // RFC 1123, section 2.1
  return isLabel && label !== 'localhost' ? [label, `${label}.local`] : [];
}

function rankOf(interfaceName: string, address: string): number {
  if (address.startsWith('169.254.')) return 2; // no DHCP server answered (RFC 3927)
  return VIRTUAL_INTERFACE.test(interfaceName) ? 1 : 0;
}
