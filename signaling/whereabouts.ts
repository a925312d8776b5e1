// Where the relay is now: the machine's names and addresses, and the certificate for them. Networks come and
// go, clocks are put right and certificates end while a relay runs for months.
//
// Invariants: there is always a certificate; a new one is made only when the present one cannot serve,
// because each makes browsers warn again: an address that went (and mostly comes back) is no reason.

import type { MachineAddresses } from './addresses.ts';
import type { ServerCertificate } from './certificate-store.ts';

/** How often the machine is asked, ms: somebody who plugs in a cable looks at the screen for that long. */
export const WHEREABOUTS_CHECK_MS = 5_000;

export interface WhereaboutsSources {
  /** Names and addresses at which others reach the relay. */
  readonly readMachine: () => MachineAddresses;
  /** Wall time, ms. */
  readonly nowMs: () => number;
  /** A certificate for them. @throws StartError when there can be none. */
  readonly loadCertificate: (machine: MachineAddresses) => Promise<ServerCertificate>;
  /** Another text after somebody gave the relay another certificate. */
  readonly readStamp: () => Promise<string>;
}

export class Whereabouts {
  readonly #sources: WhereaboutsSources;
  #machine: MachineAddresses;
  #certificate: ServerCertificate;
  #stamp: string;
  /** The machine when the certificate was loaded last: what it does not cover then it cannot. */
  #certifiedFor: MachineAddresses;

  private constructor(
    sources: WhereaboutsSources,
    machine: MachineAddresses,
    certificate: ServerCertificate,
    stamp: string,
  ) {
    this.#sources = sources;
    this.#machine = machine;
    this.#certifiedFor = machine;
    this.#certificate = certificate;
    this.#stamp = stamp;
  }

  /** @throws StartError when there can be no certificate. */
  static async read(sources: WhereaboutsSources): Promise<Whereabouts> {
    const machine = sources.readMachine();
    const certificate = await sources.loadCertificate(machine);
    return new Whereabouts(sources, machine, certificate, await sources.readStamp());
  }

  get machine(): MachineAddresses {
    return this.#machine;
  }

  get certificate(): ServerCertificate {
    return this.#certificate;
  }

  /** Asks the machine again. On an error everything stays, and the next call tries again. */
  async check(): Promise<void> {
    const machine = this.#sources.readMachine();
    this.#machine = machine;
    const stamp = await this.#sources.readStamp();
    if (stamp === this.#stamp && !this.#isDue(machine)) return;
    this.#certificate = await this.#sources.loadCertificate(machine);
    this.#certifiedFor = machine;
    this.#stamp = stamp;
  }

  #isDue({ names, lan }: MachineAddresses): boolean {
    const { hosts, good } = this.#certificate;
    const nowMs = this.#sources.nowMs();
    if (nowMs < good.fromMs || nowMs >= good.untilMs) return true;
    const tried = [...this.#certifiedFor.names, ...this.#certifiedFor.lan];
    return [...names, ...lan].some((host) => !hosts.includes(host) && !tried.includes(host));
  }
}
