// How long files last, and what repair costs, by population and by when repair begins: the model of
// test/durability, over many pools. Prints a table, and writes it into docs/DURABILITY.md with a chart.
// Nothing in it is measured by a clock: equal seeds give equal figures on any machine.

import { readFile, writeFile } from 'node:fs/promises';
import { test } from '@playwright/test';
import { runModel, type Outcome } from '../test/durability/model.ts';
import { POPULATIONS, type Population } from '../test/durability/populations.ts';
import { runAvailability } from '../test/durability/availability.ts';
import {
  anchorTableOf,
  chartOf,
  tableOf,
  withAnchorTable,
  withTable,
  type Row,
} from '../test/durability/report.ts';
import { ORACLE, palmIn, TRIGGERS, type Trigger } from '../test/durability/triggers.ts';
import { scaled } from './scale.ts';

/** Pools of each kind: fewer of the large ones, which have as many device-years. */
const POOLS: Readonly<Record<string, number>> = { household: 12, class: 3, club: 12, event: 12, campus: 3 };
const FILE_COUNT = 20;
const K = 4;
const N = 8;
const ANCHOR_POOLS = 20;
const LIMIT_MS = 60 * 60_000;

const PAGE = new URL('../docs/DURABILITY.md', import.meta.url);
const CHART = new URL('../docs/durability.svg', import.meta.url);

test('how long files last, and what repair moves', async () => {
  test.setTimeout(LIMIT_MS);
  const rows = POPULATIONS.flatMap((population) => {
    const oracle = sumOf(population, ORACLE);
    return [...TRIGGERS, ORACLE].map((trigger): Row => {
      const outcome = trigger === ORACLE ? oracle : sumOf(population, trigger);
      return {
        population: population.name,
        trigger: trigger.name,
        isPalm: trigger === palmIn(population),
        outcome,
        oracle,
      };
    });
  });
  const table = tableOf(rows);
  console.log(table);
  if (process.env['PALM_BENCH_SCALE'] !== undefined) return;
  await writeFile(PAGE, withTable(await readFile(PAGE, 'utf8'), table));
  await writeFile(CHART, chartOf(rows));
});

test('how often a phone that is awake opens a file, with an anchor and without', async () => {
  test.setTimeout(LIMIT_MS);
  const pools = [
    ['nine phones', 'none'],
    ['nine phones and a device that is always on, spread', 'spread'],
    ['nine phones and an anchor', 'anchored'],
  ] as const;
  const rows = pools.map(([pool, alwaysOn]) => ({
    pool,
    outcomes: Array.from({ length: scaled(ANCHOR_POOLS) }, (_, seed) =>
      runAvailability({ phoneCount: 9, alwaysOn, seed: seed + 1, days: 60 }),
    ),
  }));
  const table = anchorTableOf(rows);
  console.log(table);
  if (process.env['PALM_BENCH_SCALE'] !== undefined) return;
  await writeFile(PAGE, withAnchorTable(await readFile(PAGE, 'utf8'), table));
});

function sumOf(population: Population, trigger: Trigger): Outcome {
  const poolCount = scaled(POOLS[population.name] ?? 1);
  const outcomes = Array.from({ length: poolCount }, (_, seed) =>
    runModel({ population, trigger, seed: seed + 1, k: K, n: N, fileCount: FILE_COUNT }),
  );
  const sum = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  return {
    deviceYears: sum(({ deviceYears }) => deviceYears),
    files: sum(({ files }) => files),
    lostFiles: sum(({ lostFiles }) => lostFiles),
    losses: sum(({ losses }) => losses),
    falseGone: sum(({ falseGone }) => falseGone),
    openable: sum(({ openable }) => openable) / poolCount,
    rebuilt: sum(({ rebuilt }) => rebuilt),
    moved: sum(({ moved }) => moved),
    repairs: sum(({ repairs }) => repairs),
  };
}
