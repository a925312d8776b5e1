// What a network of 100 Mbit/s lets through: a store and a read of 50 MB between a page on one host and the
// device next to its relay on another, by the fast lane and over the data channel, beside plain requests and
// plain channels of as many bytes over the same cable, in turns.
//
// Hosts are network namespaces, and the cable is limited by tc (test/fixtures/lan.ts). Of 12.5 MB/s, headers
// of Ethernet, IP and TCP leave 11.9.

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BrowserContext } from '@playwright/test';
import { startHousehold } from '../test/e2e/node-device.ts';
import { Lan, whyNoLan } from '../test/fixtures/lan.ts';
import { test } from './rig/bench-pool.ts';
import { closeLanePool, move, openLanePool, type LanePool, type Moved } from './rig/lane-pool.ts';
import { fetchPlain, sendPlain } from './rig/plain-requests.ts';
import { openProfile } from './rig/profile.ts';
import { openRawStar } from './rig/raw-channels.ts';
import { medianOf, report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const MEGABITS = 100;
const FILE_BYTES = scaled(50_000_000);
const OF_LINK = 0.95;
const LIMIT_MS = 60 * 60_000;
const PLAIN_SERVER = fileURLToPath(new URL('rig/plain-server.mjs', import.meta.url));
/** An address of the relay's host that its device does not name: pages there have no lane. */
const UNNAMED_ADDRESS = '10.79.0.1';

interface Round {
  readonly lane: Moved;
  readonly channel: Moved;
  readonly fetchedMs: number;
  readonly sentMs: number;
  readonly pulledMs: number;
  readonly pushedMs: number;
}

test('store and read over a link of 100 Mbit/s', async () => {
  const reason = whyNoLan();
  test.skip(reason !== undefined, reason);
  test.setTimeout(LIMIT_MS);
  const lan = new Lan();
  const home = lan.addHost('home');
  const away = lan.addHost('away');
  home.ip('address', 'add', UNNAMED_ADDRESS, 'dev', 'lo');
  const profiles: (() => Promise<void>)[] = [];
  const newProfile = async (host = away): Promise<BrowserContext> => {
    const { context, close } = await openProfile(host);
    profiles.push(close);
    return context;
  };
  try {
    const openPool = async (appOf: (app: string) => string): Promise<LanePool> => {
      const household = await startHousehold((...start) => home.spawn(...start));
      const [app = ''] = household.lan;
      return openLanePool({ household, app: appOf(app), newProfile, fileBytes: FILE_BYTES });
    };
    const lane = await openPool((app) => app);

    const channel = await openPool((app) => app.replace(home.address, UNNAMED_ADDRESS));

    const server = home.spawn(process.execPath, [PLAIN_SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (server.stdout === null) throw new Error('it is a pipe');
    const [port] = await once(server.stdout, 'data');
    const plain = await (await newProfile()).newPage();
    await plain.goto(`http://${home.address}:${String(port).trim()}/0`);
    const far = await (await newProfile(home)).newPage();
    await far.goto(`http://${home.address}:${String(port).trim()}/0`);
    const raw = await openRawStar('plain', plain, [far]);
    // All links are there. From now on bytes take their time.
    home.limit(MEGABITS);

    const rounds: Round[] = [];
    // The first warms up.
    for (let tag = 1; tag <= REPEATS + 1; tag++) {
      const round = {
        lane: await move(lane, tag, FILE_BYTES),
        fetchedMs: await fetchPlain(plain, FILE_BYTES),
        sentMs: await sendPlain(plain, FILE_BYTES),
        channel: await move(channel, tag, FILE_BYTES),
        pulledMs: await raw.pull([FILE_BYTES]),
        pushedMs: await raw.push([FILE_BYTES]),
      };
      if (tag > 1) rounds.push(round);
    }
    const line = (
      label: string,
      palm: (round: Round) => number,
      besideLabel: string,
      beside: (round: Round) => number,
    ): LineInput => ({
      kind: 'ratio',
      label,
      unit: 'MB/s',
      better: 'more',
      palm: { label: 'Palm', values: rounds.map((round) => FILE_BYTES / 1_000 / palm(round)) },
      beside: { label: besideLabel, values: rounds.map((round) => FILE_BYTES / 1_000 / beside(round)) },
      atLeast: OF_LINK,
    });
    const laneRead = ({ lane: { read } }: Round): number => read.elapsedMs;
    const laneStore = ({ lane: { store } }: Round): number => store.elapsedMs;
    const channelRead = ({ channel: { read } }: Round): number => read.elapsedMs;
    const channelStore = ({ channel: { store } }: Round): number => store.elapsedMs;
    await report({
      name: 'link',
      title: `Store and read of 50 MB over a link of ${MEGABITS} Mbit/s`,
      engine: `Chromium ${plain.context().browser()?.version() ?? ''}`.trim(),
      lines: [
        line('read by the lane', laneRead, 'plain fetch', ({ fetchedMs }) => fetchedMs),
        line('store by the lane', laneStore, 'plain requests', ({ sentMs }) => sentMs),
        line('read over the channel', channelRead, 'plain fetch', ({ fetchedMs }) => fetchedMs),
        line('read over the channel', channelRead, 'plain channel', ({ pulledMs }) => pulledMs),
        line('store over the channel', channelStore, 'plain requests', ({ sentMs }) => sentMs),
        line('store over the channel', channelStore, 'plain channel', ({ pushedMs }) => pushedMs),
      ],
      details: {
        fileBytes: FILE_BYTES,
        laneReadLinkBytes: medianOf(rounds.map((round) => round.lane.linkBytes)),
        channelReadLinkBytes: medianOf(rounds.map((round) => round.channel.linkBytes)),
      },
    });
    server.kill();
    await Promise.all([closeLanePool(lane), closeLanePool(channel)]);
  } finally {
    await Promise.all(profiles.map((close) => close()));
    lan.close();
  }
});
