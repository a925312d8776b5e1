// Wall clocks that are wrong, or are set while a pool works: nothing that people see may wait for them.

import { expect } from 'vitest';
import { sameCatalogues, settledOutboxes } from './checks.ts';
import { first, scenario } from './scenario.ts';

const HOUR_MS = 3_600_000;

scenario(
  'a pool whose devices sleep and whose clocks jump keeps every file',
  [5011, 5012],
  async ({ world, pool }) => {
    const devices = await pool(4);
    const stored = new Map<string, Uint8Array>();
    for (let round = 0; round < 8; round++) {
      const awake = devices.filter(({ isRunning }) => isRunning);
      const storer = first(awake, world.random.below(awake.length));
      const bytes = world.random.bytes(world.random.below(200_000));
      const storing = storer.put(bytes, { name: `${round}`, durability: 'fast' });
      stored.set((await world.settled('store', storing)).fileId, bytes);
      if (awake.length > 2) first(devices, world.random.below(4)).sleep(world.random.below(600_000));
      await world.pass(world.random.below(30_000));
    }
    await world.pass(600_000);
    await world.until('all is placed', () => settledOutboxes(devices), 300_000);
    await world.until('all is told', () => sameCatalogues(devices), 30_000);
    for (const device of devices) {
      for (const [fileId, bytes] of stored) {
        const read = await world.settled('read', device.read(fileId));
        expect(Buffer.compare(read, bytes)).toBe(0);
      }
    }
  },
);

for (const years of [-30, 30]) {
  scenario(
    `files are listed in the order in which they were stored, with the clock of one device ${years} years off`,
    [5021, 5022],
    async ({ world, pool }) => {
      const devices = await pool(3);
      first(devices, 1).setClock(years * 365 * 24 * HOUR_MS);
      const names = Array.from({ length: 9 }, (_, index) => `${index}`);
      for (const [index, name] of names.entries()) {
        const storing = first(devices, index % 3).put(world.random.bytes(500), { name, durability: 'fast' });
        await world.settled('store', storing);
        await world.until('all is told', () => sameCatalogues(devices));
      }
      for (const { pool: seen } of devices)
        expect(seen.status().files.map(({ name }) => name)).toEqual(names);
    },
  );
}

for (const byMs of [-HOUR_MS, HOUR_MS]) {
  scenario(
    `a file stored after the storer's clock was set by ${byMs} ms is known to the others at once`,
    [5001, 5002],
    async ({ world, pool }) => {
      const devices = await pool(2);
      const [storer, other] = [first(devices), first(devices, 1)];
      await world.pass(20_000);
      storer.setClock(byMs);
      await world.pass(20_000);
      const bytes = world.random.bytes(5_000);
      const { fileId } = await world.settled(
        'store',
        storer.put(bytes, { name: 'five', durability: 'fast' }),
      );
      await world.until('known', () => (other.fileStatus(fileId)?.reach ?? 0) > 0, 6_000);
      expect(Buffer.compare(await world.settled('read', other.read(fileId), 6_000), bytes)).toBe(0);
    },
  );
}
