// How much memory a page and its workers take over idle while 1 GiB is stored, read, and downloaded to the
// disk. rig/memory-watch.ts explains what is counted and how. Idle is a linked device before it has stored or
// read anything, so the workers and their wasm count as memory in use.
//
// A last round, an eighth of the size, collects garbage before every sample: it shows the memory that is
// still needed. The rest of the other rounds' figures is garbage that the engine had not collected yet.

import type { Device } from '../test/e2e/device.ts';
import { test, type BenchPool } from './rig/bench-pool.ts';
import { watchMemory, type MemorySpan, type MemoryWatch, type WatchOptions } from './rig/memory-watch.ts';
import { report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const FILE_BYTES = scaled(2 ** 30);
const COLLECTED_FILE_BYTES = Math.ceil(FILE_BYTES / 8);
const HOLDER_COUNT = 3;
const AT_MOST_MIB = 50;
/** Five rounds of 1 GiB through every disk, on a slow machine. */
const LIMIT_MS = 90 * 60_000;

interface Watched {
  readonly device: Device;
  readonly watch: MemoryWatch;
}

interface Scene {
  readonly storer: Watched;
  /** One of the devices that take fragments. */
  readonly holder: Watched;
  readonly reader: Watched;
}

interface Observed {
  readonly span: MemorySpan;
  readonly elapsedMs: number;
}

interface Round {
  readonly store: Observed;
  readonly take: Observed;
  /** Into one buffer of the reader. */
  readonly read: Observed;
  /** Each piece is dropped as it arrives, and becomes garbage. */
  readonly readPieces: Observed;
  /** By the Download button, through the worker that writes to the origin's private file system. */
  readonly download: Observed;
}

test('memory over idle while 1 GiB is stored and read', async ({ browser, openPalm }) => {
  test.setTimeout(LIMIT_MS);
  const pool = await openPalm(HOLDER_COUNT);
  const scene = await watchAll(pool);
  await pool.storer.page.evaluate((bytes) => window.benchPage.prepareSource(bytes), FILE_BYTES);
  await pool.reader.page.evaluate(() => Object.assign(window, { showSaveFilePicker: undefined }));
  for (const { watch } of Object.values(scene)) await watch.markIdle();

  const rounds: Round[] = [];
  for (let tag = 1; tag <= REPEATS; tag++) {
    rounds.push(await runRound(pool, scene, tag, FILE_BYTES, { collectsGarbage: false }));
  }
  const collected = await runRound(pool, scene, REPEATS + 1, COLLECTED_FILE_BYTES, { collectsGarbage: true });
  const wasmBytes = {
    store: await scene.storer.watch.wasmBytes(),
    take: await scene.holder.watch.wasmBytes(),
    read: await scene.reader.watch.wasmBytes(),
  };
  await pool.close();
  await report({
    name: 'memory',
    title: 'Memory over idle while 1 GiB is stored and read',
    engine: `Chromium ${browser.version()}`,
    lines: [...memoryLines(rounds, wasmBytes), ...neededLines(collected, wasmBytes)],
    details: {
      fileBytes: FILE_BYTES,
      wasmBytes,
      rounds: rounds.map(describe),
      collectedFileBytes: COLLECTED_FILE_BYTES,
      collected: describe(collected),
    },
  });
});

async function watchAll({ storer, holders, reader }: BenchPool): Promise<Scene> {
  const [, holder] = holders;
  if (holder === undefined) throw new Error('the pool has a second holder');
  const watched = async (device: Device) => ({ device, watch: await watchMemory(device.page) });
  return { storer: await watched(storer), holder: await watched(holder), reader: await watched(reader) };
}

async function runRound(
  pool: BenchPool,
  { storer, holder, reader }: Scene,
  tag: number,
  bytes: number,
  options: WatchOptions,
): Promise<Round> {
  let fileId = '';
  const work = { tag, bytes, staysInOutbox: false };
  let store: Observed | undefined;
  const take = await observe(holder, options, async () => {
    store = await observe(storer, options, async ({ page }) => {
      const stored = await page.evaluate((given) => window.benchPage.store(given), work);
      fileId = stored.fileId;
    });
  });
  if (store === undefined) throw new Error('the file was stored');

  await reader.device.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
  const whole = [fileId, bytes] as const;
  const read = await observe(reader, options, async ({ page }) => {
    await page.evaluate(([id, end]) => window.benchPage.readIntoBuffer(id, 0, end), whole);
  });
  const readPieces = await observe(reader, options, async ({ page }) => {
    await page.evaluate(([id, end]) => window.benchPage.read(id, 0, end), whole);
  });
  const download = await observe(reader, options, async ({ page }) => {
    const arriving = page.waitForEvent('download', { timeout: LIMIT_MS });
    const row = page.getByRole('list', { name: 'Files' }).getByRole('listitem', { name: `bench ${tag}` });
    await row.getByRole('button', { name: 'Download' }).click();
    await (await arriving).cancel();
  });

  await storer.device.page.evaluate(() => window.benchPage.removeAll());
  await Promise.all(pool.holders.map(({ page }) => page.evaluate(() => window.benchPage.emptied())));
  return { store, take, read, readPieces, download };
}

async function observe(
  { device, watch }: Watched,
  options: WatchOptions,
  work: (device: Device) => Promise<void>,
): Promise<Observed> {
  const startMs = performance.now();
  const { span } = await watch.during(options, () => work(device));
  const elapsedMs = performance.now() - startMs;
  return { span, elapsedMs };
}

interface WasmBytes {
  readonly store: number;
  readonly take: number;
  readonly read: number;
}

function memoryLines(rounds: readonly Round[], wasm: WasmBytes): LineInput[] {
  const line = (label: string, wasmBytes: number, all: readonly Observed[]): LineInput => ({
    kind: 'amount',
    label,
    unit: 'MiB',
    palm: { label: 'peak over idle', values: all.map(({ span }) => mebibytes(span.peakBytes + wasmBytes)) },
    atMost: AT_MOST_MIB,
  });
  return [
    line(
      'memory over idle, storing 1 GiB',
      wasm.store,
      rounds.map(({ store }) => store),
    ),
    line(
      'memory over idle, taking its fragments',
      wasm.take,
      rounds.map(({ take }) => take),
    ),
    line(
      'memory over idle, reading 1 GiB into one buffer',
      wasm.read,
      rounds.map(({ read }) => read),
    ),
    line(
      'memory over idle, reading 1 GiB in pieces',
      wasm.read,
      rounds.map(({ readPieces }) => readPieces),
    ),
    line(
      'memory over idle, downloading 1 GiB',
      wasm.read,
      rounds.map(({ download }) => download),
    ),
  ];
}

function neededLines({ store, take, read, download }: Round, wasm: WasmBytes): LineInput[] {
  const line = (label: string, wasmBytes: number, { span }: Observed): LineInput => ({
    kind: 'amount',
    label: `${label}, without garbage`,
    unit: 'MiB',
    palm: { label: 'peak over idle', values: [mebibytes(span.peakBytes + wasmBytes)] },
  });
  return [
    line('memory over idle, storing', wasm.store, store),
    line('memory over idle, taking fragments', wasm.take, take),
    line('memory over idle, reading', wasm.read, read),
    line('memory over idle, downloading', wasm.read, download),
  ];
}

function describe(round: Round): object {
  return Object.fromEntries(
    Object.entries(round).map(([what, { span, elapsedMs }]: [string, Observed]) => [
      what,
      {
        seconds: elapsedMs / 1_000,
        peakMib: mebibytes(span.peakBytes),
        residentMib: span.peakResidentBytes === undefined ? undefined : mebibytes(span.peakResidentBytes),
        sampleCount: span.sampleCount,
        partsAtPeakMib: Object.fromEntries(
          Object.entries(span.parts).map(([name, { heap, arrayBuffers }]) => [
            name,
            { heap: mebibytes(heap), arrayBuffers: mebibytes(arrayBuffers) },
          ]),
        ),
      },
    ]),
  );
}

function mebibytes(bytes: number): number {
  return bytes / 2 ** 20;
}
