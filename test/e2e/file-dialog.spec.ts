// A file is renamed, and kept on a device, from its row: by keys alone, and with what went wrong in words.

import { expect, test } from './palm-fixture.ts';

test('a file gets another name for the whole pool, and a device keeps more of it', async ({ newPool }) => {
  const [laptop, phone, tablet] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined || tablet === undefined)
    throw new Error('A device is missing.');
  const { page } = laptop;
  await laptop.store({ seed: 1, length: 300_000 }, { name: 'first.txt', path: 'Papers' });
  const { fileId } = await laptop.store({ seed: 2, length: 300_000 }, { name: 'draft.txt', path: 'Papers' });
  await laptop.waitFor('them to be placed', ({ files }) => files.every(({ safe }) => safe));
  const dialog = page.getByRole('dialog', { name: 'Change “draft.txt”' });
  const change = page.getByRole('button', { name: 'Rename or keep here: draft.txt, Papers' });

  await test.step('a name that cannot be says why, and changes nothing', async () => {
    await change.press('Enter');
    const name = dialog.getByRole('textbox', { name: 'Name' });
    await expect(name).toBeFocused();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Enter');
    await expect(dialog.getByRole('alert')).toHaveText('A file needs a name.');
    await page.keyboard.press('Escape');
    await expect(change).toBeFocused();
  });

  await test.step('kept here, and no longer', async () => {
    await change.press('Enter');
    const keep = dialog.getByRole('checkbox', { name: 'Keep here' });
    await expect(keep).toHaveAccessibleDescription(/^This device then keeps as much of the file/u);
    await keep.press('Space');
    await expect(keep).toBeChecked();
    await laptop.waitFor('k - 1 fragments here', ({ files, devices }) => {
      const self = devices.find((device) => device.self)?.id;
      const file = files.find(({ name }) => name === 'draft.txt');
      const held = file?.holders.find(({ deviceId }) => deviceId === self)?.fragments.length;
      return file?.pinned === true && held === file.k - 1;
    });
    await keep.press('Space');
    await expect(keep).not.toBeChecked();
    await page.keyboard.press('Escape');
  });

  await test.step('another name, and the focus with it', async () => {
    await change.press('Enter');
    // Keys that come before go nowhere.
    await expect(dialog.getByRole('textbox', { name: 'Name' })).toBeFocused();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('final.txt');
    await page.keyboard.press('Enter');
    await expect(dialog).toBeHidden();
    await expect(page.getByRole('listitem', { name: 'final.txt' })).toBeFocused();
    await expect(page.getByRole('listitem', { name: 'draft.txt' })).toHaveCount(0);
    await phone.waitFor('the name', ({ files }) =>
      files.some(
        ({ name, path, contentId }) => name === 'final.txt' && path === 'Papers' && contentId !== '',
      ),
    );
    const renamed = await laptop.status();
    expect(renamed.files.find(({ name }) => name === 'final.txt')?.contentId).toBe(fileId);
  });

  await test.step('a device that may not is told so', async () => {
    await phone.page.getByRole('button', { name: 'Rename or keep here: final.txt, Papers' }).click();
    await phone.page.getByRole('textbox', { name: 'Name' }).fill('mine.txt');
    await phone.page.keyboard.press('Enter');
    await expect(phone.page.getByRole('alert')).toContainText('Another device added this file.');
  });
});
