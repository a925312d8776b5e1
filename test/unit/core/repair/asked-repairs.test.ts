// Repairs that wait for no further loss: those that a person asks for, and those of a pool that meets rarely.

import { describe, expect, it } from 'vitest';
import { lackingFiles } from '../../../../src/core/repair/repair-plan.ts';
import { itemAt } from '../../../fixtures/pool-fixture.ts';
import { DEVICES, started, World } from '../../../fixtures/repair-world.ts';

describe('in a pool that meets rarely', () => {
  it('restores the one missing fragment in this meeting, whose turn it is', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 1, 2, 3, 4, 5, 6, 7]);
    world.gone.add(itemAt(DEVICES, 7));
    expect(DEVICES.flatMap((_, at) => started(world.plan(at), 200_000))).toEqual([]);
    world.meetsRarely = true;
    const begun = DEVICES.slice(0, 7).flatMap((_, at) => started(world.plan(at), 30_000));
    expect(begun.map((each) => [each.file, [...each.homes.keys()]])).toEqual([[file, [7]]]);
  });

  it('leaves whole files alone', () => {
    const world = new World();
    world.add(1, 4, [0, 1, 2, 3, 4, 5, 6, 7]);
    world.meetsRarely = true;
    expect(DEVICES.flatMap((_, at) => started(world.plan(at), 200_000))).toEqual([]);
  });
});

describe('when a person asks', () => {
  it('restores the one missing fragment at once, whoever’s turn it is, and then waits as ever', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 1, 2, 3, 4, 5, 6, 7]);
    const whole = world.add(2, 4, [0, 1, 2, 3, 4, 5, 6, 8]);
    world.gone.add(itemAt(DEVICES, 7));
    const plan = world.plan(5);
    expect(started(plan, 600_000)).toEqual([]);
    expect(lackingFiles(world.view(5))).toEqual([{ file, missingCount: 1 }]);
    const [asked, ...others] = started(plan, 601_000, 601_000, { kind: 'asked' });
    expect(others).toEqual([]);
    expect(asked).toMatchObject({ file, atMs: 601_000 });
    expect([...(asked?.homes.keys() ?? [])]).toEqual([7]);
    expect(file).not.toBe(whole);
    // It failed: what nobody asks for again waits for a further loss.
    expect(started(plan, 1_200_000, 602_000, { kind: 'ended', file, outcome: 'failed' })).toEqual([]);
  });

  it('touches nothing that cannot be gathered, is being placed, or waits for the battery', () => {
    const world = new World();
    const [lost, placed, spared] = [1, 2, 3].map((index) =>
      world.add(index, 4, [0, 1, 2, 3, 4, 5, 6, undefined]),
    );
    if (lost === undefined || placed === undefined || spared === undefined) throw new Error('no files');
    for (const at of [1, 2, 3, 4, 5]) world.unreachable.add(itemAt(DEVICES, at));
    world.holders.set(
      spared,
      new Map([
        [itemAt(DEVICES, 0), new Set([0, 1, 2])],
        [itemAt(DEVICES, 6), new Set([3])],
      ]),
    );
    world.placing.add(placed);
    const plan = world.plan(0);
    plan.handle(0, { kind: 'paused', isPaused: true });
    expect(started(plan, 20_000, 10_000, { kind: 'asked' })).toEqual([]);
    const later = started(plan, 60_000, 30_000, { kind: 'paused', isPaused: false });
    expect(later.map(({ file }) => file)).toEqual([spared]);
  });
});
