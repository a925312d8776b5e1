// Until when a page that was just opened, or just woke, may still get its first links: what needs other
// devices waits that long before it says that they cannot be reached.

import type { MonotonicMs } from '../../core/model/time.ts';
import type { Peer } from '../../core/peer/peer.ts';
import type { Clock } from '../../core/ports.ts';
import type { TransportEvents } from '../../core/transport-port.ts';

/** A link takes a second or two once the relay is there, ms; a read's own patience comes after that. */
const LINKING_MS = 2_000;
/** The relay has this long, ms: a slow phone takes seconds to open its socket, and a network to come up. */
const RELAY_MS = 6_000;

export class LinkChance {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #peer: Pick<Peer, 'catalogue' | 'isReachable'>;
  #beganAtMs: MonotonicMs = -Infinity;
  #connectedAtMs: MonotonicMs | undefined;

  constructor(clock: Pick<Clock, 'monotonicMs'>, peer: Pick<Peer, 'catalogue' | 'isReachable'>) {
    this.#clock = clock;
    this.#peer = peer;
  }

  /** The page opens its transport now. Returns `events`, which this watches from now on. */
  watching(events: TransportEvents): TransportEvents {
    this.#beganAtMs = this.#clock.monotonicMs();
    return {
      ...events,
      woke: (frozenMs) => {
        this.#beganAtMs = this.#clock.monotonicMs();
        events.woke?.(frozenMs);
      },
      relayState: (state) => {
        this.#connectedAtMs = state === 'connected' ? this.#clock.monotonicMs() : undefined;
        events.relayState(state);
      },
    };
  }

  /** -Infinity: all members are linked. */
  untilMs(): MonotonicMs {
    if (this.#peer.catalogue.members().every((device) => this.#peer.isReachable(device))) return -Infinity;
    const relayMs = this.#beganAtMs + RELAY_MS;
    if (this.#connectedAtMs === undefined) return relayMs;
    return Math.min(Math.max(this.#connectedAtMs, this.#beganAtMs), relayMs) + LINKING_MS;
  }
}
