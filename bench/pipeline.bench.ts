// The whole codec pipeline in a page (hash, seal, code 4 of 8, hash the blocks, in the codec pool as the app
// opens it) beside one plain simple-peer channel from that page to another: the pipeline must be faster than
// any link. Both rates count input bytes; the pipeline's output is twice as large.

import type { BrowserContext, Page } from '@playwright/test';
import { geometryOf, segmentBytesOf } from '../src/core/model/geometry.ts';
import { servePipeline } from './pipeline/pipeline-server.ts';
import { test } from './rig/bench-pool.ts';
import { openRawStar, prepareRawChannels } from './rig/raw-channels.ts';
import { report, type LineInput } from './results.ts';
import { REPEATS, scaled } from './scale.ts';

const SEGMENT_COUNT = scaled(200);
const BYTES = SEGMENT_COUNT * segmentBytesOf(geometryOf(0, 4, 8));

test('the codec pipeline beside a plain channel', async ({ browser, newProfile }) => {
  const server = await servePipeline();
  try {
    const pages = await Promise.all([0, 1].map(() => openPage(newProfile, server.url)));
    const [page, other] = pages;
    if (page === undefined || other === undefined) throw new Error('two pages were opened');
    const channel = await openRawStar('plain', page, [other]);
    const rates: { seal: number; open: number; channel: number }[] = [];
    for (let repeat = -1; repeat < REPEATS; repeat++) {
      const rate = {
        seal: rateOf(await page.evaluate((count) => window.pipelinePage.seal(count), SEGMENT_COUNT)),
        channel: rateOf(await channel.push([BYTES])),
        open: rateOf(await page.evaluate((count) => window.pipelinePage.open(count), SEGMENT_COUNT)),
      };
      // The first round warms up.
      if (repeat >= 0) rates.push(rate);
    }
    const line = (label: string, values: readonly number[], atLeast?: number): LineInput => ({
      kind: 'ratio',
      label,
      unit: 'MB/s',
      better: 'more',
      palm: { label: 'codec pool', values },
      beside: { label: 'plain channel', values: rates.map(({ channel: each }) => each) },
      ...(atLeast === undefined ? {} : { atLeast }),
    });
    await report({
      name: 'pipeline',
      title: 'The codec pipeline, 4 of 8, beside one plain channel',
      engine: `Chromium ${browser.version()}`,
      lines: [
        line(
          'hash, seal, code and hash the blocks',
          rates.map(({ seal }) => seal),
          5,
        ),
        line(
          'rebuild all data blocks and open',
          rates.map(({ open }) => open),
        ),
      ],
      details: { bytes: BYTES },
    });
  } finally {
    await server.close();
  }
});

async function openPage(newProfile: () => Promise<BrowserContext>, url: string): Promise<Page> {
  const context = await newProfile();
  await prepareRawChannels(context);
  const page = await context.newPage();
  await page.goto(url);
  await page.waitForFunction(() => 'pipelinePage' in window);
  return page;
}

/** MB (10^6 bytes) a second. */
function rateOf(elapsedMs: number): number {
  return BYTES / 1_000 / elapsedMs;
}
