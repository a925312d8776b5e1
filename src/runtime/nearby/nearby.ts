// Nearby pools of this device: what it asks for while it is in none, and whom it lets ask while it is in one.

import { PalmError } from '../../core/model/errors.ts';
import type { Clock, Identity } from '../../core/ports.ts';
import type { Entrance } from '../entrance.ts';
import type { OpenPool } from '../open-pool.ts';
import { present } from '../status.ts';
import type { NearbyPool } from '../nearby-api.ts';
import type { RuntimePorts } from '../runtime-ports.ts';
import { inviteForOne } from '../pairing/pairing-device.ts';
import type { NearbyRun, WordlessNearby } from '../nearby-run.ts';
import { INVITE_MS } from './ask-rules.ts';
import { Asking, type AskingPorts } from './asking.ts';
import { Listing } from './listing.ts';

export interface NearbyRuntime {
  readonly clock: Clock;
  /** @throws PalmError while the device is locked or cannot be opened. */
  opened(): Promise<RuntimePorts>;
  session(): OpenPool | undefined;
  identity(): Identity | undefined;
  readonly entrance: Pick<Entrance, 'giveUp' | 'join' | 'joining' | 'named'>;
  changed(): void;
  /** Takes work that nobody waits for, and its failure. */
  background(work: Promise<unknown>): void;
}

export class Nearby implements NearbyRun {
  readonly #runtime: NearbyRuntime;
  readonly #asking: Asking;
  readonly #listing: Listing;

  constructor(runtime: NearbyRuntime) {
    this.#runtime = runtime;
    const ports = async (): Promise<AskingPorts> => {
      const { nearby, cryptography, random } = await runtime.opened();
      if (nearby === undefined) throw new PalmError({ code: 'unsupported', reason: 'no-nearby' });
      return { ...nearby, cryptography, random };
    };
    const device = { clock: runtime.clock, changed: () => runtime.changed() };
    this.#asking = new Asking({
      ...device,
      ports: async () => {
        const opened = await ports();
        if (runtime.session() !== undefined) throw new PalmError({ code: 'already-in-pool' });
        return opened;
      },
      named: (name) => runtime.entrance.named(name),
      join: (invite) => runtime.entrance.join(invite, undefined),
      giveUpJoin: () => runtime.entrance.giveUp(),
    });
    this.#listing = new Listing({
      ...device,
      ports,
      listedName: () => this.#listedName(),
      mayInvite: () => this.#refusal() === undefined,
      invite: () => inviteForOne(() => runtime.session(), { expiresInMs: INVITE_MS }),
      background: (work) => runtime.background(work),
    });
  }

  get status(): WordlessNearby {
    return {
      ...present('nearby', this.#asking.nearby),
      ...present('asking', this.#asking.status),
      ...present('listing', this.#listing.status),
    };
  }

  look(): Promise<readonly NearbyPool[]> {
    return this.#asking.look();
  }

  stopLooking(): void {
    this.#asking.stop();
  }

  ask(id: string, options: { readonly deviceName?: string } = {}): Promise<void> {
    return this.#asking.ask(id, options.deviceName);
  }

  confirm(signs: readonly string[]): Promise<void> {
    return this.#asking.confirm(signs);
  }

  cancel(): void {
    this.#runtime.background(this.#asking.giveUp());
  }

  setListed(isListed: boolean): Promise<void> {
    return this.#listing.set(isListed);
  }

  compare(id: string): Promise<void> {
    return this.#listing.compare(id);
  }

  allow(id: string, digits: string): Promise<void> {
    return this.#listing.allow(id, digits);
  }

  refuse(id: string): void {
    this.#listing.refuse(id);
  }

  /** Something of the device has changed. */
  changed(): void {
    if (this.#runtime.session() !== undefined) this.#asking.inPool();
    this.#listing.look();
  }

  /** The device is closed, locked or leaves: nothing goes on. */
  close(): void {
    this.#asking.stop();
    this.#listing.stop();
  }

  #listedName(): string {
    const session = this.#runtime.session();
    if (session === undefined) throw new PalmError({ code: 'not-in-pool', reason: 'in-none' });
    const refusal = this.#refusal();
    if (refusal !== undefined) throw new PalmError({ code: 'not-allowed', reason: refusal });
    const name = session.driver.peer.catalogue.poolName;
    if (name === '') throw new PalmError({ code: 'bad-argument', reason: 'no-name', of: 'pool' });
    return name;
  }

  /** Why this device lets nobody in. An invite that never ends is for nobody who merely asked. */
  #refusal(): 'no-roles' | 'admins-only' | undefined {
    const acts = this.#runtime.session()?.driver.peer.acts;
    const self = this.#runtime.identity()?.deviceId;
    if (acts?.charter === undefined || self === undefined) return 'no-roles';
    return acts.roleOf(self) === 'admin' ? undefined : 'admins-only';
  }
}
