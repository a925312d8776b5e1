// How long a single task blocks a page's main thread while bytes move: the longest task at the storer, at a
// device that takes fragments, and at the reader. The limit applies to the thread's own processor time; time
// by the clock is mostly waiting on a machine with fewer cores than devices. Four devices and 100 MB; a first
// round warms up.

import type { Device } from '../test/e2e/device.ts';
import { test, type BenchPool } from './rig/bench-pool.ts';
import { watchTasks, type LongestTasks } from './rig/task-watch.ts';
import { report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const FILE_BYTES = scaled(100_000_000);
const HOLDER_COUNT = 4;
/** ms: a longer task is a "long task", which people may notice. */
const AT_MOST_MS = 50;

interface Round {
  readonly store: LongestTasks;
  readonly take: LongestTasks;
  readonly read: LongestTasks;
}

test('longest main-thread tasks', async ({ browser, openPalm }) => {
  const pool = await openPalm(HOLDER_COUNT);
  await pool.storer.page.evaluate((bytes) => window.benchPage.prepareSource(bytes), FILE_BYTES);
  await runRound(pool, 0);
  const rounds: Round[] = [];
  for (let round = 1; round <= REPEATS; round++) rounds.push(await runRound(pool, round));
  await pool.close();
  await report({
    name: 'main-thread',
    title: 'Longest main-thread task while 100 MB are stored and read',
    engine: `Chromium ${browser.version()}`,
    lines: [
      ...linesOf(
        'storing',
        rounds.map(({ store }) => store),
      ),
      ...linesOf(
        'taking fragments',
        rounds.map(({ take }) => take),
      ),
      ...linesOf(
        'reading',
        rounds.map(({ read }) => read),
      ),
    ],
    details: { fileBytes: FILE_BYTES, rounds },
  });
});

async function runRound({ storer, reader, holders }: BenchPool, round: number): Promise<Round> {
  const [, taker] = holders;
  if (taker === undefined) throw new Error('the pool has a second holder');
  let fileId = '';
  let take: LongestTasks | undefined;
  const store = await watchTasks(storer.page, async () => {
    take = await watchTasks(taker.page, async () => {
      const work = { tag: round + 1, bytes: FILE_BYTES, staysInOutbox: false };
      const stored = await storer.page.evaluate((given) => window.benchPage.store(given), work);
      fileId = stored.fileId;
    });
  });
  if (take === undefined) throw new Error('the file was stored');
  await reader.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
  const read = await watchTasks(reader.page, () =>
    reader.page.evaluate(([id, end]) => window.benchPage.read(id, 0, end), [fileId, FILE_BYTES] as const),
  );
  await storer.page.evaluate(() => window.benchPage.removeAll());
  await emptied(holders);
  return { store, take, read };
}

async function emptied(devices: readonly Device[]): Promise<void> {
  await Promise.all(devices.map(({ page }) => page.evaluate(() => window.benchPage.emptied())));
}

function linesOf(what: string, all: readonly LongestTasks[]): LineInput[] {
  return [
    {
      kind: 'amount',
      label: `longest task by processor time, ${what}`,
      unit: 'ms',
      palm: { label: 'longest task', values: all.map(({ byProcessorMs }) => byProcessorMs) },
      atMost: AT_MOST_MS,
    },
    {
      kind: 'amount',
      label: `longest task by the clock, ${what}`,
      unit: 'ms',
      palm: { label: 'longest task', values: all.map(({ byClockMs }) => byClockMs) },
    },
  ];
}
