// A page and the device next to its relay, by the fast lane, beside two Syncthings on the same machine:
// 200 MB, and 1,000 files of 10 kB, in turns.
//
// A store of Palm seals, and counts from the call until the device has proved to hold every byte; the page
// keeps the file as well. A read counts until its last byte is delivered. Syncthing's clock runs from telling
// it to look until the other has written everything; it encrypts the connection, and its files are plain at
// both ends.

import { startHousehold } from '../test/e2e/node-device.ts';
import { test } from './rig/bench-pool.ts';
import { closeLanePool, move, openLanePool, type LanePool, type Moved } from './rig/lane-pool.ts';
import { startSyncthingPair, syncthingVersion } from './rig/syncthing.ts';
import { report } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const FILE_BYTES = scaled(200_000_000);
const SMALL_COUNT = scaled(1_000);
const SMALL_BYTES = 10_000;
const LIMIT_MS = 60 * 60_000;

interface Round {
  readonly palm: Moved;
  readonly syncthingMs: number;
  readonly palmSmallMs: number;
  readonly syncthingSmallMs: number;
}

test('200 MB and 1,000 small files beside Syncthing', async ({ browser, newProfile }) => {
  const version = syncthingVersion();
  test.skip(version === undefined, 'there is no Syncthing (apt install syncthing)');
  test.setTimeout(LIMIT_MS);
  const syncthing = await startSyncthingPair();
  const household = await startHousehold();
  const pool = await openLanePool({ household, app: household.app, newProfile, fileBytes: FILE_BYTES });
  const rounds: Round[] = [];
  // The first warms up.
  for (let tag = 1; tag <= REPEATS + 1; tag++) {
    const round = {
      palm: await move(pool, tag, FILE_BYTES),
      syncthingMs: await syncthing.move(1, FILE_BYTES),
      palmSmallMs: await storeSmall(pool, tag),
      syncthingSmallMs: await syncthing.move(SMALL_COUNT, SMALL_BYTES),
    };
    if (tag > 1) rounds.push(round);
  }
  const rates = (ms: (round: Round) => number): number[] =>
    rounds.map((round) => FILE_BYTES / 1_000 / ms(round));
  const beside = { label: `Syncthing ${version}`, values: rates(({ syncthingMs }) => syncthingMs) };
  await report({
    name: 'syncthing',
    title: 'A page and the device next to its relay, beside two Syncthings',
    engine: `Chromium ${browser.version()}`,
    lines: [
      {
        kind: 'ratio',
        label: 'store of 200 MB',
        unit: 'MB/s',
        better: 'more',
        palm: { label: 'Palm', values: rates(({ palm }) => palm.store.elapsedMs) },
        beside,
      },
      {
        kind: 'ratio',
        label: 'read of 200 MB',
        unit: 'MB/s',
        better: 'more',
        palm: { label: 'Palm', values: rates(({ palm }) => palm.read.elapsedMs) },
        beside,
      },
      {
        kind: 'ratio',
        label: '1,000 files of 10 kB',
        unit: 'ms a file',
        better: 'less',
        palm: { label: 'Palm', values: rounds.map(({ palmSmallMs }) => palmSmallMs / SMALL_COUNT) },
        beside: {
          label: beside.label,
          values: rounds.map(({ syncthingSmallMs }) => syncthingSmallMs / SMALL_COUNT),
        },
      },
    ],
    details: { fileBytes: FILE_BYTES, smallCount: SMALL_COUNT, smallBytes: SMALL_BYTES },
  });
  await closeLanePool(pool);
  await syncthing.stop();
});

/** ms until the device has proved to hold all of them. */
async function storeSmall({ storer: { page } }: LanePool, tag: number): Promise<number> {
  const work = { tag, fileCount: SMALL_COUNT, fileBytes: SMALL_BYTES };
  const timing = await page.evaluate((given) => window.benchPage.storeMirrors(given), work);
  await page.evaluate(() => window.benchPage.removeAll());
  return timing.elapsedMs;
}
