// Names answered to by mDNS (RFC 6762), as a service that says what it serves (RFC 6763).

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { getResponder } from '@homebridge/ciao';
import { atMost } from '../src/core/at-most.ts';
import { SERVICE_TYPE } from '../src/core/model/relay-name.ts';
import type { Advertise } from './local-name.ts';
import { nodeClock } from './node-clock.ts';

/** Probing for a name takes a second (RFC 6762, section 8.1), ms. */
const BEGINS_WITHIN_MS = 2_000;

export const advertiseByMdns: Advertise = ({ name, httpsPort, httpPort, address }, events) => {
  const label = name.slice(0, -'.local'.length);
  // Shared by all names of this process; it ends with the last of them.
  const linked = linkedInterfaces();
  const responder = getResponder(linked === undefined ? undefined : { interface: linked });
  const service = responder.createService({
    name: label,
    type: SERVICE_TYPE,
    hostname: label,
    port: httpsPort,
    txt: { v: '1', http: String(httpPort) },
    ...(address !== undefined && { restrictedAddresses: [address] }),
  });
  let isOver = false;
  service.on('hostname-change', () => {
    isOver = true;
    events.taken();
  });
  const begun = service.advertise().then(
    () => {
      if (!isOver) events.own();
    },
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      events.problem(
        `The relay cannot answer to ${name} on this network (${reason}). Its addresses work all the same.`,
      );
    },
  );
  const stop = async (): Promise<void> => {
    isOver = true;
    // Ended before it has begun, it would open its sockets all the same, and the program would never end.
    // On a machine without a network it never begins.
    await atMost(nodeClock, BEGINS_WITHIN_MS, begun);
    await service.destroy();
    await responder.shutdown();
  };
  let stopped: Promise<void> | undefined;
  return { stop: () => (stopped ??= stop()) };
};

/**
 * On a machine that has an interface on top of another one (VLAN, macvlan, a container's): all interfaces.
 * The library reads their names from `ip`, which calls such a one `eth0@if3`, and would find none of that
 * name.
 */
function linkedInterfaces(folder = '/sys/class/net'): string[] | undefined {
  try {
    const names = readdirSync(folder).filter((name) => numberIn(folder, name, 'ifindex') !== undefined);
    const isLinked = names.some(
      (name) => numberIn(folder, name, 'iflink') !== numberIn(folder, name, 'ifindex'),
    );
    return isLinked ? names : undefined;
  } catch {
    // Not Linux: there is no such folder, and no such name.
    return undefined;
  }
}

function numberIn(folder: string, name: string, file: string): number | undefined {
  const number = Number(readFileSync(join(folder, name, file), 'utf8'));
  return Number.isInteger(number) ? number : undefined;
}
