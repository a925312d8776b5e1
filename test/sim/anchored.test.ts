// A pool that placed its files around a device that is always on: any other that is awake opens them with it,
// it opens none alone, and nine phones survive its loss and that of two more.

import { expect } from 'vitest';
import { fragmentsOn } from './checks.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { alwaysSeen, heldCount, untilSeen } from './disk-looks.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const PHONES = 9;
const [K, N] = [7, 15];
const HOUR_MS = 60 * 60_000;
const LOOK_MS = 250;

interface Anchored {
  readonly anchor: SimDevice;
  readonly phones: readonly SimDevice[];
  readonly until: (what: string, reached: () => boolean) => Promise<void>;
}

async function anchored({ world, pool }: Simulation): Promise<Anchored> {
  const [anchor, ...phones] = await pool(1 + PHONES);
  if (anchor === undefined) throw new Error();
  await becomeAlwaysOn(world, anchor, [anchor, ...phones]);
  await world.settled('policy', first(phones).pool.setPolicy({ placement: 'anchored' }));
  await world.until('all know', () =>
    phones.every(({ pool: each }) => each.policy().placement !== undefined),
  );
  for (const { pool: each } of phones)
    expect(each.policy()).toMatchObject({ placement: 'anchored', anchors: [anchor.id] });
  const until = (what: string, reached: () => boolean): Promise<void> =>
    untilSeen(world, what, reached, { withinMs: HOUR_MS, everyMs: LOOK_MS });
  return { anchor, phones, until };
}

async function becomeAlwaysOn(
  world: Simulation['world'],
  device: SimDevice,
  all: readonly SimDevice[],
): Promise<void> {
  device.kill();
  device.deviceClass = 'alwaysOn';
  await device.reopen();
  await world.until('linked', () => all.every((each) => reachableCount(each) === all.length));
  const isKnown = (by: SimDevice): boolean =>
    by.pool.status().devices.some(({ id, class: of }) => id === device.id && of === 'alwaysOn');
  await world.until('its class is known', () => all.every(isKnown));
}

/** Stores while only the anchor and the first two phones are awake, until it is placed. */
async function storeAtNight({ world }: Simulation, { anchor, phones, until }: Anchored) {
  for (const phone of phones.slice(2)) phone.kill();
  const storer = first(phones);
  const bytes = world.random.bytes(60_000);
  const { fileId } = await world.settled('store', storer.put(bytes, { name: 'film' }));
  expect(storer.fileStatus(fileId)).toMatchObject({ k: K, n: N });
  await until('placed', () => storer.store.contents().outbox.length === 0);
  expect(heldCount(anchor, fileId)).toBe(K - 1);
  const counts = [heldCount(storer, fileId), heldCount(first(phones, 1), fileId)];
  expect(counts.toSorted((a, b) => a - b)).toEqual([4, 5]);
  return { fileId, bytes };
}

/** From now on no disk has k, and each fragment is on one. */
function watch({ world }: Simulation, { anchor, phones }: Anchored, fileId: string): void {
  alwaysSeen(world, LOOK_MS, () => {
    for (const device of [anchor, ...phones]) expect(heldCount(device, fileId)).toBeLessThan(K);
    expect(fragmentsOn([anchor, ...phones], fileId).size).toBe(N);
  });
}

scenario(
  'a file that two of nine phones were awake for is opened by any one, once each was awake beside one of them',
  [7701],
  async (simulation) => {
    const pool = await anchored(simulation);
    const { anchor, phones, until } = pool;
    const { world } = simulation;
    const { fileId, bytes } = await storeAtNight(simulation, pool);
    watch(simulation, pool, fileId);
    for (const phone of phones.slice(2)) {
      await phone.reopen();
      await until('it has one', () => heldCount(phone, fileId) === 1);
      // The extra copy goes once it is trusted; it may sleep before that.
      if (world.random.below(2) === 0) phone.kill();
    }
    for (const phone of phones) phone.kill();
    await expect(world.settled('anchor', anchor.read(fileId))).rejects.toMatchObject({
      code: 'not-enough-fragments',
    });
    for (const phone of phones) {
      await phone.reopen();
      const read = await world.settled('read', phone.read(fileId));
      expect(Buffer.compare(read, bytes)).toBe(0);
      phone.kill();
    }
    for (const phone of phones) await phone.reopen();
    await until('one each', () => phones.every((phone) => heldCount(phone, fileId) === 1));
    expect(heldCount(anchor, fileId)).toBe(K - 1);
    // The anchor and any two phones are lost for good.
    anchor.kill();
    const left = [...phones];
    for (let lost = 0; lost < 2; lost++) left.splice(world.random.below(left.length), 1)[0]?.kill();
    const read = await world.settled('read', first(left).read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a device that says it is always on is given no more than others, unless the policy names it',
  [7711],
  async (simulation) => {
    const pool = await anchored(simulation);
    const { anchor, phones, until } = pool;
    const { world } = simulation;
    const liar = first(phones, 8);
    await becomeAlwaysOn(world, liar, [anchor, ...phones]);
    const storer = first(phones);
    const { fileId } = await world.settled('store', storer.put(world.random.bytes(9_000), { name: 'film' }));
    await until('placed', () => storer.store.contents().outbox.length === 0);
    expect(heldCount(liar, fileId)).toBe(1);
    // Named as well, it gets the same as the other: together they have less than k.
    await world.settled('policy', storer.pool.setPolicy({ placement: 'anchored' }));
    expect(new Set(storer.pool.policy().anchors)).toEqual(new Set([anchor.id, liar.id]));
    const haveSame = (): boolean => fragmentsOn([anchor, liar], fileId).size === K - 1;
    await until('both have the same', () => heldCount(liar, fileId) === K - 1 && haveSame());
    // Spread again, nothing is lost, and no device has k.
    watch(simulation, pool, fileId);
    await world.settled('policy', storer.pool.setPolicy({ placement: 'spread' }));
    expect(storer.pool.policy().anchors).toBeUndefined();
    await world.pass(HOUR_MS / 6);
    expect(storer.fileStatus(fileId)?.reach).toBe(N);
    expect(storer.fileStatus(fileId)?.margin).toBeGreaterThanOrEqual(3);
  },
);

scenario(
  'a file from before keeps its k and n and moves; a private one stays spread',
  [7721],
  async (simulation) => {
    const { world, pool } = simulation;
    const devices = await pool(5);
    const [anchor, ...phones] = devices;
    if (anchor === undefined) throw new Error();
    const storer = first(phones);
    const bytes = world.random.bytes(60_000);
    const old = await world.settled('store', storer.put(bytes, { name: 'old' }));
    const secret = await world.settled('store', storer.put(bytes, { name: 'secret', private: true }));
    const until = (what: string, reached: () => boolean): Promise<void> =>
      untilSeen(world, what, reached, { withinMs: HOUR_MS, everyMs: LOOK_MS });
    await until('placed', () => storer.store.contents().outbox.length === 0);
    await becomeAlwaysOn(world, anchor, devices);
    // What moved while it was away comes to rest.
    await world.pass(HOUR_MS / 3);
    const before = devices.map((device) => heldCount(device, secret.fileId));
    expect(before.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 2]);
    alwaysSeen(world, LOOK_MS, () => {
      for (const device of devices) expect(heldCount(device, old.fileId)).toBeLessThan(4);
      expect(fragmentsOn(devices, old.fileId).size).toBe(8);
    });
    await world.settled('policy', storer.pool.setPolicy({ placement: 'anchored' }));
    await until('moved', () => {
      const counts = phones.map((phone) => heldCount(phone, old.fileId)).toSorted((a, b) => a - b);
      return heldCount(anchor, old.fileId) === 3 && String(counts) === '1,1,1,2';
    });
    expect(storer.fileStatus(old.fileId)).toMatchObject({ k: 4, n: 8 });
    expect(devices.map((device) => heldCount(device, secret.fileId))).toEqual(before);
    const next = await world.settled('store', storer.put(world.random.bytes(900), { name: 'next' }));
    expect(storer.fileStatus(next.fileId)).toMatchObject({ k: 2, n: 5 });
    const hidden = await world.settled(
      'store',
      storer.put(world.random.bytes(900), { name: 'hidden', private: true }),
    );
    expect(storer.fileStatus(hidden.fileId)).toMatchObject({ k: 4, n: 8 });
  },
);
