// The lock of a device, by its screens: set, opened after a reload, in a second tab, changed and removed.

import type { Page } from '@playwright/test';
import { expectAccessible } from './accessibility.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { seededBytes } from './seeded-bytes.ts';

const WORDS = 'eleven quiet otters';
const OTHER_WORDS = 'a door of brass, ajar';
const NOTES = { seed: 31, length: 300_000 };

test('a device is locked, opened after a reload and in a second tab, and stays a member', async ({
  newPool,
}) => {
  const [laptop, phone] = await newPool(['Laptop', 'Phone']);
  if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
  const { page } = laptop;
  const { fileId } = await laptop.store(NOTES, { name: 'notes.txt' });
  const self = (await laptop.status()).device.id;

  await test.step('two different passphrases, and one that is too short, set no lock', async () => {
    await page.getByRole('button', { name: 'Lock this device' }).click();
    const dialog = page.getByRole('dialog', { name: 'Lock this device' });
    await expect(dialog.getByLabel('Passphrase', { exact: true })).toBeFocused();
    await page.keyboard.type(WORDS);
    await page.keyboard.press('Tab');
    await page.keyboard.type(OTHER_WORDS);
    await page.keyboard.press('Enter');
    await expect(dialog.getByRole('alert')).toContainText('not the same');
    await dialog.getByLabel('Passphrase', { exact: true }).fill('short');
    await dialog.getByLabel('Passphrase again').fill('short');
    await page.keyboard.press('Enter');
    await expect(dialog.getByRole('alert')).toContainText('at least 8 characters');
    await expectAccessible(page, 'the dialog that sets a lock');
    expect((await laptop.status()).lock).toBe('none');
    await dialog.getByLabel('Passphrase', { exact: true }).fill(WORDS);
    await dialog.getByLabel('Passphrase again').fill(WORDS);
    await page.keyboard.press('Enter');
  });

  await test.step('it shows nothing and serves nothing until the passphrase is entered', async () => {
    await expectLocked(page);
    await expect(page).toHaveTitle('Palm');
    await expectAccessible(page, 'the unlock screen');
    await phone.waitFor('the laptop to be away', ({ devices }) =>
      devices.some(({ id, state }) => id === self && state !== 'reachable'),
    );
    await laptop.reload();
    await expectLocked(page);
    await page.keyboard.type('eleven quiet otter');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('alert')).toContainText('not the passphrase');
    await page.getByLabel('Passphrase').fill(WORDS);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: 'Home' })).toBeFocused();
    await expect(page.getByRole('listitem', { name: 'notes.txt' })).toBeVisible();
    await expect(page).toHaveTitle('Palm');
    await allLinked([laptop, phone]);
    expect((await laptop.status()).device.id).toBe(self);
    const read = await laptop.read(fileId);
    expect(read.sha256).toBe(await hashOf(NOTES));
  });

  await test.step('a second tab locks and unlocks the device, and asks for the passphrase when it takes over', async () => {
    const second = await laptop.context.newPage();
    await second.goto(laptop.appUrl);
    await expect(second.getByRole('listitem', { name: 'notes.txt' })).toBeVisible();
    await second.evaluate(() => window.palm.lock());
    await expectLocked(page);
    await second.getByLabel('Passphrase').fill(WORDS);
    await second.getByRole('button', { name: 'Unlock' }).click();
    await expect(page.getByRole('listitem', { name: 'notes.txt' })).toBeVisible();
    await expect(second.getByRole('listitem', { name: 'notes.txt' })).toBeVisible();
    await laptop.closeTab();
    await expectLocked(second);
    await second.getByLabel('Passphrase').fill(WORDS);
    await second.getByRole('button', { name: 'Unlock' }).click();
    await expect(second.getByRole('listitem', { name: 'notes.txt' })).toBeVisible();

    await second.getByRole('button', { name: 'Lock this device' }).click();
    await expectAccessible(second, 'the dialog of a device with a lock');
    await second.getByLabel('New passphrase').fill(OTHER_WORDS);
    await second.getByLabel('Passphrase again').fill(OTHER_WORDS);
    await second.getByRole('button', { name: 'Change and lock' }).click();
    await expectLocked(second);
    await second.getByLabel('Passphrase').fill(OTHER_WORDS);
    await second.keyboard.press('Enter');
    await second.getByRole('button', { name: 'Lock this device' }).click();
    await second.getByLabel('Passphrase', { exact: true }).fill(OTHER_WORDS);
    await second.getByRole('button', { name: 'Remove the lock' }).click();
    await expect(second.getByRole('dialog')).toBeHidden();
    await second.reload();
    await expect(second.getByRole('listitem', { name: 'notes.txt' })).toBeVisible();
  });
});

async function expectLocked(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'This device is locked' })).toBeVisible();
  await expect(page.getByLabel('Passphrase')).toBeFocused();
}

async function hashOf({ seed, length }: typeof NOTES): Promise<string> {
  const bytes = seededBytes(seed, length);
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
}
