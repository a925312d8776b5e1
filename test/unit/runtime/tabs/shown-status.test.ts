// What a tab shows of its device: worked out once for all who listen, and never older than what they did.

import { beforeEach, describe, expect, it } from 'vitest';
import { TabWorld, type TestTab } from '../../../fixtures/tab-world.ts';

let first: TestTab;

beforeEach(async () => {
  const world = new TabWorld();
  first = world.open();
  await first.palm.ready;
  await world.open().palm.ready;
});

describe('what is shown', () => {
  it('is worked out once for a change, however many listen', () => {
    first.device.statusCount = 0;
    first.device.changed();
    const aloneCount = first.device.statusCount;
    const seen: unknown[] = [];
    for (let at = 0; at < 5; at++) first.palm.subscribe(() => seen.push(first.palm.status()));
    first.device.statusCount = 0;
    first.device.changed();
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(1);
    expect(first.device.statusCount).toBe(aloneCount);
  });

  it('is worked out again for a listener that had the device do something', () => {
    const seen: unknown[] = [];
    first.palm.subscribe(() => {
      first.device.lock = 'unlocked';
      first.palm.cancel('transfer');
      seen.push(first.palm.status().lock);
    });
    first.palm.subscribe(() => seen.push(first.palm.status().lock));
    first.device.changed();
    first.device.lock = 'none';
    expect([...seen, first.palm.status().lock]).toEqual(['unlocked', 'unlocked', 'none']);
  });
});
