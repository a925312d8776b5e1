// Everything goes dark in the middle of work: every file whose store() resolved is read back bit-exactly.

import { expect } from 'vitest';
import { expectOnlyNeeded, settledOutboxes } from './checks.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { first, scenario } from './scenario.ts';

const DEVICE_COUNT = 5;
const ROUNDS = 3;

scenario(
  'all devices restart together in the middle of placing, and no stored file is lost',
  [501, 502, 503, 504],
  async ({ world, network, pool }) => {
    network.faults = { ...network.faults, bytesPerMs: 300 };
    const devices = await pool(DEVICE_COUNT);
    const answered = new Map<string, Uint8Array>();
    for (let round = 0; round < ROUNDS; round++) {
      for (let index = 0; index < 4; index++) {
        const bytes = world.random.bytes(world.random.below(300_000));
        const durability = world.random.below(2) === 0 ? 'fast' : 'quorum';
        const storer = first(devices, world.random.below(DEVICE_COUNT));
        // A store that the restart interrupts never resolves, and promises nothing.
        const storing = storer.put(bytes, { name: `${round}.${index}`, durability });
        void storing.then(({ fileId }) => answered.set(fileId, bytes));
        await world.pass(world.random.below(400));
      }
      for (const device of devices) device.kill();
      await world.pass(world.random.below(8_000));
      const order = devices.map((device) => ({ device, at: world.random.unit() }));
      for (const { device } of order.toSorted((a, b) => a.at - b.at)) {
        await device.reopen();
        await world.pass(world.random.below(3_000));
      }
    }
    expect(answered.size).toBeGreaterThan(0);
    await world.until('all are linked', () =>
      devices.every((device) => reachableCount(device) === DEVICE_COUNT),
    );
    for (const [fileId, bytes] of answered) {
      const reader = first(devices, world.random.below(DEVICE_COUNT));
      await world.until('known', () => reader.fileStatus(fileId) !== undefined);
      const read = await world.settled(`read ${fileId}`, reader.read(fileId), 300_000);
      expect(Buffer.compare(read, bytes)).toBe(0);
    }
    await world.until('everything is placed', () => settledOutboxes(devices), 300_000);
    await world.pass(10_000);
    for (const device of devices) expectOnlyNeeded(device);
    for (const file of first(devices).pool.status().files) expect(file.safe).toBe(true);
  },
);

scenario(
  'a catalogue in bundles is whole after its devices were killed while writing them, and after each restart',
  [506, 507],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const [one, other] = [first(devices), first(devices, 1)];
    for (let index = 0; index < 700; index++) {
      await world.settled('rename', one.pool.setDeviceName(`name ${index}`));
      if (index !== 540 + world.random.below(3)) continue;
      other.kill();
      await world.pass(world.random.below(5_000));
      await other.reopen();
    }
    await world.until('they agree', () => new Set(devices.map(namesOf)).size === 1);
    const rowCounts = (): number[] => devices.map(({ store }) => store.contents().entryIds.length);
    await world.until('few are rows of their own', () => rowCounts().every((count) => count < 32));
    for (const device of devices) {
      const { metaNames } = device.store.contents();
      expect(metaNames.filter((name) => name.startsWith('catalogue/'))).not.toEqual([]);
    }
    for (const device of devices) device.kill();
    for (const device of devices) await device.reopen();
    await world.until('they still agree', () => new Set(devices.map(namesOf)).size === 1);
    await world.until('and know the names', () =>
      devices.every((device) => device.pool.status().devices.some(({ name }) => name === 'name 699')),
    );
    for (const device of devices) expect(device.pool.status().notices).toEqual([]);
  },
);

scenario(
  'a storer that is killed at any moment of a store has the whole file afterwards, or nothing of it',
  [511, 512, 513, 514, 515, 516, 517, 518, 519, 520, 521, 522],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const storer = first(devices);
    const bytes = world.random.bytes(5_000);
    let answered = false;
    void storer.put(bytes, { name: 'cut short', durability: 'fast' }).then(() => {
      answered = true;
    });
    await world.pass(world.random.below(30));
    storer.kill();
    await storer.reopen();
    await world.until('all are linked', () => devices.every((device) => reachableCount(device) === 3));
    await world.until('everything is placed', () => settledOutboxes(devices));
    await world.pass(5_000);
    for (const device of devices) expectOnlyNeeded(device);
    const [file] = storer.pool.status().files;
    expect(answered && file === undefined).toBe(false);
    if (file === undefined) return;
    const read = await world.settled('read', first(devices, 2).read(file.fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

function namesOf({ pool }: SimDevice): string {
  const { devices } = pool.status();
  return devices
    .map(({ id, name }) => `${id} ${name}`)
    .toSorted()
    .join('\n');
}
