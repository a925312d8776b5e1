// Several peer connections for one pair of browsers, beside one, between two hosts, over a cable with no
// delay of its own, and round trips of 1 and 20 ms: Palm's store and read with a second connection for each
// link, beside links of one; and plain simple-peer channels. Beside one of these also a channel whose
// sockets have room for all that arrives: it says what bounds one connection.

import type { BrowserContext, Page } from '@playwright/test';
import { Lan, type LanHost } from '../test/fixtures/lan.ts';
import { CABLE_ADDRESSES, plugDelayed, whyNoDelay } from './rig/delayed-cable.ts';
import { installOneConnection } from './rig/bench-page.ts';
import { openDelayedPool, type DelayedPool } from './rig/delayed-pool.ts';
import { openProfile, type Profile } from './rig/profile.ts';
import { openRawStar } from './rig/raw-channels.ts';
import { lostAtSockets, roomySockets } from './rig/roomy-sockets.ts';
import { test } from './rig/bench-pool.ts';
import { medianOf, report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const BYTES = scaled(60_000_000);
const ROUND_TRIPS_MS = [0, 1, 20] as const;
const COUNTS: readonly number[] = [2, 4];
const LIMIT_MS = 90 * 60_000;
const ONE = 'one connection';
const [STORE, READ] = ['Palm’s store', 'Palm’s read'];
/** What each is compared with, other than one plain channel. */
const BESIDE: Readonly<Record<string, string>> = {
  [`${STORE} with a second`]: STORE,
  [`${READ} with a second`]: READ,
};

type Environment = Parameters<typeof openProfile>[1];

/** Something that moves BYTES from host to host. */
interface Mover {
  readonly name: string;
  /** Returns the ms that it took. `tag`: a new one each time. */
  readonly move: (tag: number) => Promise<number>;
}

interface Measured {
  /** One value a repeat, MB/s. */
  readonly rates: number[];
  /** UDP packets that arrived at a full socket, of either host. */
  readonly lostCounts: number[];
}

test('several peer connections for one pair beside one', async () => {
  const reason = whyNoDelay();
  test.skip(reason !== undefined, reason);
  test.setTimeout(LIMIT_MS);
  const lines: LineInput[] = [];
  const details: Record<string, unknown> = { bytes: BYTES };
  let engine = '';
  for (const roundTripMs of ROUND_TRIPS_MS) {
    const { measured, version } = await measure(roundTripMs);
    engine = `Chromium ${version}`;
    const ratesOf = (label: string): number[] => measured.get(label)?.rates ?? [];
    for (const label of measured.keys()) {
      const beside = BESIDE[label] ?? ONE;
      if (label === beside) continue;
      lines.push({
        kind: 'ratio',
        label: `${label}, round trip ${roundTripMs} ms`,
        unit: 'MB/s',
        better: 'more',
        palm: { label, values: ratesOf(label) },
        beside: { label: beside, values: ratesOf(beside) },
      });
    }
    details[`packets lost at full sockets, round trip ${roundTripMs} ms`] = Object.fromEntries(
      [...measured].map(([name, { lostCounts }]) => [name, medianOf(lostCounts)]),
    );
  }
  await report({
    name: 'peer-connections',
    title: 'Several peer connections for one pair of browsers',
    engine,
    lines,
    details,
  });
});

async function measure(roundTripMs: number): Promise<{ measured: Map<string, Measured>; version: string }> {
  const lan = new Lan();
  const hosts = [lan.addHost('one'), lan.addHost('two')] as const;
  const cable = await plugDelayed(...hosts, roundTripMs / 2);
  const profiles: Profile[] = [];
  const newContext = async (host: LanHost, more?: Environment): Promise<BrowserContext> => {
    const profile = await openProfile(host, more);
    profiles.push(profile);
    return profile.context;
  };
  const newPages = async (more?: Environment): Promise<readonly [Page, Page]> => {
    const [one, two] = [await newContext(hosts[0], more), await newContext(hosts[1], more)];
    return [await openBlank(one), await openBlank(two)];
  };
  try {
    const plain = await newPages();
    const movers = [await connections(ONE, plain, 1)];
    for (const count of COUNTS) movers.push(await connections(`${count} connections`, plain, count));
    movers.push(await connections('one, roomy sockets', await newPages(roomySockets()), 1));
    const [home, away] = hosts;
    const [address] = CABLE_ADDRESSES;
    const opening = { home, away, address, newContext, fileBytes: BYTES };
    const pools: DelayedPool[] = [];
    for (const [suffix, scripts] of [
      ['', [installOneConnection]],
      [' with a second', []],
    ] as const) {
      const pool = await openDelayedPool({ ...opening, scripts });
      pools.push(pool);
      // A read is of the file that was stored last.
      movers.push({ name: STORE + suffix, move: pool.store }, { name: READ + suffix, move: pool.read });
    }
    const measured = await inTurns(movers, hosts);
    await Promise.all(pools.map((pool) => pool.close()));
    return { measured, version: plain[0].context().browser()?.version() ?? '' };
  } finally {
    await Promise.all(profiles.map((profile) => profile.close()));
    await cable.unplug();
    lan.close();
  }
}

async function inTurns(movers: readonly Mover[], hosts: readonly LanHost[]): Promise<Map<string, Measured>> {
  const measured = new Map<string, Measured>();
  const lostCount = (): number => hosts.reduce((sum, host) => sum + lostAtSockets(host), 0);
  // The first warms up.
  for (let repeat = 0; repeat <= REPEATS; repeat++) {
    for (const { name, move } of movers) {
      const before = lostCount();
      const ms = await move(repeat + 1);
      const { rates, lostCounts } = measured.get(name) ?? { rates: [], lostCounts: [] };
      measured.set(name, { rates, lostCounts });
      if (repeat === 0) continue;
      rates.push(BYTES / 1_000 / ms);
      lostCounts.push(lostCount() - before);
    }
  }
  return measured;
}

/** Plain channels, which move an equal part of BYTES each. */
async function connections(name: string, [one, two]: readonly [Page, Page], count: number): Promise<Mover> {
  const each = <Value>(value: Value): Value[] => Array.from({ length: count }, () => value);
  const star = await openRawStar(name, one, each(two));
  return { name, move: () => star.pull(each(Math.round(BYTES / count))) };
}

async function openBlank(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto('about:blank');
  return page;
}
