// One live invite, at whose door this member waits for newcomers and lets them in.

import { Admitter, type AdmitterEffect, type AdmitterInput } from '../../core/admission/admitter.ts';
import { actMessages } from '../../core/admission/door-message.ts';
import { verdictOf, type AdmissionFacts, type Verdict } from '../../core/admission/verdict.ts';
import type { EpochSecret } from '../../core/catalogue/grants/epoch-keys.ts';
import { sealKeys } from '../../core/catalogue/grants/epoch-keys.ts';
import { checkAdmit, type Application } from '../../core/catalogue/grants/ticket.ts';
import type { LiveInvite } from '../../core/catalogue/live-invite.ts';
import { MachineDriver } from '../../core/machine-driver.ts';
import { equalBytes } from '../../core/model/bytes.ts';
import { parseExchangeKey } from '../../core/model/exchange-key.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { deviceIdOf, type DeviceId } from '../../core/model/ids.ts';
import { doorOf } from '../../core/model/invite-door.ts';
import { MAX_DOOR_LINKS } from '../../core/model/limits.ts';
import type { Clock, Cryptography, Identity } from '../../core/ports.ts';
import type { RuntimePorts } from '../runtime-ports.ts';
import { DoorLinks } from './door-links.ts';

/** What doors need of the pool. */
export interface DoorPool {
  facts(): AdmissionFacts;
  /** Whether the device is known to have the pool's keys: such a one does not come to a door. */
  hasKeys(device: DeviceId): boolean;
  /** Writes the act. Resolves once it is durable and on its way. */
  admit(application: Application): Promise<void>;
  /** All acts, each after those that it has seen. */
  acts(): readonly Uint8Array[];
  secrets(): readonly EpochSecret[];
  /** Somebody was let in, or something failed that people should know. */
  failed(error: unknown): void;
}

export interface DoorPorts extends Pick<RuntimePorts, 'createTransport'> {
  readonly clock: Clock;
  readonly cryptography: Cryptography;
  readonly identity: Identity;
}

export class MemberDoor {
  readonly #invite: LiveInvite;
  readonly #ports: DoorPorts;
  readonly #pool: DoorPool;
  readonly #links: DoorLinks;
  readonly #driver: MachineDriver<AdmitterInput, AdmitterEffect>;

  constructor(invite: LiveInvite, ports: DoorPorts, pool: DoorPool) {
    this.#invite = invite;
    this.#ports = ports;
    this.#pool = pool;
    const limits = {
      accepts: (device: DeviceId) => !pool.hasKeys(device),
      maxLinkCount: MAX_DOOR_LINKS,
      isNewcomer: false,
    };
    this.#links = new DoorLinks(ports.createTransport(doorOf(invite.waitingKey), ports.identity, limits));
    this.#driver = new MachineDriver<AdmitterInput, AdmitterEffect>({
      machine: new Admitter(),
      clock: ports.clock,
      tick: { kind: 'tick' },
      perform: (effect) => this.#perform(effect),
    });
  }

  open(): void {
    this.#links.open({
      linkUp: (device) => this.#driver.input({ kind: 'link-up', device }),
      linkDown: (device) => this.#driver.input({ kind: 'link-down', device }),
      message: (device, message) => this.#driver.input({ kind: 'message', device, message }),
    });
  }

  async close(): Promise<void> {
    this.#driver.stop();
    await this.#links.close();
  }

  #perform(effect: AdmitterEffect): void {
    const { device } = effect;
    switch (effect.kind) {
      case 'judge':
        this.#watched(
          this.#judge(device, effect.application).then((verdict) =>
            this.#driver.input({ kind: 'judged', device, verdict }),
          ),
        );
        break;
      case 'admit':
        this.#watched(this.#admit(device, effect.application));
        break;
      case 'give':
        this.#watched(this.#give(device, effect.application));
        break;
      case 'refuse':
        this.#watched(this.#links.send(device, { kind: 'admission-refused', reason: effect.reason }));
        break;
      case 'close-link':
        this.#links.closeLink(device, effect.reason);
        break;
    }
  }

  /** Undefined for whatever does not prove this very invite over this very link. */
  async #judge(device: DeviceId, application: Application): Promise<Verdict | undefined> {
    const { identity, cryptography } = this.#ports;
    if (deviceIdOf(application.key) !== device || !isExchangeKey(application.exchange)) return undefined;
    if (!equalBytes(application.ticket, this.#invite.ticket.bytes)) return undefined;
    const ticket = await checkAdmit(application, identity.deviceId, cryptography);
    return ticket && verdictOf(ticket, device, identity.deviceId, this.#pool.facts());
  }

  async #admit(device: DeviceId, application: Application): Promise<void> {
    let isWritten = false;
    try {
      await this.#pool.admit(application);
      isWritten = true;
    } finally {
      this.#driver.input({ kind: 'admitted', device, isWritten });
    }
  }

  async #give(device: DeviceId, application: Application): Promise<void> {
    const { identity, cryptography } = this.#ports;
    const binding = { charter: this.#invite.ticket.charter, from: identity.deviceId, to: device };
    const exchange = parseExchangeKey(application.exchange);
    const sealed = await sealKeys(this.#pool.secrets(), binding, exchange, cryptography);
    for (const message of actMessages(this.#pool.acts())) await this.#links.send(device, message);
    await this.#links.send(device, { kind: 'keys', sealed });
  }

  #watched(work: Promise<void>): void {
    work.catch((error: unknown) => this.#pool.failed(error));
  }
}

function isExchangeKey(bytes: Uint8Array): boolean {
  try {
    parseExchangeKey(bytes);
    return true;
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return false;
    throw error;
  }
}
