// A file of 100 MB from one page to another, beside WebTorrent: its own browser build, two pages, a tracker
// on this machine, the same bytes, the same Chromium with its profiles on the disk.
//
// Palm's time covers a whole read: fetching indexes, checking every block and opening every segment, at a
// device that holds nothing, from one that holds everything. WebTorrent's time begins when the seeder lets
// the other page ask, and ends when every piece is checked; hashing and seeding the file, the tracker and the
// connection do not count. WebTorrent may keep the file in memory, as a reader of Palm may; it is also
// measured with its default, keeping the file on the disk.

import type { BrowserContext, Page } from '@playwright/test';
import { installPageSide } from '../test/e2e/page-side.ts';
import { expectedBytes, seededBytes } from '../test/e2e/seeded-bytes.ts';
import { test, type BenchPool } from './rig/bench-pool.ts';
import { openRawStar } from './rig/raw-channels.ts';
import { report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';
import { forbidDisk, installTorrentPage, type TorrentDownload } from './webtorrent/torrent-page.ts';
import { serveTorrents, type TorrentServer } from './webtorrent/torrent-server.ts';

const FILE = { seed: 71, length: scaled(100_000_000) };
const AT_LEAST = 3;
/** The warm-up must bring the right bytes, too. */
const SHA256 = expectedBytes(FILE.seed, FILE.length).sha256;

/** Two pages: one seeds and the other downloads. */
interface TorrentPair {
  download(): Promise<TorrentDownload>;
}

interface Round {
  readonly palmMs: number;
  readonly inMemory: TorrentDownload;
  readonly onDisk: TorrentDownload;
  readonly plainChannelMs: number;
}

test('100 MB from page to page beside WebTorrent', async ({ browser, newProfile, openPalm }) => {
  const server = await serveTorrents();
  try {
    const inMemory = await openPair(newProfile, server, [forbidDisk]);
    const onDisk = await openPair(newProfile, server, []);
    const pool = await openPalm(1);
    const { storer, reader } = pool;
    const { fileId } = await storer.store(FILE, { name: 'bench.bin', k: 4, n: 8 });
    await reader.waitFor('the file', ({ files }) => files.some(({ reach, k }) => reach >= k));
    expectWhole('Palm', (await reader.read(fileId)).sha256);
    const plain = await openRawStar('plain', reader.page, [storer.page]);

    const rounds: Round[] = [];
    for (let repeat = -1; repeat < REPEATS; repeat++) {
      const round = {
        inMemory: await inMemory.download(),
        palmMs: await read(pool, fileId),
        onDisk: await onDisk.download(),
        plainChannelMs: await plain.pull([FILE.length]),
      };
      // The first round warms up.
      if (repeat >= 0) rounds.push(round);
    }
    await pool.close();
    await report({
      name: 'webtorrent',
      title: '100 MB from page to page',
      engine: `Chromium ${browser.version()}`,
      lines: linesOf(rounds),
      details: {
        fileBytes: FILE.length,
        webtorrent: server.version,
        plainChannelMbPerSecond: rounds.map(({ plainChannelMs }) => rateOf(plainChannelMs)),
        inMemorySinceAskedMs: rounds.map((round) => round.inMemory.sinceAskedMs),
        onDiskSinceAskedMs: rounds.map((round) => round.onDisk.sinceAskedMs),
      },
    });
  } finally {
    server.close();
  }
});

async function openPair(
  newProfile: () => Promise<BrowserContext>,
  server: TorrentServer,
  scripts: readonly (() => void)[],
): Promise<TorrentPair> {
  const open = async (): Promise<Page> => {
    const context = await newProfile();
    await context.addInitScript({ content: `(${String(installPageSide)})(${String(seededBytes)});` });
    for (const script of scripts) await context.addInitScript({ content: `(${String(script)})();` });
    const page = await context.newPage();
    await page.goto(server.pageUrl);
    await page.addScriptTag({
      type: 'module',
      content: `import WebTorrent from '/webtorrent.min.js'; Object.assign(window, { WebTorrent });`,
    });
    await page.waitForFunction(() => 'WebTorrent' in window);
    await page.addScriptTag({ content: `(${String(installTorrentPage)})();` });
    return page;
  };
  const [seeder, downloader] = [await open(), await open()];
  const torrent = await seeder.evaluate(
    ([{ seed, length }, trackerUrl]) => window.torrentPage.seed(seed, length, trackerUrl),
    [FILE, server.trackerUrl] as const,
  );
  return {
    async download() {
      const downloaded = await downloader.evaluate((given) => window.torrentPage.download(given), torrent);
      expectWhole('WebTorrent', downloaded.sha256);
      return downloaded;
    },
  };
}

async function read({ reader }: BenchPool, fileId: string): Promise<number> {
  const { elapsedMs } = await reader.page.evaluate(([id, end]) => window.benchPage.read(id, 0, end), [
    fileId,
    FILE.length,
  ] as const);
  return elapsedMs;
}

function expectWhole(whose: string, sha256: string): void {
  if (sha256 !== SHA256) throw new Error(`${whose} brought other bytes.`);
}

function linesOf(rounds: readonly Round[]): LineInput[] {
  const palm = { label: 'Palm', values: rounds.map(({ palmMs }) => rateOf(palmMs)) };
  const shape = { kind: 'ratio', unit: 'MB/s', better: 'more', palm } as const;
  return [
    {
      ...shape,
      label: 'read beside WebTorrent, which keeps the file in memory',
      beside: {
        label: 'WebTorrent',
        values: rounds.map(({ inMemory }) => rateOf(inMemory.elapsedMs)),
      },
      atLeast: AT_LEAST,
    },
    {
      ...shape,
      label: 'read beside WebTorrent as it comes, which keeps it on the disk',
      beside: {
        label: 'WebTorrent',
        values: rounds.map(({ onDisk }) => rateOf(onDisk.elapsedMs)),
      },
    },
  ];
}

/** MB (10^6 bytes) a second. */
function rateOf(elapsedMs: number): number {
  return FILE.length / 1_000 / elapsedMs;
}
