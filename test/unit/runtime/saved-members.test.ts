// What this device knows of members outlives its page, also rows of versions that learned no graces.

import { describe, expect, it } from 'vitest';
import { Membership } from '../../../src/core/membership/membership.ts';
import { readMembers, saveMembers } from '../../../src/runtime/saved-members.ts';
import { createMemoryStore } from '../../sim/memory-store.ts';
import { deviceAt } from '../../fixtures/pool-fixture.ts';

const HOUR_MS = 3_600_000;
const WALL_MS = 1_800_000_000_000;
const SELF = deviceAt(0).deviceId;
const FRIEND = deviceAt(1).deviceId;
const RULES = { graceMs: () => 24 * HOUR_MS, isGraceSet: () => false };

function opened(membership: Membership): Membership {
  membership.tell(0, WALL_MS);
  membership.know([SELF, FRIEND]);
  return membership;
}

/** What the next page makes of `row`, a member of an earlier one. */
async function restored(row: readonly unknown[]): Promise<{ membership: Membership; droppedCount: number }> {
  const { records } = createMemoryStore();
  await records.putMeta('members', [WALL_MS, [row]]);
  const membership = new Membership(SELF, 'laptop', RULES);
  const droppedCount = (await readMembers(records))(membership);
  return { membership: opened(membership), droppedCount };
}

describe('members of an earlier page', () => {
  it('keep the grace that was learned', async () => {
    const { records } = createMemoryStore();
    const membership = opened(new Membership(SELF, 'laptop', RULES));
    membership.told({ kind: 'relay', isConnected: true });
    membership.tell(60 * HOUR_MS, WALL_MS + 60 * HOUR_MS);
    membership.greeted(FRIEND);
    await saveMembers(records, membership);
    const next = new Membership(SELF, 'laptop', RULES);
    expect((await readMembers(records))(next)).toBe(0);
    expect(opened(next).of(FRIEND).graceMs).toBe(120 * HOUR_MS);
  });

  it('keep the days on which they were met, also none of versions that wrote no days', async () => {
    const { records } = createMemoryStore();
    const rows = [[FRIEND, false, WALL_MS, 0, false, null]];
    const after = async (kept: unknown): Promise<boolean> => {
      await records.putMeta('members', kept);
      const membership = new Membership(SELF, 'laptop', RULES);
      expect((await readMembers(records))(membership)).toBe(0);
      const { meetsRarely } = opened(membership);
      await saveMembers(records, membership);
      return meetsRarely;
    };
    expect(await after([WALL_MS, rows, [20_000, 20_014, 20_028, 20_042]])).toBe(true);
    expect(await after(await records.getMeta('members'))).toBe(true);
    expect(await after([WALL_MS, rows])).toBe(false);
  });

  it.each([[[-1]], [[0.5]], [['today']], [[1, 2, 3, 4, 5]], ['often']])(
    'count as heard of now with the damaged days %j',
    async (days) => {
      const { records } = createMemoryStore();
      await records.putMeta('members', [WALL_MS, [], days]);
      expect((await readMembers(records))(new Membership(SELF, 'laptop', RULES))).toBe(1);
    },
  );

  it('count also for a page that was told the time before it read them', async () => {
    const { records } = createMemoryStore();
    await records.putMeta('members', [WALL_MS, [[FRIEND, true, WALL_MS, 0, false, null, 0, 0, true]]]);
    const membership = opened(new Membership(SELF, 'laptop', RULES));
    (await readMembers(records))(membership);
    expect(membership.of(FRIEND).state).toBe('gone');
    expect(membership.isEvictable(FRIEND)).toBe(true);
  });

  it('have the grace of their class, if the version before learned none', async () => {
    const { membership, droppedCount } = await restored([FRIEND, true, WALL_MS, 0, false, null]);
    expect(droppedCount).toBe(0);
    expect(membership.of(FRIEND)).toMatchObject({ state: 'gone', graceMs: 24 * HOUR_MS });
  });

  it('are still evictable, and last if the version before knew of no such devices', async () => {
    const { records } = createMemoryStore();
    const membership = opened(new Membership(SELF, 'laptop', RULES));
    membership.saysEvictable(FRIEND, true);
    await saveMembers(records, membership);
    const next = new Membership(SELF, 'laptop', RULES);
    expect((await readMembers(records))(next)).toBe(0);
    expect(opened(next).isEvictable(FRIEND)).toBe(true);
    const row = [FRIEND, true, WALL_MS, 0, false, null, 0, 0];
    expect((await restored(row)).membership.isEvictable(FRIEND)).toBe(false);
    expect((await restored([...row, 'yes'])).droppedCount).toBe(1);
    expect((await restored([...row, true, 0, 0])).droppedCount).toBe(1);
  });

  it.each([-1, 0.5, 1e12, 'long', null])('are dropped with a longest silence of %s', async (longestMs) => {
    const { droppedCount } = await restored([FRIEND, true, WALL_MS, 0, false, null, 0, longestMs]);
    expect(droppedCount).toBe(1);
  });
});
