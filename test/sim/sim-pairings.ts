// Connections that two codes make, on virtual time: ends find each other by the fingerprints in their codes.

import { hexOf } from '../../src/core/model/bytes.ts';
import { CallGate } from '../../src/core/pairing/call-gate.ts';
import type { DirectAddress } from '../../src/core/pairing/direct-address.ts';
import { calledEnd } from '../../src/core/pairing/direct-call.ts';
import { DirectWire } from '../../src/core/pairing/direct-wire.ts';
import type { SignalWires } from '../../src/core/pairing/signal-wires.ts';
import type { PairConnection, PairConnectionEvents } from '../../src/core/pairing/pair-port.ts';
import type { PairEnd } from '../../src/core/pairing/pair-sdp.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

const FRAME_MS = 4;

/** A device that answers direct calls, as `DirectHost` does. */
interface SimHost {
  readonly process: SimProcess;
  readonly gate: CallGate;
  readonly wires: SignalWires;
}

export class SimPairings {
  readonly #world: World;
  readonly #ends = new Map<string, SimPairEnd>();
  readonly #hosts = new Map<string, SimHost>();
  /** Calls that hosts answered. */
  answeredCount = 0;
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

  host(process: SimProcess, wires: SignalWires): DirectAddress {
    const [fingerprint, secret] = [this.#world.random.bytes(32), this.#world.random.bytes(16)];
    this.#hosts.set(hexOf(fingerprint), { process, gate: new CallGate(secret), wires });
    return { fingerprint, secret, addresses: [{ host: '10.0.0.2', port: 6_000 }] };
  }

  /** The end of the host, if it answers. */
  answer(caller: SimPairEnd, address: DirectAddress): SimPairEnd | undefined {
    const host = this.#hosts.get(hexOf(address.fingerprint));
    const { ufrag } = calledEnd(address, caller.own);
    const call = host?.gate.take({ called: ufrag, caller: caller.own.ufrag, host: '10.0.0.1' });
    if (host === undefined || call === undefined) return undefined;
    this.answeredCount += 1;
    const over = (): void => {
      wire.close();
      host.gate.ended(ufrag);
      end.destroy();
    };
    const end = this.connect(host.process, {
      connected: () => wire.connected(),
      frame: (frame) => wire.frame(frame),
      closed: over,
    });
    const wire = new DirectWire(host.wires, { write: (frame) => end.write(frame), over });
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
    this.#meet(other);
  }

  async call(address: DirectAddress): Promise<void> {
    if (!this.#pairings.isOpen) return;
    const other = this.#pairings.answer(this, address);
    if (other !== undefined) this.#meet(other);
  }

  #meet(other: SimPairEnd): void {
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
