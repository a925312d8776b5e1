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
  /** The relay, if there is one, dies or comes back. */
  relay(isUp: boolean): void;
  heal(): void;
  /** Errors of the network's own parts. */
  bugs(): readonly unknown[];
}

export function givenLinks(world: World): StoryNetwork {
  const network = new Network(world);
  return {
    devices: network,
    given: network,
    rough: (isRough) => (network.faults = isRough ? ROUGH : CALM),
    partition: (group) => network.partition(group),
    cut: (a, b) => network.cut(a, b),
    mend: (a, b) => network.mend(a, b),
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
    relay: (isUp) => (isUp ? relay.start() : relay.stop()),
    heal: () => {
      connections.partition(() => 0);
      relay.start();
    },
    bugs: () => network.bugs,
  };
}
