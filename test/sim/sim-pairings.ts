// Connections that two codes make, on virtual time: ends find each other by the fingerprints in their codes.

import { hexOf } from '../../src/core/model/bytes.ts';
import type { PairConnection, PairConnectionEvents } from '../../src/core/pairing/pair-port.ts';
import type { PairEnd } from '../../src/core/pairing/pair-sdp.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

const FRAME_MS = 4;

export class SimPairings {
  readonly #world: World;
  readonly #ends = new Map<string, SimPairEnd>();
  /** Whether two ends find each other. */
  isOpen = true;
  /** Addresses that a device finds of itself. */
  addressCount = 1;

  constructor(world: World) {
    this.#world = world;
  }

  connect(process: SimProcess, events: PairConnectionEvents): SimPairEnd {
    const end = new SimPairEnd(this.#world, this, process, events);
    this.#ends.set(hexOf(end.own.fingerprint), end);
    return end;
  }

  find(fingerprint: Uint8Array): SimPairEnd | undefined {
    return this.#ends.get(hexOf(fingerprint));
  }
}

export class SimPairEnd implements PairConnection {
  readonly own: PairEnd;
  readonly #world: World;
  readonly #pairings: SimPairings;
  readonly #process: SimProcess;
  readonly #events: PairConnectionEvents;
  /** What it knows of its other end, by that one's code. */
  #wanted: PairEnd | undefined;
  #other: SimPairEnd | undefined;
  #isOver = false;

  constructor(world: World, pairings: SimPairings, process: SimProcess, events: PairConnectionEvents) {
    this.#world = world;
    this.#pairings = pairings;
    this.#process = process;
    this.#events = events;
    this.own = {
      ufrag: 'abcd',
      password: '0123456789abcdefghijkl',
      fingerprint: world.random.bytes(32),
      addresses: Array.from({ length: pairings.addressCount }, () => ({ host: '10.0.0.1', port: 5_000 })),
    };
  }

  async offer(): Promise<PairEnd> {
    return this.own;
  }

  async answer(offer: PairEnd): Promise<PairEnd> {
    this.#wanted = offer;
    return this.own;
  }

  async accept(answer: PairEnd): Promise<void> {
    this.#wanted = answer;
    const other = this.#pairings.find(answer.fingerprint);
    // DTLS: each end speaks only with the certificate that the other's code named.
    if (other?.wants(this) !== true || !this.#pairings.isOpen) return;
    for (const [end, peer] of [
      [this, other],
      [other, this],
    ] as const) {
      end.#other = peer;
      this.#world.after(10 + this.#world.random.below(50), () => end.#happens(() => end.#events.connected()));
    }
  }

  wants(end: SimPairEnd): boolean {
    return this.#wanted !== undefined && hexOf(this.#wanted.fingerprint) === hexOf(end.own.fingerprint);
  }

  write(frame: Uint8Array<ArrayBuffer>): boolean {
    const other = this.#other;
    if (this.#isOver || other === undefined) return false;
    const copy = frame.slice();
    // The other end may open its channel later.
    this.#world.after(60 + FRAME_MS, () => other.#happens(() => other.#events.frame(copy)));
    return true;
  }

  destroy(): void {
    this.#isOver = true;
    const other = this.#other;
    if (other === undefined) return;
    this.#world.after(100, () =>
      other.#happens(() => {
        other.#isOver = true;
        other.#events.closed();
      }),
    );
  }

  #happens(what: () => void): void {
    this.#process.run(() => {
      if (!this.#isOver) what();
    });
  }
}
