// A pool whose founder is lost, recovered on the other device with a code from paper, by the screens alone.

import { expectAccessible } from './accessibility.ts';
import { expect, test } from './palm-fixture.ts';

test('a recovery code is shown once, and makes the other device an admin in the place of the lost one', async ({
  newPool,
}) => {
  const [laptop, phone] = await newPool(['Laptop', 'Phone']);
  if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
  const shownCode = laptop.page.getByRole('textbox', { name: 'Recovery code' });
  const settings = laptop.page.getByRole('dialog', { name: 'Pool settings' });
  await laptop.page.getByRole('button', { name: 'Pool settings' }).click();
  await expect(settings.getByText('This pool has no recovery code.')).toBeVisible();
  await settings.getByRole('button', { name: 'Make a recovery code' }).click();
  await expect(shownCode).toHaveValue(/^[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){13}$/u);
  const code = await shownCode.inputValue();
  await expectAccessible(laptop.page, 'a recovery code');
  // On paper it is alone.
  await laptop.page.emulateMedia({ media: 'print' });
  await expect(laptop.page.locator('.recovery-paper')).toBeVisible();
  await expect(laptop.page.locator('.recovery-paper')).toContainText('Recovery code of the Palm pool');
  await expect(laptop.page.getByText('It is shown this once')).toBeHidden();
  await laptop.page.emulateMedia({ media: null });
  // Escape does not lose it.
  await laptop.page.keyboard.press('Escape');
  await expect(shownCode).toBeVisible();
  await laptop.page.getByRole('button', { name: 'I have it' }).click();
  await expect(settings.getByText('This pool has a recovery code.')).toBeVisible();
  expect(await laptop.page.content()).not.toContain(code);

  await phone.waitFor('to know of the code', ({ pool }) => pool?.recovery?.hasCode === true);
  await laptop.closeTab();
  const { page } = phone;
  await page.getByRole('button', { name: 'Pool settings' }).click();
  await expect(page.getByRole('button', { name: 'Make a recovery code' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Recover the pool' }).click();
  const dialog = page.getByRole('dialog', { name: 'Recover the pool' });
  await dialog.getByLabel('Recovery code').fill(code.replace(/.$/u, (last) => (last === '0' ? '1' : '0')));
  await dialog.getByRole('checkbox', { name: 'Laptop' }).check();
  await dialog.getByRole('button', { name: 'Recover', exact: true }).click();
  await expect(dialog.getByText('A letter or digit of this code is not right.')).toBeVisible();
  await expectAccessible(page, 'a pool that is recovered');
  await dialog.getByLabel('Recovery code').fill(code.toLowerCase().replaceAll('-', ' '));
  await dialog.getByRole('button', { name: 'Recover', exact: true }).click();
  const next = page.getByRole('textbox', { name: 'Recovery code' });
  await expect(page.getByText('This device is an admin now.')).toBeVisible();
  expect(await next.inputValue()).not.toBe(code);
  const { role, shutOut, pool } = await phone.status();
  expect([role, shutOut?.map(({ name }) => name), pool?.epoch]).toEqual(['admin', ['Laptop'], 1]);
  await page.getByRole('button', { name: 'I have it' }).click();

  await laptop.open();
  await laptop.waitFor('to be told', (status) => status.shutOut?.some(({ self }) => self) === true);
});
