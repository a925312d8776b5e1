// Opens a listening port, or explains why it cannot.

import type { Server } from 'node:net';
import { StartError } from './start-error.ts';

/** How many ports are tried after a default port. */
const FALLBACK_COUNT = 20;

export interface PortChoice {
  /** 0 for any free port. */
  readonly port: number;
  /** The port is a default: when it is taken, the next free one will do. */
  readonly isDefault: boolean;
  /** Devices keep a pool's files under the address with this port. */
  readonly poolServed?: boolean;
  /** The option that sets the port, for messages. */
  readonly flag: string;
}

/**
 * Listens; returns the port. `host` undefined means every address of this machine.
 * @throws StartError when the port or the address is not available.
 */
export async function listen(server: Server, choice: PortChoice, host: string | undefined): Promise<number> {
  for (let tried = 0; ; tried += 1) {
    try {
      return await listenOnce(server, choice.port + tried, host);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const mayTryNext = choice.isDefault && code === 'EADDRINUSE' && tried < FALLBACK_COUNT;
      if (!mayTryNext) throw asStartError(error, code, choice, host);
    }
  }
}

function listenOnce(server: Server, port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off('error', reject);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
      else reject(new Error('A TCP server listens without a port.'));
    });
  });
}

function takenFromPool({ port, flag }: PortChoice): string {
  return (
    `Port ${port} is taken: another program, perhaps another relay, listens there. ` +
    'A pool was served at this port before, and browsers keep its files under the address with this port: ' +
    'at another port, devices would find an empty Palm. ' +
    `Stop the other program and start the relay again. If you want another port all the same, say so with ${flag} PORT.`
  );
}

function asStartError(cause: unknown, code: unknown, choice: PortChoice, host: string | undefined): unknown {
  const { port, flag } = choice;
  switch (code) {
    case 'EADDRINUSE':
      if (choice.poolServed === true) return new StartError(takenFromPool(choice), { cause });
      return new StartError(
        `Port ${port} is taken: another program, perhaps another relay, listens there. ` +
          `Stop it, or choose another port with ${flag} PORT (0 takes any free one).`,
        { cause },
      );
    case 'EACCES':
      return new StartError(
        `This user may not listen on port ${port}. Choose one above 1023 with ${flag} PORT.`,
        { cause },
      );
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
    case 'EINVAL':
      return new StartError(
        `${host ?? 'The address'} is not an address of this machine. Leave --host out to listen on all of them.`,
        { cause },
      );
    default:
      return cause;
  }
}
