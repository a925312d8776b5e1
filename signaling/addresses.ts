// What this machine is called on its network.

import { hostname, networkInterfaces } from 'node:os';

export interface MachineAddresses {
  /** Names without a domain, lower case: the machine's own, then the one that mDNS answers to. */
  readonly names: readonly string[];
  /** IPv4 addresses that others on the network may reach, the likeliest first. */
  readonly lan: readonly string[];
}

/** Bridges, tunnels and virtual machines' networks: rarely where the phones are. */
const VIRTUAL_INTERFACE =
  /^(br-|docker|ifb|lxc|lxd|podman|tailscale|tap|tun|utun|veth|virbr|vboxnet|vEthernet|vmnet|wg|zt)/i;

/** Reads the machine's names and addresses as they are now. */
export function machineAddresses(): MachineAddresses {
  const found = Object.entries(networkInterfaces()).flatMap(([interfaceName, entries]) =>
    (entries ?? [])
      .filter((entry) => entry.family === 'IPv4' && !entry.internal)
      .map(({ address }) => ({ address, rank: rankOf(interfaceName, address) })),
  );
  const lan = found.toSorted((a, b) => a.rank - b.rank).map(({ address }) => address);
  return { names: machineNames(hostname()), lan: [...new Set(lan)] };
}

/** The names for a system's host name; none when it is not one that DNS could carry. */
export function machineNames(systemName: string): string[] {
  const [label = ''] = systemName.toLowerCase().split('.');
  const isLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label); // RFC 1123, section 2.1
  return isLabel && label !== 'localhost' ? [label, `${label}.local`] : [];
}

function rankOf(interfaceName: string, address: string): number {
  if (address.startsWith('169.254.')) return 2; // no DHCP answered there (RFC 3927)
  return VIRTUAL_INTERFACE.test(interfaceName) ? 1 : 0;
}
