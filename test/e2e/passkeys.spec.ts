// The lock by passkey, with the authenticator that Chromium's DevTools simulate: made in the tab that a
// person looks at, while another tab runs the device; a prompt that fails, and a passkey that is gone.

import type { Page } from '@playwright/test';
import { expectAccessible } from './accessibility.ts';
import { expect, test } from './palm-fixture.ts';
import { Keeper } from './passkey-keeper.ts';

const WORDS = 'eleven quiet otters';
const NOTES = { seed: 31, length: 30_000 };

test('a passkey opens a device beside its passphrase, and alone', async ({ newDevice }) => {
  const laptop = await newDevice('Laptop');
  await laptop.createPool('Home');
  await laptop.store(NOTES, { name: 'notes.txt' });
  // This tab does not run the device, and has the person.
  const page = await laptop.context.newPage();
  await page.goto(laptop.appUrl);
  const keeper = await Keeper.of(page);

  await test.step('a person who is not verified locks nothing', async () => {
    await keeper.changeTo({ isUserVerified: false });
    await openDialog(page);
    await page.getByRole('button', { name: 'Lock with a passkey alone' }).click();
    await expect(page.getByRole('alert')).toContainText('Nothing has changed; try again.');
    expect((await laptop.status()).lock).toBe('none');
    await page.keyboard.press('Escape');
    await keeper.changeTo({});
  });

  await test.step('one is added to a lock with a passphrase', async () => {
    await page.evaluate((words) => window.palm.lock(words), WORDS);
    await unlockByWords(page);
    await openDialog(page);
    await expectAccessible(page, 'the dialog that adds a passkey');
    await page.getByRole('button', { name: 'Add and lock' }).click();
    await expectLocked(page);
    await expectAccessible(page, 'the unlock screen with a passkey');
    expect(await keeper.ids()).toHaveLength(1);
  });

  await test.step('it opens the device, which another tab runs', async () => {
    await page.getByRole('button', { name: 'Unlock with the passkey' }).click();
    await expect(page.getByRole('listitem', { name: 'notes.txt' })).toBeVisible();
    await expect(laptop.page.getByRole('listitem', { name: 'notes.txt' })).toBeVisible();
    expect((await laptop.status()).lockWays).toEqual(['passphrase', 'passkey']);
  });

  await test.step('the same passkey without its secret does not open it, nor one that was deleted', async () => {
    await page.evaluate(() => window.palm.lock());
    await keeper.replaceAll();
    await page.getByRole('button', { name: 'Unlock with the passkey' }).click();
    await expect(page.getByRole('alert')).toContainText('does not open this device');
    await keeper.forgetAll();
    await page.getByRole('button', { name: 'Unlock with the passkey' }).click();
    await expect(page.getByRole('alert')).toContainText('no longer there');
    await unlockByWords(page);
    await openDialog(page);
    await page.getByLabel('Passphrase that stays').fill('not these words');
    await page.getByRole('button', { name: 'Remove the passkey and lock' }).click();
    await expect(page.getByRole('alert')).toContainText('not the passphrase');
    await page.getByLabel('Passphrase that stays').fill(WORDS);
    await page.getByRole('button', { name: 'Remove the passkey and lock' }).click();
    await expect(page.getByRole('button', { name: 'Unlock with the passkey' })).toBeHidden();
    await unlockByWords(page);
    await page.evaluate((words) => window.palm.unlock(words, { remove: true }), WORDS);
  });

  await test.step('alone, it locks and opens, also after a reload', async () => {
    await openDialog(page);
    await expect(page.getByText('nothing else does')).toBeVisible();
    await page.getByRole('button', { name: 'Lock with a passkey alone' }).click();
    await expectLocked(page);
    await page.reload();
    await expectLocked(page);
    await expect(page.getByLabel('Passphrase')).toBeHidden();
    await page.getByRole('button', { name: 'Unlock with the passkey' }).click();
    await expect(page.getByRole('listitem', { name: 'notes.txt' })).toBeVisible();
    await openDialog(page);
    await page.getByRole('button', { name: 'Remove the lock with the passkey' }).click();
    await expect(page.getByRole('dialog')).toBeHidden();
    expect((await laptop.status()).lock).toBe('none');
  });

  await test.step('a passkey without a secret locks nothing', async () => {
    await keeper.changeTo({ hasPrf: false });
    await openDialog(page);
    await page.getByRole('button', { name: 'Lock with a passkey alone' }).click();
    await expect(page.getByRole('alert')).toContainText('cannot open a lock with it');
    expect((await laptop.status()).lock).toBe('none');
  });
});

test('a page at an address says that passkeys belong to names', async ({ newDevice, faults }) => {
  // The relay has this address as well.
  faults.allow(/^Laptop: (?:request|WebSocket) to \S*127\.0\.0\.1/);
  const laptop = await newDevice('Laptop');
  const url = new URL(laptop.appUrl);
  url.hostname = '127.0.0.1';
  const page = await laptop.context.newPage();
  await page.goto(url.href);
  await page.evaluate(() => window.palm.createPool({ name: 'Home' }));
  await openDialog(page);
  await expect(page.getByText('Passkeys belong to names')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Lock with a passkey alone' })).toBeHidden();
  expect(await page.evaluate(() => window.palm.lockWithPasskey().catch(({ code }) => code))).toBe(
    'unsupported',
  );
});

async function openDialog(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Lock this device' }).click();
  await expect(page.getByRole('dialog', { name: 'Lock this device' })).toBeVisible();
}

async function expectLocked(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'This device is locked' })).toBeVisible();
}

async function unlockByWords(page: Page): Promise<void> {
  await expectLocked(page);
  await page.getByLabel('Passphrase').fill(WORDS);
  await page.getByRole('button', { name: 'Unlock', exact: true }).click();
  await expect(page.getByRole('listitem', { name: 'notes.txt' })).toBeVisible();
}
