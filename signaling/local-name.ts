// The relay's own name on the network, which stays while addresses change: a browser keeps what it stored by
// origin, so an address that changes would leave a device's storage behind. The relay answers to the name
// itself, by mDNS (RFC 6762), and says what it serves (RFC 6763).

import { atMost } from '../src/core/at-most.ts';
import type { ChosenName } from './chosen-name.ts';
import { nodeClock } from './node-clock.ts';

/** How long a start waits for a name that was never this relay's, ms: probing twice, where it is taken. */
const DECIDED_WITHIN_MS = 5_000;

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

/** What becomes of a name that is to be answered to. */
export interface NameEvents {
  /** Nobody else answers to it (RFC 6762, section 8.1). */
  own(): void;
  /** Another machine answers to it, now or later. */
  taken(): void;
  /** It does not work, or not any more, as the sentence says: then nobody may be sent to the name. */
  problem(message: string): void;
}

/** Answers to a name until it is stopped. */
export type Advertise = (service: LocalService, events: NameEvents) => Advertisement;

/** Where a name is chosen. */
export interface NameNetwork {
  /** Whether this machine has a network now. */
  isThere(): boolean;
  /** Called after a name gave way to the next one: the certificate must be for that. */
  renew(): Promise<void>;
}

/** The names of one relay, as long as something answers to them. */
export class LocalName {
  readonly #advertise: Advertise | undefined;
  readonly #onProblem: (message: string) => void;
  #name: string | undefined;
  readonly #advertisements: Advertisement[] = [];

  constructor(advertise: Advertise | undefined, onProblem: ((message: string) => void) | undefined) {
    this.#advertise = advertise;
    this.#onProblem = (message) => onProblem?.(message);
  }

  /** The one that people are sent to; undefined while nothing answers to it. */
  get name(): string | undefined {
    return this.#name;
  }

  /**
   * Answers to `name`, which is this relay's, or to the `chosen` one and those of before. Resolves once it is
   * decided who has a name that was never this relay's, or that takes too long.
   * @throws StartError when the name cannot be kept.
   */
  async answerAs(
    name: string | undefined,
    chosen: ChosenName | undefined,
    at: Omit<LocalService, 'name'>,
    network: NameNetwork,
  ): Promise<void> {
    if (this.#advertise === undefined || name === undefined) return;
    if (chosen !== undefined && !chosen.isOwn) await this.#choose(chosen, at, network);
    else this.#answer((this.#name = name), at);
    for (const before of chosen?.before ?? []) this.#answer(before, at);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#advertisements.map((advertisement) => advertisement.stop()));
  }

  /** To a name that devices may know. If another machine has it, that is said, and it is given up. */
  #answer(name: string, at: Omit<LocalService, 'name'>): void {
    this.#start({ ...at, name }, { own: () => undefined, taken: () => this.#giveUp(name, takenFrom(name)) });
  }

  /** To a name, or the next one where another machine has it. */
  async #choose(chosen: ChosenName, at: Omit<LocalService, 'name'>, network: NameNetwork): Promise<void> {
    const taken: string[] = [];
    for (;;) {
      await chosen.save();
      const { name } = chosen;
      const outcome = await this.#try({ ...at, name });
      if (outcome !== 'taken') {
        // Without a network nobody could object.
        if (outcome === 'own' && network.isThere()) await chosen.own();
        if (taken.length > 0) {
          this.#onProblem(`Another machine answers to ${taken.join(' and ')}, so this relay is ${name}.`);
        }
        return;
      }
      taken.push(name);
      if (!chosen.takeNext()) {
        return this.#onProblem(
          `Other machines answer to ${taken.join(', ')}. Choose another name with --name.`,
        );
      }
      await network.renew();
    }
  }

  async #try(service: LocalService): Promise<'own' | 'taken' | 'undecided'> {
    const { name } = service;
    let outcome: 'own' | 'taken' | 'undecided' = 'undecided';
    let isDecided = false;
    this.#name = name;
    await atMost(
      nodeClock,
      DECIDED_WITHIN_MS,
      new Promise<void>((resolve) => {
        const advertisement = this.#start(service, {
          own: () => {
            if (!isDecided) outcome = 'own';
            resolve();
          },
          taken: () => {
            if (isDecided) return this.#giveUp(name, takenFrom(name));
            this.#name = undefined;
            outcome = 'taken';
            void advertisement?.stop();
            resolve();
          },
        });
      }),
    );
    isDecided = true;
    return outcome;
  }

  #start(service: LocalService, events: Omit<NameEvents, 'problem'>): Advertisement | undefined {
    const problem = (message: string): void => this.#giveUp(service.name, message);
    const advertisement = this.#advertise?.(service, { ...events, problem });
    if (advertisement !== undefined) this.#advertisements.push(advertisement);
    return advertisement;
  }

  #giveUp(name: string, message: string): void {
    if (this.#name === name) this.#name = undefined;
    this.#onProblem(message);
  }
}

/** Another name would be another origin, with another storage. */
function takenFrom(name: string): string {
  return (
    `Another machine answers to ${name}. Two relays with copies of one data folder? Give each its own with --data DIR. ` +
    'Or give this one a name with --name.'
  );
}
