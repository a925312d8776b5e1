// TLS handshakes wait for their turn: each costs a signature, so a few are begun in each turn of the event loop, of all
// addresses in rotation. Who opens hundreds of connections at once waits for others' single ones.

import type { Socket } from 'node:net';
import type { AddressKey } from './remote-address.ts';

/** Some milliseconds' worth. */
const BEGUN_PER_TURN = 2;

interface Waiting {
  readonly socket: Socket;
  readonly proceed: () => void;
}

/** Bounded by the connections that there are. */
export class Handshakes {
  /** In the order of the rotation; no list is empty. */
  readonly #waiting = new Map<AddressKey, Waiting[]>();

  add(address: AddressKey, handshake: Waiting): void {
    if (this.#waiting.size === 0) setImmediate(() => this.#turn());
    const list = this.#waiting.get(address);
    if (list === undefined) this.#waiting.set(address, [handshake]);
    else list.push(handshake);
  }

  #turn(): void {
    for (let begun = 0; begun < BEGUN_PER_TURN; begun += 1) {
      const next = this.#next();
      if (next === undefined) return;
      if (!next.socket.destroyed) next.proceed();
    }
    if (this.#waiting.size > 0) setImmediate(() => this.#turn());
  }

  /** The first of the address whose turn it is, which then comes last. */
  #next(): Waiting | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    const [address, list] = first;
    const handshake = list.shift();
    this.#waiting.delete(address);
    if (list.length > 0) this.#waiting.set(address, list);
    return handshake;
  }
}
