// Why a printed seed is useful: the same seed gives the same run, message for message.

import { expect, test } from 'vitest';
import { formPool } from './device.ts';
import { Network, ROUGH } from './network.ts';
import { first } from './scenario.ts';
import { World } from './world.ts';

test('two runs with one seed deliver the same messages at the same times; another seed does not', async () => {
  const [one, again, other] = [await traceOf(1), await traceOf(1), await traceOf(2)];
  expect(again).toBe(one);
  expect(other).not.toBe(one);
});

/** About a quarter of an hour with stores, a restart, a partition and a read. */
async function traceOf(seed: number): Promise<string> {
  const world = new World(seed);
  const network = new Network(world);
  const devices = await formPool(world, network, 4);
  network.faults = ROUGH;
  const [a, b] = [first(devices), first(devices, 1)];
  const bytes = world.random.bytes(700_000);
  const { fileId } = await world.settled('store', a.put(bytes, { name: 'traced' }), 600_000);
  a.kill();
  network.partition((device) => (device === b.id ? 1 : 0));
  await a.reopen();
  await world.settled('rename', b.pool.setDeviceName('another name'));
  await world.pass(30_000);
  network.heal();
  await world.until('placed', () => a.fileStatus(fileId)?.inOutbox === false, 600_000);
  const read = await world.settled('read', b.read(fileId), 600_000);
  expect(Buffer.compare(read, bytes)).toBe(0);
  return network.traceDigest();
}
