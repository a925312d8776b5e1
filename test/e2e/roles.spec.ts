// What an admin does to a device from the list of devices, and what that device is told.

import { expectAccessible } from './accessibility.ts';
import { expect, test } from './palm-fixture.ts';

test('a device becomes a reader, is shut out, is told so, and comes back when it is let in', async ({
  newPool,
}) => {
  const [laptop, phone] = await newPool(['Laptop', 'Phone']);
  if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
  const dialog = laptop.page.getByRole('dialog');
  const codeOnPhone = (): Promise<string> =>
    phone.page.evaluate(() =>
      window.palm.store(new Blob(['x']), { name: 'x', durability: 'fast' }).then(
        () => 'stored',
        (error: unknown) => (error as { code: string }).code,
      ),
    );

  await laptop.page.getByRole('button', { name: 'Role of Phone' }).click();
  await dialog.getByRole('radio', { name: 'Reader' }).check();
  await expectAccessible(laptop.page, 'the role of a device');
  await dialog.getByRole('button', { name: 'Change role' }).click();
  await expect(dialog).toBeHidden();
  await phone.waitFor('to be a reader', ({ role }) => role === 'reader');
  expect(await codeOnPhone()).toBe('not-allowed');

  await laptop.page.getByRole('button', { name: 'Role of Phone' }).click();
  await dialog.getByRole('button', { name: 'Shut out' }).click();
  await dialog.getByRole('button', { name: 'Shut out' }).click();
  await expect(phone.page.getByText('Laptop shut this device out of the pool.').first()).toBeVisible();
  await phone.waitFor('to have no role', ({ role }) => role === undefined);
  expect(await codeOnPhone()).toBe('not-allowed');
  await laptop.waitFor('to be alone', ({ devices }) => devices.length === 1);
  await expectAccessible(phone.page, 'a device that was shut out');

  await laptop.page.getByRole('button', { name: 'Let Phone back in' }).click();
  await phone.waitFor('to be a member', ({ role }) => role === 'member');
  await laptop.waitFor('the phone', ({ devices }) =>
    devices.some(({ self, state }) => !self && state === 'reachable'),
  );
  expect(await codeOnPhone()).toBe('stored');
});
