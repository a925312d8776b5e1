// Names answered to by mDNS (RFC 6762), as a service that says what it serves (RFC 6763).

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
  const responder = getResponder();
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
