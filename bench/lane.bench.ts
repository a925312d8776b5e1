// A store and a read of 200 MB between a page and the device next to its relay: by the fast lane, over the
// data channel, and beside plain requests for as many bytes, in turns.
//
// The file is a mirror, so that all of its bytes are at the device, and none come from elsewhere. A store
// counts from the call until the device has proved to hold the whole file, a read until its last byte is
// delivered. A page has a lane where its origin is one that the device names; pages of the pool beside it are
// opened at another name of the same relay, so that they have none.

import { startHousehold, type Household } from '../test/e2e/node-device.ts';
import { test } from './rig/bench-pool.ts';
import { closeLanePool, move, openLanePool, type LanePool, type Moved } from './rig/lane-pool.ts';
import { fetchPlain, sendPlain } from './rig/plain-requests.ts';
import { plainServer, portOf } from './rig/plain-server.mjs';
import { medianOf, report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const FILE_BYTES = scaled(200_000_000);
const TIMES_CHANNEL = 5;
const OF_PLAIN = 0.6;
const LIMIT_MS = 60 * 60_000;

test('the fast lane beside the channel and plain requests', async ({ browser, newProfile }) => {
  test.setTimeout(LIMIT_MS);
  const open = async (app: (household: Household) => string): Promise<LanePool> => {
    const household = await startHousehold();
    return openLanePool({ household, app: app(household), newProfile, fileBytes: FILE_BYTES });
  };
  const lane = await open(({ app }) => app);
  const channel = await open(({ app }) => app.replace('localhost', '127.0.0.2'));
  const server = plainServer();
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const plain = await (await newProfile()).newPage();
  await plain.goto(`http://localhost:${portOf(server)}/0`);

  const rounds: { lane: Moved; channel: Moved; sentMs: number; fetchedMs: number }[] = [];
  // The first warms up.
  for (let tag = 1; tag <= REPEATS + 1; tag++) {
    const round = {
      lane: await move(lane, tag, FILE_BYTES),
      sentMs: await sendPlain(plain, FILE_BYTES),
      fetchedMs: await fetchPlain(plain, FILE_BYTES),
      channel: await move(channel, tag, FILE_BYTES),
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
  const cost = (label: string, pick: (moved: Moved) => number): LineInput[] => {
    const [palm, beside] = [
      rounds.map((round) => pick(round.lane)),
      rounds.map((round) => pick(round.channel)),
    ];
    if (palm.some(Number.isNaN)) return [];
    return [
      {
        kind: 'ratio',
        label,
        unit: 'ms',
        better: 'less',
        palm: { label: 'fast lane', values: palm },
        beside: { label: 'channel', values: beside },
      },
    ];
  };
  const read = rate((round) => round.lane.read.elapsedMs);
  const store = rate((round) => round.lane.store.elapsedMs);
  const channelRead = rate((round) => round.channel.read.elapsedMs);
  const channelStore = rate((round) => round.channel.store.elapsedMs);
  const fetched = rate((round) => round.fetchedMs);
  const sent = rate((round) => round.sentMs);
  await report({
    name: 'lane',
    title: 'Store and read of 200 MB between a page and the device next to its relay',
    engine: `Chromium ${browser.version()}`,
    lines: [
      line('read, beside the channel', read, 'channel', channelRead, TIMES_CHANNEL),
      line('read, beside plain fetch', read, 'plain fetch', fetched, OF_PLAIN),
      ...cost('read, processor time of all processes', (moved) => moved.readProcessorMs),
      line('store, beside the channel', store, 'channel', channelStore, TIMES_CHANNEL),
      line('store, beside plain requests', store, 'plain requests', sent, OF_PLAIN),
      ...cost('store, processor time of all processes', (moved) => moved.storeProcessorMs),
    ],
    details: {
      fileBytes: FILE_BYTES,
      laneReadLinkBytes: medianOf(rounds.map((round) => round.lane.linkBytes)),
      channelReadLinkBytes: medianOf(rounds.map((round) => round.channel.linkBytes)),
      laneReadLongTasksMs: rounds.map((round) => round.lane.read.longTasksMs),
      laneStoreLongTasksMs: rounds.map((round) => round.lane.store.longTasksMs),
    },
  });
  await Promise.all([closeLanePool(lane), closeLanePool(channel)]);
  server.close();
});
