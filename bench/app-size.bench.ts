// A first visit: how much JavaScript and wasm a browser is sent before the app can be used, and what
// Lighthouse says of a phone. Sizes are those of the browser's network log, so as the relay sent them. The
// app is usable when the first screen takes input, by the page's clock; everything that was requested until
// then counts.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { browserArguments, findBrowser } from '../test/browser.mjs';
import { test } from './rig/bench-pool.ts';
import { report } from './results.ts';
import { REPEATS } from './scale.ts';

/** The limit for JavaScript and wasm together, kB (1,000 bytes) transferred. */
const AT_MOST_KB = 150;
/** Lighthouse's score for performance on a phone may lack this much of 100. */
const AT_MOST_LACKING = 5;
/** Seconds. */
const FIRST_PAINT_AT_MOST = 1.5;

const LIGHTHOUSE = new URL('lighthouse/', import.meta.url);

declare global {
  interface Window {
    /** When the button that creates a pool became usable, s on the page's monotonic clock. */
    usableAt: Promise<number>;
  }
}

/** A file as it was transferred. */
interface Transfer {
  readonly path: string;
  readonly kind: string;
  /** Seconds, on the clock of DevTools, which all transfers share. */
  readonly requestedAt: number;
  transferredBytes: number;
}

test('a first visit', async ({ browser, relay, faults, newProfile }) => {
  const context = await newProfile();
  faults.watch(context, 'newcomer', relay.app);
  await context.addInitScript(watchForUse);
  const page = await context.newPage();
  const transfers = await watchTransfers(page);
  await page.goto(relay.app);
  const usableAt = await page.evaluate(() => window.usableAt);
  await page.evaluate(() => window.palm.ready);
  const code = [...transfers.values()].filter(({ kind }) => /javascript|wasm/.test(kind));
  const [first] = transfers.values();
  if (first === undefined) throw new Error('Nothing was transferred.');
  const before = code.filter(({ requestedAt }) => requestedAt - first.requestedAt <= usableAt);

  const audits = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) audits.push(await lighthouse(relay.app));
  await report({
    name: 'app-size',
    title: 'A first visit',
    engine: `Chromium ${browser.version()}`,
    lines: [
      {
        kind: 'amount',
        label: 'JavaScript and wasm transferred before the app is usable',
        unit: 'kB',
        palm: { label: 'transferred', values: [sumKb(before)] },
        atMost: AT_MOST_KB,
      },
      {
        kind: 'amount',
        label: 'JavaScript and wasm transferred until the page needs its relay no more',
        unit: 'kB',
        palm: { label: 'transferred', values: [sumKb(code)] },
      },
      {
        kind: 'amount',
        label: 'Lighthouse, phone: what performance lacks of 100',
        unit: 'points',
        palm: { label: 'Lighthouse', values: audits.map(({ score }) => 100 - score) },
        atMost: AT_MOST_LACKING,
      },
      {
        kind: 'amount',
        label: 'Lighthouse, phone: first contentful paint',
        unit: 's',
        palm: { label: 'Lighthouse', values: audits.map(({ firstPaintMs }) => firstPaintMs / 1_000) },
        atMost: FIRST_PAINT_AT_MOST,
      },
    ],
    details: { beforeUsableKb: kbByPath(before), allKb: kbByPath(code), audits },
  });
});

/** The page's transfers by request, from now on. */
async function watchTransfers(page: Page): Promise<ReadonlyMap<string, Transfer>> {
  const transfers = new Map<string, Transfer>();
  const requestedAt = new Map<string, number>();
  const devTools = await page.context().newCDPSession(page);
  devTools.on('Network.requestWillBeSent', ({ requestId, timestamp }) => {
    requestedAt.set(requestId, timestamp);
  });
  devTools.on('Network.responseReceived', ({ requestId, response }) => {
    if (!response.url.startsWith('http')) return;
    transfers.set(requestId, {
      path: new URL(response.url).pathname,
      kind: response.mimeType,
      requestedAt: requestedAt.get(requestId) ?? 0,
      transferredBytes: 0,
    });
  });
  devTools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const transfer = transfers.get(requestId);
    if (transfer !== undefined) transfer.transferredBytes = encodedDataLength;
  });
  await devTools.send('Network.enable');
  return transfers;
}

function sumKb(transfers: readonly Transfer[]): number {
  return transfers.reduce((sum, { transferredBytes }) => sum + transferredBytes, 0) / 1_000;
}

function kbByPath(transfers: readonly Transfer[]): Record<string, number> {
  return Object.fromEntries(transfers.map(({ path, transferredBytes }) => [path, transferredBytes / 1_000]));
}

/**
 * One visit of Lighthouse's phone: a slow processor on a slow network, both simulated, in an empty profile.
 */
async function lighthouse(url: string) {
  await installLighthouse();
  const program = fileURLToPath(new URL('node_modules/lighthouse/cli/index.js', LIGHTHOUSE));
  const flags = ['--headless=new', ...browserArguments()].join(' ');
  const given = [url, '--only-categories=performance', '--output=json', '--quiet'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, ...given, '--no-enable-error-reporting', `--chrome-flags=${flags}`],
    { env: { ...process.env, CHROME_PATH: findBrowser() }, maxBuffer: 64 * 1024 * 1024 },
  );
  // Its report has no types here; what is missing shows as NaN.
  const { categories, audits, environment } = JSON.parse(stdout);
  const msOf = (audit: string): number => Number(audits[audit]?.numericValue);
  return {
    score: Math.round(100 * Number(categories.performance?.score)),
    firstPaintMs: msOf('first-contentful-paint'),
    largestPaintMs: msOf('largest-contentful-paint'),
    speedIndexMs: msOf('speed-index'),
    blockedMs: msOf('total-blocking-time'),
    /** The machine's speed, as Lighthouse measures it: some 1,500 is a laptop with nothing else to do. */
    machineIndex: Number(environment?.benchmarkIndex),
  };
}

async function installLighthouse(): Promise<void> {
  if (existsSync(new URL('node_modules/lighthouse', LIGHTHOUSE))) return;
  console.log('Installing Lighthouse into bench/lighthouse, once.');
  // npm is a shell script on Windows.
  const options = { cwd: fileURLToPath(LIGHTHOUSE), shell: process.platform === 'win32' };
  await promisify(execFile)('npm', ['ci', '--ignore-scripts'], options);
}

/** Runs in the page before the app does, so it refers to nothing outside itself. */
function watchForUse(): void {
  const isUsable = () =>
    [...document.querySelectorAll('button')].some(
      (button) => button.textContent.includes('Create a pool') && !button.disabled,
    );
  window.usableAt = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (!isUsable()) return;
      observer.disconnect();
      resolve(performance.now() / 1_000);
    });
    observer.observe(document, { subtree: true, childList: true, attributes: true });
  });
}
