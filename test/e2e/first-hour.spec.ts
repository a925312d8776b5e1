// How most phones start: past the browser's certificate warning, so without a service worker and without a
// cache. Once such a page says that it is ready, it needs its relay for nothing but finding new devices.

import { readFile, writeFile } from 'node:fs/promises';
import type { Route, Worker } from '@playwright/test';
import type { Device } from './device.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes, seededBytes } from './seeded-bytes.ts';

const NOTE = { seed: 21, length: 3_000_000 };
/** Large enough to gather on the disk, through a worker of its own. */
const FILM = { seed: 22, length: 12_000_000 };

test('past a certificate warning and with its relay gone, a phone stores, reads, downloads, invites and leaves', async ({
  prepareDevice,
  privateRelay,
  faults,
}, info) => {
  faults.allow(/SSL certificate error|WebSocket connection to .* failed|ERR_CONNECTION_REFUSED|provoked/);
  const app = `https://localhost:${new URL(privateRelay.lan[0] ?? '').port}/`;
  const phone = await prepareDevice('Phone', { ...privateRelay, app });
  const tablet = await prepareDevice('Tablet', { ...privateRelay, app });
  // Without a relay a broken link is mended through a third device.
  const laptop = await prepareDevice('Laptop', { ...privateRelay, app });
  const devices = [phone, tablet, laptop];
  for (const device of devices) {
    await device.openPastWarning();
    // One is registered until its script turns out not to load.
    await expect.poll(() => serviceWorkerCount(device)).toBe(0);
  }
  await phone.createPool('Home');
  for (const newcomer of [tablet, laptop]) await newcomer.join(await phone.invite());
  await allLinked(devices);
  // The founder will leave: a pool keeps an admin, and a code.
  const { device: successor } = await tablet.status();
  await phone.page.evaluate((id) => window.palm.grant(id, 'admin'), successor.id);
  await phone.page.evaluate(() => window.palm.makeRecoveryCode());

  await privateRelay.kill();
  const requested: string[] = [];
  for (const { context } of devices) {
    context.on('request', (request) => {
      const { protocol, pathname } = new URL(request.url());
      if (protocol !== 'blob:') requested.push(pathname);
    });
  }
  for (const device of devices) {
    await device.waitFor('the relay to be seen lost', ({ pool }) => pool?.relay === 'lost');
  }

  // The first store and the first read of each.
  const note = await tablet.store(NOTE, { name: 'note.bin', durability: 'fast' });
  await phone.waitFor('the note', ({ files }) => files.length === 1);
  expect(await phone.read(note.fileId)).toEqual(expectedBytes(NOTE.seed, NOTE.length));

  // Two generations of workers die: a third takes their place.
  for (let round = 0; round < 2; round++) {
    await Promise.all(phone.page.workers().map(endByError));
    await phone.store({ ...NOTE, seed: 30 + round }, { name: `again ${round}`, durability: 'fast' });
  }

  // By its path: handing over bytes holds up the page, and the others take a page that says nothing for dead.
  const filmPath = info.outputPath('film.mp4');
  await writeFile(filmPath, seededBytes(FILM.seed, FILM.length));
  await phone.page.getByLabel('Add files').setInputFiles(filmPath);
  const film = tablet.page.getByRole('list', { name: 'Files' }).getByRole('listitem', { name: 'film.mp4' });
  const arriving = tablet.page.waitForEvent('download');
  await film.getByRole('button', { name: 'Download' }).click();
  const saved = await readFile(await (await arriving).path());
  expect(saved.equals(Buffer.from(seededBytes(FILM.seed, FILM.length)))).toBe(true);

  await phone.page.getByRole('button', { name: 'Invite a device' }).click();
  const invite = phone.page.getByRole('dialog', { name: 'Invite a device' });
  await expect(invite.getByRole('img')).toBeVisible();
  // The relay told them before it was gone.
  await expect(invite.getByRole('region', { name: /fingerprint/i })).toBeVisible();
  await phone.page.keyboard.press('Escape');

  await phone.page.getByRole('button', { name: 'Leave' }).click();
  await phone.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  await phone.page.getByRole('button', { name: 'Create a pool' }).click();
  await expect(phone.page.getByRole('heading', { level: 1, name: 'Home' })).toBeVisible();
  await phone.store(NOTE, { name: 'after.bin', durability: 'fast' });
  await expect(phone.page.getByRole('alert')).toHaveCount(0);

  expect(
    requested.filter(
      (path) => !['/fingerprints', '/lan', '/reached', '/relay', '/relay/events'].includes(path),
    ),
  ).toEqual([]);
});

for (const { lost, what, answer, sentence } of [
  {
    lost: 'script',
    what: 'an update took its parts away',
    answer: (route: Route) => route.fulfill({ status: 404 }),
    sentence:
      'Palm was updated on the relay while this page was open. Reload the page to use the new version.',
  },
  {
    lost: 'wasm',
    what: 'the relay went away meanwhile',
    answer: (route: Route) => route.abort('connectionrefused'),
    sentence:
      'Palm could not be loaded whole, because the relay that serves it does not answer. When the relay runs again, reload the page.',
  },
]) {
  test(`a page whose first screen loaded, but no other ${lost} because ${what}, says so`, async ({
    prepareDevice,
    faults,
  }) => {
    faults.allow(/Failed to load resource/);
    const { context, appUrl } = await prepareDevice('Phone');
    const page = await context.newPage();
    // The page names what its first screen needs. Each of that is served once.
    const first = await (await context.request.get(appUrl)).text();
    const served = new Set<string>();
    await page.route(/\/assets\/.*\.(js|wasm)$/, async (route) => {
      const { pathname } = new URL(route.request().url());
      const isGone = !first.includes(pathname) || served.has(pathname);
      served.add(pathname);
      const isLost = lost === 'script' ? isGone : pathname.endsWith('.wasm');
      await (isLost ? answer(route) : route.continue());
    });
    await page.goto(appUrl);
    await expect(page.getByRole('heading', { name: 'Palm could not open' })).toBeVisible();
    await expect(page.getByRole('alert')).toHaveText(sentence);
  });
}

test('a page without a service worker offers an update when the relay has a newer app', async ({
  prepareDevice,
}) => {
  const device = await prepareDevice('Phone');
  await device.context.addInitScript(() => {
    Reflect.deleteProperty(Navigator.prototype, 'serviceWorker');
  });
  await device.open();
  const { page } = device;
  const comeBack = () => page.evaluate(() => window.dispatchEvent(new Event('online')));
  const offer = page.getByRole('button', { name: 'Update' });

  // The same app is no update.
  const looked = page.waitForResponse(device.appUrl);
  await comeBack();
  await (await looked).finished();
  await expect(offer).toBeHidden();

  await page.route(device.appUrl, async (route) => {
    const html = await (await route.fetch()).text();
    await route.fulfill({
      contentType: 'text/html',
      body: html.replace(/index-[^"]+\.js/, 'index-newer.js'),
    });
  });
  await comeBack();
  await expect(offer).toBeVisible();
  await page.unroute(device.appUrl);
  const reloaded = page.waitForEvent('load');
  await offer.click();
  await reloaded;
});

test('a page with a service worker asks it for a newer app when the network comes back', async ({
  prepareDevice,
}) => {
  const device = await prepareDevice('Laptop');
  await device.context.addInitScript(() => {
    // The blank page before the app has none.
    if (!isSecureContext) return;
    const { update } = ServiceWorkerRegistration.prototype;
    ServiceWorkerRegistration.prototype.update = function counted() {
      document.documentElement.dataset['looked'] = 'yes';
      return update.call(this);
    };
  });
  await device.open();
  await device.page.evaluate(() => window.dispatchEvent(new Event('online')));
  await expect(device.page.locator('html[data-looked]')).toHaveCount(1);
});

function serviceWorkerCount({ page }: Device): Promise<number> {
  return page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);
}

/** Ends a worker as a bug in it would. */
async function endByError(worker: Worker): Promise<void> {
  const ended = worker.waitForEvent('close');
  await worker.evaluate(() => {
    setTimeout(() => {
      throw new Error('provoked');
    });
  });
  await ended;
}
