// Why the relay cannot be reached: a page tries, and says what it found. Between page and relay is a proxy,
// as in companies, or the relay has another certificate than before.

import type { Page } from '@playwright/test';
import { allLinked, expect, test } from './palm-fixture.ts';
import { startRelay } from './relay-process.ts';
import { startProxy, type Mode } from './relay-proxy.ts';
import { expectedBytes } from './seeded-bytes.ts';

test('a page says what keeps it from the relay, and forgets it when nothing does', async ({
  prepareDevice,
  relay,
  faults,
}) => {
  faults.allow(/WebSocket connection to .* failed|Failed to load resource|ERR_/);
  const proxy = await startProxy(new URL(relay.app));
  const device = await prepareDevice('Laptop', { ...relay, app: proxy.url });
  await device.open();
  await device.createPool('Home');
  const { page } = device;
  await expect(connection(page)).toHaveText('No other device yet');

  const found = async (mode: Mode, sentence: string | RegExp): Promise<void> => {
    proxy.become(mode);
    // Without a trouble it may be connected again before anybody looks.
    const isSeenToBeLost = mode !== 'mute' && mode !== 'honest';
    if (isSeenToBeLost) await device.waitFor('the relay to be lost', ({ pool }) => pool?.relay === 'lost');
    await tryAgain(page);
    await expect(connection(page), mode).toHaveText(sentence);
  };
  await found('no-upgrades', /The relay answers, but a proxy or filter in between stops its WebSocket/);
  await found('other-address', new RegExp(`asks for the relay as ${new URL(relay.app).origin}`));
  await found('other-name', /A proxy in between asks for the relay by another name/);
  await found('no-relay', /Something other than the relay is at this address: it answers with status 502/);
  await found('signs-in', /Something other than the relay is at this address: it leads elsewhere/);
  await found('mute', /Nothing answers at the relay’s address/);

  await device.context.setOffline(true);
  await tryAgain(page);
  await expect(connection(page)).toHaveText(/This device has no network/);
  await device.context.setOffline(false);
  await found('honest', 'No other device yet');

  await proxy.close();
  await expect(connection(page)).toHaveText('The relay was stopped. Start it again; Palm keeps trying');
});

test('devices whose WebSockets are refused find each other, and use them once they are not', async ({
  prepareDevice,
  relay,
  faults,
}) => {
  faults.allow(/WebSocket connection to .* failed|Failed to load resource|ERR_/);
  const proxy = await startProxy(new URL(relay.app));
  proxy.become('no-sockets');
  const behind = { ...relay, app: proxy.url };
  const [ann, ben] = [await prepareDevice('Ann', behind), await prepareDevice('Ben', behind)];
  await ann.open();
  await ben.open();
  await ann.createPool('Home');
  await ben.join(await ann.invite());
  await allLinked([ann, ben]);
  const { fileId } = await ann.store({ seed: 31, length: 300_000 }, { name: 'plan.pdf' });
  await ben.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
  expect(await ben.read(fileId)).toEqual(expectedBytes(31, 300_000));
  expect(proxy.openedSockets()).toBe(0);

  proxy.become('honest');
  for (const device of [ann, ben])
    await device.waitFor('the relay', ({ pool }) => pool?.relay === 'connected');
  await expect.poll(() => proxy.openedSockets()).toBeGreaterThanOrEqual(2);
  await proxy.close();
});

test('a page that meets a new certificate offers the relay’s page, and connects once it is accepted', async ({
  prepareDevice,
  privateRelay,
  faults,
}) => {
  faults.allow(/SSL certificate error|WebSocket connection to .* failed|Failed to load resource|ERR_/);
  const { port } = new URL(privateRelay.lan[0] ?? '');
  const device = await prepareDevice('Phone', { ...privateRelay, app: `https://localhost:${port}/` });
  await device.openPastWarning();
  await device.createPool('Home');
  const { page } = device;
  await privateRelay.kill();
  await expect(connection(page)).toHaveText(/The relay was stopped, or it has a new certificate/);

  const other = await startRelay(Number(port));
  try {
    await tryAgain(page);
    await expect(connection(page)).toHaveText(/The relay was stopped, or it has a new certificate/);
    const opened = page.waitForEvent('popup');
    await page.getByRole('link', { name: 'Open the relay’s page' }).click();
    const relayPage = await opened;
    await relayPage.locator('#details-button').click();
    await relayPage.locator('#proceed-link').click();
    await expect(relayPage.getByRole('heading', { name: 'The relay answers' })).toBeVisible();
    await relayPage.close();
    await tryAgain(page);
    await expect(connection(page)).toHaveText('No other device yet');
    await expect(page.getByRole('link', { name: 'Open the relay’s page' })).toBeHidden();
  } finally {
    await other.stop();
  }
});

test('a message about a bug can be copied, or is selected where there is no clipboard', async ({
  newDevice,
  faults,
}) => {
  faults.allow(/provoked/);
  const device = await newDevice('Laptop');
  const { page } = device;
  await device.context.grantPermissions(['clipboard-write']);
  await page.evaluate(() => {
    setTimeout(() => {
      throw new TypeError('provoked by the test');
    });
  });
  const alert = page.getByRole('alert').filter({ hasText: 'provoked by the test' });
  const text = await alert.innerText();
  const copy = page.getByRole('button', { name: /^Copy/ });
  await copy.click();
  await expect(page.getByRole('status').filter({ hasText: 'Copied' })).toBeVisible();
  // The page itself may not read the clipboard.
  const field = page.getByLabel('Invite link');
  await field.press('ControlOrMeta+v');
  await expect(field).toHaveValue(text);

  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  await copy.click();
  await expect(page.getByRole('status').filter({ hasText: 'Selected' })).toBeVisible();
  expect(await page.evaluate(() => getSelection()?.toString())).toBe(text);
});

function connection(page: Page) {
  return page.locator('.connection');
}

/** The page hears that its network changed, as it does when Wi-Fi comes back. */
async function tryAgain(page: Page): Promise<void> {
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
}
