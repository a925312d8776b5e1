// Transports whose pool changed its keys: real ones, over a simulated relay. Devices that know the new keys
// and devices that slept through the change find each other in the room of the earlier keys.

import { expect, test } from 'vitest';
import type { LinkTransport } from '../../src/adapters/portable/links/transport.ts';
import type { DeviceId } from '../../src/core/model/ids.ts';
import { derivePoolKeys, type PoolKeys } from '../../src/core/model/pool-keys.ts';
import { deviceAt } from '../fixtures/pool-fixture.ts';
import { seededBytes } from '../fixtures/erasure-oracle.ts';
import { LinkedNetwork } from './linked-network.ts';
import { SimProcess } from './process.ts';
import { World } from './world.ts';

const [OLD, NEW] = [derivePoolKeys(seededBytes(32, 1), 0), derivePoolKeys(seededBytes(32, 2), 1)];

interface End {
  readonly id: DeviceId;
  readonly transport: LinkTransport;
  readonly linked: Set<DeviceId>;
  /** Every link that ever ended. */
  readonly ended: DeviceId[];
}

class Rooms {
  readonly world = new World(77);
  readonly network = new LinkedNetwork(this.world);

  /** Opens the transport of a device. */
  open(index: number, keys: PoolKeys, earlier: readonly PoolKeys[] = []): End {
    const { world } = this;
    const identity = deviceAt(index);
    const process = new SimProcess();
    const clock = {
      monotonicMs: () => world.nowMs,
      wallMs: () => world.nowMs,
      after: (delayMs: number, callback: () => void) => world.after(Math.ceil(delayMs), callback),
    };
    const transport = this.network.transportFor({ keys, identity, process, clock });
    const end: End = { id: identity.deviceId, transport, linked: new Set(), ended: [] };
    if (earlier.length > 0) transport.move(keys, earlier);
    transport.open({
      linkUp: (device) => end.linked.add(device),
      linkDown: (device) => {
        end.linked.delete(device);
        end.ended.push(device);
      },
      message: () => undefined,
      relayState: () => undefined,
      rejected: () => undefined,
    });
    return end;
  }

  areLinked(...ends: readonly End[]): boolean {
    return ends.every((end) => ends.every(({ id }) => id === end.id || end.linked.has(id)));
  }
}

test('links stay when a pool moves to other keys, and devices that come later find it there', async () => {
  const rooms = new Rooms();
  const [one, other] = [rooms.open(1, OLD), rooms.open(2, OLD)];
  await rooms.world.until('two are linked', () => rooms.areLinked(one, other));
  for (const { transport } of [one, other]) transport.move(NEW, []);
  const third = rooms.open(3, NEW);
  await rooms.world.until('three are linked', () => rooms.areLinked(one, other, third));
  expect([one, other].map(({ ended }) => ended)).toEqual([[], []]);
  const stranger = rooms.open(4, OLD);
  await rooms.world.pass(60_000);
  expect(stranger.linked.size).toBe(0);
});

test('a device that slept is heard in the room of the earlier keys, by ids greater and smaller than its own', async () => {
  const rooms = new Rooms();
  const ends = [1, 2, 3].map((index) => rooms.open(index, OLD));
  await rooms.world.until('all are linked', () => rooms.areLinked(...ends));
  for (const { transport } of ends) transport.move(NEW, [OLD]);
  const sleepers = [4, 5].map((index) => rooms.open(index, OLD));
  await rooms.world.until('the sleepers are linked with all', () => rooms.areLinked(...ends, ...sleepers));
  for (const { transport } of sleepers) transport.move(NEW, [OLD]);
  await rooms.world.pass(60_000);
  expect([...ends, ...sleepers].map(({ ended }) => ended)).toEqual([[], [], [], [], []]);
});

test('a device that was alone with the earlier keys hears of one that comes with newer ones', async () => {
  const rooms = new Rooms();
  const sleeper = rooms.open(1, OLD);
  await rooms.world.pass(600_000);
  const [greater, smaller] = [2, 3].map((index) => rooms.open(index, NEW, [OLD]));
  if (greater === undefined || smaller === undefined) throw new Error('two ends');
  await rooms.world.until('all are linked', () => rooms.areLinked(sleeper, greater, smaller), 30_000);
});

test('a link that breaks before the sleeper has moved is mended', async () => {
  const rooms = new Rooms();
  const [mover, sleeper] = [rooms.open(1, NEW, [OLD]), rooms.open(2, OLD)];
  await rooms.world.until('linked', () => rooms.areLinked(mover, sleeper));
  mover.transport.closeLink(sleeper.id, 'for the test');
  await rooms.world.until('it broke', () => !rooms.areLinked(mover, sleeper));
  await rooms.world.until('linked again', () => rooms.areLinked(mover, sleeper), 60_000);
});
