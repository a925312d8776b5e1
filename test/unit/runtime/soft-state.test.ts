// What a device remembers between visits is written when it changed, not whenever anything happens: a quiet
// pool leaves its disks alone.

import { expect, test } from 'vitest';
import { Peer } from '../../../src/core/peer/peer.ts';
import { packFragments } from '../../../src/core/placement/fragment-set.ts';
import { ActivityList } from '../../../src/runtime/activity/activity-list.ts';
import { SoftState } from '../../../src/runtime/soft-state.ts';
import { ManualClock } from '../../fixtures/manual-clock.ts';
import { deviceAt, fileIdAt } from '../../fixtures/pool-fixture.ts';
import { createMemoryStore } from '../../sim/memory-store.ts';

const SAVE_MS = 2_000;
const SAVE_MEMBERS_MS = 30_000;

test('a save writes what changed, and nothing else', async () => {
  const clock = new ManualClock();
  const store = createMemoryStore();
  const saved: string[] = [];
  const records = {
    ...store.records,
    putMeta: async (name: string) => {
      saved.push(name);
    },
  };
  const peer = new Peer(deviceAt(0).deviceId, 1);
  const soft = new SoftState({ clock, records }, peer, new ActivityList(), (work) => void work);
  const pass = async (ms: number): Promise<string[]> => {
    saved.length = 0;
    for (let passedMs = 0; passedMs < ms; passedMs += 500) {
      soft.changed();
      clock.advance(500);
      await new Promise(setImmediate);
    }
    return [...new Set(saved)];
  };
  const hear = (): void => {
    const held = [{ file: fileIdAt(1), fragments: packFragments([1]) }];
    const delta = { base: 0, held, heldBytes: 1, freeBytes: 1 };
    peer.holdings.apply(deviceAt(1).deviceId, delta, clock.wallMs());
  };

  expect(await pass(SAVE_MS + 1_000)).toEqual(['members']);
  expect(await pass(SAVE_MEMBERS_MS - 5_000)).toEqual([]);
  expect(await pass(10_000)).toEqual(['members']);
  hear();
  expect(await pass(SAVE_MS - 500)).toEqual([]);
  expect(await pass(1_000)).toEqual(['holdings']);
  expect(await pass(SAVE_MEMBERS_MS - 10_000)).toEqual([]);
});
