// The wire of a direct call, at either end: it carries envelopes, and nothing else. The other end is believed
// as little as the relay: envelopes are sealed and signed.

import type { WireId } from '../links/link-ids.ts';
import { isPalmError } from '../model/errors.ts';
import { decodePairMessage, encodePairMessage, type PairMessage } from './pair-message.ts';
import type { SignalWires } from './signal-wires.ts';

export interface DirectChannel {
  /** Takes a frame on its way, or drops it: a letter that is lost is written again. */
  write(frame: Uint8Array<ArrayBuffer>): unknown;
  /** The other end is done, or says what no wire knows: the connection is to be ended. */
  over(): void;
}

export class DirectWire {
  readonly #wires: SignalWires;
  readonly #channel: DirectChannel;
  #wire: WireId | undefined;

  constructor(wires: SignalWires, channel: DirectChannel) {
    this.#wires = wires;
    this.#channel = channel;
  }

  /** The channel is open. Called once. */
  connected(): void {
    this.#wire = this.#wires.open((room, envelope) => this.#say({ kind: 'envelope', room, envelope }));
  }

  /** Takes ownership of `frame`. */
  frame(frame: Uint8Array): void {
    const message = decoded(frame);
    if (message?.kind !== 'envelope') this.#channel.over();
    else if (this.#wire !== undefined) this.#wires.deliver(this.#wire, message.room, message.envelope);
  }

  /** Tells the other end that this one needs it no longer. */
  done(): void {
    this.#say({ kind: 'done' });
  }

  /** It carries nothing more. */
  close(): void {
    if (this.#wire !== undefined) this.#wires.close(this.#wire);
    this.#wire = undefined;
  }

  #say(message: PairMessage): void {
    this.#channel.write(encodePairMessage(message));
  }
}

function decoded(frame: Uint8Array): PairMessage | undefined {
  try {
    return decodePairMessage(frame);
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return undefined;
    throw error;
  }
}
