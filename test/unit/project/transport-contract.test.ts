// The contract of transports, over the real one with simulated connections and a simulated relay, and over
// the simulator's network, which stands for it in most simulations.

import { describe, expect, it } from 'vitest';
import type { Clock, Identity } from '../../../src/core/ports.ts';
import { transportCases, type TransportEnd, type TransportHarness } from '../../contract/transport.ts';
import { deviceAt, POOL_KEYS } from '../../fixtures/pool-fixture.ts';
import type { SimNetwork } from '../../sim/device.ts';
import { LinkedNetwork } from '../../sim/linked-network.ts';
import { CALM, Network } from '../../sim/network.ts';
import { SimProcess } from '../../sim/process.ts';
import { World } from '../../sim/world.ts';

describe('the transport over links', () => {
  it.each(transportCases)('$name', async ({ run }) => {
    const world = new World(1);
    const network = new LinkedNetwork(world);
    const { connections } = network;
    await run(harnessOver(world, network, (a, b) => connections.breakLink(a, b)));
    expect(network.bugs).toEqual([]);
  });
});

describe('the network of the simulator', () => {
  it.each(transportCases)('$name', async ({ run }) => {
    const world = new World(1);
    const network = new Network(world, CALM);
    await run(harnessOver(world, network, (a, b) => network.breakLink(a, b)));
  });
});

function harnessOver(
  world: World,
  network: SimNetwork,
  breakLink: TransportHarness['breakLink'],
): TransportHarness {
  const clock: Clock = {
    monotonicMs: () => world.nowMs,
    wallMs: () => world.nowMs,
    after: (delayMs, run) => world.after(delayMs, run),
  };
  const endOf = (identity: Identity): TransportEnd => ({
    device: identity.deviceId,
    transport: network.transportFor({ keys: POOL_KEYS, identity, process: new SimProcess(), clock }),
  });
  return {
    ends: [endOf(deviceAt(0)), endOf(deviceAt(1)), endOf(deviceAt(2))],
    pass: (durationMs) => world.pass(durationMs),
    breakLink,
  };
}
