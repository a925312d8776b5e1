// Whole pools on virtual time: store, lose devices, read everything back.

import { expect, test } from 'vitest';
import { wholeFragments } from './checks.ts';
import { formPool, joinPool, SimDevice } from './device.ts';
import { CALM, Network, ROUGH } from './network.ts';
import { World } from './world.ts';

const SEGMENT = 4 * 241_664 - 16;

test('five devices: any file comes back bit-exactly after two are lost, on a device that never held it', async () => {
  const world = new World(1);
  const network = new Network(world, CALM);
  const devices = await formPool(world, network, 5);
  const [first] = devices;
  if (first === undefined) throw new Error('unreachable');
  const sizes = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1];
  const files: { fileId: string; bytes: Uint8Array }[] = [];
  for (const size of sizes) {
    const bytes = world.random.bytes(size);
    const { fileId, placed } = await world.settled(
      `store ${size}`,
      first.put(bytes, { name: `${size} bytes` }),
    );
    expect(placed).toBeGreaterThanOrEqual(6);
    files.push({ fileId, bytes });
  }
  await world.until('the outbox is empty', () => first.pool.status().files.every((file) => !file.inOutbox));
  const reader = new SimDevice('reader', world, network);
  await joinPool(world, reader, first);
  const survivesTwo = (file: { fileId: string }): boolean =>
    (reader.fileStatus(file.fileId)?.margin ?? -1) >= 2;
  await world.until('the reader sees that any two may be lost', () => files.every(survivesTwo));

  devices[0]?.kill();
  devices[1]?.kill();
  for (const { fileId, bytes } of files) {
    const read = await world.settled(`read ${bytes.length}`, reader.read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  }
});

test('a read with too few devices says so, and works again when one returns', async () => {
  const world = new World(2);
  const network = new Network(world, CALM);
  const devices = await formPool(world, network, 5);
  const [first, ...others] = devices;
  if (first === undefined) throw new Error('unreachable');
  const bytes = world.random.bytes(SEGMENT * 2 + 77);
  const { fileId } = await world.settled('store', first.put(bytes, { name: 'needed' }));
  await world.until('placed', () => first.fileStatus(fileId)?.inOutbox === false);
  const reader = new SimDevice('reader', world, network);
  await joinPool(world, reader, first);
  await world.until('known', () => (reader.fileStatus(fileId)?.reach ?? 0) === 8);
  const heldBy = (device: SimDevice): number => wholeFragments(device, fileId).size;
  const fullestFirst = others.toSorted((a, b) => heldBy(b) - heldBy(a));
  for (const device of [first, ...fullestFirst.slice(0, 2)]) device.kill();
  await world.until('too few', () => (reader.fileStatus(fileId)?.reach ?? 8) < 4);
  await expect(world.settled('refused', reader.read(fileId), 20_000)).rejects.toMatchObject({
    code: 'not-enough-fragments',
  });
  expect(reader.fileStatus(fileId)?.margin).toBe(-1);
  await first.reopen();
  await world.until('back', () => (reader.fileStatus(fileId)?.reach ?? 0) >= 4);
  const read = await world.settled('read again', reader.read(fileId));
  expect(Buffer.compare(read, bytes)).toBe(0);
});

test.each([11, 12])('a rough network (seed %i) causes delays but no losses', async (seed) => {
  const world = new World(seed);
  const network = new Network(world, CALM);
  const devices = await formPool(world, network, 5);
  network.faults = ROUGH;
  const files = new Map<string, Uint8Array>();
  for (const [index, device] of devices.entries()) {
    const bytes = world.random.bytes(world.random.below(2 * SEGMENT));
    const stored = await world.settled('store', device.put(bytes, { name: `from ${index}` }), 600_000);
    files.set(stored.fileId, bytes);
  }
  const settled = (): boolean =>
    devices.every((device) => {
      const status = device.pool.status();
      return status.files.length === files.size && status.files.every((file) => !file.inOutbox);
    });
  await world.until('everything is placed', settled, 1_200_000);
  for (const device of devices) {
    for (const [fileId, bytes] of files) {
      const read = await world.settled('read', device.read(fileId), 600_000);
      expect(Buffer.compare(read, bytes), `seed ${seed}`).toBe(0);
    }
  }
});
