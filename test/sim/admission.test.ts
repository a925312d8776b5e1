// Pools with a charter: whoever comes in was let in by a member, by an invite that ends. Each simulation
// prints its seed.

import { expect, test } from 'vitest';
import type { InviteOptions } from '../../src/runtime/invite-api.ts';
import { reachableCount, SimDevice } from './device.ts';
import { LinkedNetwork } from './linked-network.ts';
import { World } from './world.ts';

interface Founded {
  readonly founder: SimDevice;
  readonly newcomer: (name: string) => SimDevice;
  invite(options?: InviteOptions): Promise<string>;
  joined(device: SimDevice, invite: string): Promise<void>;
}

async function founded(world: World): Promise<Founded> {
  const network = new LinkedNetwork(world);
  const newcomer = (name: string): SimDevice => new SimDevice(name, world, network, 'laptop', true);
  const founder = newcomer('founder');
  await world.settled('the pool is made', founder.pool.createPool({ name: 'Home' }));
  return {
    founder,
    newcomer,
    invite: (options) => world.settled('an invite', founder.pool.invite(options)),
    joined: async (device, invite) => {
      const joined = await world.settled('it joins', device.pool.join(invite));
      expect(joined).toEqual({ answered: true });
    },
  };
}

test('an invite lets in one device, which reads what was stored before (seed 2_100)', async () => {
  const world = new World(2_100);
  const { founder, newcomer, invite, joined } = await founded(world);
  const bytes = world.random.bytes(100_000);
  const [first, second, third] = [newcomer('first'), newcomer('second'), newcomer('third')];
  await joined(first, await invite());
  await world.settled('store', founder.put(bytes, { name: 'film.mp4' }));
  const url = await invite();
  await joined(second, url);
  await world.until('all are linked', () => reachableCount(second) === 3);
  await world.until('the file is known', () => second.pool.status().files.length === 1);
  const fileId = second.pool.status().files[0]?.fileId ?? '';
  expect(Buffer.compare(await world.settled('read', second.read(fileId)), bytes)).toBe(0);

  await expect(world.settled('the second use', third.pool.join(url))).rejects.toMatchObject({
    code: 'bad-invite',
    failure: { reason: 'used' },
  });
  expect(third.pool.status().pool).toBeUndefined();
  expect(founder.pool.invites().map(({ state }) => state)).toEqual(['used', 'used']);
});

test.each([2_140, 2_141, 2_142])(
  'eight devices join at the same moment by one invite (seed %d)',
  async (seed) => {
    const world = new World(seed);
    const { founder, newcomer, invite, joined } = await founded(world);
    const url = await invite({ uses: 8 });
    const beganMs = world.nowMs;
    const devices = Array.from({ length: 8 }, (_, index) => newcomer(`pupil ${index}`));
    await Promise.all(devices.map((device) => joined(device, url)));
    // One alone takes some 700 ms.
    expect(world.nowMs - beganMs).toBeLessThan(1_500);
    await world.until('all are linked', () =>
      [founder, ...devices].every((device) => reachableCount(device) === 9),
    );
    expect(world.nowMs - beganMs).toBeLessThan(3_000);
  },
);

test('a member lets a newcomer in while the issuer is away (seed 2_101)', async () => {
  const world = new World(2_101);
  const { founder, newcomer, invite, joined } = await founded(world);
  const [member, late] = [newcomer('member'), newcomer('late')];
  await joined(member, await invite());
  const url = await invite();
  await world.until('the member knows the invite', () =>
    member.pool.invites().some(({ state }) => state === 'live'),
  );
  founder.kill();
  await joined(late, url);
  await world.until('the two are linked', () => reachableCount(late) === 2);
  await founder.reopen();
  await world.until('the founder links with both', () => reachableCount(founder) === 3);
});

test('a join waits while nobody is awake, over restarts (seed 2_102)', async () => {
  const world = new World(2_102);
  const { founder, newcomer, invite } = await founded(world);
  const late = newcomer('late');
  const url = await invite();
  founder.kill();
  const joining = late.pool.join(url);
  joining.catch(() => undefined);
  await world.until('it knocks', () => late.pool.status().joining?.relay === 'connected');
  await world.pass(60_000);
  expect(late.pool.status().joining?.state).toBe('waiting');
  late.kill();
  await late.reopen();
  await world.until('it knocks again', () => late.pool.status().joining?.relay === 'connected');
  await founder.reopen();
  await world.until('it is in', () => late.pool.status().pool !== undefined);
  await world.until('the two are linked', () => reachableCount(late) === 2);
  expect(late.pool.status().joining).toBeUndefined();
});

test('an invite that was withdrawn or has expired lets nobody in (seed 2_103)', async () => {
  const world = new World(2_103);
  const { founder, newcomer, invite } = await founded(world);
  const [first, second, third] = [newcomer('first'), newcomer('second'), newcomer('third')];
  const withdrawn = await invite({ uses: 5 });
  const [known] = founder.pool.invites();
  await world.settled('withdraw', founder.pool.withdrawInvite(known?.id ?? ''));
  await expect(world.settled('join', first.pool.join(withdrawn))).rejects.toMatchObject({
    failure: { reason: 'withdrawn' },
  });
  const short = await invite({ expiresInMs: 60_000 });
  await world.pass(60_000 + 600_001);
  await expect(world.settled('join', second.pool.join(short))).rejects.toMatchObject({
    failure: { reason: 'expired' },
  });
  // A clock that is behind does not help: the member has one of its own.
  third.setClock(-3_600_000);
  await expect(world.settled('join', third.pool.join(short))).rejects.toMatchObject({
    failure: { reason: 'expired' },
  });
});

test('a device that was shut out does not come back by the invite it came by (seed 2_104)', async () => {
  const world = new World(2_104);
  const { founder, newcomer, invite, joined } = await founded(world);
  const [phone, again] = [newcomer('phone'), newcomer('phone again')];
  const url = await invite({ uses: 30 });
  await invite({ uses: 2 });
  await joined(phone, url);
  await world.settled('shut out', founder.pool.shutOut(phone.id));
  // The same person, with the same link, as another device.
  await expect(world.settled('join', again.pool.join(url))).rejects.toMatchObject({
    failure: { reason: 'withdrawn' },
  });
  expect(founder.pool.invites().map(({ uses, state }) => [uses, state])).toEqual(
    expect.arrayContaining([
      [30, 'withdrawn'],
      [2, 'live'],
    ]),
  );
});

test('admins see who came in beyond an invite’s count, and decide with one act each (seed 2_130)', async () => {
  const world = new World(2_130);
  const { founder, newcomer, invite, joined } = await founded(world);
  const [member, first, second, third] = ['member', 'first', 'second', 'third'].map(newcomer);
  if (!member || !first || !second || !third) throw new Error('A device is missing.');
  await joined(member, await invite());
  const url = await invite();
  await world.until('the member knows the invite', () =>
    member.pool.invites().some(({ state }) => state === 'live'),
  );
  // Two parts that never meet let in one device each; then the founder's lets in nobody else.
  founder.kill();
  await joined(first, url);
  for (const device of [member, first]) device.kill();
  await founder.reopen();
  await joined(second, url);
  await expect(world.settled('a third use', third.pool.join(url))).rejects.toMatchObject({
    failure: { reason: 'used' },
  });
  expect(founder.pool.status().overused).toBeUndefined();

  for (const device of [member, first]) await device.reopen();
  await world.until('all are linked', () => reachableCount(founder) === 4);
  await world.until('the founder is told', () => founder.pool.status().overused !== undefined);
  const all = [founder, member, first, second];
  const overusedOf = (device: SimDevice) => device.pool.status().overused;
  await world.until('all agree', () =>
    all.every((device) => JSON.stringify(overusedOf(device)) === JSON.stringify(overusedOf(founder))),
  );
  const [overused] = overusedOf(founder) ?? [];
  expect(overused).toMatchObject({ uses: 1, devices: [{ beyond: false }, { beyond: true }] });
  const devices = overused?.devices ?? [];
  expect(devices.map(({ name }) => name).toSorted()).toEqual(['first', 'second']);
  expect(Object.fromEntries(devices.map(({ name, byName }) => [name, byName]))).toEqual({
    first: 'member',
    second: 'founder',
  });

  const beyond = devices.find((device) => device.beyond)?.id ?? '';
  await world.settled('kept', founder.pool.grant(beyond, 'member'));
  expect(overusedOf(founder)).toBeUndefined();
  await world.until('nobody lists it', () => all.every((device) => overusedOf(device) === undefined));
});
