// Pools with a charter and hostile members: who may what is the same on all devices, whoever is apart, comes
// back late or lies, and files stay readable for those who stay.

import { expect } from 'vitest';
import type { ActBody } from '../../src/core/catalogue/grants/act-body.ts';
import { encodeActPayload, signedBytesOfAct } from '../../src/core/catalogue/grants/act.ts';
import { encodeSigned } from '../../src/core/encoding/signed-record.ts';
import { parseFileId, type EntryId } from '../../src/core/model/ids.ts';
import { NO_RANK } from '../../src/core/model/role.ts';
import { CHARTERED_PROTOCOL_VERSION } from '../../src/core/wire/messages.ts';
import { settledOutboxes } from './checks.ts';
import { followCharter } from './chartered.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { forkLogOf } from './forking-thief.ts';
import { HostileMember } from './hostile-member.ts';
import { first, scenario } from './scenario.ts';
import { reasonOf, rolesAs, untilRoles } from './told-roles.ts';

const A_WEEK_MS = 7 * 24 * 60 * 60_000;

/** What each device says that the others are. */
function roles(devices: readonly SimDevice[]): string[] {
  return devices.map((device) => rolesAs(device, devices));
}

scenario(
  'a device that is shut out is told so, is heard by nobody, also after a week, and loses nobody a file',
  [2_001, 2_002],
  async (simulation) => {
    const { world, pool } = simulation;
    const devices = await pool(5);
    const [founder, lost, anna] = [first(devices), first(devices, 1), first(devices, 2)];
    const staying = devices.filter((device) => device !== lost);
    await followCharter(world, devices);
    const bytes = world.random.bytes(9_000);
    const kept = await world.settled('store', lost.put(bytes, { name: 'of the phone', k: 2, n: 4 }));
    await world.until('placed', () => settledOutboxes(devices));
    lost.kill();
    await world.settled('shut out', founder.pool.shutOut(lost.id));
    await untilRoles(simulation, staying, devices, 'admin,out,member,member,member');
    // Nobody is awake meanwhile: the simulator gets over it faster.
    for (const device of staying) device.kill();
    await world.pass(A_WEEK_MS);
    for (const device of staying) await device.reopen();

    // With the disk that it had, and acts that know nothing of it.
    await lost.reopen();
    await world.until('it is told', () => lost.notices.some(({ kind }) => kind === 'shut-out'));
    expect(lost.notices).toContainEqual(
      expect.objectContaining({ kind: 'shut-out', by: expect.objectContaining({ id: founder.id }) }),
    );
    await world.pass(60_000);
    expect(staying.map((device) => device.pool.status().devices.some(({ id }) => id === lost.id))).toEqual(
      staying.map(() => false),
    );
    expect(await reasonOf(world.settled('store', lost.put(bytes, { name: 'later' })))).toBe('shut-out');
    expect(await reasonOf(world.settled('remove', lost.pool.remove(kept.fileId)))).toBe('shut-out');
    for (const device of staying) {
      expect(device.pool.status().shutOut).toMatchObject([{ id: lost.id, byId: founder.id, self: false }]);
      expect(await world.settled('read', device.read(kept.fileId))).toEqual(bytes);
    }
    const { items } = await world.settled('record', anna.pool.record());
    expect(items.filter(({ kind }) => kind === 'shut-out')).toMatchObject([
      { deviceId: founder.id, aboutId: lost.id, state: 'verified', counts: true },
    ]);
    // A mistake: it comes back by itself.
    await world.settled('let back in', founder.pool.grant(lost.id, 'member'));
    await world.until('back', () => lost.pool.status().role === 'member' && reachableCount(lost) > 1);
    await world.until('seen', () => reachableCount(anna) === devices.length);
  },
);

scenario(
  'an admin who is removed while he removes another, and makes a friend an admin, changes nothing',
  [2_003, 2_004, 2_005],
  async (simulation) => {
    const { world, network, pool } = simulation;
    const devices = await pool(4);
    const [founder, anna, ben, cleo] = [
      first(devices),
      first(devices, 1),
      first(devices, 2),
      first(devices, 3),
    ];
    await followCharter(world, devices);
    await world.settled('grant', founder.pool.grant(anna.id, 'admin'));
    await untilRoles(simulation, devices, devices, 'admin,admin,member,member');
    await world.settled('grant', anna.pool.grant(ben.id, 'admin'));
    await untilRoles(simulation, devices, devices, 'admin,admin,admin,member');
    network.partition((id) => (id === founder.id ? 0 : 1));
    await world.settled('shut out', founder.pool.shutOut(anna.id));
    await world.settled('answer', anna.pool.shutOut(ben.id));
    await world.settled('friend', anna.pool.grant(cleo.id, 'admin'));
    await untilRoles(simulation, [anna, cleo], devices, 'admin,admin,out,admin');
    expect(await reasonOf(world.settled('above', anna.pool.shutOut(founder.id)))).toBe('above');
    expect(await reasonOf(world.settled('self', anna.pool.grant(anna.id, 'reader')))).toBe('self');
    network.heal();
    await untilRoles(simulation, [founder, ben, cleo], devices, 'admin,out,admin,member');
    expect(await reasonOf(world.settled('no admin', cleo.pool.shutOut(ben.id)))).toBe('admins-only');
  },
);

scenario(
  'a reader stores and removes nothing, a member removes what it stored, an admin everything',
  [2_006],
  async (simulation) => {
    const { world, pool } = simulation;
    const devices = await pool(3);
    const [founder, anna, ben] = [first(devices), first(devices, 1), first(devices, 2)];
    await followCharter(world, devices);
    const put = (device: SimDevice, name: string) =>
      world.settled('store', device.put(world.random.bytes(900), { name, k: 1, n: 2, mirror: true }));
    const [ofAnna, ofBen] = [await put(anna, 'of Anna'), await put(ben, 'of Ben')];
    await world.until('known', () => devices.every((device) => device.pool.status().files.length === 2));
    await world.settled('grant', founder.pool.grant(anna.id, 'reader'));
    await untilRoles(simulation, devices, devices, 'admin,reader,member');
    expect(await reasonOf(world.settled('store', anna.put(world.random.bytes(9), { name: 'x' })))).toBe(
      'reader',
    );
    expect(await reasonOf(world.settled('remove', anna.pool.remove(ofAnna.fileId)))).toBe('reader');
    expect(await reasonOf(world.settled('other', ben.pool.remove(ofAnna.fileId)))).toBe('file-of-another');
    expect(await reasonOf(world.settled('policy', ben.pool.setPolicy({ repairShare: 0.5 })))).toBe(
      'admins-only',
    );
    expect(await reasonOf(world.settled('leave', founder.pool.leave()))).toBe('last-admin');
    await world.settled('own', ben.pool.remove(ofBen.fileId));
    await world.settled('all', founder.pool.remove(ofAnna.fileId));
    await world.until('gone', () => devices.every((device) => device.pool.status().files.length === 0));
  },
);

scenario(
  'the last device of the first rank does not leave others without a recovery code',
  [2_013],
  async (simulation) => {
    const { world, pool } = simulation;
    const devices = await pool(3);
    const [founder, anna, ben] = [first(devices), first(devices, 1), first(devices, 2)];
    await followCharter(world, devices);
    await world.settled('grant', founder.pool.grant(anna.id, 'admin'));
    await untilRoles(simulation, devices, devices, 'admin,admin,member');
    expect(await reasonOf(world.settled('leave', founder.pool.leave()))).toBe('no-code');
    expect(founder.pool.status().role).toBe('admin');
    // Admins below it may go.
    await world.settled('leave', anna.pool.leave());
    expect(await reasonOf(world.settled('leave', founder.pool.leave()))).toBe('last-admin');
    await world.settled('grant', founder.pool.grant(ben.id, 'admin'));
    const { code } = await world.settled('code', founder.pool.makeRecoveryCode());
    await world.until('told', () => ben.pool.status().pool?.recovery?.hasCode === true);
    await world.settled('leave', founder.pool.leave());
    await world.settled('recover', ben.pool.recover(code));
    expect(ben.pool.status().pool?.recovery?.mayMake).toBe(true);
  },
);

scenario(
  'who has the keys of the pool and is no member changes nothing: forged grants, claims, entries, floods',
  [2_007, 2_008],
  async (simulation) => {
    const { world, network, pool } = simulation;
    const devices = await pool(3);
    const [founder, anna] = [first(devices), first(devices, 1)];
    const { fileId } = await world.settled(
      'store',
      founder.put(world.random.bytes(3_000), { name: 'kept', k: 2, n: 3 }),
    );
    const charter = await followCharter(world, devices);
    const stranger = new HostileMember(world, network, founder);
    const forgedBy = async (body: ActBody, publicKey: Uint8Array, seq = 1): Promise<Uint8Array> => {
      const { pool: id } = charter.record;
      const prev = seq === 1 ? undefined : charter.record.id;
      const at = { ms: 1_000, count: 0 };
      const payload = encodeActPayload({ pool: id, publicKey, seq, prev, at, body });
      return encodeSigned(payload, await stranger.identity.sign(signedBytesOfAct(payload)));
    };
    const grant = (as: number, seen: readonly EntryId[]): ActBody => ({
      kind: 'grant',
      seen,
      as,
      device: stranger.id,
      role: 'admin',
      rank: 1,
      after: undefined,
    });
    const own = stranger.identity.publicKey;
    const seen = [charter.record.id];
    const acts = [
      // In the founder's name, in its own, and out of nowhere; a charter of its own; and a flood.
      await forgedBy(grant(0, seen), founder.identity.publicKey, 2),
      await forgedBy(grant(0, seen), own),
      await forgedBy({ ...grant(0, seen), rank: NO_RANK, role: 'member' } as ActBody, own),
      await forgedBy(
        { kind: 'shut-out', as: 0, seen, device: founder.id, last: undefined, undone: [], reason: '' },
        own,
      ),
    ];
    const profile = await stranger.entry({ kind: 'profile', name: 'Mallory' });
    const removal = await stranger.entry({ kind: 'remove', file: parseFileId(fileId) });
    stranger.greeting = [
      { kind: 'hello', protocol: CHARTERED_PROTOCOL_VERSION, epoch: 0 },
      { kind: 'acts-summary', marks: new Uint8Array(0) },
      { kind: 'acts', acts },
      { kind: 'entries', entries: [profile, removal], more: false },
      { kind: 'holdings', base: 0, held: [], heldBytes: 0, freeBytes: 2 ** 40 },
    ];
    const heard: string[] = [];
    stranger.onMessage = (_, { kind }) => heard.push(kind);
    stranger.open();
    await world.until('its links are closed', () => stranger.closedCount >= devices.length);
    await world.pass(60_000);
    expect(heard.filter((kind) => !['hello', 'acts-summary', 'acts'].includes(kind))).toEqual([]);
    expect(roles(devices)).toEqual(devices.map(() => 'admin,member,member'));
    for (const device of devices) {
      expect(device.pool.status().devices).toHaveLength(devices.length);
      expect(device.fileStatus(fileId)).toMatchObject({ durable: 3 });
    }
    expect(anna.notices).toContainEqual(expect.objectContaining({ kind: 'misdeed', what: 'forged-records' }));
  },
);

scenario(
  'a thief who writes a longer branch in the log of a phone hides none of its files when it is shut out',
  [2_011, 2_012],
  async (simulation) => {
    const { world, pool } = simulation;
    const devices = await pool(4);
    const [founder, phone] = [first(devices), first(devices, 1)];
    const staying = [founder, first(devices, 2), first(devices, 3)] as const;
    await followCharter(world, devices);
    const bytes = world.random.bytes(9_000);
    const { fileId } = await world.settled('store', phone.put(bytes, { name: 'mine', k: 2, n: 4 }));
    await world.until('placed', () => settledOutboxes(devices));
    await forkLogOf(simulation, phone, staying);
    await world.settled('shut out', founder.pool.shutOut(phone.id));
    await untilRoles(simulation, staying, devices, 'admin,out,member,member');
    await world.pass(10_000);
    for (const device of staying) {
      expect(device.pool.status().files).toMatchObject([{ fileId, name: 'mine' }]);
      expect(await world.settled('read', device.read(fileId))).toEqual(bytes);
    }
  },
);
