// The record of a pool: all devices tell the same one, and what a member did to them stays on each of them,
// also after a restart.

import { expect } from 'vitest';
import type { PoolRecord } from '../../src/runtime/record-api.ts';
import { sameCatalogues } from './checks.ts';
import type { SimDevice } from './device.ts';
import { HostileMember } from './hostile-member.ts';
import { first, scenario } from './scenario.ts';

scenario('every device tells the same record, in the same order', [931, 932], async ({ world, pool }) => {
  const devices = await pool(3);
  for (let count = 0; count < 12; count++) {
    const device = first(devices, world.random.below(3));
    const put = device.put(world.random.bytes(300), { name: `file ${count}` });
    const { fileId } = await world.settled('store', put);
    if (count % 4 === 0) await world.settled('remove', device.pool.remove(fileId));
  }
  await world.until('all know all', () => sameCatalogues(devices));
  const reading = Promise.all(devices.map((device) => wholeRecord(device)));
  const records = await world.settled('read the records', reading);
  const [one = [], ...others] = records;
  for (const other of others) expect(other).toEqual(one);
  expect(one.map(({ kind }) => kind).filter((kind) => kind === 'file')).toHaveLength(12);
  expect(one.map(({ kind }) => kind).filter((kind) => kind === 'remove')).toHaveLength(3);
  expect(one.every(({ state }) => state === 'verified')).toBe(true);
  expect(one.find(({ kind }) => kind === 'file')?.fileName).toBe('file 0');
  const exported = await (await first(devices).pool.exportRecord()).text();
  expect(exported.trimEnd().split('\n')).toHaveLength(one.length + 2);
});

scenario(
  'what a member did stays in the record of each device, after a restart as well',
  [941],
  async ({ world, network, pool }) => {
    const [device] = await pool(2);
    if (device === undefined) throw new Error('expected a pool of two');
    const eventsOf = async () => (await world.settled('record', device.pool.record())).events;
    expect(await eventsOf()).toEqual([]);
    const hostile = new HostileMember(world, network, device);
    hostile.open();
    await world.until('linked', () => hostile.linked.has(device.id));
    await hostile.introduceItself();
    await world.pass(500);
    for (let count = 0; count < 3; count++)
      hostile.send(device.id, { kind: 'entries', entries: [world.random.bytes(90)], more: false });
    await world.pass(5_000);
    const events = await eventsOf();
    expect(events).toMatchObject([{ kind: 'forged-records', deviceId: hostile.id, count: 3 }]);
    device.kill();
    await device.reopen();
    expect(await eventsOf()).toEqual(events);
  },
);

async function wholeRecord({ pool }: SimDevice): Promise<PoolRecord['items']> {
  const items: PoolRecord['items'][number][] = [];
  let before: string | undefined;
  do {
    const page = await pool.record({ limit: 4, ...(before === undefined ? {} : { before }) });
    expect(page.items.length).toBeLessThanOrEqual(4);
    items.unshift(...page.items);
    before = page.earlier;
  } while (before !== undefined);
  return items;
}
