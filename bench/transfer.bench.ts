// A store and a read of 200 MB over two, four and eight devices, each beside the raw ceiling: the same pages
// send as many bytes between the same pairs over plain channels.
//
// A store counts from the call until every fragment is at its home, including hashing, sealing, coding, both
// disks and the catalogue. A read, at a device that holds nothing, counts from the call until the last byte
// is delivered.

import type { Device } from '../test/e2e/device.ts';
import type { StoreTiming, Timed } from './rig/bench-page.ts';
import { test, type BenchPool } from './rig/bench-pool.ts';
import { openRawStar, type RawStar } from './rig/raw-channels.ts';
import { medianOf, report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const FILE_BYTES = scaled(200_000_000);
const HOLDER_COUNTS = [2, 4, 8];
const TARGET = 0.85;
/** Three pools, six rounds each, on a slow machine. */
const LIMIT_MS = 90 * 60_000;

interface RawCeiling {
  /** From the storer to the other holders. */
  readonly store: RawStar;
  /** From the reader to all holders. */
  readonly read: RawStar;
}

interface Round {
  readonly store: Moved<StoreTiming>;
  readonly read: Moved<Timed>;
}

/** Palm's work, and the time of the plain channels for the bytes that really went over the links. */
interface Moved<Timing extends Timed> {
  readonly palm: Timing;
  /** By device, in the pool's order, without the centre itself. */
  readonly bytes: readonly number[];
  readonly rawMs: number;
}

test('store and read beside the raw ceiling', async ({ browser, openPalm }) => {
  test.setTimeout(LIMIT_MS);
  const lines: LineInput[] = [];
  const details: Record<string, unknown> = { fileBytes: FILE_BYTES };
  for (const holderCount of HOLDER_COUNTS) {
    const pool = await openPalm(holderCount);
    await pool.storer.page.evaluate((bytes) => window.benchPage.prepareSource(bytes), FILE_BYTES);
    const raw = await openRaw(pool);
    await runRound(pool, raw, 0);
    const rounds: Round[] = [];
    for (let tag = 1; tag <= REPEATS; tag++) rounds.push(await runRound(pool, raw, tag));
    await pool.close();
    lines.push(...linesOf(rounds, holderCount));
    details[`${holderCount} devices`] = detailsOf(rounds);
    await report({
      name: 'transfer',
      title: 'Store and read of 200 MB beside plain channels between the same pages',
      engine: `Chromium ${browser.version()}`,
      lines,
      details,
    });
  }
});

async function openRaw({ storer, reader, holders }: BenchPool): Promise<RawCeiling> {
  const pages = holders.map(({ page }) => page);
  return {
    store: await openRawStar('store', storer.page, pages.slice(1)),
    read: await openRawStar('read', reader.page, pages),
  };
}

/** Round 0 warms up: workers, wasm, both kinds of links. */
async function runRound(pool: BenchPool, raw: RawCeiling, round: number): Promise<Round> {
  const { storer, reader, holders } = pool;
  const others = holders.slice(1);
  const work = { tag: round + 1, bytes: FILE_BYTES, staysInOutbox: holders.length < 3 };
  const stored = await movedBytes(others, 'received', () =>
    storer.page.evaluate((given) => window.benchPage.store(given), work),
  );
  const storeRawMs = await raw.store.push(stored.bytes);

  const { fileId } = stored.palm;
  await reader.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
  const read = await movedBytes(holders, 'sent', () =>
    reader.page.evaluate(([id, end]) => window.benchPage.read(id, 0, end), [fileId, FILE_BYTES] as const),
  );
  const readRawMs = await raw.read.pull(read.bytes);

  await storer.page.evaluate(() => window.benchPage.removeAll());
  await Promise.all(holders.map(({ page }) => page.evaluate(() => window.benchPage.emptied())));
  return { store: { ...stored, rawMs: storeRawMs }, read: { ...read, rawMs: readRawMs } };
}

/** Does `work`, and returns what each of `devices` sent or received during it. */
async function movedBytes<Timing>(
  devices: readonly Device[],
  direction: 'sent' | 'received',
  work: () => Promise<Timing>,
): Promise<{ palm: Timing; bytes: number[] }> {
  const count = () =>
    Promise.all(
      devices.map(({ page }) =>
        page.evaluate(async (way) => (await window.benchPage.linkBytes())[way], direction),
      ),
    );
  const before = await count();
  const palm = await work();
  const after = await count();
  return { palm, bytes: after.map((bytes, at) => bytes - (before[at] ?? 0)) };
}

function linesOf(rounds: readonly Round[], holderCount: number): LineInput[] {
  const line = (label: string, moved: readonly Moved<Timed>[]): LineInput => ({
    kind: 'ratio',
    label: `${label}, ${holderCount} devices`,
    unit: 'MB/s',
    better: 'more',
    palm: { label: 'Palm', values: moved.map(({ palm, bytes }) => rateOf(bytes, palm.elapsedMs)) },
    beside: { label: 'plain channels', values: moved.map(({ rawMs, bytes }) => rateOf(bytes, rawMs)) },
    atLeast: TARGET,
  });
  return [
    line(
      'store, in coded bytes sent',
      rounds.map(({ store }) => store),
    ),
    line(
      'read, in bytes received',
      rounds.map(({ read }) => read),
    ),
  ];
}

function detailsOf(rounds: readonly Round[]): object {
  const fileMbPerSecond = (ms: readonly number[]) => medianOf(ms.map((each) => rateOf([FILE_BYTES], each)));
  return {
    storeAnsweredFileMbPerSecond: fileMbPerSecond(rounds.map(({ store }) => store.palm.answeredMs)),
    storePlacedFileMbPerSecond: fileMbPerSecond(rounds.map(({ store }) => store.palm.elapsedMs)),
    readFileMbPerSecond: fileMbPerSecond(rounds.map(({ read }) => read.palm.elapsedMs)),
    storeBytesByDevice: rounds.at(-1)?.store.bytes,
    readBytesByDevice: rounds.at(-1)?.read.bytes,
    storerLongTasksMs: rounds.map(({ store }) => store.palm.longTasksMs),
    readerLongTasksMs: rounds.map(({ read }) => read.palm.longTasksMs),
  };
}

/** MB (10^6 bytes) a second. */
function rateOf(bytes: readonly number[], elapsedMs: number): number {
  return bytes.reduce((sum, each) => sum + each, 0) / 1_000 / elapsedMs;
}
