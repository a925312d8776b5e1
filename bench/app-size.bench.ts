// How much JavaScript and wasm a browser must load before the app can be used: from the network log of the
// built app, opened in an empty profile as the relay serves it. The app is usable when the first screen takes
// input, by the page's clock. All files requested until then count, each at gzip's best level, however the
// relay compressed it.

import { gzipSync } from 'node:zlib';
import { test } from './rig/bench-pool.ts';
import { report } from './results.ts';

/** The limit for JavaScript and wasm together, kB (1,000 bytes). */
const AT_MOST_KB = 150;

interface Milestones {
  /** When the button that creates a pool became usable, ms since the Unix epoch. */
  readonly usableMs: Promise<number>;
  /** When the page requested its service worker; the log shows its script only once it runs. */
  registeredMs: number;
}

declare global {
  interface Window {
    milestones: Milestones;
  }
}

test('JavaScript and wasm before the app is usable', async ({ browser, relay, faults, newProfile }) => {
  const context = await newProfile();
  faults.watch(context, 'newcomer', relay.app);
  await context.addInitScript(installMilestones);
  /** By URL: when it was first requested, ms since the Unix epoch. */
  const asked = new Map<string, number>();
  const note = (url: string, atMs: number) => asked.set(url, Math.min(atMs, asked.get(url) ?? Infinity));
  // A worker's requests belong to the page, a service worker's to the context.
  context.on('requestfinished', (request) => note(request.url(), request.timing().startTime));

  const page = await context.newPage();
  await page.goto(relay.app);
  const usableMs = await page.evaluate(() => window.milestones.usableMs);
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
  note(worker.url(), await page.evaluate(() => window.milestones.registeredMs));
  // Stores and reads, so that the files for that are requested by now at the latest.
  await page.evaluate(async () => {
    await window.palm.createPool({ name: 'Size' });
    const { fileId } = await window.palm.store(new Blob(['a']), { name: 'a', durability: 'fast' });
    const stream = window.palm.read(fileId).getReader();
    while (!(await stream.read()).done);
  });
  const before = await sizesOf([...asked].filter(([, atMs]) => atMs <= usableMs).map(([url]) => url));
  const all = await sizesOf([...asked.keys()]);

  await report({
    name: 'app-size',
    title: 'What a browser loads, gzip',
    engine: `Chromium ${browser.version()}`,
    lines: [
      {
        kind: 'amount',
        label: 'JavaScript and wasm before the app is usable',
        unit: 'kB',
        palm: { label: 'gzip', values: [sumOf(before)] },
        atMost: AT_MOST_KB,
      },
      {
        kind: 'amount',
        label: 'JavaScript and wasm with the codec, the service worker and what it keeps for offline',
        unit: 'kB',
        palm: { label: 'gzip', values: [sumOf(all)] },
      },
    ],
    details: { beforeUsableKb: before, allKb: all },
  });
});

/** kB of each script and wasm module of `urls`, by path. */
async function sizesOf(urls: readonly string[]): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const url of urls) {
    const response = await fetch(url);
    const type = response.headers.get('content-type') ?? '';
    const body = Buffer.from(await response.arrayBuffer());
    if (!/javascript|wasm/.test(type)) continue;
    sizes[new URL(url).pathname] = gzipSync(body, { level: 9 }).length / 1_000;
  }
  return sizes;
}

function sumOf(sizes: Readonly<Record<string, number>>): number {
  return Object.values(sizes).reduce((sum, size) => sum + size, 0);
}

/** Runs in the page before the app does, so it refers to nothing outside itself. */
function installMilestones(): void {
  const nowMs = () => performance.timeOrigin + performance.now();
  const isUsable = () =>
    [...document.querySelectorAll('button')].some(
      (button) => button.textContent.includes('Create a pool') && !button.disabled,
    );
  const usableMs = new Promise<number>((resolve) => {
    const observer = new MutationObserver(() => {
      if (!isUsable()) return;
      observer.disconnect();
      resolve(nowMs());
    });
    observer.observe(document, { subtree: true, childList: true, attributes: true });
  });
  window.milestones = { usableMs, registeredMs: Infinity };
  if (!isSecureContext) return;
  const { serviceWorker } = navigator;
  const register = serviceWorker.register.bind(serviceWorker);
  serviceWorker.register = (...parameters) => {
    window.milestones.registeredMs = Math.min(window.milestones.registeredMs, nowMs());
    return register(...parameters);
  };
}
