// Pairing by codes over the real runtime and transport, with no relay: who comes in, who finds the pool
// again, what people are told when it does not work, and what a device at the other end that lies can do.

import { expect, test } from 'vitest';
import { parsePoolId, type PoolId } from '../../src/core/model/ids.ts';
import type { LettingIn } from '../../src/runtime/pair-api.ts';
import { readPairCode } from '../../src/core/pairing/pair-code.ts';
import {
  decodePairMessage,
  encodePairMessage,
  type PairMessage,
} from '../../src/core/pairing/pair-message.ts';
import type { PairConnectionEvents } from '../../src/core/pairing/pair-port.ts';
import { encodePairCode, pairCodeDigest, poolTag } from '../../src/core/pairing/pair-code.ts';
import { CODE_MS, CONNECT_MS, LINGER_MS, LINK_MS } from '../../src/runtime/pairing/pairing.ts';
import { followCharter } from './chartered.ts';
import { formPool, reachableCount, SimDevice } from './device.ts';
import { LinkedNetwork } from './linked-network.ts';
import { SimProcess } from './process.ts';
import { World } from './world.ts';

const LONG_MS = 120_000;

class Stage {
  readonly world: World;
  readonly network: LinkedNetwork;
  devices: readonly SimDevice[] = [];

  constructor(seed: number) {
    this.world = new World(seed);
    this.network = new LinkedNetwork(this.world);
  }

  /** A pool whose first device is its admin; then the relay is gone. */
  async pool(count: number): Promise<readonly SimDevice[]> {
    this.devices = await formPool(this.world, this.network, count);
    await followCharter(this.world, this.devices);
    this.network.relay.stop();
    await this.world.pass(5_000);
    return this.devices;
  }

  newcomer(name = 'newcomer'): SimDevice {
    return new SimDevice(name, this.world, this.network);
  }

  /** Both codes, and what became of the first device's part. */
  async pair(offering: SimDevice, answering: SimDevice): Promise<void> {
    const { code } = await this.world.settled('the offer', offering.pool.pairOffer());
    const answer = await this.world.settled('the answer', answering.pool.pairAnswer(code));
    await this.world.settled('they are paired', offering.pool.pairAccept(answer.code), LONG_MS);
    await this.world.until('both say so', () => step(answering) === 'linked', LONG_MS);
    await this.world.pass(LINGER_MS);
  }

  sound(): void {
    expect(this.network.bugs).toEqual([]);
  }
}

function step(device: SimDevice): string | undefined {
  return device.pool.status().pairing?.step;
}

function two(devices: readonly SimDevice[]): readonly [SimDevice, SimDevice] {
  const [a, b] = devices;
  if (a === undefined || b === undefined) throw new Error('there are two devices');
  return [a, b];
}

test.each(['the admin', 'the newcomer'])('a newcomer is let in when %s shows the first code', async (who) => {
  const stage = new Stage(who === 'the admin' ? 4_001 : 4_002);
  const [admin, member] = two(await stage.pool(3));
  const bytes = stage.world.random.bytes(100_000);
  const { fileId } = await stage.world.settled('store', admin.put(bytes, { name: 'before' }));
  const newcomer = stage.newcomer();
  await stage.world.settled('it is open', newcomer.pool.ready);
  await (who === 'the admin' ? stage.pair(admin, newcomer) : stage.pair(newcomer, admin));
  // One pairing; the mesh introduces it to the others.
  await stage.world.until('all are linked', () => reachableCount(newcomer) === 4, LONG_MS);
  await stage.world.until('the others, too', () => reachableCount(member) === 4, LONG_MS);
  expect(newcomer.pool.status().role).toBe('member');
  await stage.world.until('the file is known', () => newcomer.fileStatus(fileId) !== undefined, LONG_MS);
  expect(Buffer.compare(await stage.world.settled('read', newcomer.read(fileId)), bytes)).toBe(0);
  expect(admin.pool.invites().map(({ state }) => state)).toEqual(['used']);
  stage.sound();
});

test('a member whose page opened without a relay finds the pool by codes, after the keys changed (seed 4_003)', async () => {
  const stage = new Stage(4_003);
  const devices = await stage.pool(3);
  const [admin, member] = two(devices);
  const lost = devices[2] ?? member;
  lost.kill();
  await stage.world.until('it is missed', () => reachableCount(member) === 2, LONG_MS);
  await stage.world.settled('new keys', admin.pool.rotate());
  await lost.reopen();
  await stage.world.pass(30_000);
  expect(reachableCount(lost)).toBe(1);
  await stage.pair(member, lost);
  await stage.world.until('it sees all', () => reachableCount(lost) === 3, LONG_MS);
  stage.sound();
});

test('a member that may not invite lets nobody in, and both are told (seed 4_004)', async () => {
  const stage = new Stage(4_004);
  const [, member] = two(await stage.pool(2));
  const newcomer = stage.newcomer();
  const { code } = await stage.world.settled('the offer', newcomer.pool.pairOffer());
  const answer = await stage.world.settled('the answer', member.pool.pairAnswer(code));
  const accepted = stage.world.settled('the end', newcomer.pool.pairAccept(answer.code), LONG_MS);
  await expect(accepted).rejects.toMatchObject({
    failure: { code: 'pairing-failed', reason: 'may-not-invite' },
  });
  await stage.world.until('the member knows', () => step(member) === 'failed');
  expect(newcomer.pool.status().pool).toBeUndefined();
  expect(newcomer.pool.status().pairing?.problem).toContain('may-not-invite');
});

test('codes end: not answered, answered too late, used, started over (seed 4_005)', async () => {
  const stage = new Stage(4_005);
  const [admin] = two(await stage.pool(2));
  const newcomer = stage.newcomer();
  const { code } = await stage.world.settled('the offer', admin.pool.pairOffer());
  const answer = await stage.world.settled('the answer', newcomer.pool.pairAnswer(code));
  await stage.world.pass(CODE_MS);
  for (const device of [admin, newcomer]) {
    expect(device.pool.status().pairing).toMatchObject({ step: 'failed' });
    expect(device.pool.status().pairing?.problem).toContain('too-late');
  }
  const accept = (text: string) => stage.world.settled('accepting', admin.pool.pairAccept(text), LONG_MS);
  await expect(accept(answer.code)).rejects.toMatchObject({ failure: { reason: 'no-offer' } });

  const again = await stage.world.settled('another offer', admin.pool.pairOffer());
  await expect(accept(answer.code)).rejects.toMatchObject({ failure: { reason: 'other-offer' } });
  await expect(accept(again.code)).rejects.toMatchObject({ failure: { reason: 'is-offer' } });
  await expect(stage.world.settled('own', admin.pool.pairAnswer(again.code))).rejects.toMatchObject({
    failure: { reason: 'own' },
  });
  // None of these ended it.
  expect(step(admin)).toBe('offering');
  const right = await stage.world.settled('the answer', newcomer.pool.pairAnswer(again.code));
  await accept(right.code);
  await expect(accept(right.code)).rejects.toMatchObject({ failure: { reason: 'no-offer' } });
  admin.pool.pairCancel();
  expect(admin.pool.status().pairing).toBeUndefined();
  stage.sound();
});

test('devices that cannot reach each other, or have no network, are told so (seed 4_006)', async () => {
  const stage = new Stage(4_006);
  const [admin] = two(await stage.pool(2));
  const newcomer = stage.newcomer();
  stage.network.pairings.isOpen = false;
  const { code } = await stage.world.settled('the offer', admin.pool.pairOffer());
  const answer = await stage.world.settled('the answer', newcomer.pool.pairAnswer(code));
  const beganMs = stage.world.nowMs;
  await expect(
    stage.world.settled('the end', admin.pool.pairAccept(answer.code), LONG_MS),
  ).rejects.toMatchObject({
    failure: { reason: 'not-connected' },
  });
  expect(stage.world.nowMs - beganMs).toBe(CONNECT_MS);
  stage.network.pairings.addressCount = 0;
  await expect(stage.world.settled('the offer', admin.pool.pairOffer())).rejects.toMatchObject({
    failure: { reason: 'no-address' },
  });
  expect(step(admin)).toBe('failed');
});

interface HostileOptions {
  readonly garbage?: boolean;
  /** What its code says of its pool: a tag, or the pool. Default: none. */
  readonly pool?: Uint8Array | PoolId;
  readonly options?: LettingIn;
}

/** A device at the other end that says what it likes. */
async function hostile(
  stage: Stage,
  victim: SimDevice,
  says: readonly PairMessage[],
  { garbage = false, pool = new Uint8Array(8), options }: HostileOptions = {},
) {
  const { code } = await stage.world.settled('the offer', victim.pool.pairOffer());
  const offer = readPairCode(code, 'offer');
  const heard: Uint8Array[] = [];
  const events: PairConnectionEvents = {
    connected: () => {
      for (const message of says) end.write(encodePairMessage(message));
      if (garbage) end.write(new Uint8Array([1, 2, 3]));
    },
    frame: (frame) => heard.push(frame),
    closed: () => undefined,
  };
  const end = stage.network.pairings.connect(new SimProcess(), events);
  const own = await end.answer(offer);
  const answer = encodePairCode({
    ...own,
    kind: 'answer',
    pool: pool instanceof Uint8Array ? pool : poolTag(pool, own.fingerprint),
    offer: pairCodeDigest(offer),
  });
  const accepted = stage.world.settled('the end', victim.pool.pairAccept(answer, options), LONG_MS);
  return { accepted, heard };
}

function inviteOf(heard: readonly Uint8Array[]): string {
  const messages = heard.map((frame) => decodePairMessage(Uint8Array.from(frame)));
  const invite = messages.find(({ kind }) => kind === 'invite');
  return invite?.kind === 'invite' ? invite.invite : '';
}

test('a stranger that says it is a linked member is not paired with, and its invite ends (seed 4_008)', async () => {
  const stage = new Stage(4_008);
  const [admin, member] = two(await stage.pool(3));
  const thief = await hostile(stage, admin, [{ kind: 'hello', device: member.id }]);
  await stage.world.pass(5_000);
  expect(step(admin)).toBe('linking');
  await expect(thief.accepted).rejects.toMatchObject({ failure: { reason: 'already-linked' } });
  const invite = inviteOf(thief.heard);
  expect(invite).toContain('#/join/');
  await stage.world.until('it ends', () => admin.pool.invites()[0]?.state === 'withdrawn', LONG_MS);

  // Given up by the person, too.
  const other = await hostile(stage, admin, [{ kind: 'hello', device: stage.newcomer('nobody').id }]);
  other.accepted.catch(() => undefined);
  await stage.world.until('an invite', () => inviteOf(other.heard) !== '', LONG_MS);
  admin.pool.pairCancel();
  await expect(other.accepted).rejects.toMatchObject({ code: 'cancelled' });
  const states = () => admin.pool.invites().map(({ state }) => state);
  await stage.world.until('it ends', () => !states().includes('live'), LONG_MS);
  expect(states()).toEqual(['withdrawn', 'withdrawn']);
  stage.sound();
});

test('a device linked before proves nothing when its id comes with the tag of the pool (seed 4_009)', async () => {
  const stage = new Stage(4_009);
  const [admin, member] = two(await stage.pool(3));
  const pool = admin.pool.status().pool?.id;
  if (pool === undefined) throw new Error('it is in a pool');
  const liar = await hostile(stage, admin, [{ kind: 'hello', device: member.id }], {
    pool: parsePoolId(pool),
  });
  await expect(liar.accepted).rejects.toMatchObject({ failure: { reason: 'already-linked' } });
  expect(inviteOf(liar.heard)).toBe('');
  expect(reachableCount(admin)).toBe(3);
  stage.sound();
});

test('who is not to let newcomers in is asked before an invite is made, and nothing ends (seed 4_010)', async () => {
  const stage = new Stage(4_010);
  const [admin] = two(await stage.pool(2));
  const newcomer = stage.newcomer();
  const asked = { failure: { code: 'bad-pair-code', reason: 'newcomer' } };
  const { code } = await stage.world.settled('the offer', admin.pool.pairOffer());
  const answer = await stage.world.settled('the answer', newcomer.pool.pairAnswer(code, { letIn: false }));
  const accept = (letIn: boolean) =>
    stage.world.settled('accepting', admin.pool.pairAccept(answer.code, { letIn }), LONG_MS);
  await expect(accept(false)).rejects.toMatchObject(asked);
  expect([step(admin), admin.pool.invites()]).toEqual(['offering', []]);
  await accept(true);
  expect(admin.pool.invites().map(({ state }) => state)).toEqual(['used']);

  const second = stage.newcomer('second');
  const offer = await stage.world.settled('its offer', second.pool.pairOffer());
  const answered = stage.world.settled('no', admin.pool.pairAnswer(offer.code, { letIn: false }));
  await expect(answered).rejects.toMatchObject(asked);
  stage.sound();
});

test('a device that lies at the other end gets nothing, and ends nothing but the pairing (seed 4_007)', async () => {
  const stage = new Stage(4_007);
  const [admin, member] = two(await stage.pool(2));
  const envelope: PairMessage = { kind: 'envelope', room: new Uint8Array(8), envelope: new Uint8Array(100) };
  const invite: PairMessage = { kind: 'invite', invite: 'https://palm.invalid/#/join/uAQAA' };

  const garbled = await hostile(stage, admin, [], { garbage: true });
  await expect(garbled.accepted).rejects.toMatchObject({ failure: { reason: 'not-understood' } });

  // It claims to be a member, gets an invite as any newcomer does, and never uses it.
  const hello: PairMessage = { kind: 'hello', device: stage.newcomer('nobody').id };
  const silent = await hostile(stage, admin, [envelope, invite, hello, hello, invite, envelope]);
  await expect(silent.accepted).rejects.toMatchObject({ failure: { reason: 'not-linked' } });
  expect(reachableCount(admin)).toBe(2);
  expect(reachableCount(member)).toBe(2);

  // An invite that nobody answers lets a newcomer into nothing.
  const newcomer = stage.newcomer();
  const url = await stage.world.settled('an invite', admin.pool.invite());
  const elsewhere = await hostile(stage, newcomer, [hello, { kind: 'invite', invite: url }]);
  const beganMs = stage.world.nowMs;
  await expect(elsewhere.accepted).rejects.toMatchObject({ code: expect.any(String) });
  expect(stage.world.nowMs - beganMs).toBeLessThanOrEqual(LINK_MS + 1_000);
  expect(newcomer.pool.status().pool).toBeUndefined();
  stage.sound();
});
