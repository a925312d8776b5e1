// The lanes of a device: those that it gives, next to a relay, and those that it uses, in a page.

import type { BlockHash, DeviceId } from '../../core/model/ids.ts';
import type { Peer } from '../../core/peer/peer.ts';
import type { PeerInput } from '../../core/peer/peer-events.ts';
import type { Ask } from '../../core/wire/asks.ts';
import type { Brought, LaneClient, LaneHost } from '../../core/lane-port.ts';
import { unlessAborted } from '../unless-aborted.ts';
import type { Message } from '../../core/wire/messages.ts';
import { LaneGranting, type LaneGrantingPorts } from './lane-granting.ts';
import { LaneUse } from './lane-use.ts';

export interface LanePorts extends Pick<
  LaneGrantingPorts,
  'clock' | 'random' | 'memory' | 'cryptography' | 'send'
> {
  readonly peer: Peer;
  readonly serving: {
    /** A block that the lane may send; undefined when it is not here, or not to be had now. */
    lend(hash: BlockHash): Promise<Uint8Array<ArrayBuffer> | undefined>;
    lent(to: DeviceId, hash: BlockHash, byteCount: number): void;
  };
  readonly input: (input: PeerInput) => void;
  readonly laneHost?: LaneHost | undefined;
  readonly laneClient?: LaneClient | undefined;
}

export class Lanes {
  readonly #granting: LaneGranting | undefined;
  readonly #use: LaneUse | undefined;

  constructor(ports: LanePorts) {
    const { laneHost: host, laneClient, peer, serving, input } = ports;
    this.#granting =
      host &&
      new LaneGranting({
        ...ports,
        host,
        isReachable: (device) => peer.isReachable(device),
        load: (to, hash) => {
          input({ kind: 'lane-read', from: to });
          return serving.lend(hash);
        },
        sent: (...block) => serving.lent(...block),
        awaited: (from, id) => peer.awaitedBlock(from, id),
        arrived: (from, { number: id, bytes: payload }) =>
          input({ kind: 'message', from, message: { kind: 'block', id }, payload }),
      });
    this.#use = laneClient && new LaneUse(laneClient, ports.clock);
  }

  /** A message of a linked device, once the peer has handled it. */
  heard(from: DeviceId, message: Message): void {
    if (message.kind === 'lane') this.#use?.granted(from, message);
    if (message.kind === 'features' && message.features.includes('lane')) this.#granting?.speaks(from);
  }

  linkDown(device: DeviceId): void {
    this.#granting?.linkDown(device);
    this.#use?.linkDown(device);
  }

  close(): void {
    this.#granting?.close();
  }

  /** A block by the lane; otherwise by `request`, which asks over the link. @throws what `request` does. */
  async fetch(
    from: DeviceId,
    ask: Ask,
    signal: AbortSignal,
    request: () => Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (ask.kind !== 'get-block' || this.#use === undefined) return request();
    signal.throwIfAborted();
    const bytes = await unlessAborted(this.#use.fetch(from, ask.hash), signal);
    return bytes ?? request();
  }

  /** Whether these bytes came by a lane, and were found to match their hash. */
  hasChecked(bytes: Uint8Array): boolean {
    return this.#use?.hasChecked(bytes) === true;
  }

  /** Brings a block that answers request `id` of the device. Takes ownership of the bytes. */
  async bring(to: DeviceId, id: number, bytes: Uint8Array<ArrayBuffer>): Promise<Brought> {
    return this.#use?.bring(to, id, bytes) ?? { isTaken: false, bytes };
  }
}
