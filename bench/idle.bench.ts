// What devices send that are left alone, for a minute: messages on the data channels, packets and bytes of
// DTLS below them, and the checks by which libwebrtc keeps a path alive, with or without Palm.

import type { Page } from '@playwright/test';
import type { LinkCosts } from './rig/bench-page.ts';
import { test, type BenchPool } from './rig/bench-pool.ts';
import { report, type LineInput } from './results.ts';

/** After the last change the pool slows down within two minutes (docs/decisions/0051-quiet-when-idle.md). */
const SETTLE_MS = 110_000;
const IDLE_MS = 60_000;
/** A check and its answer on the wire, bytes: STUN with libwebrtc's attributes, UDP and IP. */
const CHECK_BYTES = 136;
const ANSWER_BYTES = 92;

type Costs = Omit<LinkCosts, 'links'>;

test('idle devices', async ({ browser, openPalm }) => {
  const lines: LineInput[] = [];
  for (const count of [2, 8]) {
    const pool = await openPalm(count - 1);
    const sent = await idleCosts(pool, count);
    await pool.close();
    const amount = (
      label: string,
      unit: string,
      of: (costs: Costs) => number,
      atMost?: number,
    ): LineInput => ({
      kind: 'amount',
      label: `${count} idle devices: ${label}`,
      unit,
      palm: { label: 'Palm', values: sent.map((costs) => of(costs) / (IDLE_MS / 1_000)) },
      ...(atMost === undefined ? {} : { atMost }),
    });
    lines.push(
      amount('messages and pings', 'B/s a device', ({ messageBytes }) => messageBytes, 250),
      amount('packets of data', '/s a device', ({ packets }) => packets),
      amount('these packets before UDP', 'B/s a device', ({ bytes }) => bytes),
      amount(
        'checks of libwebrtc, some',
        'B/s a device',
        ({ checks, answers }) => checks * CHECK_BYTES + answers * ANSWER_BYTES,
      ),
    );
  }
  await report({
    name: 'idle',
    title: 'Devices that are left alone for a minute',
    engine: `Chromium ${browser.version()}`,
    lines,
    details: { settleMs: SETTLE_MS, idleMs: IDLE_MS },
  });
});

/** Of each device. */
async function idleCosts({ holders, reader }: BenchPool, count: number): Promise<Costs[]> {
  const pages = [...holders, reader].map(({ page }) => page);
  await pass(pages, SETTLE_MS);
  const before = await Promise.all(pages.map((page) => costsOf(page, count - 1)));
  await pass(pages, IDLE_MS);
  const after = await Promise.all(pages.map((page) => costsOf(page, count - 1)));
  return after.map((costs, index) => {
    const first = before[index];
    if (first === undefined) throw new Error('each page is looked at twice');
    return {
      messageBytes: costs.messageBytes - first.messageBytes,
      messages: costs.messages - first.messages,
      packets: costs.packets - first.packets,
      bytes: costs.bytes - first.bytes,
      checks: costs.checks - first.checks,
      answers: costs.answers - first.answers,
    };
  });
}

async function pass(pages: readonly Page[], ms: number): Promise<void> {
  await pages[0]?.evaluate((forMs) => new Promise((resolve) => setTimeout(resolve, forMs)), ms);
}

/** What the page's links sent so far, all of which must be up. */
async function costsOf(page: Page, linkCount: number): Promise<Costs> {
  const costs = await page.evaluate(() => window.benchPage.linkCosts());
  if (costs.links !== linkCount) throw new Error(`${costs.links} links are up, not ${linkCount}`);
  return costs;
}
