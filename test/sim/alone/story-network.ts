// What connects a story's devices, and how it fails: links that are given (network.ts), or links that devices
// make and mend themselves over a relay that may die (linked-network.ts).

import type { DeviceId } from '../../../src/core/model/ids.ts';
import { LinkedNetwork } from '../linked-network.ts';
import { CALM, Network, ROUGH } from '../network.ts';
import type { SimNetwork } from '../device.ts';
import type { World } from '../world.ts';

export interface StoryNetwork {
  readonly devices: SimNetwork;
  /** Undefined where links are made by the devices: only the given ones can be judged message by message. */
  readonly given: Network | undefined;
  rough(isRough: boolean): void;
  partition(group: (device: DeviceId) => number): void;
  cut(a: DeviceId, b: DeviceId): void;
  mend(a: DeviceId, b: DeviceId): void;
  /** Nothing that `from` sends reaches `to`, until the returned function is called. */
  mute(from: DeviceId, to: DeviceId): () => void;
  /** Messages that a device means to send and never does; has no effect where devices make their links. */
  withhold(isHeldBack: (from: DeviceId, bytes: Uint8Array<ArrayBuffer>) => boolean): void;
  /** The relay, if there is one, dies or comes back. */
  relay(isUp: boolean): void;
  heal(): void;
  /** Errors of the network's own parts. */
  bugs(): readonly unknown[];
}

export function givenLinks(world: World): StoryNetwork {
  const network = new Network(world);
  const muted = new Set<string>();
  return {
    devices: network,
    given: network,
    rough: (isRough) => (network.faults = isRough ? ROUGH : CALM),
    partition: (group) => network.partition(group),
    cut: (a, b) => network.cut(a, b),
    mend: (a, b) => network.mend(a, b),
    mute: (from, to) => {
      muted.add(`${from} ${to}`);
      return () => muted.delete(`${from} ${to}`);
    },
    withhold: (isHeldBack) => {
      network.swallows = (from, to, bytes) => muted.has(`${from} ${to}`) || isHeldBack(from, bytes);
    },
    relay: () => undefined,
    heal: () => network.heal(),
    bugs: () => [],
  };
}

export function madeLinks(world: World): StoryNetwork {
  const network = new LinkedNetwork(world);
  const { connections, relay } = network;
  return {
    devices: network,
    given: undefined,
    rough: (isRough) => {
      connections.faults = isRough ? ROUGH : CALM;
      relay.loss = isRough ? 0.2 : 0;
    },
    partition: (group) => connections.partition(group),
    // They are linked again after a while, over the relay or a neighbour.
    cut: (a, b) => connections.breakLink(a, b),
    mend: () => undefined,
    mute: (from, to) => connections.mute(from, to),
    withhold: () => undefined,
    relay: (isUp) => (isUp ? relay.start() : relay.stop()),
    heal: () => {
      connections.partition(() => 0);
      relay.start();
    },
    bugs: () => network.bugs,
  };
}
