// A store and a read of 200 MB between a page and the device next to its relay: by the fast lane, over the
// data channel, and beside plain requests for as many bytes, in turns.
//
// The file is a mirror, so that all of its bytes are at the device, and none come from elsewhere. A store
// counts from the call until the device has proved to hold the whole file, a read until its last byte is
// delivered. A page has a lane where its origin is one that the device names; pages of the pool beside it are
// opened at another name of the same relay, so that they have none.

import { createServer, type Server } from 'node:http';
import type { Page } from '@playwright/test';
import { Device } from '../test/e2e/device.ts';
import { startHousehold, type Household } from '../test/e2e/node-device.ts';
import { installBenchWork, installLinkBytes, installNoSpace, type Timed } from './rig/bench-page.ts';
import { test } from './rig/bench-pool.ts';
import { medianOf, report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const FILE_BYTES = scaled(200_000_000);
const TIMES_CHANNEL = 5;
const OF_PLAIN = 0.6;
/** One request's body, bytes: a run of the lane. */
const BODY_BYTES = 2 ** 20;
const LIMIT_MS = 60 * 60_000;

interface LanePool {
  readonly household: Household;
  readonly storer: Device;
  /** Never holds anything. */
  readonly reader: Device;
}

interface Moved {
  readonly store: Timed;
  readonly read: Timed;
  /** Bytes of the reader's data channels during the read. */
  readonly linkBytes: number;
}

test('the fast lane beside the channel and plain requests', async ({ browser, newProfile }) => {
  test.setTimeout(LIMIT_MS);
  const open = async (app: (household: Household) => string): Promise<LanePool> => {
    const household = await startHousehold();
    const device = async (name: string, scripts: readonly (() => void)[]): Promise<Device> => {
      const context = await newProfile();
      const prepared = await Device.prepare(name, context, app(household));
      for (const script of scripts) await context.addInitScript({ content: `(${String(script)})();` });
      await prepared.open();
      const { stdout } = await household.palm(['invite', '--json']);
      await prepared.join(JSON.parse(String(stdout)).invite);
      return prepared;
    };
    const scripts = [installLinkBytes, installBenchWork];
    const storer = await device('storer', scripts);
    return { household, storer, reader: await device('reader', [...scripts, installNoSpace]) };
  };
  const lane = await open(({ app }) => app);
  const channel = await open(({ app }) => app.replace('localhost', '127.0.0.2'));
  const server = await plainServer();
  const plain = await (await newProfile()).newPage();
  await plain.goto(originOf(server));
  for (const { storer } of [lane, channel])
    await storer.page.evaluate((bytes) => window.benchPage.prepareSource(bytes), FILE_BYTES);

  const rounds: { lane: Moved; channel: Moved; sentMs: number; fetchedMs: number }[] = [];
  // The first warms up.
  for (let tag = 1; tag <= REPEATS + 1; tag++) {
    const round = {
      lane: await moved(lane, tag),
      sentMs: await plain.evaluate(plainSend, [FILE_BYTES, BODY_BYTES] as const),
      fetchedMs: await plain.evaluate(plainFetch, FILE_BYTES),
      channel: await moved(channel, tag),
    };
    if (tag > 1) rounds.push(round);
  }
  const rate = (pick: (round: (typeof rounds)[number]) => number): number[] =>
    rounds.map((round) => FILE_BYTES / 1_000 / pick(round));
  const line = (
    label: string,
    palm: number[],
    beside: string,
    values: number[],
    atLeast: number,
  ): LineInput => ({
    kind: 'ratio',
    label,
    unit: 'MB/s',
    better: 'more',
    palm: { label: 'fast lane', values: palm },
    beside: { label: beside, values },
    atLeast,
  });
  const read = rate((round) => round.lane.read.elapsedMs);
  const store = rate((round) => round.lane.store.elapsedMs);
  await report({
    name: 'lane',
    title: 'Store and read of 200 MB between a page and the device next to its relay',
    engine: `Chromium ${browser.version()}`,
    lines: [
      line(
        'read, beside the channel',
        read,
        'channel',
        rate((round) => round.channel.read.elapsedMs),
        TIMES_CHANNEL,
      ),
      line(
        'read, beside plain fetch',
        read,
        'plain fetch',
        rate((round) => round.fetchedMs),
        OF_PLAIN,
      ),
      line(
        'store, beside the channel',
        store,
        'channel',
        rate((round) => round.channel.store.elapsedMs),
        TIMES_CHANNEL,
      ),
      line(
        'store, beside plain requests',
        store,
        'plain requests',
        rate((round) => round.sentMs),
        OF_PLAIN,
      ),
    ],
    details: {
      fileBytes: FILE_BYTES,
      laneReadLinkBytes: medianOf(rounds.map((round) => round.lane.linkBytes)),
      channelReadLinkBytes: medianOf(rounds.map((round) => round.channel.linkBytes)),
      laneReadLongTasksMs: rounds.map((round) => round.lane.read.longTasksMs),
      laneStoreLongTasksMs: rounds.map((round) => round.lane.store.longTasksMs),
    },
  });
  for (const { storer, reader, household } of [lane, channel]) {
    await Promise.all([storer.close(), reader.close()]);
    await household.stop();
  }
  server.close();
});

async function moved({ storer, reader }: LanePool, tag: number): Promise<Moved> {
  const work = {
    tag,
    bytes: FILE_BYTES,
    geometry: { k: 1, n: 2, mirror: true },
    staysInOutbox: false,
  };
  const store = await storer.page.evaluate((given) => window.benchPage.store(given), work);
  const { fileId } = store;
  await reader.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
  // The device next to the relay is the only one that can be asked.
  await storer.closeTab();
  const before = await received(reader.page);
  const read = await reader.page.evaluate(([id, end]) => window.benchPage.read(id, 0, end), [
    fileId,
    FILE_BYTES,
  ] as const);
  const linkBytes = (await received(reader.page)) - before;
  await storer.open();
  await storer.waitFor(
    'its links',
    ({ devices }) => devices.filter(({ state }) => state === 'reachable').length > 2,
  );
  await storer.page.evaluate(() => window.benchPage.removeAll());
  return { store, read, linkBytes };
}

async function received(page: Page): Promise<number> {
  return page.evaluate(async () => (await window.benchPage.linkBytes()).received);
}

/** Serves a page without a script, as many bytes as are asked for, and takes any. */
async function plainServer(): Promise<Server> {
  const piece = Buffer.alloc(BODY_BYTES, 7);
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      request.resume().on('end', () => response.writeHead(204).end());
      return;
    }
    const byteCount = Number(request.url?.slice(1));
    if (byteCount === 0) {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html>');
      return;
    }
    response.writeHead(200, { 'Content-Length': byteCount });
    let left = byteCount;
    const send = (): void => {
      while (left > 0) {
        const part = piece.subarray(0, Math.min(left, piece.length));
        left -= part.length;
        if (!response.write(part)) {
          response.once('drain', send);
          return;
        }
      }
      response.end();
    };
    send();
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return server;
}

function originOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it has a port');
  return `http://localhost:${address.port}/`;
}

async function plainFetch(byteCount: number): Promise<number> {
  const startMs = performance.now();
  const reader = (await fetch(`/${byteCount}`, { cache: 'no-store' })).body?.getReader();
  let receivedBytes = 0;
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
    receivedBytes += next.value.length;
  if (receivedBytes !== byteCount) throw new Error(`${receivedBytes} of ${byteCount} bytes arrived.`);
  return performance.now() - startMs;
}

/** Two requests at a time, as the lane makes them. */
async function plainSend([byteCount, bodyBytes]: readonly [number, number]): Promise<number> {
  const startMs = performance.now();
  // Chromium sends a Blob's bytes ten times as fast as those of an array.
  const body = new Blob([new Uint8Array(bodyBytes)]);
  let left = byteCount;
  const sendAll = async (): Promise<void> => {
    while (left > 0) {
      const part = body.slice(0, Math.min(left, bodyBytes));
      left -= part.size;
      await fetch('/', { method: 'POST', body: part });
    }
  };
  await Promise.all([sendAll(), sendAll()]);
  return performance.now() - startMs;
}
