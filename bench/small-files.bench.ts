// 1,000 files of 10 kB picked together, with the app's own "Add files", until every fragment of every file is
// at its home; beside one file of the same 10 MB picked the same way, and beside storing files one after
// another: a tenth as many, because they are slow, by the time per file. Each repeat has a new pool: removed
// files in the catalogue would slow the later ones.

import type { SmallFilesWork, Timed } from './rig/bench-page.ts';
import { test, type BenchPool } from './rig/bench-pool.ts';
import { report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const FILE_COUNT = scaled(1_000);
const IN_TURN_COUNT = Math.ceil(FILE_COUNT / 10);
const FILE_BYTES = 10_000;
const HOLDER_COUNT = 3;
/** Starts workers and wasm, and the disks, before the first clock. */
const WARM_UP = { tag: 1, fileCount: 10, fileBytes: FILE_BYTES };

interface Round {
  readonly pickedMs: number;
  readonly inTurnMs: number;
  readonly wholeMs: number;
  /** While they were picked together. */
  readonly longestTaskMs: number;
}

test('1,000 small files at once', async ({ browser, openPalm }) => {
  test.setTimeout(60 * 60_000);
  const rounds: Round[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const pool = await openPalm(HOLDER_COUNT);
    rounds.push(await runRound(pool, repeat));
    await pool.close();
  }
  const lines: LineInput[] = [
    {
      kind: 'ratio',
      label: '1,000 files of 10 kB at once, beside one of 10 MB',
      unit: 'ms',
      better: 'less',
      palm: { label: '1,000 files', values: rounds.map(({ pickedMs }) => pickedMs) },
      beside: { label: 'one file', values: rounds.map(({ wholeMs }) => wholeMs) },
    },
    {
      kind: 'ratio',
      label: 'files of 10 kB, 1,000 at once beside one by one',
      unit: 'ms a file',
      better: 'less',
      palm: { label: 'at once', values: rounds.map(({ pickedMs }) => pickedMs / FILE_COUNT) },
      beside: { label: 'one by one', values: rounds.map(({ inTurnMs }) => inTurnMs / IN_TURN_COUNT) },
    },
  ];
  await report({
    name: 'small-files',
    title: 'Storing 1,000 files of 10 kB',
    engine: `Chromium ${browser.version()}`,
    lines,
    details: {
      fileCount: FILE_COUNT,
      inTurnCount: IN_TURN_COUNT,
      fileBytes: FILE_BYTES,
      longestTaskMs: rounds.map(({ longestTaskMs }) => longestTaskMs),
    },
  });
});

async function runRound(pool: BenchPool, repeat: number): Promise<Round> {
  await pick(pool, WARM_UP);
  const whole = await pick(pool, { tag: 2, fileCount: 1, fileBytes: FILE_COUNT * FILE_BYTES });
  const many = { tag: 3, fileCount: FILE_COUNT, fileBytes: FILE_BYTES };
  const few = { tag: 4, fileCount: IN_TURN_COUNT, fileBytes: FILE_BYTES };
  // The second one has the longer catalogue, so they take turns.
  const before = repeat % 2 === 1 ? await storeInTurn(pool, few) : undefined;
  const picked = await pick(pool, many);
  const inTurn = before ?? (await storeInTurn(pool, few));
  return {
    wholeMs: whole.elapsedMs,
    pickedMs: picked.elapsedMs,
    inTurnMs: inTurn.elapsedMs,
    longestTaskMs: picked.longTasksMs[0] ?? 0,
  };
}

async function pick(pool: BenchPool, work: SmallFilesWork): Promise<Timed> {
  const input = pool.storer.page.getByLabel('Add files');
  const timing = await input.evaluate(
    (element: HTMLInputElement, given) => window.benchPage.pickFiles(element, given),
    work,
  );
  await empty(pool);
  return timing;
}

async function storeInTurn(pool: BenchPool, work: SmallFilesWork): Promise<Timed> {
  const timing = await pool.storer.page.evaluate((given) => window.benchPage.storeInTurn(given), work);
  await empty(pool);
  return timing;
}

async function empty({ storer, holders }: BenchPool): Promise<void> {
  await storer.page.evaluate(() => window.benchPage.removeAll());
  await Promise.all(holders.map(({ page }) => page.evaluate(() => window.benchPage.emptied())));
}
