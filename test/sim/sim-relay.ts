// The relay on virtual time: its real rooms, and sockets that need no network. Like TCP, a socket keeps the
// order and loses nothing while it is open. The relay may lose forwarded envelopes on purpose.

import { DEFAULT_RELAY_LIMITS } from '../../signaling/relay-limits.ts';
import { addressKeyOf } from '../../signaling/remote-address.ts';
import { Rooms, type RoomsEffect, type RoomsInput } from '../../signaling/rooms.ts';
import type { RelaySocket, RelaySocketClass } from '../../src/adapters/portable/links/relay-client.ts';
import { MachineDriver } from '../../src/core/machine-driver.ts';
import { connectionIdOf, encodeRelayFrame, type ConnectionId } from '../../src/core/wire/relay-protocol.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;
/** How a severed socket ends (RFC 6455, section 7.1.5). */
const ABNORMAL = 1_006;
/** Most time of one frame, ms. */
const MOST_MS = 5;

export class SimRelay {
  /** Share of envelopes that the relay loses. */
  loss = 0;
  readonly #world: World;
  readonly #rooms: MachineDriver<RoomsInput, RoomsEffect>;
  readonly #sockets = new Map<ConnectionId, SimSocket>();
  #isUp = true;

  constructor(world: World) {
    this.#world = world;
    this.#rooms = new MachineDriver<RoomsInput, RoomsEffect>({
      machine: new Rooms(DEFAULT_RELAY_LIMITS),
      clock: {
        monotonicMs: () => world.nowMs,
        wallMs: () => world.nowMs,
        after: (delayMs, run) => world.after(delayMs, run),
      },
      tick: { kind: 'deadline' },
      perform: (effect) => this.#perform(effect),
    });
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** What a tab uses as its WebSocket. */
  socketsOf(process: SimProcess): RelaySocketClass {
    const open = (socket: SimSocket): void => this.#open(socket);
    const [world, rooms] = [this.#world, this.#rooms];
    return class extends SimSocket {
      constructor() {
        super(world, process, rooms);
        open(this);
      }
    };
  }

  stop(): void {
    this.#isUp = false;
    for (const socket of this.#sockets.values()) this.#cut(socket);
  }

  start(): void {
    this.#isUp = true;
  }

  /** The tab is gone, and the system closes its sockets. */
  unplug(process: SimProcess): void {
    for (const socket of this.#sockets.values()) if (socket.process === process) this.#cut(socket);
  }

  /** The relay gives up on this tab's sockets, which still seem open to the tab. */
  forget(process: SimProcess): void {
    for (const socket of this.#sockets.values()) {
      if (socket.process !== process) continue;
      this.#forget(socket);
      socket.id = undefined;
    }
  }

  #open(socket: SimSocket): void {
    this.#world.after(this.#world.random.below(MOST_MS), () => {
      if (socket.readyState !== CONNECTING) return;
      if (!this.#isUp) {
        socket.ended(ABNORMAL, '');
        return;
      }
      socket.id = connectionIdOf(this.#world.random.bytes(16));
      socket.closed = () => this.#forget(socket);
      this.#sockets.set(socket.id, socket);
      this.#rooms.input({ kind: 'connected', id: socket.id, address: addressKeyOf('192.168.0.2') });
      socket.opened();
    });
  }

  #cut(socket: SimSocket): void {
    this.#forget(socket);
    socket.ended(ABNORMAL, '');
  }

  #forget({ id }: SimSocket): void {
    if (id !== undefined && this.#sockets.delete(id)) this.#rooms.input({ kind: 'disconnected', id });
  }

  #perform(effect: RoomsEffect): void {
    switch (effect.kind) {
      case 'send':
        for (const id of effect.to) {
          const isLost = effect.frame.kind === 'envelope' && this.#world.random.unit() < this.loss;
          if (!isLost) this.#sockets.get(id)?.deliver(encodeRelayFrame(effect.frame));
        }
        break;
      case 'probe':
        // The system answers, whatever the tab does.
        this.#world.after(MOST_MS, () => this.#rooms.input({ kind: 'alive', id: effect.id }));
        break;
      case 'close': {
        const socket = this.#sockets.get(effect.id);
        if (socket === undefined) break;
        this.#forget(socket);
        socket.ended(effect.close.code, effect.close.reason);
        break;
      }
    }
  }
}

/** A tab's end of a socket. */
class SimSocket implements RelaySocket {
  binaryType = 'blob';
  readyState = CONNECTING;
  readonly bufferedAmount = 0;
  readonly process: SimProcess;
  id: ConnectionId | undefined;
  closed: () => void = () => undefined;
  readonly #world: World;
  readonly #rooms: MachineDriver<RoomsInput, RoomsEffect>;
  readonly #listeners = new Map<string, (event: never) => void>();
  /** Earliest arrival of the next frame, at the relay and at the tab. */
  #thereMs = 0;
  #hereMs = 0;

  constructor(world: World, process: SimProcess, rooms: MachineDriver<RoomsInput, RoomsEffect>) {
    this.#world = world;
    this.process = process;
    this.#rooms = rooms;
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, listener);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    const bytes = data.slice();
    this.#thereMs = this.#later(this.#thereMs);
    this.#world.after(this.#thereMs - this.#world.nowMs, () => {
      if (this.id !== undefined) this.#rooms.input({ kind: 'message', id: this.id, bytes, binary: true });
    });
  }

  close(): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    // Frames already sent arrive first.
    this.#world.after(this.#later(this.#thereMs) - this.#world.nowMs, () => this.closed());
  }

  opened(): void {
    this.readyState = OPEN;
    this.process.run(() => this.#tell('open', {}));
  }

  deliver(bytes: Uint8Array<ArrayBuffer>): void {
    this.#hereMs = this.#later(this.#hereMs);
    this.#world.after(this.#hereMs - this.#world.nowMs, () =>
      this.process.run(() => {
        if (this.readyState === OPEN) this.#tell('message', { data: bytes.buffer });
      }),
    );
  }

  ended(code: number, reason: string): void {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.process.run(() => this.#tell('close', { code, reason }));
  }

  #later(thanMs: number): number {
    return Math.max(thanMs, this.#world.nowMs + 1 + this.#world.random.below(MOST_MS));
  }

  #tell(type: string, event: unknown): void {
    // The overloads of `addEventListener` say which listener gets which event.
    this.#listeners.get(type)?.(event as never);
  }
}
