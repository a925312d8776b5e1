// Whose next frame is handled: in each turn of the event loop a bounded time's worth, of all addresses in rotation, and of
// each address's clients in rotation.
//
// Node takes one new connection from the system in a turn of the loop, so long turns keep newcomers out: 400 clients whose
// every turn handled one frame of each let 200 newcomers wait for 3 s. Invariant: whoever has something to handle waits
// here once, so this is bounded by the clients that there are.

import type { AddressKey } from './remote-address.ts';

/** A turn of the loop hands out frames for so long, ms; the last of them may take longer. */
const TURN_MS = 1;

/** Handles one frame. True when another waits. */
export type TakeOne = () => boolean;

export class Turns {
  /** In the order of the rotation; no list is empty. */
  readonly #waiting = new Map<AddressKey, TakeOne[]>();
  #hasTurn = false;

  /** Whether anybody waits. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  /** Has `takeOne` called in its turn, and again in later ones while it returns true. */
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
    // An address that is set again comes last, so that this goes round until nobody waits or the time is up.
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
