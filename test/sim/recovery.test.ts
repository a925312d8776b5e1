// Pools that lose their admin, and are recovered by a code on paper: also by two parts apart, and by a thief
// who has the lost device and a code that was used.

import { expect } from 'vitest';
import type { ActBody } from '../../src/core/catalogue/grants/act-body.ts';
import {
  decodeAct,
  encodeActPayload,
  signedBytesOfAct,
  signedBytesOfRecover,
} from '../../src/core/catalogue/grants/act.ts';
import { encodeSigned } from '../../src/core/encoding/signed-record.ts';
import { CHARTERED_PROTOCOL_VERSION } from '../../src/core/wire/messages.ts';
import { settledOutboxes } from './checks.ts';
import { followCharter } from './chartered.ts';
import type { SimDevice } from './device.ts';
import { forkLogOf } from './forking-thief.ts';
import { HostileMember } from './hostile-member.ts';
import { first, scenario, type Simulation } from './scenario.ts';
import { reasonOf, rolesAs, untilRoles } from './told-roles.ts';

/** A pool of four, and the code that its founder made. */
async function poolWithCode(simulation: Simulation) {
  const { world, pool } = simulation;
  const devices = await pool(4);
  const [founder, anna, ben, cleo] = [0, 1, 2, 3].map((at) => first(devices, at)) as [
    SimDevice,
    SimDevice,
    SimDevice,
    SimDevice,
  ];
  const charter = await followCharter(world, devices);
  const { code } = await world.settled('a code', founder.pool.makeRecoveryCode());
  await world.until('all know that there is one', () =>
    devices.every((device) => device.pool.status().pool?.recovery?.hasCode === true),
  );
  return { devices, founder, anna, ben, cleo, charter, code };
}

scenario(
  'a code makes a member the admin in the place of a lost one, once, and then the next code does',
  [2_101, 2_102],
  async (simulation) => {
    const { world } = simulation;
    const { devices, founder, anna, ben, cleo, code } = await poolWithCode(simulation);
    const staying = [anna, ben, cleo];
    const bytes = world.random.bytes(9_000);
    const { fileId } = await world.settled('store', founder.put(bytes, { name: 'kept', k: 2, n: 4 }));
    await world.until('placed', () => settledOutboxes(devices));
    founder.kill();
    const { pool } = anna;
    // What is wrong changes nothing.
    const wrong = code.replace(code[0] ?? '', code.startsWith('0') ? '1' : '0');
    expect(await reasonOf(world.settled('mistyped', pool.recover(wrong)))).toBe('mistyped');
    const nobody = pool.recover(code, { shutOut: ['nobody'] });
    expect(await reasonOf(world.settled('nobody', nobody))).toBe('no-device');
    expect(await reasonOf(world.settled('self', pool.recover(code, { shutOut: [anna.id] })))).toBe('self');
    expect(await reasonOf(world.settled('no right', pool.makeRecoveryCode()))).toBe('first-admins-only');
    expect(rolesAs(anna, devices)).toBe('admin,member,member,member');

    const typed = code.toLowerCase().replaceAll('-', ' ');
    const next = await world.settled('recover', pool.recover(typed, { shutOut: [founder.id] }));
    expect(next.code).not.toBe(code);
    await untilRoles(simulation, staying, devices, 'out,admin,member,member');
    await world.until('new keys', () => staying.every((each) => each.pool.status().pool?.epoch === 1));
    await founder.reopen();
    await world.until('it is told', () => founder.notices.some(({ kind }) => kind === 'shut-out'));
    for (const device of staying) expect(await world.settled('read', device.read(fileId))).toEqual(bytes);

    // Who finds the old paper has nothing, and who was shut out has nothing with it.
    for (const device of [ben, founder])
      expect(await reasonOf(world.settled('used', device.pool.recover(code)))).toBe('used');
    await world.settled('again', ben.pool.recover(next.code));
    await untilRoles(simulation, staying, devices, 'out,admin,admin,member');
    const { items } = await world.settled('record', cleo.pool.record());
    expect(items.filter(({ kind }) => kind === 'recover').map(({ counts }) => counts)).toEqual([true, true]);
  },
);

scenario(
  'a thief with the lost device and the used code, as if it had seen nothing, is out all the same',
  [2_103, 2_104],
  async (simulation) => {
    const { world, network } = simulation;
    const { devices, founder, anna, ben, cleo, code } = await poolWithCode(simulation);
    network.partition((id) => (id === founder.id ? 0 : 1));
    const recovered = anna.pool.recover(code, { shutOut: [founder.id] });
    await world.settled('recover', recovered);
    await untilRoles(simulation, [anna, ben, cleo], devices, 'out,admin,member,member');
    // And the others have said that they saw it.
    await world.pass(5_000);
    const stolen = founder.pool.recover(code, { shutOut: [anna.id, ben.id] });
    await world.settled('the thief', stolen);
    expect(rolesAs(founder, devices)).toBe('admin,out,out,member');
    network.heal();
    await untilRoles(simulation, [anna, ben, cleo], devices, 'out,admin,member,member');
    await world.until('it is told', () => founder.notices.some(({ kind }) => kind === 'shut-out'));
    await untilRoles(simulation, [founder], [anna, ben, cleo], 'admin,member,member');
    // The code that the thief was shown is no code.
    const { code: his } = await stolen;
    expect(await reasonOf(world.settled('his', founder.pool.recover(his)))).toBe('used');
  },
);

scenario(
  'a device that the thief of the founder’s device shut out comes back by the code, and shuts that one out',
  [2_108, 2_109],
  async (simulation) => {
    const { world } = simulation;
    const { devices, founder, anna, ben, cleo, code } = await poolWithCode(simulation);
    await world.settled('shut out', founder.pool.shutOut(anna.id));
    await world.until('it is told', () => anna.notices.some(({ kind }) => kind === 'shut-out'));
    // He makes a code of his own, and uses it.
    const { code: his } = await world.settled('his code', founder.pool.makeRecoveryCode());
    await world.settled('he uses it', founder.pool.recover(his));
    await world.settled('recover', anna.pool.recover(code, { shutOut: [founder.id] }));
    await untilRoles(simulation, [anna, ben, cleo], devices, 'out,admin,member,member');
    const put = ben.put(world.random.bytes(900), { name: 'since', k: 1, n: 2, mirror: true });
    const { fileId } = await world.settled('store', put);
    await world.until('told', () => anna.pool.status().files.some((file) => file.fileId === fileId));
  },
);

scenario('what two parts of a pool order apart by one code stands', [2_105, 2_106], async (simulation) => {
  const { world, network } = simulation;
  const { devices, founder, anna, ben, cleo, code } = await poolWithCode(simulation);
  founder.kill();
  const fifth = devices.filter((device) => device !== founder);
  network.partition((id) => (id === anna.id ? 0 : 1));
  await world.settled('one', anna.pool.recover(code, { shutOut: [founder.id] }));
  await world.settled('other', ben.pool.recover(code, { shutOut: [founder.id] }));
  await untilRoles(simulation, [ben, cleo], devices, 'out,member,admin,member');
  network.heal();
  await world.until('one truth', () => new Set(fifth.map((each) => rolesAs(each, devices))).size === 1);
  expect(['out,admin,admin,member', 'out,member,admin,member']).toContain(rolesAs(cleo, devices));
  await world.until('one key', () => new Set(fifth.map((each) => each.pool.status().pool?.epoch)).size === 1);
});

scenario(
  'what a thief of a member’s key writes as recovers changes nothing, and is noticed where it is forged',
  [2_107],
  async (simulation) => {
    const { world, network } = simulation;
    const { devices, founder, anna, ben, cleo, charter, code } = await poolWithCode(simulation);
    await world.settled('recover', anna.pool.recover(code));
    await untilRoles(simulation, devices, devices, 'admin,admin,member,member');
    cleo.kill();
    const thief = new HostileMember(world, network, founder, cleo.identity);
    const own = thief.identity.publicKey;
    const theirs: Uint8Array[] = [];
    const order = {
      kind: 'recover' as const,
      seen: [charter.record.id],
      admin: cleo.id,
      after: undefined,
      out: [{ device: anna.id, last: undefined, undone: [] }],
      code: own,
      recovery: own,
    };
    const signed = await thief.identity.sign(signedBytesOfRecover(order, own));
    const recordOf = async (body: ActBody, at: number): Promise<Uint8Array> => {
      const { pool } = charter.record;
      const payload = encodeActPayload({
        pool,
        publicKey: own,
        seq: 1,
        prev: undefined,
        at: { ms: at, count: 0 },
        body,
      });
      return encodeSigned(payload, await thief.identity.sign(signedBytesOfAct(payload)));
    };
    // By a key that is no code; and what the real code signed, as if for him.
    thief.onMessage = (from, message) => {
      if (message.kind !== 'acts') return;
      for (const bytes of message.acts) {
        const { body } = decodeAct(bytes);
        if (body.kind !== 'recover' || theirs.length > 0) continue;
        theirs.push(bytes);
        void recordOf({ ...body, admin: cleo.id }, 2).then((replayed) =>
          thief.send(from, { kind: 'acts', acts: [replayed] }),
        );
      }
    };
    thief.greeting = [
      { kind: 'hello', protocol: CHARTERED_PROTOCOL_VERSION, epoch: 0 },
      { kind: 'acts-summary', marks: new Uint8Array(0) },
      { kind: 'acts', acts: [await recordOf({ ...order, signature: signed }, 1)] },
    ];
    thief.open();
    await world.until('the replay is noticed', () =>
      [founder, anna, ben].some((each) =>
        each.notices.some((notice) => notice.kind === 'misdeed' && notice.what === 'forged-records'),
      ),
    );
    await world.pass(20_000);
    expect(theirs).toHaveLength(1);
    for (const device of [founder, anna, ben])
      expect(rolesAs(device, devices)).toBe('admin,admin,member,member');
  },
);

scenario(
  'a thief who writes a longer branch in the log of the founder’s device hides none of its files',
  [2_110, 2_111],
  async (simulation) => {
    const { world } = simulation;
    const { devices, founder, anna, ben, cleo, code } = await poolWithCode(simulation);
    const staying = [anna, ben, cleo] as const;
    const bytes = world.random.bytes(9_000);
    const { fileId } = await world.settled('store', founder.put(bytes, { name: 'mine', k: 2, n: 4 }));
    await world.until('placed', () => settledOutboxes(devices));
    await forkLogOf(simulation, founder, staying);
    await world.settled('recover', anna.pool.recover(code, { shutOut: [founder.id] }));
    await untilRoles(simulation, staying, devices, 'out,admin,member,member');
    await world.pass(10_000);
    for (const device of staying) {
      expect(device.pool.status().files).toMatchObject([{ fileId, name: 'mine' }]);
      expect(await world.settled('read', device.read(fileId))).toEqual(bytes);
      expect(device.pool.status().pool?.epoch).toBe(1);
    }
  },
);
