// Time to the first byte of a range in the middle of a file of 1 GiB, at a device that holds nothing, beside
// the same in a file only as large as a read keeps in flight: a ratio near 1 means that the size does not
// matter. The file is stored 2 of 3, one fragment on each of three devices, so it takes only 1.5 GiB on their
// disks.

import { geometryOf, segmentBytesOf } from '../src/core/model/geometry.ts';
import { test, type BenchPool } from './rig/bench-pool.ts';
import { medianOf, report } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const GEOMETRY = { k: 2, n: 3 };
const HOLDER_COUNT = 3;
const LARGE_BYTES = scaled(2 ** 30);
/** Segments in flight in a read (src/runtime/read/reading.ts). */
const WINDOW_SEGMENTS = 8;
const SMALL_BYTES = WINDOW_SEGMENTS * segmentBytesOf(geometryOf(0, GEOMETRY.k, GEOMETRY.n));
const RANGE_BYTES = 2 ** 20;
/** One read takes tens of ms, and varies as much: a measurement is the median of this many. */
const READS_PER_REPEAT = 9;
/** The size must not cost more than a fifth. */
const AT_LEAST = 0.8;

test('first byte of a range in the middle of 1 GiB', async ({ browser, openPalm }) => {
  test.setTimeout(60 * 60_000);
  const pool = await openPalm(HOLDER_COUNT);
  await pool.storer.page.evaluate((bytes) => window.benchPage.prepareSource(bytes), LARGE_BYTES);
  const smallId = await store(pool, 1, SMALL_BYTES);
  const largeId = await store(pool, 2, LARGE_BYTES);

  const large: number[] = [];
  const small: number[] = [];
  const firstMs = await firstByte(pool, largeId, LARGE_BYTES);
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    const largeMs: number[] = [];
    const smallMs: number[] = [];
    for (let read = 0; read < READS_PER_REPEAT; read++) {
      largeMs.push(await firstByte(pool, largeId, LARGE_BYTES));
      smallMs.push(await firstByte(pool, smallId, SMALL_BYTES));
    }
    // The first round warms up.
    if (repeat < 0) continue;
    large.push(medianOf(largeMs));
    small.push(medianOf(smallMs));
  }
  await pool.close();
  await report({
    name: 'range',
    title: 'Time to the first byte of a range in the middle of a file',
    engine: `Chromium ${browser.version()}`,
    lines: [
      {
        kind: 'ratio',
        label: 'first byte in the middle of 1 GiB, beside 4 MiB',
        unit: 'ms',
        better: 'less',
        palm: { label: '1 GiB', values: large },
        beside: { label: '4 MiB', values: small },
        atLeast: AT_LEAST,
      },
    ],
    details: {
      largeBytes: LARGE_BYTES,
      smallBytes: SMALL_BYTES,
      rangeBytes: RANGE_BYTES,
      firstReadOfAllMs: firstMs,
    },
  });
});

/** Returns the file's id when every fragment is at its home, and the reader knows the file. */
async function store({ storer, reader }: BenchPool, tag: number, bytes: number): Promise<string> {
  const { fileId } = await storer.page.evaluate((work) => window.benchPage.store(work), {
    tag,
    bytes,
    geometry: GEOMETRY,
    staysInOutbox: false,
  });
  const { k } = GEOMETRY;
  await reader.waitFor('the file', ({ files }) =>
    files.some((file) => file.fileId === fileId && file.reach >= k),
  );
  return fileId;
}

async function firstByte({ reader }: BenchPool, fileId: string, fileBytes: number): Promise<number> {
  const start = Math.floor(fileBytes / 2);
  return reader.page.evaluate(([id, from, to]) => window.benchPage.firstBytes(id, from, to), [
    fileId,
    start,
    Math.min(fileBytes, start + RANGE_BYTES),
  ] as const);
}
