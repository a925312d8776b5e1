// Installing the app: what the browser asks for is there, and it is offered when a person has something here
// to come back to.

import { expect, test } from './palm-fixture.ts';

declare global {
  interface Window {
    promptCount: number;
  }
}

const OFFER = 'Install Palm on this device: then it opens without the relay, too.';

test('the app is offered for installing once there is a file, and not again to who declined', async ({
  newPool,
}, info) => {
  const [laptop, phone] = await newPool(['Laptop', 'Phone']);
  if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
  const { page } = laptop;
  await test.step('the browser finds nothing that is missing', async () => {
    await page.evaluate(async () => navigator.serviceWorker.ready);
    const devTools = await page.context().newCDPSession(page);
    const { installabilityErrors } = await devTools.send('Page.getInstallabilityErrors');
    // Tests run in private windows; nothing else is in the way.
    expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(['in-incognito']);
    const { data, errors } = await devTools.send('Page.getAppManifest');
    expect(errors).toEqual([]);
    const { screenshots, shortcuts }: Record<string, readonly { src?: string; url?: string }[]> = JSON.parse(
      data ?? '{}',
    );
    expect(screenshots).toHaveLength(2);
    for (const { src = '' } of screenshots ?? [])
      expect((await page.request.get(new URL(src, laptop.appUrl).href)).status()).toBe(200);
    expect(shortcuts?.map(({ url }) => url)).toEqual(['/#/invite']);
  });

  await page.evaluate(offerInstall);
  await expect(page.getByText(OFFER)).toBeHidden();
  await laptop.store({ seed: 1, length: 900 }, { name: 'first.txt' });
  await expect(page.getByText(OFFER)).toBeVisible();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: info.outputPath('offer.png'), fullPage: true });
  await page.getByRole('button', { name: 'Install', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByText(OFFER)).toBeHidden();
  expect(await page.evaluate(() => window.promptCount)).toBe(1);

  await test.step('whoever declines is not asked by the next page', async () => {
    await page.evaluate(offerInstall);
    await page.getByRole('button', { name: 'Not now' }).click();
    await expect(page.getByText(OFFER)).toBeHidden();
    await page.reload();
    await expect(page.getByRole('listitem', { name: 'first.txt' })).toBeVisible();
    await page.evaluate(offerInstall);
    await expect(page.getByText(OFFER)).toBeHidden();
  });

  await test.step('the shortcut on the home screen opens the invite', async () => {
    await page.goto(`${laptop.appUrl}#/invite`);
    await expect(page.getByRole('dialog', { name: 'Invite a device' })).toBeVisible();
    expect(new URL(page.url()).hash).toBe('');
  });
});

test('an iPhone is told the steps', async ({ newDevice, browser, relay }, info) => {
  const laptop = await newDevice('Laptop');
  await laptop.createPool('Home');
  await laptop.store({ seed: 1, length: 900 }, { name: 'first.txt' });
  const context = await browser.newContext({
    userAgent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1',
  });
  const page = await context.newPage();
  await page.goto(relay.app);
  await page.evaluate(async (invite) => window.palm.join(invite), await laptop.invite());
  await expect(page.getByText(/tap Share, then Add to Home Screen/)).toBeVisible();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: info.outputPath('by-hand.png'), fullPage: true });
  await context.close();
});

/** Runs in the page, as source text: the browser's event, with a question that the person accepts. */
function offerInstall(): void {
  window.promptCount = 0;
  const event = new Event('beforeinstallprompt', { cancelable: true });
  Object.assign(event, {
    prompt: async () => {
      window.promptCount += 1;
      return { outcome: 'accepted' };
    },
  });
  window.dispatchEvent(event);
}
