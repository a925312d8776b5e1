// One content with several names: each is listed, read and removed on its own, and the bytes go with the last
// one, on all sides of a partition.

import { expect } from 'vitest';
import { decodeEntry } from '../../src/core/catalogue/entry.ts';
import { GRACE_MS } from '../../src/core/model/limits.ts';
import {
  expectCaps,
  expectOnlyNeeded,
  expectSameCatalogues,
  fragmentsOn,
  sameCatalogues,
  settledOutboxes,
  wholeFragments,
} from './checks.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { recordsOn } from './disk-records.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const SIZES = [0, 20_000, 2_000_000] as const;

scenario(
  'each name of equal bytes is listed, read and removed on its own, and the bytes go with the last one',
  [1_400, 1_401, 1_402],
  async ({ world, pool }) => {
    const devices = await pool(4);
    const [one, other] = [first(devices), first(devices, 1)];
    const bytes = world.random.bytes(first(SIZES, world.seed % SIZES.length));
    const named = (device: SimDevice, path: string, name: string): Promise<{ fileId: string }> =>
      world.settled(`store ${name}`, device.put(bytes, { name, path }));
    const content = await named(one, '2024', 'holiday.mov');
    await world.until('placed', () => settledOutboxes(devices));
    await world.pass(5_000);
    const birthday = await named(one, 'For Anna', 'birthday.mov');
    const elsewhere = await named(other, 'copies', 'holiday.mov');
    // The same name again adds nothing, whichever device gives it.
    for (const device of [one, other])
      expect(await named(device, 'For Anna', 'birthday.mov')).toMatchObject(birthday);
    await world.until('all know', () => devices.every((device) => filesOn(device).length === 3));
    expect(fragmentsOn(devices, content.fileId).size).toBe(8);
    expect(new Set([content.fileId, birthday.fileId, elsewhere.fileId]).size).toBe(3);

    // Both at once, and the first name among them.
    await world.settled(
      'remove',
      Promise.all([one.pool.remove(content.fileId), one.pool.remove(elsewhere.fileId)]),
    );
    await world.pass(15_000);
    for (const device of devices) {
      expect(filesOn(device)).toEqual(['For Anna/birthday.mov']);
      const read = await world.settled('read', device.read(birthday.fileId));
      expect(Buffer.compare(read, bytes)).toBe(0);
    }
    expect(fragmentsOn(devices, content.fileId).size).toBe(8);
    // Devices that know no further names would take a removal for one of the bytes.
    expect(await entriesAbout(other, content.fileId)).toEqual(['unname']);
    await expect(other.pool.remove(content.fileId)).rejects.toMatchObject({ code: 'removed-file' });

    await world.settled('remove the last', other.pool.remove(birthday.fileId));
    await world.pass(15_000);
    expect(devices.flatMap(filesOn)).toEqual([]);
    expect(await entriesAbout(other, content.fileId)).toEqual(['remove', 'unname']);
    for (const device of devices) expectOnlyNeeded(device);
  },
);

scenario(
  'a name that one part of a divided pool gives outlives the removal of the last name in the other',
  [1_410, 1_411, 1_412, 1_413],
  async (simulation) => {
    const { world } = simulation;
    const { devices, bytes, content, anew } = await dividedPool(simulation);
    const remover = first(devices);
    expect(filesOn(remover)).toEqual([]);
    // It cannot know of the other name: it keeps what it has, even over a restart.
    if (world.seed % 2 === 0) {
      remover.kill();
      await remover.reopen();
      await world.pass(15_000);
    }
    expect(wholeFragments(remover, content).size).toBeGreaterThan(0);
    simulation.network.heal();
    await merged(simulation, devices);
    for (const device of devices) expect(filesOn(device)).toEqual(['For Anna/birthday.mov']);
    expect(fragmentsOn(devices, content).size).toBe(8);
    expectCaps(devices, new Map([[content, { k: 4 }]]));
    const read = await world.settled('read', remover.read(anew));
    expect(Buffer.compare(read, bytes)).toBe(0);

    await world.settled('remove', remover.pool.remove(anew));
    await world.pass(15_000);
    for (const device of devices) expectOnlyNeeded(device);
  },
);

scenario(
  'fragments of a removed file stay for a member that is away, and go after the grace, restarts included',
  [1_421],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const [holder, remover, absent] = [first(devices), first(devices, 1), first(devices, 2)];
    const storing = holder.put(world.random.bytes(20_000), { name: 'a.bin' });
    const { fileId } = await world.settled('store', storing);
    await world.pass(10_000);
    absent.kill();
    await world.settled('remove', remover.pool.remove(fileId));
    await world.pass(30_000);
    expect(filesOn(holder)).toEqual([]);
    expect(wholeFragments(holder, fileId).size).toBeGreaterThan(0);
    remover.kill();
    await world.pass(GRACE_MS / 2);
    holder.kill();
    await holder.reopen();
    await world.pass(GRACE_MS / 2 - 120_000);
    expect(wholeFragments(holder, fileId).size).toBeGreaterThan(0);
    await world.pass(120_000);
    expect(wholeFragments(holder, fileId).size).toBe(0);
    expectOnlyNeeded(holder);
    // The member that was away learns of it, and lets go too.
    await remover.reopen();
    await absent.reopen();
    await world.until('linked', () => devices.every((device) => reachableCount(device) === 3));
    await world.pass(15_000);
    for (const device of devices) expectOnlyNeeded(device);
  },
);

scenario(
  'equal files that one device stores at the same time are stored once, even alone in its pool',
  [1_430, 1_431],
  async ({ world, pool }) => {
    const [device] = await pool(1);
    if (device === undefined) throw new Error('expected a device');
    const bytes = world.random.bytes(world.seed % 2 === 0 ? 0 : 20_000);
    const names = ['a', 'b', 'c'];
    const stored = await world.settled(
      'store',
      Promise.all(names.map((name) => device.put(bytes, { name, path: 'project' }))),
    );
    expect(new Set(stored.map(({ fileId }) => fileId)).size).toBe(3);
    // The loss of this device would lose them, so nobody may be told that the pool has them safely.
    expect(stored.map(({ deduplicated }) => deduplicated)).toEqual([false, false, false]);
    expect(filesOn(device)).toEqual(['project/a', 'project/b', 'project/c']);
    expect(device.store.contents().fragments).toHaveLength(8);
    for (const { fileId } of stored) {
      const read = await world.settled('read', device.read(fileId));
      expect(Buffer.compare(read, bytes)).toBe(0);
    }
    await world.settled('remove', Promise.all(stored.map(({ fileId }) => device.pool.remove(fileId))));
    await world.pass(1_000);
    expectOnlyNeeded(device);
    expect(device.store.contents().fragments).toEqual([]);
  },
);

/** One device removed a file while the four others, which it cannot reach, gave its bytes another name. */
async function dividedPool({ world, network, pool }: Simulation): Promise<{
  readonly devices: readonly SimDevice[];
  readonly bytes: Uint8Array;
  readonly content: string;
  readonly anew: string;
}> {
  const devices = await pool(5);
  const [remover, storer] = [first(devices), first(devices, 1)];
  const bytes = world.random.bytes(20_000);
  const { fileId } = await world.settled('store', storer.put(bytes, { name: 'holiday.mov', path: '2024' }));
  await world.until('placed', () => settledOutboxes(devices));
  await world.pass(10_000);
  network.partition((device) => (device === remover.id ? 0 : 1));
  await world.until('divided', () => reachableCount(remover) === 1);
  await world.settled('remove', remover.pool.remove(fileId));
  const naming = storer.put(bytes, { name: 'birthday.mov', path: 'For Anna' });
  const { fileId: anew, deduplicated } = await world.settled('name', naming);
  expect(deduplicated).toBe(true);
  await world.settled('remove the old name', storer.pool.remove(fileId));
  await world.pass(10_000);
  return { devices, bytes, content: fileId, anew };
}

async function merged({ world }: Simulation, devices: readonly SimDevice[]): Promise<void> {
  const count = devices.length;
  await world.until('linked', () => devices.every((device) => reachableCount(device) === count));
  await world.until('all catalogues are equal', () => sameCatalogues(devices));
  await world.until('everything is placed', () => settledOutboxes(devices), 300_000);
  await world.pass(10_000);
  expectSameCatalogues(devices);
}

/** The kinds of entries on the device's disk that name this file id. */
async function entriesAbout(device: SimDevice, fileId: string): Promise<string[]> {
  const bodies = (await recordsOn(device)).map((bytes) => decodeEntry(bytes).body);
  return bodies.flatMap((body) => ('file' in body && body.file === fileId ? [body.kind] : [])).toSorted();
}

function filesOn(device: SimDevice): string[] {
  return device.pool
    .status()
    .files.map(({ path, name }) => `${path}/${name}`)
    .toSorted();
}

scenario(
  'a renamed file keeps its bytes and its fragments, and nobody is told that it was removed',
  [1_440, 1_441],
  async ({ world, pool }) => {
    const devices = await pool(4);
    const [one, absent] = [first(devices), first(devices, 3)];
    const bytes = world.random.bytes(20_000);
    const { fileId: content } = await world.settled('store', one.put(bytes, { name: 'draft.txt' }));
    await world.until('placed', () => settledOutboxes(devices));
    await world.pass(10_000);
    absent.kill();

    const before = fragmentsOn(devices, content);
    const renaming = one.pool.rename(content, 'final.txt', { path: 'letters' });
    const { fileId } = await world.settled('rename', renaming);
    expect(await entriesAbout(one, content)).toEqual(['unname']);
    expect(filesOn(one)).toEqual(['letters/final.txt']);
    const again = one.pool.rename(fileId, 'final.txt', {});
    expect(await world.settled('the same name', again)).toEqual({ fileId });
    await expect(one.pool.rename(content, 'x', {})).rejects.toMatchObject({ code: 'removed-file' });
    await expect(one.pool.rename(fileId, '', {})).rejects.toMatchObject({ code: 'bad-argument' });
    const back = one.pool.rename(fileId, 'draft.txt', { path: '' });
    const { fileId: last } = await world.settled('rename back', back);
    await absent.reopen();
    await world.pass(30_000);
    for (const device of devices) {
      expect(filesOn(device)).toEqual(['/draft.txt']);
      const read = await world.settled('read', device.read(last));
      expect(Buffer.compare(read, bytes)).toBe(0);
      // Its bytes are there all along: nothing was removed.
      expect(device.pool.status().activity).toEqual([]);
    }
    expect(fragmentsOn(devices, content)).toEqual(before);

    const hidden = await world.settled('store', one.put(bytes, { name: 'secret', private: true }));
    const asked = one.pool.rename(hidden.fileId, 'open', {});
    await expect(asked).rejects.toMatchObject({ code: 'not-allowed', failure: { reason: 'private-name' } });
  },
);

scenario('a name that changes keeps its CID, and can be given one', [1_442], async ({ world, pool }) => {
  const cid = 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD';
  const [one, other] = await pool(2);
  if (one === undefined || other === undefined) throw new Error('no devices');
  const shown = () => other.pool.status().files.map(({ name, mime, cid: of }) => ({ name, mime, cid: of }));
  const storing = one.put(world.random.bytes(5_000), { name: 'a', mime: 'text/plain' });
  const { fileId } = await world.settled('store', storing);
  const mime = `text/plain;ipfs-cid=${cid}`;
  const named = await world.settled('name', one.pool.rename(fileId, 'a', { mime }));
  expect(named.fileId).not.toBe(fileId);
  await world.pass(5_000);
  expect(shown()).toEqual([{ name: 'a', mime: 'text/plain', cid }]);
  await world.settled('rename', one.pool.rename(named.fileId, 'b'));
  await world.pass(5_000);
  expect(shown()).toEqual([{ name: 'b', mime: 'text/plain', cid }]);
});
