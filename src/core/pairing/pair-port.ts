// What pairing needs of its platform: a connection with one ordered channel whose two ends tell each other
// everything at once, in a code, instead of bit by bit.

import type { DirectAddress } from './direct-address.ts';
import type { SignalWires } from './signal-wires.ts';
import type { PairEnd } from './pair-sdp.ts';

export interface PairConnectionEvents {
  /** Comes before the first frame. */
  connected(): void;
  /** The callee owns `frame`. */
  frame(frame: Uint8Array<ArrayBuffer>): void;
  /** Comes at most once, after `connected`, and never after `destroy`. */
  closed(): void;
}

export interface PairConnection {
  /** This end, with all of its addresses. Called once, or `answer` is. */
  offer(): Promise<PairEnd>;
  /** As `offer`, of the end that scanned the other's code. */
  answer(offer: PairEnd): Promise<PairEnd>;
  /** The other end, as its answer tells. From then on the two look for each other. */
  accept(answer: PairEnd): Promise<void>;
  /** Calls a device that answers by itself, in place of `offer` and `accept`. */
  call(address: DirectAddress): Promise<void>;
  /** Returns false once the channel is closing. */
  write(frame: Uint8Array<ArrayBuffer>): boolean;
  /** Ends it without a further event; frames that were written still go out if they can. */
  destroy(): void;
}

/** @throws when the platform has no such connections. */
type PairConnect = (events: PairConnectionEvents) => PairConnection;

/** What a platform gives for pairing. */
export interface PairingPorts {
  readonly connect: PairConnect;
  /** Those that the transports of this device listen to. */
  readonly wires: SignalWires;
}
