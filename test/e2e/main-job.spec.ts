// The main job by hand: everything here goes through the screens, by the names that a screen reader speaks.

import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import type { Device } from './device.ts';
import { expect, test } from './palm-fixture.ts';
import { seededBytes } from './seeded-bytes.ts';

const PHOTO = { name: 'harbour.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(seededBytes(7, 3_000_000)) };
const NOTES = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Buy dates.\n') };

/** The same bytes under another name. */
const LIST = { ...NOTES, name: 'list.txt' };

test('create, invite, join, add, download, remove with undo, leave', async ({ newDevice }) => {
  const laptop = (await newDevice('Laptop')).page;
  await laptop.getByLabel('Device name').fill('Laptop');
  await laptop.getByLabel('Pool name').fill('Harbour house');
  await laptop.getByRole('button', { name: 'Create a pool' }).click();
  await expect(laptop.getByRole('heading', { name: 'Harbour house' })).toBeVisible();
  await expect(devicesOf(laptop)).toHaveCount(1);

  await laptop.getByRole('button', { name: 'Invite a device' }).click();
  const first = await laptop.getByLabel('Invite link').inputValue();
  expect(first).toContain('/#/join/');
  await laptop.getByLabel('How many devices').selectOption('2 devices');
  await laptop.getByRole('button', { name: 'Make invite' }).click();
  await expect(laptop.getByLabel('Invite link')).not.toHaveValue(first);
  const invite = await laptop.getByLabel('Invite link').inputValue();
  await expect(laptop.getByRole('dialog')).toContainText('lets in 2 devices as member');
  const { authority, certificate } = await laptop.evaluate(async () => (await fetch('/fingerprints')).json());
  const fingerprints = laptop.getByRole('region', { name: 'Fingerprints of this relay' });
  await expect(fingerprints).toContainText(authority);
  await expect(fingerprints).toContainText(certificate);
  await laptop.keyboard.press('Escape');
  await expect(laptop.getByLabel('Invite link')).toBeHidden();

  const phone = await openInvite(await newDevice('Phone'), invite);
  const tablet = await openInvite(await newDevice('Tablet'), invite);
  await expect(devicesOf(laptop)).toHaveCount(3);
  await expect(devicesOf(phone)).toHaveCount(3);
  await expect(devicesOf(tablet)).toHaveCount(3);

  await test.step('the invite leaves no trace in the address bar or the history', async () => {
    expect(phone.url()).not.toContain('join');
    await phone.goBack();
    expect(phone.url()).not.toContain('join');
    await phone.goForward();
    await expect(devicesOf(phone)).toHaveCount(3);
  });

  await test.step('files added on one device appear on the others, and download unchanged', async () => {
    await laptop.getByLabel('Add files').setInputFiles([PHOTO, NOTES]);
    for (const page of [laptop, phone, tablet]) {
      await expect(fileRow(page, PHOTO.name)).toBeVisible();
      await expect(fileRow(page, NOTES.name)).toBeVisible();
    }
    await expect(fileRow(laptop, PHOTO.name)).toContainText(
      'Survives the loss of any one device. Opens now.',
    );
    expect((await download(phone, PHOTO.name)).equals(PHOTO.buffer)).toBe(true);
    expect((await download(tablet, NOTES.name)).equals(NOTES.buffer)).toBe(true);
  });

  await test.step('equal bytes under another name are another file, stored once', async () => {
    await laptop.getByLabel('Add files').setInputFiles([LIST]);
    await expect(fileRow(tablet, LIST.name)).toBeVisible();
    const { files } = await laptop.evaluate(() => window.palm.status());
    const equal = files.filter(({ name }) => name === NOTES.name || name === LIST.name);
    expect(equal.map(({ contentId }) => contentId)).toEqual([equal[0]?.fileId, equal[0]?.fileId]);
    // Heard without their rows, the buttons tell the files apart.
    for (const { name } of [NOTES, LIST]) {
      await expect(laptop.getByRole('button', { name: `Download ${name}`, exact: true })).toHaveCount(1);
      await expect(laptop.getByRole('button', { name: `Remove ${name}`, exact: true })).toHaveCount(1);
    }
  });

  await test.step('a removal can be undone, and otherwise holds for everybody', async () => {
    const removed = fileRow(laptop, NOTES.name);
    await removed.getByRole('button', { name: 'Remove' }).click();
    await expect(removed).toBeHidden();
    await expect(laptop.getByRole('button', { name: 'Undo' })).toBeVisible();
    await laptop.keyboard.press('Control+z');
    await expect(removed).toBeVisible();
    await expect(fileRow(phone, NOTES.name)).toBeVisible();

    await removed.getByRole('button', { name: 'Remove' }).click();
    await expect(fileRow(phone, NOTES.name)).toBeHidden();
    await expect(fileRow(tablet, NOTES.name)).toBeHidden();
    await expect(fileRow(tablet, PHOTO.name)).toBeVisible();
    expect((await download(tablet, LIST.name)).equals(NOTES.buffer)).toBe(true);
  });

  await test.step('leaving asks first, then forgets the pool and tells the others', async () => {
    await tablet.getByRole('button', { name: 'Leave pool' }).click();
    await tablet.getByRole('dialog').getByRole('button', { name: 'Leave and delete' }).click();
    await expect(tablet.getByRole('button', { name: 'Create a pool' })).toBeVisible();
    await expect(devicesOf(laptop).filter({ hasText: 'Tablet' })).toHaveCount(0);
    const activity = phone.getByRole('list', { name: 'Activity' }).getByRole('listitem');
    const told = ['Tablet left the pool', 'Laptop removed notes.txt'];
    await expect(activity).toContainText(told);
    await phone.reload();
    await expect(activity).toContainText(told);
    expect((await download(phone, PHOTO.name)).equals(PHOTO.buffer)).toBe(true);
  });
});

/** Opens the invite in a new tab, like a camera app, and joins. */
async function openInvite(device: Device, invite: string): Promise<Page> {
  await device.closeTab();
  await device.open(invite);
  const { page } = device;
  await expect(page.getByLabel('Invite link')).toHaveValue(invite);
  await page.getByLabel('Device name').fill(device.name);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await expect(page.getByRole('list', { name: 'Devices' })).toBeVisible();
  return page;
}

function devicesOf(page: Page): Locator {
  return page.getByRole('list', { name: 'Devices' }).getByRole('listitem');
}

function fileRow(page: Page, name: string): Locator {
  return page.getByRole('list', { name: 'Files' }).getByRole('listitem', { name });
}

async function download(page: Page, name: string): Promise<Buffer> {
  const started = page.waitForEvent('download');
  await fileRow(page, name).getByRole('button', { name: 'Download' }).click();
  const arrived = await started;
  expect(arrived.suggestedFilename()).toBe(name);
  return readFile(await arrived.path());
}
