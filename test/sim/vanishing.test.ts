// Storage that goes away under an open page: nobody counts on what it held, and what others hold is enough.

import { expect } from 'vitest';
import { settledOutboxes, watchHonesty } from './checks.ts';
import { joinPool, reachableCount, type SimDevice } from './device.ts';
import { first, scenario } from './scenario.ts';

const DEVICE_COUNT = 4;

scenario(
  'devices lose their storage with their pages open: nobody counts on it, and safe files can be read',
  [5101, 5102],
  async ({ world, pool }) => {
    const devices = await pool(DEVICE_COUNT);
    watchHonesty(world, devices);
    const stored = new Map<string, Uint8Array>();
    for (let round = 0; round < 5; round++) {
      const device = first(devices, world.random.below(DEVICE_COUNT));
      const bytes = world.random.bytes(world.random.below(20_000));
      // A store whose storage goes away fails, and promises nothing.
      device.put(bytes, { name: `${round}`, durability: 'fast' }).then(
        ({ fileId }) => stored.set(fileId, bytes),
        (error: unknown) => expect(error).toMatchObject({ failure: { reason: 'gone' } }),
      );
      await world.pass(world.random.below(2_000));
      if (round % 2 === 0) continue;
      const losing = first(devices, world.random.below(DEVICE_COUNT));
      const others = devices.filter((other) => other !== losing);
      await loseStorage(losing, others);
      for (const fileId of stored.keys()) {
        const file = first(others).fileStatus(fileId);
        if (file === undefined || file.reach < file.k) stored.delete(fileId);
      }
      await world.pass(world.random.below(5_000));
      await losing.reopen();
      await joinPool(world, losing, first(others));
    }
    await world.until('all are linked', () =>
      devices.every((device) => reachableCount(device) === DEVICE_COUNT),
    );
    for (const [fileId, bytes] of stored) {
      const reader = first(devices, world.random.below(DEVICE_COUNT));
      const read = await world.settled('read', reader.read(fileId));
      expect(Buffer.compare(read, bytes)).toBe(0);
    }

    async function loseStorage(losing: SimDevice, others: readonly SimDevice[]): Promise<void> {
      const safe = first(others)
        .pool.status()
        .files.filter(({ safe: isSafe }) => isSafe);
      const lost = losing.id;
      losing.loseStorage();
      await world.until('it says that it left', () =>
        others.every((other) => !other.pool.status().devices.some(({ id }) => id === lost)),
      );
      for (const { fileId } of safe)
        expect(first(others).fileStatus(fileId)?.reach).toBeGreaterThanOrEqual(4);
      expect(losing.notices).toContainEqual(
        expect.objectContaining({ kind: 'failure', failure: { code: 'storage-failed', reason: 'gone' } }),
      );
      expect(losing.pool.status().pool).toBeUndefined();
    }
  },
);

scenario(
  'a device whose storage is gone takes nothing more and is trusted with nothing',
  [5111],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const [storer, losing] = [first(devices), first(devices, 1)];
    const bytes = world.random.bytes(50_000);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'kept' }));
    await world.until('all is placed', () => settledOutboxes(devices));
    const lostId = losing.id;
    losing.loseStorage();
    await world.pass(100);
    const holders = storer.fileStatus(fileId)?.holders.map(({ deviceId }) => deviceId);
    expect(holders).not.toContain(lostId);
    await expect(losing.put(bytes, { name: 'too late' })).rejects.toMatchObject({ code: 'storage-failed' });
  },
);
