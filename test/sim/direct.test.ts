// Joins by one code of a device that answers by itself, over the real runtime and transport, with no relay:
// who comes in and who does not, and who finds the pool again.

import { expect, test } from 'vitest';
import { directAddressIn, encodeDirectAddress } from '../../src/core/pairing/direct-address.ts';
import { encodePairMessage } from '../../src/core/pairing/pair-message.ts';
import { MAX_DIRECT_CALLS } from '../../src/core/model/limits.ts';
import { followCharter } from './chartered.ts';
import { formPool, reachableCount, SimDevice } from './device.ts';
import { LinkedNetwork } from './linked-network.ts';
import { SimProcess } from './process.ts';
import { World } from './world.ts';

const LONG_MS = 120_000;
/** A remembered address is called after this, with the pause between two calls. */
const AGAIN_MS = 30_000;

class Stage {
  readonly world: World;
  readonly network: LinkedNetwork;
  /** Of the first device, which answers by itself. */
  address = '';

  constructor(seed: number) {
    this.world = new World(seed);
    this.network = new LinkedNetwork(this.world);
  }

  /** A pool whose first device is its admin, and answers direct calls; then the relay is gone. */
  async pool(count: number): Promise<readonly [SimDevice, ...SimDevice[]]> {
    const devices = await formPool(this.world, this.network, count);
    await followCharter(this.world, devices);
    this.network.relay.stop();
    await this.world.pass(5_000);
    const [admin, ...others] = devices;
    if (admin === undefined) throw new Error('there is one');
    this.address = this.network.directAddressOf(admin.id);
    return [admin, ...others];
  }

  newcomer(name = 'newcomer'): SimDevice {
    return new SimDevice(name, this.world, this.network);
  }

  async code(admin: SimDevice, options = {}): Promise<string> {
    return (await this.world.settled('an invite', admin.pool.invite(options))) + this.address;
  }

  join(device: SimDevice, code: string): Promise<unknown> {
    return this.world.settled(`${device.name} joins`, device.pool.join(code), LONG_MS);
  }

  sound(): void {
    expect(this.network.bugs).toEqual([]);
  }
}

test('two newcomers come in by the same code at once, and meet everybody (seed 4_101)', async () => {
  const stage = new Stage(4_101);
  const [admin, member = admin] = await stage.pool(3);
  const bytes = stage.world.random.bytes(100_000);
  const { fileId } = await stage.world.settled('store', admin.put(bytes, { name: 'before' }));
  const code = await stage.code(admin, { uses: 2 });
  const newcomers = [stage.newcomer('one'), stage.newcomer('two')];
  const joins = newcomers.map((device) => device.pool.join(code));
  await stage.world.settled('both are in', Promise.all(joins), LONG_MS);
  for (const device of [...newcomers, member]) {
    await stage.world.until('all are linked', () => reachableCount(device) === 5, LONG_MS);
  }
  const [one = admin] = newcomers;
  await stage.world.until('the file is known', () => one.fileStatus(fileId) !== undefined, LONG_MS);
  expect(Buffer.compare(await stage.world.settled('read', one.read(fileId)), bytes)).toBe(0);
  stage.sound();
});

test('a code that was withdrawn, has expired or was used lets nobody in, and says so (seed 4_102)', async () => {
  const stage = new Stage(4_102);
  const [admin] = await stage.pool(2);
  const withdrawn = await stage.code(admin);
  const [invite] = admin.pool.invites();
  await stage.world.settled('withdrawn', admin.pool.withdrawInvite(invite?.id ?? ''));
  await expect(stage.join(stage.newcomer('a'), withdrawn)).rejects.toMatchObject({
    failure: { code: 'bad-invite', reason: 'withdrawn' },
  });
  const used = await stage.code(admin);
  await stage.join(stage.newcomer('b'), used);
  const late = stage.newcomer('c');
  await expect(stage.join(late, used)).rejects.toMatchObject({
    failure: { code: 'bad-invite', reason: 'used' },
  });
  const short = await stage.code(admin, { expiresInMs: 1_000 });
  await stage.world.pass(30 * 60_000);
  await expect(stage.join(late, short)).rejects.toMatchObject({
    failure: { code: 'bad-invite', reason: 'expired' },
  });
  // What was refused keeps nobody out who has a good one.
  await stage.join(late, await stage.code(admin));
  expect(late.pool.status().role).toBe('member');
  stage.sound();
});

test('an invite behind the address of another pool, or of a liar, leads nowhere (seed 4_103)', async () => {
  const stage = new Stage(4_103);
  const [admin] = await stage.pool(2);
  const url = await stage.world.settled('an invite', admin.pool.invite());
  const stranger = stage.newcomer('stranger');
  await stage.world.settled('its pool', stranger.pool.createPool({ name: 'other' }));
  const other = stage.network.directAddressOf(stranger.id);
  const address = directAddressIn(stage.address);
  if (address === undefined) throw new Error('there is one');
  // Who has seen the fingerprint, and not the secret.
  const guessed = encodeDirectAddress({ ...address, secret: new Uint8Array(16) });
  for (const direct of [other, guessed]) {
    const newcomer = stage.newcomer();
    const joining = newcomer.pool.join(url + direct);
    joining.catch(() => undefined); // given up below
    await stage.world.pass(LONG_MS);
    expect(newcomer.pool.status().pool).toBeUndefined();
    expect(newcomer.pool.status().joining?.state).toBe('waiting');
    await stage.world.settled('given up', newcomer.pool.leave());
    await expect(joining).rejects.toMatchObject({ code: 'cancelled' });
  }
  expect(stranger.pool.status().devices).toHaveLength(1);
  // The invite itself was used by nobody.
  await stage.join(stage.newcomer(), url + stage.address);
  stage.sound();
});

test('who has the address and says nonsense is cut off, and keeps out nobody (seed 4_104)', async () => {
  const stage = new Stage(4_104);
  const [admin] = await stage.pool(2);
  const address = directAddressIn(stage.address);
  if (address === undefined) throw new Error('there is one');
  const nonsense = [
    new Uint8Array([1, 2, 3]),
    encodePairMessage({ kind: 'hello', device: stage.newcomer('nobody').id }),
    encodePairMessage({ kind: 'invite', invite: 'https://palm.invalid/#/join/uAQAA' }),
  ];
  let closedCount = 0;
  for (let number = 0; number < 2 * MAX_DIRECT_CALLS; number++) {
    const end = stage.network.pairings.connect(new SimProcess(), {
      connected: () => end.write(nonsense[number % nonsense.length] ?? new Uint8Array(0)),
      frame: () => undefined,
      closed: () => (closedCount += 1),
    });
    await end.call(address);
    await stage.world.pass(2_000);
  }
  expect(closedCount).toBe(2 * MAX_DIRECT_CALLS);
  expect(admin.pool.status().devices).toHaveLength(2);
  await stage.join(stage.newcomer(), await stage.code(admin));
  stage.sound();
});

test('a member whose page opens alone with no relay calls again, until it has left (seed 4_105)', async () => {
  const stage = new Stage(4_105);
  const [admin] = await stage.pool(2);
  const newcomer = stage.newcomer();
  await stage.join(newcomer, await stage.code(admin));
  await stage.world.until('all are linked', () => reachableCount(newcomer) === 3, LONG_MS);
  newcomer.kill();
  await stage.world.until('it is missed', () => reachableCount(admin) === 2, LONG_MS);
  await newcomer.reopen();
  await stage.world.until('it is back', () => reachableCount(newcomer) === 3, AGAIN_MS);
  await stage.world.settled('it leaves', newcomer.pool.leave());
  const before = stage.network.pairings.answeredCount;
  await stage.world.settled('a pool of its own', newcomer.pool.createPool({ name: 'mine' }));
  newcomer.kill();
  await newcomer.reopen();
  await stage.world.pass(LONG_MS);
  expect(stage.network.pairings.answeredCount).toBe(before);
  stage.sound();
});

test('a join goes on when the page that began it was closed (seed 4_106)', async () => {
  const stage = new Stage(4_106);
  const [admin] = await stage.pool(2);
  const code = await stage.code(admin);
  const newcomer = stage.newcomer();
  stage.network.pairings.isOpen = false;
  newcomer.pool.join(code).catch(() => undefined); // its page is closed
  await stage.world.pass(5_000);
  newcomer.kill();
  stage.network.pairings.isOpen = true;
  await newcomer.reopen();
  await stage.world.until('it is in', () => reachableCount(newcomer) === 3, LONG_MS);
  stage.sound();
});
