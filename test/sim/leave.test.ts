// A device leaves: nothing of the pool stays on it, and nobody counts on it any more.

import { expect } from 'vitest';
import { settledOutboxes } from './checks.ts';
import { joinPool, reachableCount, type SimDevice } from './device.ts';
import { first, scenario } from './scenario.ts';

scenario(
  'a device that leaves wipes its store, and the others stop counting its fragments at once',
  [601, 602],
  async ({ world, pool }) => {
    const devices = await pool(5);
    const leaving = first(devices, 1 + world.random.below(4));
    const others = devices.filter((device) => device !== leaving);
    const bytes = world.random.bytes(50_000);
    const { fileId } = await world.settled('store', first(devices).put(bytes, { name: 'kept' }));
    await world.until('placed', () => settledOutboxes(devices));
    await world.until('all know', () => others.every((device) => device.fileStatus(fileId)?.reach === 8));
    const oldId = leaving.id;
    const had = heldBy(first(others), fileId, oldId);
    expect(had).toBeGreaterThan(0);

    await world.settled('leave', leaving.pool.leave());
    await world.pass(10_000);
    expectEmpty(leaving);
    for (const device of others) {
      expect(heldBy(device, fileId, oldId)).toBe(0);
      expect(device.fileStatus(fileId)?.reach).toBe(8 - had);
      expect(device.pool.status().devices.map(({ id }) => id)).not.toContain(oldId);
    }
    const read = await world.settled('read', first(others, 1).read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);

    // It comes back as another device.
    await joinPool(world, leaving, first(others));
    expect(leaving.id).not.toBe(oldId);
    await world.until('linked again', () => reachableCount(leaving) === 5);
    await world.until('known again', () => leaving.fileStatus(fileId) !== undefined);
    const again = await world.settled('read after rejoining', leaving.read(fileId));
    expect(Buffer.compare(again, bytes)).toBe(0);
  },
);

scenario(
  'a device that leaves in the middle of storing, taking and reading leaves nothing behind',
  [611, 612, 1001, 1014, 1030, 1044],
  async ({ world, network, pool }) => {
    network.faults = { ...network.faults, bytesPerMs: 300 };
    const devices = await pool(4);
    const [leaving, other] = [first(devices), first(devices, 1)];
    const placed = await world.settled('store', other.put(world.random.bytes(200_000), { name: 'first' }));
    const work = [
      leaving.put(world.random.bytes(600_000), { name: 'its own' }),
      other.put(world.random.bytes(400_000), { name: 'to take' }),
      leaving.read(placed.fileId),
    ];
    const ends = work.map((one) => one.then(() => 'done').catch((error: unknown) => error));
    // Now in the few ms in which a store becomes a file, now anywhere.
    await world.pass(world.random.below(world.random.below(2) === 0 ? 60 : 1_500));
    await world.settled('leave', leaving.pool.leave());
    await world.pass(60_000);
    expectEmpty(leaving);
    const { files, transfers, notices } = leaving.pool.status();
    expect({ files, transfers, notices }).toEqual({ files: [], transfers: [], notices: [] });
    for (const end of [ends[0], ends[2]]) {
      const outcome = await world.settled('its work ended', Promise.resolve(end));
      if (outcome !== 'done') expect(outcome).toMatchObject({ code: 'not-in-pool' });
    }
    expect(await world.settled('the others go on', Promise.resolve(ends[1]))).toBe('done');
  },
);

function heldBy(viewer: SimDevice, fileId: string, deviceId: string): number {
  const holders = viewer.fileStatus(fileId)?.holders ?? [];
  return holders.find((holder) => holder.deviceId === deviceId)?.fragments.length ?? 0;
}

/** Only the device's name is its own, and stays. */
function expectEmpty(device: SimDevice): void {
  const { fragments, blocks, outbox, entryIds, metaNames } = device.store.contents();
  expect({ fragments, blocks: blocks.size, outbox, entryIds, metaNames }, device.name).toEqual({
    fragments: [],
    blocks: 0,
    outbox: [],
    entryIds: [],
    metaNames: ['device-name'],
  });
  expect(device.store.usedBytes()).toBe(0);
}
