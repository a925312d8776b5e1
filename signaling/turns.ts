// Decides whose frame is handled next: each turn of the event loop handles frames for a bounded time,
// rotating over all addresses, and over the clients of each address.
//
// Node accepts one new connection per turn of the loop, so long turns keep newcomers out: when each turn
// handled one frame of each of 400 clients, 200 newcomers waited for 3 s. Invariant: a client with something
// to handle waits here once, so this is bounded by the number of clients.

import type { AddressKey } from './remote-address.ts';

/** A turn of the loop handles frames for this long, ms; the last one may take longer. */
const TURN_MS = 1;

/** Handles one frame. True when another waits. */
export type TakeOne = () => boolean;

export class Turns {
  /** In rotation order; no list is empty. */
  readonly #waiting = new Map<AddressKey, TakeOne[]>();
  #hasTurn = false;

  /** Whether anybody waits. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  /** Calls `takeOne` in its turn, and again in later turns while it returns true. */
  add(address: AddressKey, takeOne: TakeOne): void {
    const list = this.#waiting.get(address);
    if (list === undefined) this.#waiting.set(address, [takeOne]);
    else list.push(takeOne);
    if (this.#hasTurn) return;
    this.#hasTurn = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    const endMs = performance.now() + TURN_MS;
    // An address that is set again comes last, so this rotates until nobody waits or the time is up.
    for (const [address, list] of this.#waiting) {
      const takeOne = list.shift();
      this.#waiting.delete(address);
      if (takeOne?.() === true) list.push(takeOne);
      if (list.length > 0) this.#waiting.set(address, list);
      if (performance.now() >= endMs) break;
    }
    this.#hasTurn = this.isBusy;
    if (this.#hasTurn) setImmediate(() => this.#turn());
  }
}
