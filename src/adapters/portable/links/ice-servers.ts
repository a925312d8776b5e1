// Which servers a connection may ask for its way: only ports of the relay itself, and TURN last.
//
// A connection that may use TURN reserves a place on the relay from the start, needed or not. So in a large
// pool only those may that the relay is likely to be needed for.
//
// Invariant: the relay names a port, never a host, so it cannot have devices contact others.

import type { DeviceId } from '../../../core/model/ids.ts';
import { MAX_ROOM_CLIENTS } from '../../../core/model/limits.ts';
import type { MonotonicMs } from '../../../core/model/time.ts';
import type { Clock } from '../../../core/ports.ts';
import type { LinkPath } from '../../../core/transport-port.ts';
import type { IceOffer } from '../../../core/wire/relay-protocol.ts';
import type { IceServer } from './connection.ts';

/** With so few others every connection may use TURN: those that need it link at once. */
const SMALL_ROOM_COUNT = 8;

export class IceServers {
  /** As in a URL: an IPv6 address in brackets. */
  readonly #host: string;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #offer: IceOffer | undefined;
  #turnEndsAtMs: MonotonicMs = -Infinity;
  /** Devices that were not reached directly, latest last. */
  readonly #hard = new Set<DeviceId>();

  /** `relayUrl`: where this device reaches the relay. */
  constructor(relayUrl: string, clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    this.#host = new URL(relayUrl).hostname;
  }

  /** The relay offers this from now on. */
  offered(offer: IceOffer): void {
    this.#offer = offer;
    this.#turnEndsAtMs = this.#clock.monotonicMs() + (offer.turn?.lifeMs ?? 0);
  }

  /** An attempt to link with `device` came to nothing. */
  failed(device: DeviceId): void {
    this.#hard.delete(device);
    this.#hard.add(device);
    const [first] = this.#hard;
    if (first !== undefined && this.#hard.size > MAX_ROOM_CLIENTS) this.#hard.delete(first);
  }

  /** A link with `device` goes this way. */
  found(device: DeviceId, path: LinkPath): void {
    if (path === 'relay') this.failed(device);
    else this.#hard.delete(device);
  }

  /** For a connection with `device`; `otherCount`: clients in the room besides this one. */
  for(device: DeviceId, otherCount: number): IceServer[] {
    if (this.#offer === undefined) return [];
    const { port, turn } = this.#offer;
    const stun = { urls: `stun:${this.#host}:${port}` };
    const mayNeedTurn = otherCount <= SMALL_ROOM_COUNT || this.#hard.has(device);
    if (turn === null || this.#clock.monotonicMs() >= this.#turnEndsAtMs || !mayNeedTurn) return [stun];
    const { username, credential } = turn;
    return [stun, { urls: `turn:${this.#host}:${port}?transport=udp`, username, credential }];
  }
}
