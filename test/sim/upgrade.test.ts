// Pools of before there were roles: one device upgrades, the others follow when their persons confirm, no
// file is lost, nothing removed returns, and the old invite lets nobody in any more.

import { expect } from 'vitest';
import { settledOutboxes } from './checks.ts';
import { reachableCount, SimDevice } from './device.ts';
import { openInviteOf } from './open-invite.ts';
import { first, linkedScenario, scenario } from './scenario.ts';
import { namesOn } from './told-names.ts';
import { reasonOf } from './told-roles.ts';

/** Longer than links and rooms take. */
const MENDED_MS = 180_000;

function offered({ pool }: SimDevice): readonly { id: string; byId: string; namesThis: boolean }[] {
  return pool.status().pool?.upgrades ?? [];
}

linkedScenario(
  'an upgraded pool has its files, roles and new keys, and devices follow one by one',
  [3_201],
  async ({ world, pool, network }) => {
    const devices = await pool(4);
    const [laptop, phone, tablet, lost] = [0, 1, 2, 3].map((at) => first(devices, at)) as [
      SimDevice,
      SimDevice,
      SimDevice,
      SimDevice,
    ];
    const bytes = world.random.bytes(9_000);
    const put = (device: SimDevice, name: string) =>
      world.settled('store', device.put(bytes, { name, k: 2, n: 4 }));
    const ofLost = await put(lost, 'of the lost one');
    const gone = await put(laptop, 'gone');
    await world.until('known', () => devices.every((each) => each.pool.status().files.length === 2));
    // By a member, of a file that is not its own: as was right then.
    await world.settled('remove', phone.pool.remove(gone.fileId));
    await world.until('removed', () => devices.every((each) => namesOn(each) === 'of the lost one'));
    await world.until('placed', () => settledOutboxes(devices));
    lost.kill();
    const invite = openInviteOf(laptop);

    expect(await reasonOf(laptop.pool.upgrade({ shutOut: ['nobody'] }))).toBe('no-device');
    await world.settled('upgrade', laptop.pool.upgrade({ shutOut: [lost.id] }), MENDED_MS);
    expect(laptop.pool.status()).toMatchObject({ role: 'admin', pool: { invitesEnd: true, epoch: 1 } });
    expect(namesOn(laptop)).toBe('of the lost one');
    await world.until('it is offered', () => offered(phone).length === 1, MENDED_MS);
    expect(offered(phone)).toMatchObject([{ byId: laptop.id, namesThis: true }]);
    // Until then phone and tablet go on.
    expect(phone.pool.status().role).toBe(undefined);
    await put(phone, 'meanwhile');
    await world.until('told', () => namesOn(tablet) === 'meanwhile,of the lost one', MENDED_MS);
    expect(await reasonOf(phone.pool.followUpgrade('x'))).toBe('no-upgrade');
    const awaited = laptop.pool.status().pool?.upgraded?.awaits.map(({ name }) => name);
    expect(awaited?.toSorted()).toEqual([phone.name, tablet.name].toSorted());

    const code = laptop.pool.status().pool?.upgraded?.code ?? '';
    const typed = code.replaceAll('-', ' ').toLowerCase();
    await world.settled(
      'follow',
      phone.pool.followUpgrade(first(offered(phone)).id, { code: typed }),
      MENDED_MS,
    );
    await world.until('linked', () => reachableCount(phone) === 2 && reachableCount(laptop) === 2, MENDED_MS);
    await world.until('new keys', () => phone.pool.status().pool?.epoch === 1, MENDED_MS);
    await world.until('told', () => namesOn(laptop) === 'meanwhile,of the lost one', MENDED_MS);
    await world.until('the tablet is asked', () => offered(tablet).length === 1, MENDED_MS);
    await world.settled('follow', tablet.pool.followUpgrade(first(offered(tablet)).id), MENDED_MS);
    await world.until('all', () => reachableCount(laptop) === 3 && reachableCount(tablet) === 3, MENDED_MS);
    expect(phone.pool.status().pool?.upgraded).toEqual({ code, awaits: [] });
    const since = await put(tablet, 'since');
    await world.until('told', () => namesOn(laptop) === 'meanwhile,of the lost one,since', MENDED_MS);
    await world.settled('an admin removes it', laptop.pool.remove(since.fileId));
    expect(await reasonOf(world.settled('member', phone.pool.remove(ofLost.fileId)))).toBe('file-of-another');
    for (const device of [laptop, phone, tablet])
      expect(await world.settled('read', device.read(ofLost.fileId), MENDED_MS)).toEqual(bytes);

    await lost.reopen();
    await world.until('it is asked', () => offered(lost).length === 1, MENDED_MS);
    await world.settled('it follows', lost.pool.followUpgrade(first(offered(lost)).id), MENDED_MS);
    await world.until('it is told', () => lost.notices.some(({ kind }) => kind === 'shut-out'), MENDED_MS);

    const newcomer = new SimDevice('newcomer', world, network);
    const joined = newcomer.pool.join(`#/join/${invite}`, { deviceName: 'newcomer' });
    expect(await reasonOf(world.settled('join', joined, MENDED_MS))).toBe('upgraded');
    expect(newcomer.pool.status().pool).toBe(undefined);
    expect(network.bugs).toEqual([]);
  },
);

linkedScenario(
  'however many are shut out, and however often keys change, those who confirm later find the others',
  [3_203],
  async ({ world, pool, network }) => {
    const devices = await pool(7);
    const [laptop, phone, ...lost] = [...devices] as [SimDevice, SimDevice, ...SimDevice[]];
    const bytes = world.random.bytes(900);
    const kept = await world.settled('store', laptop.put(bytes, { name: 'kept', k: 1, n: 7, mirror: true }));
    await world.until('known', () => devices.every((each) => namesOn(each) === 'kept'));
    for (const device of lost) device.kill();
    const shutOut = lost.map(({ id }) => id);
    await world.settled('upgrade', laptop.pool.upgrade({ shutOut }), MENDED_MS);
    expect(laptop.pool.status()).toMatchObject({ role: 'admin', pool: { epoch: 1 } });
    expect(laptop.pool.status().shutOut).toHaveLength(5);
    for (let at = 0; at < 4; at++) await world.settled('new keys', laptop.pool.rotate());
    await world.until('it is offered', () => offered(phone).length === 1, MENDED_MS);
    await world.settled('follow', phone.pool.followUpgrade(first(offered(phone)).id), MENDED_MS);
    await world.until('linked', () => reachableCount(phone) === 2 && reachableCount(laptop) === 2, MENDED_MS);
    await world.until('new keys', () => phone.pool.status().pool?.epoch === 5, MENDED_MS);
    expect(await world.settled('read', phone.read(kept.fileId), MENDED_MS)).toEqual(bytes);
    expect(network.bugs).toEqual([]);
  },
);

linkedScenario(
  'an upgrade that ends right after its charter was written shuts out whom it should when it opens again',
  [3_204],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const [laptop, phone, lost] = [first(devices), first(devices, 1), first(devices, 2)];
    lost.kill();
    await world.pass(30_000);
    laptop.pool.upgrade({ shutOut: [lost.id] }).catch(() => undefined); // it ends with the page
    const charter = () => laptop.store.contents().secrets.get('pool-charter')?.length ?? 0;
    await world.until('the charter is kept', () => charter() > 0);
    laptop.kill();
    await laptop.reopen();
    expect(laptop.pool.status()).toMatchObject({ role: 'admin', pool: { epoch: 0 } });
    const isOut = () =>
      laptop.pool
        .status()
        .shutOut?.map(({ id }) => id)
        .join() === lost.id;
    await world.until('it is shut out', isOut, MENDED_MS);
    await world.until('new keys', () => laptop.pool.status().pool?.epoch === 1, MENDED_MS);
    // Once: its person may let it in again.
    await world.settled('let in', laptop.pool.grant(lost.id, 'member'));
    laptop.kill();
    await laptop.reopen();
    await world.pass(30_000);
    expect(isOut()).toBe(false);
    await world.until('it is offered', () => offered(phone).length === 1, MENDED_MS);
    await world.settled('follow', phone.pool.followUpgrade(first(offered(phone)).id), MENDED_MS);
    await world.until('new keys', () => phone.pool.status().pool?.epoch === 1, MENDED_MS);
  },
);

scenario(
  'a charter by a stranger with the old invite changes nothing that nobody confirms',
  [3_202],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const [laptop, phone, stranger] = [first(devices), first(devices, 1), first(devices, 2)];
    const bytes = world.random.bytes(900);
    await world.settled('store', laptop.put(bytes, { name: 'kept', k: 1, n: 2, mirror: true }));
    await world.until('known', () => devices.every((each) => namesOn(each) === 'kept'));
    await world.settled('upgrade', stranger.pool.upgrade({ shutOut: [laptop.id] }));
    await world.until('it is offered', () => offered(laptop).length === 1 && offered(phone).length === 1);
    await world.pass(60_000);
    expect([laptop, phone].map((each) => each.pool.status().role)).toEqual([undefined, undefined]);
    expect([laptop, phone].map(reachableCount)).toEqual([2, 2]);
    expect([laptop, phone].map(namesOn)).toEqual(['kept', 'kept']);
    const theirs = first(offered(phone)).id;
    // Theirs is another one.
    await world.settled('upgrade', laptop.pool.upgrade());
    await world.until('both are offered', () => offered(phone).length === 2);
    const own = offered(phone).find(({ byId }) => byId === laptop.id);
    // A stranger can have the laptop's name, but not its code; and what has no code at all is refused.
    const code = laptop.pool.status().pool?.upgraded?.code ?? '';
    for (const wrong of [code, `${code}0`, code.slice(0, -1), '', '§', 'A'.repeat(2_000)]) {
      const id = wrong === code ? theirs : (own?.id ?? '');
      const followed = world.settled('refusal', phone.pool.followUpgrade(id, { code: wrong }));
      expect(await reasonOf(followed)).toBe('wrong-upgrade-code');
    }
    expect(phone.pool.status().role).toBe(undefined);
    await world.settled('follow', phone.pool.followUpgrade(own?.id ?? '', { code }));
    await world.until('linked', () => reachableCount(phone) === 2 && phone.pool.status().role === 'member');
    expect(await reasonOf(world.settled('again', phone.pool.upgrade()))).toBe('has-roles');
    expect(namesOn(phone)).toBe('kept');
  },
);

scenario(
  'of two calls that upgrade at once, one does, and the other finds the pool upgraded',
  [3_205],
  async ({ world, pool }) => {
    const devices = await pool(2);
    const [laptop, phone] = [first(devices), first(devices, 1)];
    const calls = await world.settled(
      'both',
      Promise.allSettled([laptop.pool.upgrade(), laptop.pool.upgrade(), laptop.pool.followUpgrade('x')]),
    );
    expect(await Promise.all(calls.map(outcomeOf))).toEqual(['done', 'has-roles', 'has-roles']);
    await world.until('one is offered', () => offered(phone).length > 0);
    await world.pass(60_000);
    expect(offered(phone)).toHaveLength(1);
    expect(laptop.pool.status()).toMatchObject({ role: 'admin', pool: { epoch: 1 } });
  },
);

linkedScenario(
  'two parts that upgrade apart keep what they have, accuse nobody, and say that they are two pools',
  [3_301, 3_302],
  async ({ world, pool, network }) => {
    const devices = await pool(3);
    const [laptop, phone, tablet] = [first(devices), first(devices, 1), first(devices, 2)];
    const bytes = world.random.bytes(900);
    const put = (device: SimDevice, name: string) =>
      world.settled('store', device.put(bytes, { name, k: 1, n: 3, mirror: true }), MENDED_MS);
    const old = await put(laptop, 'old');
    await world.until('known', () => devices.every((device) => namesOn(device) === 'old'));
    await world.until('placed', () => settledOutboxes(devices));
    phone.kill();
    await world.settled('upgrade', laptop.pool.upgrade(), MENDED_MS);
    laptop.kill();
    await phone.reopen();
    await world.settled('upgrade', phone.pool.upgrade(), MENDED_MS);
    await put(phone, 'of the phone');
    await laptop.reopen();
    await put(laptop, 'of the laptop');

    await world.until('the laptop is told', () => partsOf(laptop).length === 1, MENDED_MS);
    await world.until('the phone is told', () => partsOf(phone).length === 1, MENDED_MS);
    expect([partsOf(laptop), partsOf(phone)]).toEqual([[phone.id], [laptop.id]]);
    await world.pass(300_000);
    expect([namesOn(laptop), namesOn(phone)]).toEqual(['of the laptop,old', 'of the phone,old']);
    expect([reachableCount(laptop), reachableCount(phone)]).toEqual([1, 1]);
    // The tablet's person chooses a part, which goes on with it.
    const offer = offered(tablet).find(({ byId }) => byId === laptop.id);
    const { code } = laptop.pool.status().pool?.upgraded ?? { code: '' };
    await world.settled('follow', tablet.pool.followUpgrade(offer?.id ?? '', { code }), MENDED_MS);
    await world.until('told', () => namesOn(tablet) === 'of the laptop,old', MENDED_MS);
    expect(await world.settled('read', tablet.read(old.fileId), MENDED_MS)).toEqual(bytes);
    await world.pass(120_000);
    for (const device of devices) expect(device.notices.map(({ kind }) => kind)).not.toContain('misdeed');
    expect(network.bugs).toEqual([]);
  },
);

function partsOf({ pool }: SimDevice): string[] {
  return (pool.status().pool?.parts ?? []).map(({ byId }) => byId);
}

async function outcomeOf(call: PromiseSettledResult<void>): Promise<string | undefined> {
  return call.status === 'fulfilled' ? 'done' : reasonOf(Promise.reject(call.reason));
}
