// Members that claim what a file lacks and withdraw it again: repair is put off by each such claim once, and
// by what honest devices do as before.

import { describe, expect, it } from 'vitest';
import type { DeviceId, FileId } from '../../../../src/core/model/ids.ts';
import type { RepairEffect, RepairPlan } from '../../../../src/core/repair/repair-plan.ts';
import { indicesOf } from '../../../fixtures/erasure-oracle.ts';
import { itemAt } from '../../../fixtures/pool-fixture.ts';
import { DEVICES, World } from '../../../fixtures/repair-world.ts';

const SETTLE_MS = 10_000;
const TAKEOVER_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOBODY = undefined;
const [LIAR, SECOND] = [8, 7];

interface Told {
  readonly atMs: number;
  readonly effect: RepairEffect;
}

/** A file that lacks two fragments, and device 0, which is the one to repair it. */
function lacking(): { world: World; file: FileId; plan: RepairPlan } {
  const world = new World();
  const file = world.add(1, 4, [0, 0, 1, 2, 3, 4, NOBODY, NOBODY]);
  return { world, file, plan: world.plan(0) };
}

function claim(world: World, file: FileId, at: number, fragments: readonly number[]): void {
  const holders = world.holders.get(file);
  if (fragments.length === 0) holders?.delete(itemAt(DEVICES, at));
  else holders?.set(itemAt(DEVICES, at), new Set(fragments));
}

/** Runs the plan, a second at a time; `before` is told each second what time it is. */
function run(
  plan: RepairPlan,
  fromMs: number,
  untilMs: number,
  before: (atMs: number) => void = () => undefined,
): Told[] {
  const told: Told[] = [];
  for (let atMs = fromMs; atMs <= untilMs; atMs += 1_000) {
    before(atMs);
    for (const effect of plan.handle(atMs, { kind: 'changed' })) {
      told.push({ atMs, effect });
      if (effect.kind !== 'cancel') continue;
      plan.handle(atMs, { kind: 'ended', file: effect.file, outcome: 'cancelled' });
    }
  }
  return told;
}

const ofKind = (told: readonly Told[], kind: RepairEffect['kind']): Told[] =>
  told.filter(({ effect }) => effect.kind === kind);

function homesOf(told: readonly Told[]): Set<DeviceId> {
  return new Set(told.flatMap(({ effect }) => (effect.kind === 'rebuild' ? [...effect.homes.values()] : [])));
}

/** Makes a claim for `claimedMs`, and none for `withdrawnMs`, in turn. */
function flap(atMs: number, claimedMs: number, withdrawnMs: number): boolean {
  return atMs % (claimedMs + withdrawnMs) < claimedMs;
}

describe('claims that are made and withdrawn in turn', () => {
  it.each([
    ['every few seconds', 4_000, 4_000],
    ['now and then, for most of the time', 50_000, 8_000],
    ['now and then, for some time', 20_000, 60_000],
  ])('do not put repair off for longer than one of them: %s', (_, claimedMs, withdrawnMs) => {
    const { world, file, plan } = lacking();
    const periodMs = claimedMs + withdrawnMs;
    const told = run(plan, 0, 20 * periodMs, (atMs) =>
      claim(world, file, LIAR, flap(atMs + withdrawnMs, claimedMs, withdrawnMs) ? [6] : []),
    );
    const [last, ...others] = ofKind(told, 'rebuild').toReversed();
    // Begun once more at most, after the first claim had ended it.
    expect(others.length).toBeLessThanOrEqual(1);
    expect(ofKind(told, 'cancel')).toHaveLength(others.length);
    expect(last?.atMs).toBeLessThanOrEqual(2 * periodMs + SETTLE_MS);
    expect(homesOf(told.slice(-1))).not.toContain(itemAt(DEVICES, LIAR));
  });

  it.each<[string, (turn: number) => [number, readonly number[]][]]>([
    [
      'of two names in turn',
      (turn) => [
        [LIAR, turn % 4 === 1 ? [6] : []],
        [SECOND, turn % 4 === 3 ? [6] : []],
      ],
    ],
    ['of each missing fragment in turn', (turn) => [[LIAR, [[], [6], [], [7]][turn % 4] ?? []]]],
    ['by claiming so much that nothing is believed', (turn) => [[LIAR, turn % 2 ? [6] : indicesOf(8)]]],
  ])('do not put it off for longer than each of them once: %s', (_, claimsAt) => {
    const { world, file, plan } = lacking();
    const told = run(plan, 0, 600_000, (atMs) => {
      for (const [at, fragments] of claimsAt(Math.floor(atMs / 6_000))) claim(world, file, at, fragments);
    });
    const [last, ...others] = ofKind(told, 'rebuild').toReversed();
    // The second name may end one that the first could not.
    expect(others.length).toBeLessThanOrEqual(1);
    expect(ofKind(told, 'cancel')).toHaveLength(others.length);
    expect(last?.atMs).toBeLessThanOrEqual(60_000);
  });

  it('that end no need do not put off the turn of the next repairer', () => {
    const world = new World();
    const file = world.add(1, 4, [0, 0, 1, 2, 3, NOBODY, NOBODY, NOBODY]);
    // The first repairer does nothing.
    const [told] = indicesOf(5)
      .slice(1)
      .map((at) =>
        run(world.plan(at), 0, 8 * TAKEOVER_MS, (atMs) =>
          claim(world, file, LIAR, flap(atMs, 10_000, 10_000) ? [5] : []),
        ),
      )
      .filter((each) => ofKind(each, 'rebuild').some(({ atMs }) => atMs < 2 * TAKEOVER_MS + 5_000));
    expect(told).toBeDefined();
  });

  it('of a storer that places its file leave it to the storer, however it claimed before', () => {
    const { world, file, plan } = lacking();
    const storer = 9;
    run(plan, 0, 60_000, (atMs) => claim(world, file, storer, flap(atMs, 4_000, 4_000) ? [6] : []));
    claim(world, file, storer, indicesOf(8));
    expect(ofKind(run(plan, 61_000, 70_000), 'cancel')).toHaveLength(1);
    expect(ofKind(run(plan, 71_000, 600_000), 'rebuild')).toEqual([]);
  });
});

describe('what honest devices do', () => {
  it('ends a repair when a lost device returns, and lets the next one settle when it is lost again', () => {
    const world = new World();
    world.add(1, 4, [0, 0, 1, 2, 3, 4, 5, 6]);
    const plan = world.plan(0);
    const [fifth, sixth] = [itemAt(DEVICES, 5), itemAt(DEVICES, 6)];
    for (const round of [0, 1, 2]) {
      const fromMs = round * HOUR_MS;
      world.gone.add(fifth).add(sixth);
      const told = run(plan, fromMs, fromMs + 60_000);
      expect(ofKind(told, 'rebuild').map(({ atMs }) => atMs)).toEqual([fromMs + SETTLE_MS]);
      world.gone.clear();
      expect(ofKind(run(plan, fromMs + 61_000, fromMs + 70_000), 'cancel')).toHaveLength(1);
    }
  });

  it('a copy that is lost soon after it came is rebuilt at once, and elsewhere', () => {
    const { world, file, plan } = lacking();
    run(plan, 0, 20_000);
    for (const [at, fragment] of [6, 7].entries()) claim(world, file, 5 + at, [fragment]);
    run(plan, 21_000, 30_000);
    for (const at of [5, 6]) claim(world, file, at, []);
    const told = run(plan, HOUR_MS, HOUR_MS + 2_000);
    expect(ofKind(told, 'rebuild')).toHaveLength(1);
    for (const at of [5, 6]) expect(homesOf(told)).not.toContain(itemAt(DEVICES, at));
  });

  it('a copy that is lost a day after it came counts as any other', () => {
    const { world, file, plan } = lacking();
    run(plan, 0, 20_000);
    for (const [at, fragment] of [6, 7].entries()) claim(world, file, 5 + at, [fragment]);
    run(plan, 21_000, 30_000);
    run(plan, 30_000 + DAY_MS, 31_000 + DAY_MS);
    for (const at of [5, 6]) claim(world, file, at, []);
    const fromMs = 2 * DAY_MS;
    const told = run(plan, fromMs, fromMs + 60_000);
    expect(ofKind(told, 'rebuild').map(({ atMs }) => atMs)).toEqual([fromMs + SETTLE_MS]);
    // They may have it again.
    for (const [at, fragment] of [6, 7].entries()) claim(world, file, 5 + at, [fragment]);
    expect(ofKind(run(plan, fromMs + 61_000, fromMs + 70_000), 'cancel')).toHaveLength(1);
  });
});
