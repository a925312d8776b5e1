// Two parts of an old pool that upgraded apart become one: no file is lost, nothing removed returns, and who
// was shut out in either part gets nothing.

import { expect } from 'vitest';
import type { PartStatus } from '../../src/runtime/trust-api.ts';
import { settledOutboxes } from './checks.ts';
import { reachableCount, SimDevice } from './device.ts';
import { first, linkedScenario } from './scenario.ts';
import { namesOn } from './told-names.ts';
import { reasonOf } from './told-roles.ts';
import type { World } from './world.ts';

/** Longer than links and rooms take. */
const MENDED_MS = 240_000;

function hasPart({ pool }: SimDevice): boolean {
  return pool.status().pool?.parts !== undefined;
}

function partOf({ pool }: SimDevice): PartStatus {
  return first(pool.status().pool?.parts ?? []);
}

function codeOn({ pool }: SimDevice): string {
  return pool.status().pool?.upgraded?.code ?? '';
}

async function follow(world: World, device: SimDevice, founder: SimDevice): Promise<void> {
  const offered = () => device.pool.status().pool?.upgrades?.find(({ byId }) => byId === founder.id);
  await world.until('it is offered', () => offered() !== undefined, MENDED_MS);
  await world.settled('follow', device.pool.followUpgrade(offered()?.id ?? ''), MENDED_MS);
}

linkedScenario(
  'two parts become one: every file reads, nothing removed returns, and who was shut out stays out',
  [3_401],
  async ({ world, pool, network }) => {
    const devices = await pool(5);
    const [laptop, tablet, phone, watch, lost] = devices as [
      SimDevice,
      SimDevice,
      SimDevice,
      SimDevice,
      SimDevice,
    ];
    const bytes = world.random.bytes(9_000);
    const put = (device: SimDevice, name: string) =>
      world.settled('store', device.put(bytes, { name, k: 1, n: 2, mirror: true }), MENDED_MS);
    const kept = await put(laptop, 'kept');
    const goneHere = await put(tablet, 'gone on the laptop');
    const goneThere = await put(tablet, 'gone on the phone');
    await world.until('known', () => devices.every((each) => namesOn(each).split(',').length === 3));
    await world.until('placed', () => settledOutboxes(devices));

    // The phone's part: phone, watch, and a lost device that it shuts out.
    for (const device of [laptop, tablet]) device.kill();
    await world.settled('upgrade', phone.pool.upgrade(), MENDED_MS);
    for (const device of [watch, lost]) await follow(world, device, phone);
    await world.until('linked', () => reachableCount(phone) === 3, MENDED_MS);
    const ofLost = await put(lost, 'of the lost one');
    const ofWatch = await put(watch, 'of the watch');
    const own = await put(watch, 'gone on the watch');
    await world.until('told', () => namesOn(phone).includes('gone on the watch'), MENDED_MS);
    await world.settled('remove', watch.pool.remove(own.fileId));
    await world.settled('remove as an admin', phone.pool.remove(goneThere.fileId));
    await world.until('placed', () => settledOutboxes([phone, watch, lost]), MENDED_MS);
    await world.settled('shut out', phone.pool.shutOut(lost.id), MENDED_MS);
    await put(phone, 'of the phone');
    await world.until('placed', () => settledOutboxes([phone, watch]), MENDED_MS);
    for (const device of [phone, watch, lost]) device.kill();

    // The laptop's part.
    for (const device of [laptop, tablet]) await device.reopen();
    await world.settled('upgrade', laptop.pool.upgrade(), MENDED_MS);
    await follow(world, tablet, laptop);
    await world.until('linked', () => reachableCount(laptop) === 2, MENDED_MS);
    await put(tablet, 'of the tablet');
    await world.settled('remove as an admin', laptop.pool.remove(goneHere.fileId));
    await world.settled('new keys', laptop.pool.rotate(), MENDED_MS);

    for (const device of [phone, watch, lost]) await device.reopen();
    await world.until('apart', () => hasPart(laptop) && hasPart(phone), MENDED_MS);
    // Only who upgraded a part may, and only with the other part's code.
    const id = partOf(phone).id;
    expect(await reasonOf(watch.pool.offerPart(id))).toBe('first-admins-join');
    expect(await reasonOf(phone.pool.offerPart(id, { code: codeOn(phone) }))).toBe('wrong-part-code');
    expect(await reasonOf(phone.pool.offerPart('x'))).toBe('no-part');
    expect(await reasonOf(laptop.pool.takeInPart(partOf(laptop).id))).toBe('no-offer');
    await world.settled('offer', phone.pool.offerPart(id, { code: codeOn(laptop) }));
    expect(partOf(phone)).toMatchObject({ isOffered: true, isTaken: false });
    expect(await reasonOf(phone.pool.remove(kept.fileId))).toBe('offered');
    await world.until('asked', () => partOf(laptop).offer !== undefined, MENDED_MS);
    const { offer } = partOf(laptop);
    expect(offer?.devices.map((device) => device.id).toSorted()).toEqual([phone.id, watch.id].toSorted());
    expect(offer?.shutsOut.map((device) => device.id)).toEqual([lost.id]);
    const code = codeOn(phone);
    await world.settled('take in', laptop.pool.takeInPart(partOf(laptop).id, { code }), MENDED_MS);

    const all = [laptop, tablet, phone, watch];
    const isOne = () => all.every((device) => reachableCount(device) === 4);
    await world.until('all are one pool', isOne, 2 * MENDED_MS);
    const names = 'kept,of the lost one,of the phone,of the tablet,of the watch';
    await world.until('one catalogue', () => all.every((device) => namesOn(device) === names), MENDED_MS);
    const epochs = () => new Set(all.map((device) => device.pool.status().pool?.epoch));
    await world.until('one epoch', () => epochs().size === 1, MENDED_MS);
    expect(all.map(({ pool: each }) => each.status().role)).toEqual(['admin', 'member', 'member', 'member']);
    for (const device of all) {
      for (const file of [kept, ofWatch, ofLost])
        expect(await world.settled('read', device.read(file.fileId), MENDED_MS)).toEqual(bytes);
    }
    for (const device of [phone, watch])
      expect(device.notices).toMatchObject([{ kind: 'taken-in', by: { id: laptop.id }, isMember: true }]);
    await world.until('it is told', () => lost.notices.some(({ kind }) => kind === 'shut-out'), MENDED_MS);
    expect(namesOn(lost)).not.toContain('of the tablet');
    // What each may do from now on: only an admin removes what others added.
    expect(await reasonOf(world.settled('member', phone.pool.remove(kept.fileId)))).toBe('file-of-another');
    await world.settled('admin', laptop.pool.remove(ofWatch.fileId));
    await world.until(
      'removed',
      () => all.every((each) => !namesOn(each).includes('of the watch')),
      MENDED_MS,
    );
    for (const device of all) expect(device.notices.map(({ kind }) => kind)).not.toContain('misdeed');
    expect(network.bugs).toEqual([]);
  },
);

linkedScenario(
  'who slept, came by an invite or ended half-way comes in, once nobody is in whom the part shut out',
  [3_403],
  async ({ world, pool, network }) => {
    const devices = await pool(4);
    const [laptop, phone, watch, spare] = devices as [SimDevice, SimDevice, SimDevice, SimDevice];
    const bytes = world.random.bytes(900);
    const put = (device: SimDevice, name: string) =>
      world.settled('store', device.put(bytes, { name, k: 1, n: 2, mirror: true }), MENDED_MS);
    await put(laptop, 'old');
    await world.until('known', () => devices.every((each) => namesOn(each) === 'old'));
    laptop.kill();
    await world.settled('upgrade', phone.pool.upgrade(), MENDED_MS);
    for (const device of [watch, spare]) await follow(world, device, phone);
    await world.until('linked', () => reachableCount(phone) === 3, MENDED_MS);
    // Of this one the laptop has never heard.
    const newcomer = new SimDevice('newcomer', world, network);
    const url = await world.settled('invite', phone.pool.invite());
    await world.settled('join', newcomer.pool.join(url, { deviceName: 'newcomer' }), MENDED_MS);
    await world.until('it is in', () => reachableCount(newcomer) === 4, MENDED_MS);
    const ofNewcomer = await put(newcomer, 'of the newcomer');
    await world.until('told', () => namesOn(watch) === 'of the newcomer,old', MENDED_MS);
    await world.until('placed', () => settledOutboxes([phone, watch, spare, newcomer]), MENDED_MS);
    watch.kill();
    await laptop.reopen();
    await world.settled('upgrade', laptop.pool.upgrade(), MENDED_MS);
    await world.until('apart', () => hasPart(laptop) && hasPart(phone), MENDED_MS);
    await world.settled('offer', phone.pool.offerPart(partOf(phone).id));
    await world.until('asked', () => partOf(laptop).offer !== undefined, MENDED_MS);

    await world.pass(5_000);

    // The phone shuts the spare device out, and the laptop does not hear of it before it takes the part in.
    laptop.kill();
    await world.settled('shut out', phone.pool.shutOut(spare.id), MENDED_MS);
    for (const device of [phone, spare, newcomer]) device.kill();
    await laptop.reopen();
    const { offer } = partOf(laptop);
    expect(offer?.devices).toHaveLength(4);
    expect(offer?.shutsOut).toEqual([]);
    await world.settled('take in', laptop.pool.takeInPart(partOf(laptop).id), MENDED_MS);
    laptop.kill();
    await laptop.reopen();
    expect(partOf(laptop)).toMatchObject({ isTaken: true });
    // They come by themselves: nobody is asked to confirm anything there.
    expect(laptop.pool.status().pool?.upgraded?.awaits).toEqual([]);
    await phone.reopen();
    await world.until('it waits', () => partOf(phone).waitsFor !== undefined, MENDED_MS);
    expect(partOf(phone).waitsFor?.map(({ id }) => id)).toEqual([spare.id]);
    await world.pass(60_000);
    expect([phone.pool.status().role, namesOn(phone)]).toEqual(['admin', 'of the newcomer,old']);
    await world.settled('shut out here, too', laptop.pool.shutOut(spare.id), MENDED_MS);

    // It ends while it moves: right after the charter is kept.
    const charter = () => phone.store.contents().secrets.get('pool-charter')?.join();
    const before = charter();
    await world.until('it moves', () => charter() !== before, MENDED_MS);
    phone.kill();
    await phone.reopen();
    await world.until(
      'it is in',
      () => reachableCount(phone) === 2 && reachableCount(laptop) === 2,
      MENDED_MS,
    );
    expect(phone.pool.status().role).toBe('member');
    for (const device of [watch, newcomer, spare]) await device.reopen();
    const all = [laptop, phone, watch, newcomer];
    await world.until('all are', () => all.every((each) => reachableCount(each) === 4), 2 * MENDED_MS);
    await world.until(
      'one catalogue',
      () => all.every((each) => namesOn(each) === 'of the newcomer,old'),
      MENDED_MS,
    );
    expect(await world.settled('read', laptop.read(ofNewcomer.fileId), MENDED_MS)).toEqual(bytes);
    await world.until('told', () => spare.notices.some(({ kind }) => kind === 'shut-out'), MENDED_MS);
    expect(network.bugs).toEqual([]);
  },
);

linkedScenario('two parts that take each other in end as one', [3_404], async ({ world, pool, network }) => {
  const devices = await pool(4);
  const [laptop, tablet, phone, watch] = devices as [SimDevice, SimDevice, SimDevice, SimDevice];
  const bytes = world.random.bytes(900);
  const put = (device: SimDevice, name: string) =>
    world.settled('store', device.put(bytes, { name, k: 1, n: 2, mirror: true }), MENDED_MS);
  await put(laptop, 'old');
  await world.until('known', () => devices.every((each) => namesOn(each) === 'old'));
  for (const device of [phone, watch]) device.kill();
  await world.settled('upgrade', laptop.pool.upgrade(), MENDED_MS);
  await follow(world, tablet, laptop);
  await put(tablet, 'of the tablet');
  for (const device of [laptop, tablet]) device.kill();
  for (const device of [phone, watch]) await device.reopen();
  await world.settled('upgrade', phone.pool.upgrade(), MENDED_MS);
  await follow(world, watch, phone);
  await put(watch, 'of the watch');
  for (const device of [laptop, tablet]) await device.reopen();
  await world.until('apart', () => hasPart(laptop) && hasPart(phone), MENDED_MS);
  for (const founder of [laptop, phone])
    await world.settled('offer', founder.pool.offerPart(partOf(founder).id));
  const areAsked = () => [laptop, phone].every((each) => partOf(each).offer !== undefined);
  await world.until('both are asked', areAsked, MENDED_MS);
  const takings = [laptop, phone].map(({ pool: each }, at) =>
    each.takeInPart(partOf(first([laptop, phone], at)).id),
  );
  await world.settled('both take in', Promise.all(takings), MENDED_MS);
  await world.until('one', () => devices.every((each) => reachableCount(each) === 4), 2 * MENDED_MS);
  const names = 'of the tablet,of the watch,old';
  await world.until('one catalogue', () => devices.every((each) => namesOn(each) === names), MENDED_MS);
  const founders = [laptop, phone].filter(({ pool: each }) => each.status().role === 'admin');
  expect(founders).toHaveLength(1);
  expect(new Set(devices.map(codeOn)).size).toBe(1);
  await world.pass(120_000);
  expect(devices.map(reachableCount)).toEqual([4, 4, 4, 4]);
  expect(network.bugs).toEqual([]);
});

linkedScenario(
  'who ended between the acts of both and the charter finds both, and moves with nobody there',
  [3_405],
  async ({ world, pool, network }) => {
    const devices = await pool(2);
    const [laptop, phone] = devices as [SimDevice, SimDevice];
    const bytes = world.random.bytes(900);
    const old = await world.settled(
      'store',
      laptop.put(bytes, { name: 'old', k: 1, n: 2, mirror: true }),
      MENDED_MS,
    );
    await world.until('known', () => devices.every((each) => namesOn(each) === 'old'));
    await world.until('placed', () => settledOutboxes(devices));
    phone.kill();
    await world.settled('upgrade', laptop.pool.upgrade(), MENDED_MS);
    laptop.kill();
    await phone.reopen();
    await world.settled('upgrade', phone.pool.upgrade(), MENDED_MS);
    await laptop.reopen();
    await world.until('apart', () => hasPart(laptop) && hasPart(phone), MENDED_MS);
    await world.settled('offer', phone.pool.offerPart(partOf(phone).id));
    await world.until('asked', () => partOf(laptop).offer !== undefined, MENDED_MS);

    const { secrets } = phone.store;
    const put = secrets.put.bind(secrets);
    const charter = () => phone.store.contents().secrets.get('pool-charter')?.join();
    const before = charter();
    let hasEnded = false;
    secrets.put = (name, secret) => {
      if (name !== 'pool-charter') return put(name, secret);
      hasEnded = true;
      phone.kill();
      return new Promise(() => undefined);
    };
    await world.settled('take in', laptop.pool.takeInPart(partOf(laptop).id), MENDED_MS);
    await world.until('it ends', () => hasEnded, MENDED_MS);
    secrets.put = put;
    laptop.kill();
    expect(charter()).toBe(before);
    await phone.reopen();
    await world.until('it moves', () => charter() !== before, MENDED_MS);
    await world.until('it is open', () => phone.pool.status().role === 'member', MENDED_MS);
    await laptop.reopen();
    await world.until('linked', () => devices.every((each) => reachableCount(each) === 2), MENDED_MS);
    expect(namesOn(phone)).toBe('old');
    expect(await world.settled('read', phone.read(old.fileId), MENDED_MS)).toEqual(bytes);
    expect(network.bugs).toEqual([]);
  },
);
