// The relay's own name on the network, which stays while addresses change: a browser keeps what it stored by
// origin, so an address that changes would leave a device's storage behind. The relay answers to the name
// itself, by mDNS (RFC 6762), and says what it serves (RFC 6763).

import { createHash, X509Certificate } from 'node:crypto';
import { getResponder } from '@homebridge/ciao';
import { NAME_DIGIT_COUNT, NAME_DIGITS, SERVICE_TYPE } from '../src/core/model/relay-name.ts';

/** Probing for a name takes a second (RFC 6762, section 8.1), ms. */
const BEGINS_WITHIN_MS = 2_000;

export interface LocalService {
  /** With `.local`, lower case. */
  readonly name: string;
  readonly httpsPort: number;
  readonly httpPort: number;
  /** The only address to answer with; undefined for all of this machine. */
  readonly address: string | undefined;
}

export interface Advertisement {
  /** Says goodbye; resolves when it was sent. */
  stop(): Promise<void>;
}

/**
 * Answers to a name until it is stopped. `onProblem` is called with a sentence when that does not work or
 * ends: then nobody may be sent to the name.
 */
export type Advertise = (service: LocalService, onProblem: (message: string) => void) => Advertisement;

/** The name that follows from an authority: as lasting as the trust that devices have in it. */
export function localNameOf(authorityPem: string): string {
  const key = new X509Certificate(authorityPem).publicKey.export({ type: 'spki', format: 'der' });
  const digest = createHash('sha256').update('palm/v1/relay-name').update(key).digest();
  const digits = [...digest.subarray(0, NAME_DIGIT_COUNT)].map(
    (byte) => NAME_DIGITS[byte % NAME_DIGITS.length],
  );
  return `palm-${digits.join('')}.local`;
}

/** The name of one relay, as long as something answers to it. */
export class LocalName {
  readonly #advertise: Advertise | undefined;
  readonly #onProblem: ((message: string) => void) | undefined;
  #name: string | undefined;
  #advertisement: Advertisement | undefined;

  constructor(advertise: Advertise | undefined, onProblem: ((message: string) => void) | undefined) {
    this.#advertise = advertise;
    this.#onProblem = onProblem;
  }

  /** Undefined while nothing answers to it. */
  get name(): string | undefined {
    return this.#name;
  }

  answer(service: LocalService): void {
    if (this.#advertise === undefined) return;
    this.#name = service.name;
    this.#advertisement = this.#advertise(service, (message) => {
      this.#name = undefined;
      this.#onProblem?.(message);
    });
  }

  async stop(): Promise<void> {
    await this.#advertisement?.stop();
  }
}

export const advertiseByMdns: Advertise = ({ name, httpsPort, httpPort, address }, onProblem) => {
  const label = name.slice(0, -'.local'.length);
  const responder = getResponder();
  const service = responder.createService({
    name: label,
    type: SERVICE_TYPE,
    hostname: label,
    port: httpsPort,
    txt: { v: '1', http: String(httpPort) },
    ...(address !== undefined && { restrictedAddresses: [address] }),
  });
  // Palm's name is fixed: another one would be another origin.
  service.on('hostname-change', () => {
    onProblem(
      `Another machine answers to ${name}. Two relays with copies of one data folder? Give each its own with --data DIR.`,
    );
  });
  const begun = service.advertise().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    onProblem(
      `The relay cannot answer to ${name} on this network (${reason}). Its addresses work all the same.`,
    );
  });
  return {
    async stop() {
      // Ended before it has begun, it would open its sockets all the same, and the program would never end.
      // On a machine without a network it never begins.
      await atMost(BEGINS_WITHIN_MS, begun);
      await responder.shutdown();
    },
  };
};

function atMost(ms: number, work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const waited = new Promise((resolve) => (timer = setTimeout(resolve, ms)));
  return Promise.race([work, waited]).finally(() => clearTimeout(timer));
}
