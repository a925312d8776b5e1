// Pairing by its screens, with cameras that see the other device's screen, and no relay.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { browserArguments, findBrowser } from '../browser.mjs';
import { film, filmArguments, filmNothing } from './camera-film.ts';
import { RELAY_KILLED } from './faults.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';
import { shoot, SIZES } from './shooting.ts';

const folder = mkdtempSync(join(tmpdir(), 'palm-film-'));
const FILM = join(folder, 'camera.y4m');
const executablePath = findBrowser();

test.use({
  launchOptions: {
    args: [...browserArguments(), ...filmArguments(FILM)],
    ...(executablePath === undefined ? {} : { executablePath }),
  },
});

test.beforeAll(() => filmNothing(FILM));
test.afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CONTENT = { seed: 73, length: 1_000_000 };

test('two people pair their devices by scanning each other’s screens', async ({
  newDevice,
  privateRelay,
  faults,
}) => {
  faults.allow(RELAY_KILLED);
  const [laptop, phone] = [await newDevice('Laptop', privateRelay), await newDevice('Phone', privateRelay)];
  await laptop.createPool('Home');
  const { fileId } = await laptop.store(CONTENT, { name: 'before.bin', durability: 'fast' });
  await privateRelay.kill();

  await test.step('the member shows a code', async () => {
    await laptop.page.getByRole('button', { name: 'Invite a device' }).click();
    await laptop.page.getByRole('button', { name: 'Pair without a relay' }).click();
    await expect(laptop.page.getByRole('heading', { name: 'Step 1 of 3: show this code' })).toBeFocused();
    await expect(laptop.page.getByRole('img', { name: 'QR code to be scanned first' })).toBeVisible();
    await shoot(laptop.page, 'pair-offer');
    await laptop.page.setViewportSize(SIZES.laptop);
  });

  await test.step('what is pasted and no code is refused in words, and ends nothing', async () => {
    await phone.page.getByRole('button', { name: 'Pair without a relay' }).click();
    await expect(phone.page.getByRole('heading', { name: 'Step 1 of 3: scan the first code' })).toBeFocused();
    await phone.page.getByLabel('Or paste the code').fill('https://palm.local/#/join/uAQAA');
    await phone.page.getByRole('button', { name: 'Use this code' }).click();
    await expect(phone.page.getByRole('alert')).toContainText('This is an invite’s link, not a pairing code');
    await shoot(phone.page, 'pair-scan');
    await phone.page.setViewportSize(SIZES.laptop);
    await phone.page.keyboard.press('Escape');
    await expect(phone.page.getByRole('dialog')).toBeHidden();
  });

  await test.step('the newcomer’s camera reads it, and shows the answer', async () => {
    await film(FILM, laptop.page);
    await phone.page.getByRole('button', { name: 'Pair without a relay' }).click();
    await expect(phone.page.getByRole('heading', { name: 'Step 2 of 3: show the answer' })).toBeFocused();
    await expect(phone.page.getByRole('img', { name: 'QR code of the answer' })).toBeVisible();
    await shoot(phone.page, 'pair-answer');
    await phone.page.setViewportSize(SIZES.laptop);
  });

  await test.step('the member’s camera reads that, and they are paired', async () => {
    await film(FILM, phone.page);
    await laptop.page.getByRole('button', { name: 'Next: scan the answer' }).click();
    await expect(laptop.page.getByRole('heading', { name: 'Let a new device in?' })).toBeFocused();
    // The one that “Invite a device” made: none goes over the wire yet.
    expect(await laptop.page.evaluate(() => window.palm.invites())).toHaveLength(1);
    await laptop.page.getByRole('button', { name: 'Let it in', exact: true }).click();
    await expect(laptop.page.getByRole('heading', { name: 'Paired' })).toBeFocused();
    await shoot(laptop.page, 'pair-linked');
    await laptop.page.getByRole('button', { name: 'Done' }).click();
    await expect(phone.page.getByRole('heading', { name: 'Home' })).toBeVisible();
    await allLinked([laptop, phone]);
    await phone.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
    expect(await phone.read(fileId)).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
  });
});

test('a code whose time is over says so, and starting over takes one tap', async ({ prepareDevice }) => {
  const laptop = await prepareDevice('Laptop');
  await laptop.context.clock.install();
  await laptop.open();
  await laptop.createPool('Home');
  const { page } = laptop;
  await page.getByRole('button', { name: 'Invite a device' }).click();
  await page.getByRole('button', { name: 'Pair without a relay' }).click();
  await expect(page.getByRole('heading', { name: 'Step 1 of 3: show this code' })).toBeFocused();
  await page.clock.fastForward('06:00');
  await expect(page.getByRole('heading', { name: 'That did not work' })).toBeFocused();
  await expect(page.getByRole('alert')).toContainText('Nobody answered the code in time');
  await shoot(page, 'pair-failed');
  await page.getByRole('button', { name: 'Start over' }).click();
  await expect(page.getByRole('heading', { name: 'Step 1 of 3: show this code' })).toBeFocused();
  await page.getByRole('button', { name: 'Scan the other device’s code instead' }).click();
  await expect(page.getByRole('heading', { name: 'Step 1 of 3: scan the first code' })).toBeFocused();
});
