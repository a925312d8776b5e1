// The model behind docs/DURABILITY.md: deterministic, its devices independent of repair, and what repair
// moves beside an oracle.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Agenda } from '../../durability/agenda.ts';
import { runAvailability } from '../../durability/availability.ts';
import { runModel, type Outcome } from '../../durability/model.ts';
import { DAY_MS, POPULATIONS, sessionsOf, type Kind, type Population } from '../../durability/populations.ts';
import { tableOf, withTable } from '../../durability/report.ts';
import { daysToLoss, ORACLE, PALM, TRIGGERS, type Trigger } from '../../durability/triggers.ts';
import { randomFrom } from '../../sim/seeded-random.ts';

/** Three years, in which half of the devices are lost. */
const HOUSEHOLD: Population = {
  name: 'household',
  counts: { phone: 3, lid: 2, desk: 2 },
  durationMs: 2 * 365 * DAY_MS,
  isLasting: true,
};
const NEVER: Trigger = { ...PALM, need: () => undefined };

function run(trigger: Trigger, seed: number): Outcome {
  return runModel({ population: HOUSEHOLD, trigger, seed, k: 4, n: 8, fileCount: 5 });
}

function byName(name: string): Trigger {
  const trigger = TRIGGERS.find((each) => each.name === name);
  if (trigger === undefined) throw new Error(`there is no ${name}`);
  return trigger;
}

/** Months of a pool take some ten seconds of one core, ms; this ends a test that hangs. */
const LIMIT_MS = 120_000;

test('equal options give equal outcomes, and devices do not depend on repair', () => {
  const once = run(PALM, 3);
  expect(run(PALM, 3)).toEqual(once);
  for (const trigger of [TRIGGERS[1] ?? PALM, ORACLE, NEVER])
    expect(run(trigger, 3)).toMatchObject({ deviceYears: once.deviceYears, losses: once.losses });
});

test(
  'repair keeps files that are lost without it, and moves what the oracle moves',
  () => {
    const seeds = [1, 2, 3];
    const lostBy = (trigger: Trigger): number =>
      seeds.reduce((sum, seed) => sum + run(trigger, seed).lostFiles, 0);
    const movedBy = (trigger: Trigger): number =>
      seeds.reduce((sum, seed) => sum + run(trigger, seed).moved, 0);
    expect(lostBy(NEVER)).toBeGreaterThan(0);
    expect(lostBy(PALM)).toBe(0);
    expect(movedBy(PALM)).toBeLessThanOrEqual(1.2 * movedBy(ORACLE));
    expect(movedBy(byName('half, grace by class'))).toBeGreaterThan(1.2 * movedBy(ORACLE));
    for (const seed of seeds) expect(run(ORACLE, seed).falseGone).toBe(0);
  },
  LIMIT_MS,
);

test('a class does not rebuild over its weekends what comes back', () => {
  const population = POPULATIONS.find(({ name }) => name === 'class');
  if (population === undefined) throw new Error('there is no class');
  const movedBy = (trigger: Trigger): number =>
    [1, 2, 3].reduce(
      (sum, seed) => sum + runModel({ population, trigger, seed, k: 4, n: 8, fileCount: 20 }).moved,
      0,
    );
  expect(movedBy(PALM)).toBeLessThanOrEqual(1.2 * movedBy(ORACLE));
  expect(movedBy(byName('half, each learned alone'))).toBeGreaterThan(1.2 * movedBy(ORACLE));
});

test('events run in the order of their times, and of their additions', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), (times) => {
      const agenda = new Agenda();
      const ran: [number, number][] = [];
      for (const [order, atMs] of times.entries()) agenda.add(atMs, () => ran.push([atMs, order]));
      agenda.runUntil(40);
      const due = [...times.entries()].filter(([, atMs]) => atMs < 40).map(([order, atMs]) => [atMs, order]);
      expect(ran).toEqual(due.toSorted(([a = 0, x = 0], [b = 0, y = 0]) => a - b || x - y));
    }),
  );
});

test('sessions follow each other', () => {
  const kinds: readonly Kind[] = ['anchor', 'desk', 'lid', 'phone', 'visitor', 'pupil', 'member'];
  for (const kind of kinds) {
    let lastMs = 3.2 * DAY_MS;
    for (const { startMs, endMs } of sessionsOf(kind, randomFrom(5), lastMs, 40 * DAY_MS)) {
      expect(startMs).toBeGreaterThanOrEqual(lastMs);
      expect(endMs).toBeGreaterThan(startMs);
      lastMs = endMs;
    }
    expect(lastMs).toBeGreaterThan(3.2 * DAY_MS);
  }
});

test('fewer fragments to spare are fewer days to loss', () => {
  const days = [8, 7, 6, 5, 4, 3].map((durableCount) => daysToLoss(durableCount, 4, 10));
  expect(days).toEqual(days.toSorted((a, b) => b - a));
  expect(days.at(-1)).toBe(0);
});

test('the table goes between the marks of its page, and nowhere else', () => {
  const outcome = run(ORACLE, 1);
  const table = tableOf([
    { population: 'household', trigger: 'oracle', isPalm: false, outcome, oracle: outcome },
  ]);
  const page = (inside: string): string =>
    `above\n<!-- durability: written by npm run bench -- durability -->${inside}<!-- /durability -->\nbelow\n`;
  expect(withTable(page('\nold\n'), table)).toBe(page(`\n\n${table}\n\n`));
  expect(() => withTable('no marks', table)).toThrow('DURABILITY');
});

test('with an anchor a phone that is awake opens a file always, once each had its fragment', () => {
  const available = (alwaysOn: 'spread' | 'anchored') =>
    runAvailability({ phoneCount: 9, alwaysOn, seed: 3, days: 12 });
  const anchored = available('anchored');
  expect(anchored).toMatchObject({ k: 7, n: 15, marginWithout: 2 });
  expect(anchored.completeDays).toBeLessThan(7);
  expect(anchored.later.openMs).toBe(anchored.later.awakeMs);
  expect(anchored.later.awakeMs).toBeGreaterThan(0);
  const spread = available('spread');
  expect(spread.later.awakeMs).toBe(anchored.later.awakeMs);
  expect(spread.later.openMs).toBeLessThan(spread.later.awakeMs / 4);
});
