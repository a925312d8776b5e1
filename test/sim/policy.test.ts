// A pool's policy: parts that are set apart are all kept, and new files follow it.

import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { DEFAULT_POLICY } from '../../src/core/model/policy.ts';
import { settledOutboxes } from './checks.ts';
import type { SimDevice } from './device.ts';
import { first, scenario } from './scenario.ts';

scenario(
  'what two parts of a pool set while they were apart is one policy after they meet, also after a restart',
  [1_460, 1_461, 1_462],
  async ({ world, network, pool }) => {
    const devices = await pool(4);
    const [one, other] = [first(devices), first(devices, 3)];
    network.partition((id) => devices.findIndex((device) => device.id === id) % 2);
    const [here, there] = [first(devices, world.random.below(2) * 2), first(devices, 1)];
    await world.settled('set', here.pool.setPolicy({ graceMs: { phone: 60_000 }, n: 6, repairShare: 0.5 }));
    await world.pass(1_000 + world.random.below(60_000));
    await world.settled(
      'set elsewhere',
      there.pool.setPolicy({ graceMs: { laptop: 30_000 }, repairShare: 0.3, k: 3 }),
    );
    await world.pass(20_000);
    const { graceMs } = DEFAULT_POLICY;
    expect(one.pool.policy()).toEqual({ graceMs: { ...graceMs, phone: 60_000 }, repairShare: 0.5, n: 6 });
    expect(other.pool.policy()).toEqual({ graceMs: { ...graceMs, laptop: 30_000 }, repairShare: 0.3, k: 3 });

    network.heal();
    // Which share is the later one depends on their clocks, which differ; all must see the same.
    const merged = [0.3, 0.5].map((repairShare) => ({
      graceMs: { ...graceMs, phone: 60_000, laptop: 30_000 },
      repairShare,
      k: 3,
      n: 6,
    }));
    const isMerged = (): boolean =>
      merged.some((policy) => devices.every((device) => isDeepStrictEqual(device.pool.policy(), policy)));
    await world.until('merged', isMerged);
    await world.pass(2_000);
    const before = other.pool.policy();
    other.kill();
    await other.reopen();
    expect(other.pool.policy()).toEqual(before);

    const { fileId } = await world.settled('store', one.put(world.random.bytes(5_000), { name: 'usual' }));
    expect(one.fileStatus(fileId)).toMatchObject({ k: 3, n: 6 });
    const asked = await world.settled(
      'store',
      one.put(world.random.bytes(5_000), { name: 'asked', n: 4, k: 2 }),
    );
    expect(one.fileStatus(asked.fileId)).toMatchObject({ k: 2, n: 4 });
    await world.until('placed', () => settledOutboxes(devices));
  },
);

scenario('a change that cannot be kept is refused, and changes nothing', [1_465], async ({ world, pool }) => {
  const devices = await pool(2);
  const setting = first(devices).pool.setPolicy({ graceMs: { phone: 60_000, laptop: 9_999 } });
  await expect(world.settled('set', setting)).rejects.toMatchObject({ code: 'bad-argument' });
  await world.settled('set nothing', first(devices).pool.setPolicy({}));
  for (const device of devices) expect(device.pool.policy()).toEqual(DEFAULT_POLICY);
  // What a caller does to its copy stays its own.
  Object.assign(first(devices).pool.policy().graceMs, { phone: 1 });
  expect(first(devices).pool.policy()).toEqual(DEFAULT_POLICY);
});

scenario(
  'a shorter grace counts at once, for devices that are away already',
  [1_467],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const [one, other, killed] = [first(devices), first(devices, 1), first(devices, 2)];
    const stateOf = (viewer: SimDevice) =>
      viewer.pool.status().devices.find(({ id }) => id === killed.id)?.state;
    const { fileId } = await world.settled('store', one.put(world.random.bytes(5_000), { name: 'kept' }));
    await world.until('placed', () => settledOutboxes(devices));
    await world.pass(5_000);
    const before = one.fileStatus(fileId);
    killed.kill();
    await world.pass(300_000);
    expect([one, other].map(stateOf)).not.toContain('gone');
    // While it is away its fragments are out of reach, and not lost.
    const { reach, durable, durableMargin } = one.fileStatus(fileId) ?? {};
    expect([durable, durableMargin]).toEqual([8, before?.margin]);
    expect(reach).toBeLessThan(8);
    const graceMs = { alwaysOn: 10_000, laptop: 10_000, phone: 10_000 };
    await world.settled('set', one.pool.setPolicy({ graceMs }));
    await world.until('gone', () => [one, other].every((viewer) => stateOf(viewer) === 'gone'), 20_000);
    expect(one.fileStatus(fileId)).toMatchObject({ reach, durable: reach });
    expect(one.fileStatus(fileId)?.durableMargin).toBe(one.fileStatus(fileId)?.margin);
    await killed.reopen();
    await world.until('back', () => [one, other].every((viewer) => stateOf(viewer) === 'reachable'));

    // Told on each device, and still after a restart.
    const name = killed.pool.status().device.name;
    await world.pass(5_000);
    other.kill();
    await other.reopen();
    for (const viewer of [one, other]) {
      const { activity } = viewer.pool.status();
      expect(activity.map(({ id, kind }) => [id, kind])).toEqual([
        [1, 'policy-changed'],
        [2, 'device-gone'],
        [3, 'device-back'],
      ]);
      expect(activity[0]?.text).toContain(`"isSelf":${viewer === one}`);
      expect(activity[1]?.text).toContain(name);
    }
  },
);
