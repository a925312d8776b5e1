// The TLS handshakes: which connection begins one, and how many are in progress.
//
// A connection waits, as a plain socket, until its first bytes have come and it is its turn: a silent client
// costs no TLS. Turns rotate over all addresses, so a client that opens hundreds of connections waits for
// others' single ones. Invariants: at most `handshakes` are in progress, `handshakesPerAddress` of one
// address; when all places are taken, one of the address that has most gives way immediately, any other after
// its guaranteed time.

import type { Socket } from 'node:net';
import { type Candidate, whoGivesWay } from './give-way.ts';
import type { RelayLimits } from './relay-limits.ts';
import type { AddressKey } from './remote-address.ts';

/** Each handshake costs a signature, so one turn of the event loop begins only some milliseconds' worth. */
const BEGUN_PER_TURN = 2;

/** When none could begin, the next try comes after this time at the latest, ms. */
const RETRY_MS = 100;

type HandshakeLimits = Pick<
  RelayLimits,
  'handshakes' | 'handshakesPerAddress' | 'handshakeMs' | 'handshakePatienceMs'
>;

interface Waiting {
  readonly socket: Socket;
  readonly proceed: () => void;
}

interface Begun extends Candidate {
  readonly socket: Socket;
}

export class Handshakes {
  readonly #limits: HandshakeLimits;
  /** In rotation order; no list is empty. Bounded, like everything here, by the number of connections. */
  readonly #waiting = new Map<AddressKey, Waiting[]>();
  readonly #begun = new Map<string, Begun>();
  #hasTurn = false;
  #willRetry = false;

  constructor(limits: HandshakeLimits) {
    this.#limits = limits;
  }

  /** Calls `proceed` when it is the connection's turn; `key` is what `finish` will be told. */
  add(address: AddressKey, key: string, socket: Socket, proceed: () => void): void {
    const deadline = setTimeout(() => socket.destroy(), this.#limits.handshakeMs);
    const begin = (): void => {
      clearTimeout(deadline); // Node has its own deadlines from here on
      this.#begun.set(key, { address, socket, rank: 0, sinceMs: performance.now() });
      proceed();
    };
    socket.once('close', () => {
      clearTimeout(deadline);
      this.finish(key);
    });
    socket.on('error', ignore); // 'close' follows
    socket.once('readable', () => {
      // Readable with nothing to read means the end.
      if (socket.readableLength === 0) socket.destroy();
      else this.#wait(address, { socket, proceed: begin });
    });
  }

  /** The handshake of `key` is done, or its connection is gone. */
  finish(key: string): void {
    if (this.#begun.delete(key)) this.#schedule();
  }

  #wait(address: AddressKey, handshake: Waiting): void {
    const list = this.#waiting.get(address);
    if (list === undefined) this.#waiting.set(address, [handshake]);
    else list.push(handshake);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#waiting.size === 0 || this.#hasTurn) return;
    this.#hasTurn = true;
    setImmediate(() => this.#begin());
  }

  #begin(): void {
    this.#hasTurn = false;
    let begun = 0;
    for (const [address, list] of this.#waiting) {
      if (begun === BEGUN_PER_TURN) break;
      if (this.#beginOne(address, list)) begun += 1;
    }
    if (begun > 0) this.#schedule();
    else if (this.#waiting.size > 0 && !this.#willRetry) {
      this.#willRetry = true;
      const retry = (): void => {
        this.#willRetry = false;
        this.#schedule();
      };
      setTimeout(retry, RETRY_MS).unref();
    }
  }

  /** Begins the first of `address`, which then comes last in the rotation. False when it must wait. */
  #beginOne(address: AddressKey, list: Waiting[]): boolean {
    while (list[0]?.socket.destroyed === true) list.shift();
    const [first] = list;
    if (first !== undefined && !this.#makeWay(address)) return false;
    list.shift();
    this.#waiting.delete(address);
    if (list.length > 0) this.#waiting.set(address, list);
    first?.proceed();
    return first !== undefined;
  }

  #makeWay(address: AddressKey): boolean {
    const counts = new Map<AddressKey, number>();
    for (const begun of this.#begun.values()) {
      counts.set(begun.address, (counts.get(begun.address) ?? 0) + 1);
    }
    const own = counts.get(address) ?? 0;
    const isOverOwn = own >= this.#limits.handshakesPerAddress;
    if (!isOverOwn && this.#begun.size < this.#limits.handshakes) return true;
    const patientSinceMs = performance.now() - this.#limits.handshakePatienceMs;
    const candidates = [...this.#begun.values()].filter((each) => {
      const hasMore = (counts.get(each.address) ?? 0) > own + 1;
      return (hasMore || each.sinceMs <= patientSinceMs) && (!isOverOwn || each.address === address);
    });
    const displaced = whoGivesWay(candidates, address);
    // 'close' comes later, and removes it.
    for (const [key, each] of this.#begun) if (each === displaced) this.#begun.delete(key);
    displaced?.socket.destroy();
    return displaced !== undefined;
  }
}

function ignore(): void {
  // Nothing to do.
}
