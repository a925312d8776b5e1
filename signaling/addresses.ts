// What this machine is called on its network.

import { hostname, networkInterfaces } from 'node:os';
import { reachableAddresses } from '../src/adapters/node/lan-addresses.ts';

export interface MachineAddresses {
  /** Names without a domain, lower case: the machine's own, then its mDNS name. */
  readonly names: readonly string[];
  /**
   * Addresses that others on the network may reach, likeliest first: IPv4, or IPv6 where there is no other.
   */
  readonly lan: readonly string[];
}

/** Reads the machine's current names and addresses. */
export function machineAddresses(): MachineAddresses {
  return { names: machineNames(hostname()), lan: reachableAddresses(networkInterfaces()) };
}

/** The names that follow from a system's host name; none if DNS cannot carry it. */
export function machineNames(systemName: string): string[] {
  const [label = ''] = systemName.toLowerCase().split('.');
  const isLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label); // RFC 1123, section 2.1
  return isLabel && label !== 'localhost' ? [label, `${label}.local`] : [];
}
