// Files of which every copy was found damaged: nobody claims them, and what survives of it on a disk is the
// list of the damaged ones.

import { describe, expect, it } from 'vitest';
import { lackingFiles } from '../../../../src/core/repair/repair-plan.ts';
import { indicesOf } from '../../../fixtures/erasure-oracle.ts';
import { itemAt } from '../../../fixtures/pool-fixture.ts';
import { DEVICES, started, World } from '../../../fixtures/repair-world.ts';

const HOUR_MS = 3_600_000;
const NOBODY = undefined;

describe('a file that nobody claims', () => {
  it('waits for its storer, which has just published it', () => {
    const world = new World();
    world.add(1, 2, [NOBODY, NOBODY, NOBODY, NOBODY]);
    expect(DEVICES.flatMap((_, at) => started(world.plan(at), HOUR_MS))).toEqual([]);
    expect(lackingFiles(world.view(0))).toEqual([]);
  });

  it('is repaired by a page that never saw a claim, if damaged copies lie on its disk', () => {
    const world = new World();
    const file = world.add(1, 2, [NOBODY, NOBODY, NOBODY, NOBODY]);
    world.damaged.add(file);
    expect(lackingFiles(world.view(0))).toEqual([{ file, missingCount: 4 }]);
    const begun = DEVICES.map((_, at) => started(world.plan(at), 5_000).length);
    expect(begun.filter((count) => count > 0)).toHaveLength(1);
  });

  it('is repaired with a share for the repairer, so that the others see that somebody has some of it', () => {
    for (const at of indicesOf(DEVICES.length)) {
      const world = new World();
      const file = world.add(1, 2, [NOBODY, NOBODY, NOBODY, NOBODY]);
      world.damaged.add(file);
      const [repair] = started(world.plan(at), HOUR_MS);
      expect(repair?.homes.size).toBe(4);
      expect([...(repair?.homes.values() ?? [])]).toContain(itemAt(DEVICES, at));
    }
  });
});
