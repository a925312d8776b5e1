// The way for envelopes that a pairing makes, besides relay and links: a wire to the one device that is
// paired with. All transports of this device share it, as they share the relay; each takes the envelopes of
// its own rooms.

import type { PoolId } from '../model/ids.ts';
import { roomTag } from './pair-message.ts';

export interface WireEvents {
  /** The wire is there, or gone. A listener that comes later is told at once. */
  wire(isUp: boolean): void;
  /** `room`: a tag, as `roomTag` makes it. The callee owns `envelope`. */
  envelope(room: Uint8Array, envelope: Uint8Array): void;
}

export type CarryEnvelope = (room: Uint8Array, envelope: Uint8Array) => void;

export class SignalWires {
  readonly #listeners = new Set<WireEvents>();
  #carry: CarryEnvelope | undefined;

  /** From now on envelopes go out by `carry`, or no longer. */
  set(carry: CarryEnvelope | undefined): void {
    const wasUp = this.#carry !== undefined;
    this.#carry = carry;
    const isUp = carry !== undefined;
    if (isUp === wasUp) return;
    for (const listener of this.#listeners) listener.wire(isUp);
  }

  /** An envelope came over the wire. Listeners get a copy each. */
  deliver(room: Uint8Array, envelope: Uint8Array): void {
    for (const listener of this.#listeners) listener.envelope(room, envelope.slice());
  }

  send(room: PoolId, envelope: Uint8Array): void {
    this.#carry?.(roomTag(room), envelope);
  }

  /** Returns the function that ends it. */
  listen(listener: WireEvents): () => void {
    this.#listeners.add(listener);
    if (this.#carry !== undefined) listener.wire(true);
    return () => this.#listeners.delete(listener);
  }
}
