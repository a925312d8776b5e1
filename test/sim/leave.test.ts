// A device leaves: nothing of the pool stays on it, and no device counts on it any longer.

import { expect } from 'vitest';
import { utf8 } from '../../src/core/model/bytes.ts';
import { settledOutboxes } from './checks.ts';
import { joinPool, reachableCount, type SimDevice } from './device.ts';
import { first, scenario } from './scenario.ts';
import { openInviteOf } from './open-invite.ts';

scenario(
  'a device that leaves wipes its store, and the others stop counting its fragments immediately',
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
  'a device that leaves while storing, taking and reading leaves nothing behind',
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
    // Sometimes in the few ms in which a store becomes a file, sometimes anywhere.
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

scenario(
  'a pool that no longer opens is left like any other, and another can be made right away',
  [621],
  async ({ world, pool }) => {
    const [, leaving] = await pool(2);
    if (leaving === undefined) throw new Error('expected a pool of two');
    await world.settled(
      'store',
      leaving.put(world.random.bytes(5_000), { name: 'stuck', durability: 'fast' }),
    );
    leaving.kill();
    await leaving.store.secrets.put('pool-invite', utf8('not an invite'));
    await expect(leaving.reopen()).rejects.toMatchObject({ code: 'storage-failed' });
    expect(leaving.store.contents().fragments.length).toBeGreaterThan(0);
    await world.settled('leave', leaving.pool.leave());
    expectEmpty(leaving);
    await world.settled('make another pool', leaving.pool.createPool({ name: 'fresh' }));
    expect(leaving.pool.status().pool?.name).toBe('fresh');
  },
);

scenario(
  'a pool whose start hangs or takes long can still be left',
  [623, 624, 704, 708, 718],
  async ({ world, pool }) => {
    const [, leaving] = await pool(2);
    if (leaving === undefined) throw new Error('expected a pool of two');
    leaving.kill();
    if (world.seed === 623) leaving.diskFaults.hangs = true;
    else leaving.diskFaults.mostMs = 4_000;
    let opened = false;
    void leaving.reopen().then(
      () => (opened = true),
      () => undefined,
    );
    await world.settled('leave', leaving.pool.leave());
    expect(opened).toBe(false);
    // And the start does not take up the pool again when it ends at last.
    await world.pass(100_000);
    expect(leaving.pool.status().pool).toBeUndefined();
    expectEmpty(leaving);
  },
);

scenario('a join that could not be finished is undone by leaving', [625], async ({ world, pool, device }) => {
  const [member] = await pool(2);
  if (member === undefined) throw new Error('expected a pool of two');
  const joining = device('joining');
  joining.diskFaults.recordsFail = true;
  const joined = joining.pool.join(openInviteOf(member));
  await expect(world.settled('join', joined)).rejects.toMatchObject({ code: 'storage-full' });
  joining.diskFaults.recordsFail = false;
  await world.settled('leave', joining.pool.leave());
  expectEmpty(joining);
  await expect(world.settled('leave', joining.pool.leave())).rejects.toMatchObject({ code: 'not-in-pool' });
});

scenario(
  'leaving works without a link, on a full disk, and while the disk hangs',
  [631],
  async ({ world, pool }) => {
    const devices = await pool(3);
    for (const [index, leaving] of devices.entries()) {
      await world.settled(
        'store',
        leaving.put(world.random.bytes(5_000), { name: `${index}`, durability: 'fast' }),
      );
      if (index === 1) leaving.diskFaults.recordsFail = true;
      if (index === 2) {
        leaving.diskFaults.hangs = true;
        // A removal drops fragments, and waits forever.
        const [file] = leaving.pool.status().files;
        if (file !== undefined) await world.settled('remove', leaving.pool.remove(file.fileId));
      }
      await world.settled('leave', leaving.pool.leave());
      expectEmpty(leaving);
    }
  },
);

scenario(
  'data that could not be deleted is reported, all else is gone, and leaving again deletes the rest',
  [641],
  async ({ world, pool }) => {
    const [leaving] = await pool(2);
    if (leaving === undefined) throw new Error('expected a pool of two');
    await world.settled(
      'store',
      leaving.put(world.random.bytes(5_000), { name: 'left over', durability: 'fast' }),
    );
    leaving.diskFaults.clearsFail = true;
    await expect(world.settled('leave', leaving.pool.leave())).rejects.toMatchObject({
      code: 'storage-failed',
    });
    expect(leaving.pool.status().pool).toBeUndefined();
    expect(leaving.store.contents().metaNames).toEqual(['leaving']);
    // And a reload does not take up the pool again.
    leaving.kill();
    await leaving.reopen();
    expect(leaving.pool.status().pool).toBeUndefined();
    expect(leaving.notices).toContainEqual({
      kind: 'failure',
      failure: { code: 'storage-failed', reason: 'not-all-deleted' },
    });
    leaving.diskFaults.clearsFail = false;
    await world.settled('leave again', leaving.pool.leave());
    expectEmpty(leaving);
  },
);

scenario(
  'a leave that the page did not live to finish is finished by the next page',
  [651, 652, 653],
  async ({ world, pool }) => {
    const [leaving] = await pool(2);
    if (leaving === undefined) throw new Error('expected a pool of two');
    await world.settled(
      'store',
      leaving.put(world.random.bytes(5_000), { name: 'half gone', durability: 'fast' }),
    );
    const left = leaving.pool.leave();
    left.catch(() => undefined);
    await world.until('the wipe has begun', () => leaving.store.contents().metaNames.includes('leaving'));
    leaving.kill();
    await leaving.reopen();
    expect(leaving.pool.status().pool).toBeUndefined();
    expectEmpty(leaving);
  },
);

scenario(
  'a leave that a full disk let only begin is finished by the next start, or by leaving again',
  [655, 656],
  async ({ world, pool }) => {
    const [leaving] = await pool(2);
    if (leaving === undefined) throw new Error('expected a pool of two');
    await world.settled(
      'store',
      leaving.put(world.random.bytes(5_000), { name: 'left over', durability: 'fast' }),
    );
    leaving.kill();
    // The key of the pool secret was overwritten, which takes no room.
    await leaving.store.secrets.clear();
    expect(leaving.store.contents().entryIds.length).toBeGreaterThan(0);
    const isFull = world.seed === 656;
    leaving.diskFaults.recordsFail = isFull;
    leaving.diskFaults.clearsFail = isFull;
    await leaving.reopen();
    expect(leaving.pool.status().pool).toBeUndefined();
    leaving.diskFaults.recordsFail = false;
    leaving.diskFaults.clearsFail = false;
    if (isFull) await world.settled('leave again', leaving.pool.leave());
    expectEmpty(leaving);
  },
);

scenario('damaged soft state stops no start and is reported', [661], async ({ world, pool }) => {
  const [device] = await pool(2);
  if (device === undefined) throw new Error('expected a pool of two');
  const stored = device.put(world.random.bytes(5_000), { name: 'kept', durability: 'fast' });
  const { fileId } = await world.settled('store', stored);
  const [other] = device.pool.status().devices.filter(({ self }) => !self);
  const row = [other?.id, 5, 5, [[fileId, Uint8Array.of(1)]]];
  const damage: readonly unknown[] = [
    'text',
    7,
    {},
    [row, ['no id', 0, 0, []]],
    [
      [
        other?.id,
        0,
        0,
        [
          ['no file', Uint8Array.of(1)],
          [fileId, new Uint8Array(33)],
        ],
      ],
    ],
    [[other?.id, -1, 0, []], undefined, [1, 2]],
    Array.from({ length: 1_001 }, () => row),
  ];
  for (const value of damage) {
    for (const name of ['holdings', 'damaged-fragments']) {
      device.kill();
      await device.store.records.putMeta(name, structuredClone(value));
      await device.reopen();
      expect(device.pool.status().files.map((file) => file.fileId)).toEqual([fileId]);
      expect(device.notices).toContainEqual({ kind: 'rows-left-out', count: expect.any(Number) });
    }
  }
});

function heldBy(viewer: SimDevice, fileId: string, deviceId: string): number {
  const holders = viewer.fileStatus(fileId)?.holders ?? [];
  return holders.find((holder) => holder.deviceId === deviceId)?.fragments.length ?? 0;
}

/** Only the device's name is its own, and stays. */
function expectEmpty(device: SimDevice): void {
  const { fragments, blocks, outbox, entryIds, metaNames, secretNames } = device.store.contents();
  expect({ fragments, blocks: blocks.size, outbox, entryIds, metaNames, secretNames }, device.name).toEqual({
    fragments: [],
    blocks: 0,
    outbox: [],
    entryIds: [],
    metaNames: [],
    secretNames: ['device-name'],
  });
  expect(device.store.usedBytes()).toBe(0);
}
