// Calls the device whose direct address came with an invite (core/pairing/direct-call.ts), until this
// device is linked with anybody of its pool: when it joins, and later when it is linked with nobody.
//
// Invariants: one connection at a time. The address is kept as long as the pool, among the secrets. A call
// makes a wire and nothing else: envelopes, doors and links decide who is who, as through the relay.

import { utf8 } from '../../core/model/bytes.ts';
import {
  directAddressIn,
  encodeDirectAddress,
  type DirectAddress,
} from '../../core/pairing/direct-address.ts';
import { DirectWire } from '../../core/pairing/direct-wire.ts';
import type { PairConnection, PairingPorts } from '../../core/pairing/pair-port.ts';
import type { Clock } from '../../core/ports.ts';
import type { RuntimePorts } from '../runtime-ports.ts';

export interface CallingDevice {
  readonly clock: Clock;
  /** @throws PalmError while the device is locked or cannot be opened. */
  opened(): Promise<Pick<RuntimePorts, 'pairing' | 'secrets'>>;
  /** Whether it is in a pool or waits to be let in, and is linked with nobody. */
  isAlone(): boolean;
  /** Whether it is linked with anybody of its pool. */
  isLinked(): boolean;
  /** Takes work that nobody waits for, and its failure. */
  background(work: Promise<unknown>): void;
}

const KEPT = 'direct-address';
/** For links by the relay, which come first when a page opens, ms. */
const RELAY_FIRST_MS = 3_000;
/** From a call to an open channel, ms: as the called device waits. */
const CONNECT_MS = 15_000;
/** Between two calls, ms: at first, and at most. */
const PAUSE_MS = { first: 2_000, most: 5 * 60_000 };
/** After this device is linked, ms: the other may be a moment behind, and still need the wire. */
const LINGER_MS = 3_000;

type State =
  | { readonly kind: 'idle' }
  /** Until the next call. */
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'beginning' }
  | {
      readonly kind: 'calling' | 'done';
      readonly connection: PairConnection;
      readonly wire: DirectWire;
      readonly cancel: () => void;
    };

const IDLE: State = { kind: 'idle' };

export class DirectCalls {
  readonly #device: CallingDevice;
  #address: DirectAddress | undefined;
  /** Whether what is kept was read. */
  #isKnown = false;
  /** A join waits for it, with or without a relay. */
  #isJoining = false;
  #state: State = IDLE;
  #pauseMs = PAUSE_MS.first;

  constructor(device: CallingDevice) {
    this.#device = device;
  }

  /** For a join that begins: calls at once. Without an address, forgets that of an earlier one. */
  join(address: DirectAddress | undefined): void {
    this.stop();
    this.#address = address;
    this.#isKnown = true;
    this.#isJoining = address !== undefined;
    this.#device.background(this.#keepAndCall(address));
  }

  /** Something of the device has changed. */
  look(): void {
    const state = this.#state;
    if (this.#device.isLinked()) {
      this.#isJoining = false;
      this.#pauseMs = PAUSE_MS.first;
      if (state.kind === 'calling') this.#linked(state);
      else if (state.kind === 'waiting') this.#end();
    } else if (state.kind === 'idle' && this.#mayBeKnown() && this.#device.isAlone()) {
      this.#callIn(RELAY_FIRST_MS);
    }
  }

  /** Nothing goes on. What is kept stays, and is read again when it is needed. */
  stop(): void {
    this.#end();
    this.#address = undefined;
    this.#isKnown = false;
    this.#isJoining = false;
    this.#pauseMs = PAUSE_MS.first;
  }

  #mayBeKnown(): boolean {
    return !this.#isKnown || this.#address !== undefined;
  }

  #isWanted(): boolean {
    return this.#isJoining || this.#device.isAlone();
  }

  async #keepAndCall(address: DirectAddress | undefined): Promise<void> {
    const opened = await this.#device.opened().catch(() => undefined); // the join itself tells why not
    if (opened === undefined) return;
    const { secrets } = opened;
    const kept = await secrets.get(KEPT);
    if (address !== undefined || (kept !== undefined && kept.length > 0)) {
      await secrets.put(KEPT, address === undefined ? new Uint8Array(0) : utf8(encodeDirectAddress(address)));
    }
    if (this.#address === address && this.#state.kind === 'idle') await this.#begin();
  }

  #callIn(delayMs: number): void {
    const cancel = this.#device.clock.after(delayMs, () => {
      this.#state = IDLE;
      if (this.#isWanted()) this.#device.background(this.#begin());
    });
    this.#state = { kind: 'waiting', cancel };
  }

  async #begin(): Promise<void> {
    const beginning: State = { kind: 'beginning' };
    this.#state = beginning;
    let pairing: PairingPorts | undefined;
    try {
      const opened = await this.#device.opened();
      ({ pairing } = opened);
      if (!this.#isKnown) {
        this.#address = directAddressIn(new TextDecoder().decode(await opened.secrets.get(KEPT)));
        this.#isKnown = true;
      }
      if (this.#state !== beginning) return;
    } finally {
      // What failed is tried again, when something changes.
      if (this.#state === beginning) this.#state = IDLE;
    }
    if (this.#address === undefined || pairing === undefined || !this.#isWanted()) return;
    await this.#call(this.#address, pairing);
  }

  async #call(address: DirectAddress, { connect, wires }: PairingPorts): Promise<void> {
    const connection = connect({
      connected: () => {
        cancel();
        wire.connected();
      },
      frame: (frame) => wire.frame(frame),
      closed: () => this.#again(),
    });
    const wire = new DirectWire(wires, {
      write: (frame) => connection.write(frame),
      over: () => this.#again(),
    });
    const cancel = this.#device.clock.after(CONNECT_MS, () => this.#again());
    this.#state = { kind: 'calling', connection, wire, cancel };
    await connection.call(address);
  }

  #linked({ connection, wire, cancel }: Extract<State, { readonly kind: 'calling' | 'done' }>): void {
    cancel();
    wire.done();
    const cancelEnd = this.#device.clock.after(LINGER_MS, () => this.#end());
    this.#state = { kind: 'done', connection, wire, cancel: cancelEnd };
  }

  /** The call came to nothing, or its wire is gone. */
  #again(): void {
    this.#end();
    if (!this.#isWanted()) return;
    this.#callIn(this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS.most);
  }

  #end(): void {
    const state = this.#state;
    this.#state = IDLE;
    if (state.kind === 'waiting') state.cancel();
    if (state.kind !== 'calling' && state.kind !== 'done') return;
    state.cancel();
    state.wire.close();
    state.connection.destroy();
  }
}
