// The gateway in a real browser that remembers the token as a password: media that is sought in, and pages
// that try to use what the browser remembers.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BrowserContext, expect, test as base } from '@playwright/test';
import { GatewayWorld } from '../fixtures/gateway-world.ts';

// More than a browser reads ahead: 29 MB.
const SECONDS = 300;
const SAMPLES_PER_SECOND = 48_000;

const test = base.extend<{ readonly world: GatewayWorld; readonly signedIn: BrowserContext }>({
  // Playwright reads a fixture's needs from this pattern; this one has none.
  // oxlint-disable-next-line no-empty-pattern
  world: async ({}, use) => {
    const world = new GatewayWorld();
    await world.open();
    await use(world);
    await world.end();
  },
  signedIn: async ({ browser, world }, use) => {
    const password = world.token('read', 'add', 'admin');
    const context = await browser.newContext({ httpCredentials: { username: 'me', password } });
    await use(context);
    await context.close();
  },
});

test('a recording plays from its middle, and only that is read', async ({ world, signedIn }) => {
  const { fileId } = world.put('recording.wav', silence());
  const page = await signedIn.newPage();
  await page.goto(`http://127.0.0.1:${world.port}/f/${fileId}/recording.wav`);
  const media = page.locator('video, audio');
  await expect.poll(() => media.evaluate((element: HTMLMediaElement) => element.duration)).toBe(SECONDS);
  await media.evaluate((element: HTMLMediaElement, seconds) => {
    element.muted = true;
    element.currentTime = seconds;
    return element.play();
  }, SECONDS - 2);
  await expect
    .poll(() => media.evaluate((element: HTMLMediaElement) => element.currentTime))
    .toBeGreaterThan(SECONDS - 1);
  const middle = 44 + (SECONDS - 10) * SAMPLES_PER_SECOND * 2;
  expect(world.reads.some(({ start = 0 }) => start > middle)).toBe(true);
  expect(world.pulledBytes).toBeLessThan(middle);
});

test('a stored page runs nothing and asks for nothing', async ({ world, signedIn }) => {
  const script = 'document.title = "ran"; fetch("/f/"); location.hash = "ran"';
  const forms = '<form id=f method=post action="/f/?name=x"><button>send</button></form>';
  const images = '<img src="/f/file1/x.png" onerror="document.title = \'ran\'"><iframe src="/f/"></iframe>';
  const { fileId } = world.put(
    'page.html',
    `<title>stored</title><script>${script}</script>${forms}${images}`,
  );
  world.put('x.png', 'x');
  const page = await signedIn.newPage();
  await page.goto(`http://127.0.0.1:${world.port}/f/${fileId}/page.html`);
  await page.getByRole('button', { name: 'send' }).click();
  expect(await page.title()).toBe('stored');
  expect(page.url()).toMatch(/page\.html$/u);
  expect(world.reads).toHaveLength(1);
  expect(world.files).toHaveLength(2);
});

test('another site gets nothing by what the browser remembers', async ({ world, signedIn }) => {
  const { fileId } = world.put(
    'secret.svg',
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
  );
  const page = await signedIn.newPage();
  const gateway = `http://127.0.0.1:${world.port}`;
  await page.goto(`${gateway}/f/`);
  await expect(page.getByRole('link', { name: 'secret.svg' })).toBeVisible();
  const other = await serve(`<title>other</title><img src="${gateway}/f/${fileId}/secret.svg">
    <iframe src="${gateway}/f/${fileId}/secret.svg"></iframe>
    <form method=post action="${gateway}/f/?name=x" enctype="text/plain"><button>send</button></form>`);
  await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
  const answers = await page.evaluate(
    (url) =>
      Promise.all(
        (['cors', 'no-cors'] as const).map((mode) =>
          fetch(url, { mode, credentials: 'include' }).then(
            ({ type }) => type,
            () => 'failed',
          ),
        ),
      ),
    `${gateway}/f/${fileId}/secret.svg`,
  );
  expect(answers).toEqual(['failed', 'failed']);
  expect(await page.locator('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(0);
  await page.getByRole('button', { name: 'send' }).click();
  await expect(page.getByText('Another site caused this request.')).toBeVisible();
  expect(world.reads).toEqual([]);
  expect(world.files).toHaveLength(1);
  other.close();
  other.closeAllConnections();
});

async function serve(html: string): Promise<Server> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** A WAV file of 16-bit samples, one channel. */
function silence(): Buffer {
  const dataBytes = SECONDS * SAMPLES_PER_SECOND * 2;
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SAMPLES_PER_SECOND, 24);
  header.writeUInt32LE(SAMPLES_PER_SECOND * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(dataBytes, 40);
  return Buffer.concat([header, Buffer.alloc(dataBytes)]);
}
