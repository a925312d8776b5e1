// Ways for envelopes besides relay and links: a wire leads to one device, such as the one that is paired
// with. All transports of this device share them, as they share the relay; each takes the envelopes of its
// own rooms.

import type { WireId } from '../links/link-ids.ts';
import type { PoolId } from '../model/ids.ts';
import { roomTag } from './pair-message.ts';

export interface WireEvents {
  /** A wire is there, or gone. A listener that comes later is told at once of those that there are. */
  wire(wire: WireId, isUp: boolean): void;
  /** `room`: a tag, as `roomTag` makes it. The callee owns `envelope`. */
  envelope(wire: WireId, room: Uint8Array, envelope: Uint8Array): void;
}

export type CarryEnvelope = (room: Uint8Array, envelope: Uint8Array) => void;

export class SignalWires {
  readonly #listeners = new Set<WireEvents>();
  readonly #wires = new Map<WireId, CarryEnvelope>();
  #madeCount = 0;

  /** A new wire: from now on its envelopes go out by `carry`. */
  open(carry: CarryEnvelope): WireId {
    this.#madeCount += 1;
    const wire: WireId = `wire-${this.#madeCount}`;
    this.#wires.set(wire, carry);
    for (const listener of this.#listeners) listener.wire(wire, true);
    return wire;
  }

  /** Does nothing to one that is gone. */
  close(wire: WireId): void {
    if (!this.#wires.delete(wire)) return;
    for (const listener of this.#listeners) listener.wire(wire, false);
  }

  /** An envelope came over a wire. Listeners get a copy each. */
  deliver(wire: WireId, room: Uint8Array, envelope: Uint8Array): void {
    if (!this.#wires.has(wire)) return;
    for (const listener of this.#listeners) listener.envelope(wire, room, envelope.slice());
  }

  send(wire: WireId, room: PoolId, envelope: Uint8Array): void {
    this.#wires.get(wire)?.(roomTag(room), envelope);
  }

  /** Returns the function that ends it. */
  listen(listener: WireEvents): () => void {
    this.#listeners.add(listener);
    for (const wire of this.#wires.keys()) listener.wire(wire, true);
    return () => this.#listeners.delete(listener);
  }
}
