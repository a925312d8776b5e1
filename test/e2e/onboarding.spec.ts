// The page that the relay shows on its http port to other devices: it finds out whether the browser knows the
// relay by name, and leads on once the certificate is trusted.

import { networkInterfaces } from 'node:os';
import { type BrowserContext, chromium, type TestInfo } from '@playwright/test';
import { browserArguments, findBrowser } from '../browser.mjs';
import { expect, test } from './palm-fixture.ts';
import type { RelayProcess } from './relay-process.ts';

const address = Object.values(networkInterfaces())
  .flatMap((entries) => entries ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
const JOIN = '#/join/uAQAAtoken';

/** The page as another device gets it, under `host`. */
function pageOf(relay: RelayProcess, host: string): string {
  return `http://${host}:${new URL(relay.app).port}/${JOIN}`;
}

test.skip(address === undefined, 'This machine has no network, so no other device could open the page.');

test('a browser that does not find the name stays with the address, and keeps the invite', async ({
  browser,
  relay,
}, info) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await page.goto(pageOf(relay, address ?? ''));
  await expect(page.getByText(/This browser does not find palm-\w{5}\.local/)).toBeVisible();
  await expect(page.getByText(/its own name|own name, which stays/)).toBeHidden();
  const open = page.getByRole('link', { name: 'Open Palm' });
  await expect(open).toHaveAttribute('href', new RegExp(`^https://${address}:\\d+/${JOIN}$`));
  await photograph(context, info, 'by-address');
  expect(page.url(), 'nothing leads past a certificate that is not trusted').toBe(
    pageOf(relay, address ?? ''),
  );
  await context.close();
});

test('a browser that finds the name is sent there, at once where it trusts the certificate', async ({
  relay,
}, info) => {
  const { name, port } = await namedBy(relay);
  // Stands for a system that resolves names by mDNS.
  const executablePath = findBrowser();
  const finding = await chromium.launch({
    args: [...browserArguments(), `--host-resolver-rules=MAP ${name} ${address}`],
    ...(executablePath === undefined ? {} : { executablePath }),
  });
  const wary = await finding.newContext();
  const page = await wary.newPage();
  await page.goto(pageOf(relay, address ?? ''));
  await expect(page.getByText(/Palm opens as palm-/)).toBeVisible();
  const target = `https://${name}:${port}/${JOIN}`;
  await expect(page.getByRole('link', { name: 'Open Palm' })).toHaveAttribute('href', target);
  await photograph(wary, info, 'by-name');
  const trusting = await finding.newContext({ ignoreHTTPSErrors: true });
  const led = await trusting.newPage();
  await led.goto(pageOf(relay, address ?? ''));
  await led.waitForURL(new RegExp(`^https://${name}:${port}/`));
  await finding.close();
});

test('a link of another address says where this device’s data is', async ({ prepareDevice }) => {
  const { context, appUrl } = await prepareDevice('Laptop');
  const page = await context.newPage();
  await page.goto(`${appUrl}${JOIN}`);
  await expect(page.getByText(/This invite was made at/)).toBeHidden();
  await page.getByLabel('Invite link').fill(`https://kitchen.local:8443/${JOIN}`);
  await expect(page.getByText(/used Palm there, its pool and what it keeps are there/)).toBeVisible();
  const there = page.getByRole('link', { name: 'open the invite there' });
  await expect(there).toHaveAttribute('href', `https://kitchen.local:8443/${JOIN}`);

  // Which pool a private file's link is for, nobody can tell without it.
  await page.goto(`${appUrl}#/file/uAQAAtoken`);
  await expect(page.getByText(/What it keeps belongs to that address, and here, at http/)).toBeVisible();
});

/** The relay's own name, and its https port, as its page says them. */
async function namedBy(relay: RelayProcess): Promise<{ name: string; port: string }> {
  const answer = await fetch(pageOf(relay, address ?? '').replace(JOIN, ''));
  const [, origin = ''] = /data-named="([^"]+)"/.exec(await answer.text()) ?? [];
  const { hostname, port } = new URL(origin);
  return { name: hostname, port };
}

async function photograph(context: BrowserContext, info: TestInfo, name: string): Promise<void> {
  const [page] = context.pages();
  for (const colorScheme of ['light', 'dark'] as const) {
    await page?.emulateMedia({ colorScheme });
    await page?.screenshot({ path: info.outputPath(`${name}-${colorScheme}.png`), fullPage: true });
  }
}
