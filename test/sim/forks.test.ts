// A hostile member that forks its log: honest devices keep the same of it, say so, and carry on.

import { expect } from 'vitest';
import { MAX_HYBRID_COUNT, MAX_HYBRID_MS } from '../../src/core/catalogue/clock.ts';
import { decodeEntry } from '../../src/core/catalogue/entry.ts';
import { decodeMessage } from '../../src/core/wire/messages.ts';
import { entriesOn, sameCatalogues } from './checks.ts';
import type { SimDevice } from './device.ts';
import { expectMisdeed, expectWorks, poolWithHostile } from './hostile-pool.ts';
import { first, scenario, type Simulation } from './scenario.ts';

scenario(
  'a record at the end of time, a forked log and an orphan keep no device from continuing or agreeing',
  [421, 422],
  async (simulation) => {
    const { world } = simulation;
    const { honest, hostile } = await poolWithHostile(simulation);
    const late = await hostile.entry(
      { kind: 'pool', name: 'mine now' },
      { at: { ms: MAX_HYBRID_MS, count: MAX_HYBRID_COUNT } },
    );
    const branches = [[late], [late]];
    for (const branch of branches) {
      const plan: { seq?: number; prev?: undefined } = { seq: 1, prev: undefined };
      branch.push(await hostile.entry({ kind: 'profile', name: `branch ${world.random.below(1e6)}` }, plan));
      for (let index = 0; index < 90; index++) {
        branch.push(await hostile.entry({ kind: 'profile', name: `entry ${index}` }));
      }
    }
    const [one, other] = [first(honest), first(honest, 1)];
    for (const [device, branch] of [
      [one, first(branches)],
      [other, first(branches, 1)],
    ] as const) {
      for (let at = 0; at < branch.length; at += 64) {
        hostile.send(device.id, { kind: 'entries', entries: branch.slice(at, at + 64), more: false });
      }
    }
    // One without the entries before it.
    hostile.send(first(honest, 2).id, {
      kind: 'entries',
      entries: [await hostile.entry({ kind: 'profile', name: 'orphan' }, { seq: 1_000 })],
      more: false,
    });
    await world.pass(1_000);
    hostile.vanish();
    await world.until('both branches are with all', () => sameCatalogues(honest));
    for (const device of honest) {
      expect(device.pool.status().pool?.name).not.toBe('mine now');
      expectMisdeed(device, 'future-name');
      expectMisdeed(device, 'forked-log');
    }
    await world.settled('rename', one.pool.setDeviceName('still here'));
    await expectWorks(simulation, honest);
    await world.until('and they agree', () => sameCatalogues(honest));
  },
);

scenario(
  'a log that forks endlessly is kept the same everywhere, within bounds, and devices stop asking for it',
  [427, 429, 431, 443],
  async (simulation) => {
    const { world, network } = simulation;
    const { honest, hostile } = await poolWithHostile(simulation);
    const trunk = await hostile.entry({ kind: 'profile', name: 'hydra' });
    const { entryId: prev, seq } = decodeEntry(trunk);
    for (const device of honest) hostile.send(device.id, { kind: 'entries', entries: [trunk], more: false });
    for (let index = 0; index < 200; index++) {
      const head = await hostile.entry({ kind: 'profile', name: `head ${index}` }, { seq: seq + 1, prev });
      const next = await hostile.entry({ kind: 'pool', name: `pool ${index}` });
      // Each is given to one of them, and some to none whole.
      const entries = index % 5 === 0 ? [next] : [head, next];
      hostile.send(first(honest, index % honest.length).id, { kind: 'entries', entries, more: false });
      if (index % 20 === 0) await world.pass(3_000);
    }
    hostile.vanish();
    await untilSameRecords(simulation, honest);
    await world.pass(12_000);
    const asked: string[] = [];
    network.onDelivery = (_from, to, bytes) => {
      const { kind } = decodeMessage(bytes).message;
      if (kind === 'sync' || kind === 'entries') asked.push(`${kind} to ${to}`);
    };
    await world.pass(60_000);
    expect(asked).toEqual([]);
    // What is kept of it is its trunk and eight branches of two. On the disk, entries that were let go of may
    // wait in a bundle until half of it is such.
    const [kept = []] = await untilSameRecords(simulation, honest);
    expect(kept.length).toBeLessThanOrEqual(seq + 16 + 2 * honest.length + 1);
    for (const device of honest) {
      expect(entriesOn(device)).toEqual(expect.arrayContaining(kept));
      expectMisdeed(device, 'overfull-log', /^head \d+$/);
    }
    first(honest, 1).kill();
    await first(honest, 1).reopen();
    expect(await untilSameRecords(simulation, honest)).toContainEqual(kept);
    await expectWorks(simulation, honest);
  },
);

/** The ids of the entries and acts that each device keeps, once these are the same everywhere. */
async function untilSameRecords({ world }: Simulation, devices: readonly SimDevice[]): Promise<string[][]> {
  for (let second = 0; second < 120; second++) {
    const kept: string[][] = [];
    for (const { pool } of devices) {
      const { items } = await world.settled('record', pool.record({ limit: 1_000 }));
      kept.push(items.map(({ entryId }) => entryId).toSorted());
    }
    if (new Set(kept.map((ids) => ids.join(' '))).size === 1) return kept;
    await world.pass(1_000);
  }
  throw new Error(`seed ${world.seed}: the records differ after two minutes`);
}
