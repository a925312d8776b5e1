// The network under the real transport: link machines, routers, couriers and relay clients as devices run
// them, over simulated connections and a simulated relay. `Network` gives a pool its links; here the devices
// must find and mend them.

import { LinkTransport } from '../../src/adapters/portable/links/transport.ts';
import type { PageLife } from '../../src/adapters/portable/links/connection.ts';
import { encodeDirectAddress } from '../../src/core/pairing/direct-address.ts';
import { SignalWires } from '../../src/core/pairing/signal-wires.ts';
import { enterLobby } from '../../src/adapters/portable/links/lobby-client.ts';
import type { NearbyPorts } from '../../src/core/nearby/nearby-port.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { PairingPorts } from '../../src/core/pairing/pair-port.ts';
import type { DeviceId } from '../../src/core/model/ids.ts';
import { dirtyMemory } from '../fixtures/dirty-memory.ts';
import type { SimNetwork, TransportNeeds } from './device.ts';
import { synchronousCryptography } from './synchronous-cryptography.ts';
import { SimPairings } from './sim-pairings.ts';
import { CALM, type NetworkFaults } from './network.ts';
import type { SimProcess } from './process.ts';
import { SimConnections } from './sim-connections.ts';
import { SimRelay } from './sim-relay.ts';
import type { World } from './world.ts';

export class LinkedNetwork implements SimNetwork {
  readonly connections: SimConnections;
  readonly relay: SimRelay;
  readonly pairings: SimPairings;
  /** Whether a device knows second connections; others are as versions before. */
  mayUseSecond: (device: DeviceId) => boolean = () => false;
  /** In place of the relay's, for devices that open from now on. */
  lobby: NearbyPorts | undefined;
  /** Errors that the transports threw or reported as bugs of their own. */
  readonly bugs: unknown[] = [];
  readonly #world: World;
  readonly #wires = new WeakMap<SimProcess, SignalWires>();
  readonly #running = new Map<DeviceId, { readonly process: SimProcess; readonly lives: Set<PageLife> }>();

  constructor(world: World, faults: NetworkFaults = CALM) {
    this.#world = world;
    this.connections = new SimConnections(world, faults);
    this.relay = new SimRelay(world);
    this.pairings = new SimPairings(world);
  }

  transportFor({ keys, identity, process, clock, door }: TransportNeeds): LinkTransport {
    const { deviceId } = identity;
    const running = this.#running.get(deviceId);
    // A page has the transport of its pool, and those of doors.
    const lives = running?.process === process ? running.lives : new Set<PageLife>();
    this.#running.set(deviceId, { process, lives });
    return new LinkTransport({
      poolId: keys.poolId,
      signalingKey: keys.signalingKey,
      identity,
      clock,
      door,
      cryptography: synchronousCryptography,
      random: { bytes: (length) => this.#world.random.bytes(length) },
      memory: dirtyMemory,
      wires: this.#wiresOf(process),
      relayUrl: 'wss://relay.invalid/relay',
      WebSocket: this.relay.socketsOf(process),
      connect: (initiator, events) => this.connections.connect(deviceId, process, initiator, events),
      mayUseSecond: this.mayUseSecond(deviceId),
      watchLife: (life) => {
        lives.add(life);
        return () => lives.delete(life);
      },
      onBug: (error) => this.bugs.push(error),
    });
  }

  pairingFor(process: SimProcess): PairingPorts {
    const connect: PairingPorts['connect'] = (events) => this.pairings.connect(process, events);
    return { connect, wires: this.#wiresOf(process) };
  }

  /** The device, which runs, answers direct calls until its page ends. Returns what follows its invites. */
  directAddressOf(device: DeviceId): string {
    const running = this.#running.get(device);
    if (running === undefined) throw new Error('it does not run');
    return encodeDirectAddress(this.pairings.host(running.process, this.#wiresOf(running.process)));
  }

  nearbyFor(process: SimProcess, clock: Clock): NearbyPorts {
    const { lobby } = this;
    if (lobby !== undefined) return lobby;
    const random = { bytes: (length: number) => this.#world.random.bytes(length) };
    const WebSocket = this.relay.socketsOf(process);
    const options = { url: 'wss://relay.invalid/relay', clock, random, WebSocket };
    return { enter: (entry, events) => enterLobby(options, entry, events) };
  }

  #wiresOf(process: SimProcess): SignalWires {
    const known = this.#wires.get(process) ?? new SignalWires();
    this.#wires.set(process, known);
    return known;
  }

  unplug(device: DeviceId): void {
    const running = this.#running.get(device);
    if (running === undefined) return;
    this.connections.unplug(running.process);
    this.relay.unplug(running.process);
  }

  /** Its network is gone for a while: no channel and no socket survives, and it is told of none. */
  loseConnections(device: DeviceId): void {
    const running = this.#running.get(device);
    if (running === undefined) return;
    this.connections.silence(running.process);
    this.relay.forget(running.process);
  }

  /** Nothing to do: what is sent to a frozen tab waits for it, and the others notice its silence. */
  frozen(): void {}

  thawed(device: DeviceId): void {
    for (const life of this.#running.get(device)?.lives ?? []) life.woke();
  }

  freezing(device: DeviceId): void {
    for (const life of this.#running.get(device)?.lives ?? []) life.freezing();
  }
}
