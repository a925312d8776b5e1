// A newcomer at the door of its invite: knocks until a member lets it in, or says why not.

import {
  Applicant,
  type ApplicantEffect,
  type ApplicantInput,
  type FinalRefusal,
} from '../../core/admission/applicant.ts';
import { openKeys, type EpochSecret } from '../../core/catalogue/grants/epoch-keys.ts';
import { applicationBytes, type Application } from '../../core/catalogue/grants/ticket.ts';
import { MachineDriver } from '../../core/machine-driver.ts';
import { isPalmError } from '../../core/model/errors.ts';
import type { ExchangePair } from '../../core/model/exchange-key.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import { doorOf, waitingKeyOf } from '../../core/model/invite-door.ts';
import type { TicketInvite } from '../../core/model/invite.ts';
import { MAX_DOOR_LINKS } from '../../core/model/limits.ts';
import type { RelayState } from '../../core/transport-port.ts';
import { DoorLinks } from './door-links.ts';
import type { DoorPorts } from './member-door.ts';

/** What a member gave to a newcomer, opened and not checked yet. */
export interface Gift {
  readonly from: DeviceId;
  readonly acts: readonly Uint8Array[];
  readonly secrets: readonly EpochSecret[];
}

export interface JoiningEvents {
  /** Whether the gift proves the pool of the invite, and this device's place in it. Takes it over if so. */
  take(gift: Gift): Promise<boolean>;
  refused(reason: FinalRefusal): void;
  failed(error: unknown): void;
  changed(): void;
}

export class Joining {
  readonly #invite: TicketInvite;
  readonly #exchange: ExchangePair;
  readonly #ports: DoorPorts;
  readonly #events: JoiningEvents;
  readonly #links: DoorLinks;
  readonly #applicant: Applicant;
  readonly #driver: MachineDriver<ApplicantInput, ApplicantEffect>;
  relay: RelayState = 'connecting';

  constructor(invite: TicketInvite, exchange: ExchangePair, ports: DoorPorts, events: JoiningEvents) {
    this.#invite = invite;
    this.#exchange = exchange;
    this.#ports = ports;
    this.#events = events;
    this.#applicant = new Applicant(invite.ticket.issuer);
    const limits = { accepts: () => true, maxLinkCount: MAX_DOOR_LINKS, isNewcomer: true };
    const door = doorOf(waitingKeyOf(invite.seed));
    this.#links = new DoorLinks(ports.createTransport(door, ports.identity, limits));
    this.#driver = new MachineDriver<ApplicantInput, ApplicantEffect>({
      machine: this.#applicant,
      clock: ports.clock,
      tick: { kind: 'tick' },
      perform: (effect) => this.#perform(effect),
      settled: () => events.changed(),
    });
  }

  /** Whether a member has answered and is being asked. */
  get isAsking(): boolean {
    return this.#applicant.isAsking;
  }

  open(): void {
    this.#links.open({
      linkUp: (device) => this.#driver.input({ kind: 'link-up', device }),
      linkDown: (device) => this.#driver.input({ kind: 'link-down', device }),
      message: (device, message) => this.#driver.input({ kind: 'message', device, message }),
      relayState: (state) => {
        this.relay = state;
        this.#events.changed();
      },
    });
  }

  async close(): Promise<void> {
    this.#driver.stop();
    await this.#links.close();
  }

  #perform(effect: ApplicantEffect): void {
    switch (effect.kind) {
      case 'sign':
        this.#watched(this.#sign(effect.device));
        break;
      case 'send':
        this.#watched(this.#links.send(effect.device, effect.message));
        break;
      case 'check':
        this.#watched(this.#check(effect));
        break;
      case 'close-link':
        this.#links.closeLink(effect.device, effect.reason);
        break;
      case 'refused':
        this.#events.refused(effect.reason);
        break;
    }
  }

  async #sign(device: DeviceId): Promise<void> {
    const { identity, cryptography } = this.#ports;
    const { ticket, seed } = this.#invite;
    const asked = {
      ticket: ticket.bytes,
      key: identity.publicKey,
      exchange: Uint8Array.from(this.#exchange.publicKey),
    };
    const signed = await applicationBytes(asked, device, cryptography);
    const signer = await cryptography.signerOf({ privateKey: seed, publicKey: ticket.inviteKey });
    const [proof, consent] = await Promise.all([signer.sign(signed), identity.sign(signed)]);
    const application: Application = { ...asked, proof, consent };
    this.#driver.input({ kind: 'signed', device, application });
  }

  async #check({ device, acts, sealed }: Extract<ApplicantEffect, { kind: 'check' }>): Promise<void> {
    const secrets = await this.#opened(device, sealed);
    const isTaken = secrets !== undefined && (await this.#events.take({ from: device, acts, secrets }));
    if (!isTaken) this.#driver.input({ kind: 'unproved', device });
  }

  async #opened(device: DeviceId, sealed: Uint8Array): Promise<EpochSecret[] | undefined> {
    const { identity, cryptography } = this.#ports;
    const binding = { charter: this.#invite.ticket.charter, from: device, to: identity.deviceId };
    try {
      return await openKeys(sealed, binding, this.#exchange, cryptography);
    } catch (error) {
      if (isPalmError(error, 'bad-message')) return undefined;
      throw error;
    }
  }

  #watched(work: Promise<void>): void {
    work.catch((error: unknown) => this.#events.failed(error));
  }
}
