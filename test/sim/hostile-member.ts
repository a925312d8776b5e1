// A member that does as it likes: it has the invite, and so every pool key, and its own identity. The test
// decides what it says on its links.

import { encodeSigned } from '../../src/core/encoding/signed-record.ts';
import { encodeEntryPayload, signedBytesOf, type EntryBody } from '../../src/core/catalogue/entry.ts';
import type { HybridTime } from '../../src/core/catalogue/clock.ts';
import { entryIdOf, type DeviceId, type EntryId, type PoolId } from '../../src/core/model/ids.ts';
import { derivePoolKeys, type PoolKeys } from '../../src/core/model/pool-keys.ts';
import type { Identity } from '../../src/core/ports.ts';
import type { Transport } from '../../src/core/transport-port.ts';
import {
  decodeMessage,
  encodeMessage,
  PROTOCOL_VERSION,
  type Message,
} from '../../src/core/wire/messages.ts';
import { identityFrom } from '../fixtures/seeded-identity.ts';
import type { SimDevice, SimNetwork } from './device.ts';
import { SimProcess } from './process.ts';
import type { World } from './world.ts';
import { poolSecretOf } from './open-invite.ts';

/** An entry's position in a log, where a test wants it to differ from the next honest one. */
export interface EntryPlan {
  readonly seq?: number;
  readonly prev?: EntryId | undefined;
  readonly at?: HybridTime;
  readonly pool?: PoolId;
}

export class HostileMember {
  readonly keys: PoolKeys;
  readonly identity: Identity;
  /** Devices that it is linked with now. */
  readonly linked = new Set<DeviceId>();
  /** How often one of its links was closed. */
  closedCount = 0;
  /** What it does with a message; nothing, until a test says otherwise. */
  onMessage: (from: DeviceId, message: Message, payload: Uint8Array) => void = () => undefined;
  /** What it says first on a link. */
  greeting: readonly Message[];
  readonly #process = new SimProcess();
  readonly #network: SimNetwork;
  readonly #transport: Transport;
  readonly #world: World;
  #seq = 0;
  #prev: EntryId | undefined;

  /** `identity`: as whom it acts; nobody that the pool knows by default. */
  constructor(
    world: World,
    network: SimNetwork,
    member: SimDevice,
    identity = identityFrom(world.random.bytes(32)),
  ) {
    const { secret, epoch } = poolSecretOf(member);
    this.keys = derivePoolKeys(secret, epoch);
    this.identity = identity;
    this.greeting = [{ kind: 'hello', protocol: PROTOCOL_VERSION, epoch }];
    this.#world = world;
    this.#network = network;
    const process = this.#process;
    const clock = {
      monotonicMs: () => world.nowMs,
      wallMs: () => world.nowMs,
      after: (delayMs: number, callback: () => void) =>
        world.after(Math.ceil(delayMs), () => process.run(callback)),
    };
    this.#transport = network.transportFor({ keys: this.keys, identity: this.identity, process, clock });
  }

  get id(): DeviceId {
    return this.identity.deviceId;
  }

  /** Goes on the network, and links with every device. */
  open(): void {
    this.#transport.open({
      linkUp: (device) => {
        this.linked.add(device);
        for (const message of this.greeting) this.send(device, message);
      },
      linkDown: (device) => {
        this.linked.delete(device);
        this.closedCount += 1;
      },
      message: (device, bytes) => {
        const { message, payload } = decodeMessage(bytes);
        this.onMessage(device, message, payload);
      },
      relayState: () => undefined,
      rejected: () => undefined,
    });
  }

  /** Becomes a member: only what members claim counts. */
  async introduceItself(): Promise<void> {
    const entries = [await this.entry({ kind: 'profile', name: 'Mallory' })];
    for (const device of this.linked) this.send(device, { kind: 'entries', entries, more: false });
  }

  vanish(): void {
    this.#process.kill();
    this.#network.unplug(this.id);
  }

  send(to: DeviceId, message: Message, payload?: Uint8Array): void {
    this.sendParts(to, encodeMessage(message, payload), payload === undefined ? 'control' : 'bulk');
  }

  /** Bytes that need not be a message. It sends nothing on a link that was closed. */
  sendParts(to: DeviceId, parts: readonly Uint8Array[], lane: 'control' | 'bulk' = 'control'): void {
    this.#transport.send(to, parts, lane).catch(() => undefined);
  }

  /** The next entry of its own log, well signed, unless `plan` places it elsewhere. */
  async entry(body: EntryBody, plan: EntryPlan = {}): Promise<Uint8Array> {
    const { seq = this.#seq + 1, pool = this.keys.poolId } = plan;
    // Undefined is also a wish: for a first entry.
    const prev = 'prev' in plan ? plan.prev : this.#prev;
    const at = plan.at ?? { ms: this.#world.nowMs, count: 0 };
    const payload = encodeEntryPayload({ pool, publicKey: this.identity.publicKey, seq, prev, at, body });
    const signature = await this.identity.sign(signedBytesOf(payload));
    this.#seq = seq;
    this.#prev = entryIdOf(payload);
    return encodeSigned(payload, signature);
  }
}
