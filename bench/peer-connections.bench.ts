// Several peer connections for one pair of browsers, beside one: plain simple-peer channels between two
// hosts, over a cable with no delay of its own, and round trips of 1 and 20 ms. Nothing of Palm is in
// between: it says what Palm could gain by opening more.

import { chromium } from '@playwright/test';
import { browserArguments, findBrowser } from '../test/browser.mjs';
import { Lan, type LanHost } from '../test/fixtures/lan.ts';
import { plugDelayed, whyNoDelay } from './rig/delayed-cable.ts';
import { openRawStar, prepareRawChannels, type RawStar } from './rig/raw-channels.ts';
import { test } from './rig/bench-pool.ts';
import { report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const BYTES = scaled(60_000_000);
const ROUND_TRIPS_MS = [0, 1, 20] as const;
const COUNTS: readonly number[] = [1, 2, 4];
const LIMIT_MS = 30 * 60_000;

/** MB/s by number of connections, one value a repeat. */
type Rates = ReadonlyMap<number, number[]>;

test('several peer connections for one pair beside one', async () => {
  const reason = whyNoDelay();
  test.skip(reason !== undefined, reason);
  test.setTimeout(LIMIT_MS);
  const lines: LineInput[] = [];
  let version = '';
  for (const roundTripMs of ROUND_TRIPS_MS) {
    const measured = await measure(roundTripMs);
    version = measured.version;
    const [one = [], ...more] = COUNTS.map((count) => measured.rates.get(count) ?? []);
    for (const [at, values] of more.entries()) {
      const count = COUNTS[at + 1] ?? 0;
      lines.push({
        kind: 'ratio',
        label: `${count} connections, round trip ${roundTripMs} ms`,
        unit: 'MB/s',
        better: 'more',
        palm: { label: `${count} connections`, values },
        beside: { label: 'one connection', values: one },
      });
    }
  }
  await report({
    name: 'peer-connections',
    title: 'Several peer connections for one pair of browsers',
    engine: `Chromium ${version}`,
    lines,
    details: { bytes: BYTES },
  });
});

async function measure(roundTripMs: number): Promise<{ rates: Rates; version: string }> {
  const lan = new Lan();
  const hosts = [lan.addHost('one'), lan.addHost('two')] as const;
  const cable = await plugDelayed(...hosts, roundTripMs / 2);
  const [one, two] = await Promise.all([openBrowser(hosts[0]), openBrowser(hosts[1])]);
  try {
    const stars = new Map<number, RawStar>();
    for (const count of COUNTS) {
      const others = Array.from({ length: count }, () => two.page);
      stars.set(count, await openRawStar(`of ${count}`, one.page, others));
    }
    const rates = new Map<number, number[]>(COUNTS.map((count) => [count, []]));
    // The first warms up.
    for (let repeat = 0; repeat <= REPEATS; repeat++) {
      for (const [count, star] of stars) {
        const ms = await star.pull(Array.from({ length: count }, () => Math.round(BYTES / count)));
        if (repeat > 0) rates.get(count)?.push(BYTES / 1_000 / ms);
      }
    }
    return { rates, version: one.browser.version() };
  } finally {
    await Promise.all([one.browser.close(), two.browser.close()]);
    await cable.unplug();
    lan.close();
  }
}

async function openBrowser(host: LanHost) {
  const browser = await chromium.launch({
    executablePath: host.wrapper(findBrowser() ?? chromium.executablePath()),
    // Names of mDNS do not cross this cable.
    args: [...browserArguments(), '--disable-features=WebRtcHideLocalIpsWithMdns'],
  });
  const context = await browser.newContext();
  await prepareRawChannels(context);
  const page = await context.newPage();
  await page.goto('about:blank');
  return { browser, page };
}
