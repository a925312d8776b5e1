// Repair's decisions: when a file is repaired, by whom, and where to; never more than the cap allows.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heldBytesOf, quorumOf } from '../../../../src/core/model/geometry.ts';
import type { DeviceId, FileId } from '../../../../src/core/model/ids.ts';
import { fragmentCap } from '../../../../src/core/model/limits.ts';
import { MAX_REPAIRS, type RepairEffect, type RepairPlan } from '../../../../src/core/repair/repair-plan.ts';
import { indicesOf } from '../../../fixtures/erasure-oracle.ts';
import { itemAt } from '../../../fixtures/pool-fixture.ts';
import { DEVICES, started, World, type Rebuild } from '../../../fixtures/repair-world.ts';

const SETTLE_MS = 10_000;
const TAKEOVER_MS = 60_000;
/** Longer than any file of these tests takes at the speed of a slow repairer. */
const PATIENCE_MS = TAKEOVER_MS + 1_000;

/** Until every device had its turn. */
function everStarted(plan: RepairPlan): readonly Rebuild[] {
  return started(plan, 12 * PATIENCE_MS, 0, { kind: 'changed' }, 20_000);
}

const pool = fc
  .record({ k: fc.integer({ min: 1, max: 6 }), spare: fc.integer({ min: 0, max: 6 }) })
  .chain(({ k, spare }) =>
    fc.record({
      k: fc.constant(k),
      heldBy: fc.array(fc.option(fc.nat(9), { nil: undefined }), {
        minLength: k + spare,
        maxLength: k + spare,
      }),
      gone: fc.uniqueArray(fc.nat(9), { maxLength: 5 }),
      unreachable: fc.uniqueArray(fc.nat(9), { maxLength: 2 }),
      room: fc.array(fc.nat(4), { minLength: 10, maxLength: 10 }),
    }),
  );

function worldOf(drawn: {
  k: number;
  heldBy: (number | undefined)[];
  gone: number[];
  unreachable: number[];
  room: number[];
}): { world: World; file: FileId } {
  const world = new World();
  const file = world.add(1, drawn.k, drawn.heldBy);
  for (const at of drawn.gone) world.gone.add(itemAt(DEVICES, at));
  for (const at of drawn.unreachable) world.unreachable.add(itemAt(DEVICES, at));
  const manifest = world.files.get(file);
  for (const [at, count] of drawn.room.entries())
    world.freeBytes.set(itemAt(DEVICES, at), count * (manifest === undefined ? 0 : heldBytesOf(manifest)));
  return { world, file };
}

describe('whatever the pool looks like', () => {
  it('a repair gives no device more than the cap, nor more than it has room for', () => {
    fc.assert(
      fc.property(pool, (drawn) => {
        const { world, file } = worldOf(drawn);
        for (const at of indicesOf(10)) {
          for (const { homes } of everStarted(world.plan(at))) {
            const given = new Map<DeviceId, number>();
            for (const device of homes.values()) given.set(device, (given.get(device) ?? 0) + 1);
            for (const [device, count] of given) {
              const held = world.holdersOf(file).get(device)?.size ?? 0;
              expect(held + count).toBeLessThanOrEqual(fragmentCap(drawn.k));
              expect(count).toBeLessThanOrEqual(itemAt(drawn.room, DEVICES.indexOf(device)));
              expect(world.gone.has(device) || world.unreachable.has(device)).toBe(false);
            }
            expect(homes.size).toBeLessThanOrEqual(itemAt(drawn.room, at));
          }
        }
      }),
    );
  });

  it('exactly the files are repaired that lost half of their spare fragments, and only what is missing', () => {
    fc.assert(
      fc.property(pool, (drawn) => {
        const { world, file } = worldOf(drawn);
        const manifest = world.files.get(file);
        const claims = world.holdersOf(file);
        const counted = [...claims].filter(
          ([device, held]) => !world.gone.has(device) && held.size <= fragmentCap(drawn.k),
        );
        const durable = new Set(counted.flatMap(([, held]) => [...held]));
        const isStoring = (claims.get(itemAt(DEVICES, 9))?.size ?? 0) > fragmentCap(drawn.k);
        const isPlaced = isStoring && !world.gone.has(itemAt(DEVICES, 9));
        for (const at of indicesOf(10)) {
          for (const { homes, lostWith } of everStarted(world.plan(at))) {
            expect(isPlaced).toBe(false);
            expect(durable.size).toBeLessThanOrEqual(quorumOf(manifest ?? { k: 0, n: 0 }));
            for (const fragment of homes.keys()) expect(durable.has(fragment)).toBe(false);
            for (const device of lostWith) expect(world.gone.has(device)).toBe(true);
          }
        }
      }),
    );
  });

  it('one device begins, and nobody else while its turn lasts', () => {
    fc.assert(
      fc.property(pool, (drawn) => {
        const { world } = worldOf({ ...drawn, unreachable: [], room: drawn.room.map(() => 99) });
        const repairs = indicesOf(10)
          .filter((at) => !world.gone.has(itemAt(DEVICES, at)))
          .map((at) => started(world.plan(at), TAKEOVER_MS - 1_000).length);
        const beginners = repairs.filter((count) => count > 0).length;
        expect(beginners).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('4 of 8 on eight devices', () => {
  it('waits with one fragment lost, and rebuilds both once a second is', () => {
    const world = new World();
    world.add(1, 4, [0, 1, 2, 3, 4, 5, 6, 7]);
    world.gone.add(itemAt(DEVICES, 7));
    const plans = indicesOf(7).map((at) => world.plan(at));
    expect(plans.flatMap((plan) => started(plan, 600_000))).toEqual([]);
    world.gone.add(itemAt(DEVICES, 6));
    const repairs = plans.slice(0, 6).flatMap((plan) => started(plan, 630_000, 601_000));
    expect(repairs.map(({ homes }) => [...homes.keys()])).toEqual([[6, 7]]);
    // Losses that belong together come within moments.
    expect(repairs[0]?.atMs).toBe(601_000 + SETTLE_MS);
  });

  it('begins within moments when one more loss would leave no spare fragment', () => {
    const world = new World();
    world.add(1, 4, [0, 1, 2, 3, 4, undefined, undefined, undefined]);
    const [first] = indicesOf(5).flatMap((at) => started(world.plan(at), 5_000));
    expect(first?.atMs).toBe(2_000);
  });

  it('is left to its storer while that places it, and repaired when the storer is gone', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 1, 2, 3, 4, undefined, undefined, undefined]);
    world.holders.get(file)?.set(itemAt(DEVICES, 9), new Set(indicesOf(8)));
    const plans = indicesOf(5).map((at) => world.plan(at));
    expect(plans.flatMap((plan) => started(plan, 600_000))).toEqual([]);
    world.gone.add(itemAt(DEVICES, 9));
    expect(plans.flatMap((plan) => started(plan, 610_000, 601_000))).toHaveLength(1);
  });

  it('is not repaired by a device that itself still places it and has all copies', () => {
    const world = new World();
    world.placing.add(world.add(1, 4, [0, 0, 0, 0, 0, 0, 0, 0]));
    expect(started(world.plan(0), 600_000)).toEqual([]);
  });

  it('waits for who is doubted to be asked again, while that gives what it is asked for, for minutes at most', () => {
    const doubtedSince = (givenMs: number): World => {
      const world = new World();
      const file = world.add(1, 4, [0, 0, 0, 3, 4, 5, undefined, undefined]);
      world.askedAgain.set(file, givenMs);
      return world;
    };
    const startOf = (world: World): number | undefined => started(world.plan(0), 600_000)[0]?.atMs;
    expect(startOf(doubtedSince(-Infinity))).toBe(30_000);
    expect(startOf(doubtedSince(25_000))).toBe(55_000);
    expect(startOf(doubtedSince(Infinity))).toBe(300_000);
  });

  it('has its repair cancelled when the lost devices return before it is rebuilt', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 0, 0, 3, 4, 5, 6, 7]);
    world.gone.add(itemAt(DEVICES, 7)).add(itemAt(DEVICES, 6));
    const plan = world.plan(0);
    expect(started(plan, 20_000)).toHaveLength(1);
    world.gone.clear();
    expect(plan.handle(21_000, { kind: 'changed' })).toEqual([{ kind: 'cancel', file, isPause: false }]);
    expect(plan.handle(22_000, { kind: 'changed' })).toEqual([]);
  });

  it('keeps what is rebuilt already when the lost devices return', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 0, 0, 3, 4, 5, 6, 7]);
    world.gone.add(itemAt(DEVICES, 7)).add(itemAt(DEVICES, 6));
    const plan = world.plan(0);
    started(plan, 20_000);
    plan.handle(20_500, { kind: 'rebuilt', file });
    world.gone.clear();
    expect(plan.handle(21_000, { kind: 'changed' })).toEqual([]);
  });

  it('has even a rebuilt repair cancelled when its storer returns and places all of it', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 0, 0, 3, 4, 9, 9, 9]);
    const storer = itemAt(DEVICES, 9);
    world.gone.add(storer);
    const plan = world.plan(0);
    expect(started(plan, 20_000)).toHaveLength(1);
    plan.handle(20_500, { kind: 'rebuilt', file });
    world.holders.get(file)?.set(storer, new Set(indicesOf(8)));
    expect(plan.handle(21_000, { kind: 'changed' })).toEqual([]);
    world.gone.clear();
    expect(plan.handle(22_000, { kind: 'changed' })).toEqual([{ kind: 'cancel', file, isPause: false }]);
    expect(plan.handle(23_000, { kind: 'changed' })).toEqual([]);
  });
});

describe('the repairer', () => {
  it('is who holds most', () => {
    const world = new World();
    world.add(1, 4, [0, 1, 1, 2, 3, undefined, undefined, undefined]);
    const beginners = indicesOf(4).filter((at) => started(world.plan(at), 20_000).length > 0);
    expect(beginners).toEqual([1]);
  });

  it('is replaced when no fragment comes back for a while, and not as long as some do', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 1, 1, 2, 3, undefined, undefined, undefined]);
    const others = [0, 2, 3].map((at) => world.plan(at));
    expect(others.flatMap((plan) => started(plan, TAKEOVER_MS - 2_000))).toEqual([]);
    world.holders.get(file)?.set(itemAt(DEVICES, 5), new Set([5]));
    const laterMs = TAKEOVER_MS - 1_000;
    // Six are durable now: the trigger still counts, and the wait begins again.
    expect(others.flatMap((plan) => started(plan, laterMs + TAKEOVER_MS - 1_000, laterMs))).toEqual([]);
    const takenOver = others.flatMap((plan) =>
      started(plan, laterMs + PATIENCE_MS + 1_000, laterMs + TAKEOVER_MS),
    );
    expect(takenOver).toHaveLength(1);
  });

  it('is another one if the first cannot be reached', () => {
    const world = new World();
    const rest = indicesOf(5).map(() => undefined);
    const file = world.add(1, 4, [0, 1, 1, 2, 3, ...rest]);
    world.unreachable.add(itemAt(DEVICES, 1));
    const beginners = (): number[] => [0, 2, 3, 4].filter((at) => started(world.plan(at), 20_000).length > 0);
    // Three of the four fragments that it takes can be had.
    expect(beginners()).toEqual([]);
    world.holders.get(file)?.set(itemAt(DEVICES, 4), new Set([5, 6]));
    expect(beginners()).toEqual([4]);
  });

  it('waits longer after each failure, and starts afresh after a success', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 0, 1, 2, 3, undefined, undefined, undefined]);
    const plan = world.plan(0);
    const [first] = started(plan, 5_000);
    expect(first?.file).toBe(file);
    const waits: number[] = [];
    let nowMs = 10_000;
    for (let failure = 0; failure < 3; failure++) {
      const [next] = started(plan, nowMs + 600_000, nowMs, { kind: 'ended', file, outcome: 'failed' });
      waits.push((next?.atMs ?? 0) - nowMs);
      nowMs += 601_000;
    }
    expect(waits).toEqual([30_000, 60_000, 120_000]);
  });
});

describe('of several files', () => {
  it('the most endangered ones come first, and a bounded number at a time', () => {
    const world = new World();
    const mild = indicesOf(6).map((index) =>
      world.add(index, 4, [0, 0, 0, 1, 2, 3, undefined, undefined, undefined]),
    );
    const grave = world.add(20, 4, [0, 0, 1, 2, undefined, undefined, undefined, undefined]);
    const other = world.add(21, 4, [0, 0, 0, 1, undefined, undefined, undefined, undefined]);
    const plan = world.plan(0);
    plan.handle(0, { kind: 'paused', isPaused: true });
    const order = plan
      .handle(11_000, { kind: 'paused', isPaused: false })
      .flatMap((effect) => (effect.kind === 'rebuild' ? [effect.file] : []));
    expect(order).toHaveLength(MAX_REPAIRS);
    // Neither has a fragment to spare, and the others have two.
    expect(order.slice(0, 2).toSorted()).toEqual([grave, other].toSorted());
    expect(mild).toEqual(expect.arrayContaining(order.slice(2)));
    const more = plan.handle(12_000, { kind: 'ended', file: grave, outcome: 'done' });
    expect(more.map(({ kind }) => kind)).toEqual(['rebuild']);
  });

  it('what an earlier repair left is taken up by the next, or discarded when nobody needs it', () => {
    const world = new World();
    const needy = world.add(1, 4, [0, 0, 1, 2, 3, undefined, undefined, undefined]);
    const whole = world.add(2, 4, [0, 0, 1, 1, 2, 2, 3, 3]);
    const plan = world.plan(0);
    for (const file of [needy, whole]) plan.handle(0, { kind: 'left-over', file });
    const effects: RepairEffect[] = [];
    for (let atMs = 0; atMs < 3_600_000; atMs += 1_000) effects.push(...plan.handle(atMs, { kind: 'tick' }));
    expect(effects).toMatchObject([
      { kind: 'rebuild', file: needy },
      { kind: 'discard', file: whole },
    ]);
  });

  it('what was left is discarded although the battery is told of all the time', () => {
    const world = new World();
    const whole = world.add(2, 4, [0, 0, 1, 1, 2, 2, 3, 3]);
    const plan = world.plan(0);
    plan.handle(0, { kind: 'left-over', file: whole });
    const effects: RepairEffect[] = [];
    for (let atMs = 0; atMs < 120_000; atMs += 10_000)
      effects.push(...plan.handle(atMs, { kind: 'paused', isPaused: false }));
    expect(effects).toEqual([{ kind: 'discard', file: whole }]);
  });

  it('what a repair uses is not left over', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 0, 1, 2, 3, undefined, undefined, undefined]);
    const plan = world.plan(0);
    expect(started(plan, 2_000)).toHaveLength(1);
    plan.handle(3_000, { kind: 'left-over', file });
    for (let atMs = 4_000; atMs < 3_600_000; atMs += 10_000)
      expect(plan.handle(atMs, { kind: 'changed' })).toEqual([]);
  });

  it('files that wait while repair is paused are counted', () => {
    const world = new World();
    const files = [1, 2].map((at) => world.add(at, 4, [0, 0, 1, 2, 3, undefined, undefined, undefined]));
    const plan = world.plan(0);
    const effects = [
      ...plan.handle(0, { kind: 'paused', isPaused: true }),
      ...plan.handle(5_000, { kind: 'tick' }),
    ];
    expect(effects).toEqual([{ kind: 'held-back', fileCount: 2 }]);
    const resumed = plan.handle(9_000, { kind: 'paused', isPaused: false });
    expect(resumed.filter(({ kind }) => kind === 'rebuild')).toHaveLength(files.length);
    expect(resumed.at(-1)).toEqual({ kind: 'held-back', fileCount: 0 });
  });

  it('none is begun while repair is paused, and what runs is cancelled', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 0, 1, 2, 3, undefined, undefined, undefined]);
    const plan = world.plan(0);
    expect(started(plan, 2_000)).toHaveLength(1);
    const paused = plan.handle(3_000, { kind: 'paused', isPaused: true });
    expect(paused).toEqual([{ kind: 'cancel', file, isPause: true }]);
    plan.handle(4_000, { kind: 'ended', file, outcome: 'cancelled' });
    expect(started(plan, 100_000, 5_000)).toEqual([]);
    expect(started(plan, 102_000, 101_000, { kind: 'paused', isPaused: false })).toHaveLength(1);
  });
});
