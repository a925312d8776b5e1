// A device is locked and unlocked: its pool goes on without it, it opens nothing, and everything is back
// afterwards.

import { expect } from 'vitest';
import { settledOutboxes } from './checks.ts';
import { reachableCount } from './device.ts';
import { first, scenario } from './scenario.ts';
import { openInviteOf } from './open-invite.ts';

const WORDS = 'eleven quiet otters';

scenario(
  'a locked device opens nothing and is away, also after a restart, and is a full member once unlocked',
  [901, 902],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const [locked, other] = [first(devices, 1), first(devices)];
    const bytes = world.random.bytes(120_000);
    const { fileId } = await world.settled('store', locked.put(bytes, { name: 'notes' }));
    await world.until('placed', () => settledOutboxes(devices));
    expect(locked.pool.status().lock).toBe('none');
    await expect(locked.pool.lock('short')).rejects.toMatchObject({ code: 'bad-argument' });
    await expect(locked.pool.lock('x'.repeat(1025))).rejects.toMatchObject({ code: 'bad-argument' });
    await expect(locked.pool.lock()).rejects.toMatchObject({ code: 'bad-argument' });
    expect(reachableCount(locked)).toBe(3);
    const named = locked.pool.status().device;

    const reading = locked.read(fileId).catch((error: unknown) => error);
    await world.settled('lock', locked.pool.lock(WORDS));
    expect(await reading).toMatchObject({ code: 'locked' });
    for (const start of ['at once', 'after a restart']) {
      if (start !== 'at once') {
        locked.kill();
        await locked.reopen();
      }
      const status = locked.pool.status();
      expect(status, start).toMatchObject({ lock: 'locked', files: [], devices: [], activity: [] });
      expect(status.pool).toBeUndefined();
      expect(status.device.id).toBe('');
      const refused = { code: 'locked' };
      await expect(locked.put(bytes, { name: 'x' })).rejects.toMatchObject(refused);
      await expect(locked.read(fileId)).rejects.toMatchObject(refused);
      await expect(locked.pool.remove(fileId)).rejects.toMatchObject(refused);
      await expect(locked.pool.createPool({ name: 'x' })).rejects.toMatchObject(refused);
      await expect(locked.pool.setDeviceName('x')).rejects.toMatchObject(refused);
      await expect(locked.pool.lock('another passphrase')).rejects.toMatchObject(refused);
      await expect(locked.pool.invite()).rejects.toMatchObject(refused);
      expect(() => locked.pool.policy()).toThrow(expect.objectContaining(refused));
      await expect(locked.pool.unlock('wrong')).rejects.toMatchObject({ code: 'wrong-passphrase' });
    }
    await world.until('the others see it gone', () => reachableCount(other) === 2);

    await world.settled('unlock', locked.pool.unlock(WORDS));
    expect(locked.pool.status()).toMatchObject({ lock: 'unlocked', device: named });
    await world.until('linked again', () => reachableCount(other) === 3);
    const read = await world.settled('read', locked.read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);

    await world.settled('lock again', locked.pool.lock());
    await expect(locked.pool.unlock('wrong', { remove: true })).rejects.toMatchObject({
      code: 'wrong-passphrase',
    });
    await world.settled('remove the lock', locked.pool.unlock(WORDS, { remove: true }));
    expect(locked.pool.status().lock).toBe('none');
    locked.kill();
    await locked.reopen();
    expect(locked.pool.status()).toMatchObject({ lock: 'none', device: named });
  },
);

scenario(
  'a locked device leaves its pool without the passphrase, and joins as another',
  [911],
  async ({ world, pool }) => {
    const devices = await pool(2);
    const [other, locked] = [first(devices), first(devices, 1)];
    await world.settled('store', locked.put(world.random.bytes(9_000), { name: 'kept' }));
    await world.settled('lock', locked.pool.lock(WORDS));
    locked.kill();
    await locked.reopen();
    await world.settled('leave', locked.pool.leave());
    const { fragments, blocks, entryIds, unfinished } = locked.store.contents();
    expect({ fragments, blocks: blocks.size, entryIds, unfinished }).toEqual({
      fragments: [],
      blocks: 0,
      entryIds: [],
      unfinished: [],
    });
    expect(locked.pool.status().lock).toBe('none');
    await world.settled('join', locked.pool.join(openInviteOf(other)));
    await world.settled('lock again', locked.pool.lock(WORDS));
    await world.settled('unlock', locked.pool.unlock(WORDS, { remove: true }));
    await world.until('linked', () => reachableCount(locked) >= 2);
    expect(await locked.store.lock.state()).toBe('none');
  },
);

scenario('a lock that cannot be written leaves the pool open', [921], async ({ world, pool }) => {
  const devices = await pool(2);
  const device = first(devices, 1);
  const real = device.store.lock.close.bind(device.store.lock);
  const full = new Error('full');
  device.store.lock.close = () => Promise.reject(full);
  const failing = device.pool.lock(WORDS);
  failing.catch(() => undefined);
  await world.pass(10_000);
  await expect(failing).rejects.toThrow('full');
  expect(device.pool.status().lock).toBe('none');
  await world.until('linked again', () => reachableCount(device) === 2);
  device.store.lock.close = real;
});
