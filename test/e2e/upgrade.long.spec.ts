// A pool of an earlier Palm is upgraded by the screens: its file stays, the other device confirms, and the
// old invite says why it lets nobody in any more.

import { expectAccessible } from './accessibility.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

const FILE = { seed: 81, length: 200_000 };

test('an old pool is upgraded, followed by the other device, and its old invite lets nobody in', async ({
  newDevice,
}) => {
  const [laptop, phone, stranger] = [
    await newDevice('Laptop'),
    await newDevice('Phone'),
    await newDevice('Stranger'),
  ];
  const invite = await laptop.createOldPool();
  await phone.join(invite);
  await allLinked([laptop, phone]);
  const { fileId } = await phone.store(FILE, { name: 'before.bin' });
  await laptop.waitFor('the file', ({ files }) => files.length === 1);

  await laptop.page.getByRole('button', { name: 'Pool settings' }).click();
  await laptop.page.getByRole('button', { name: 'Upgrade this pool…' }).click();
  const asked = laptop.page.getByRole('dialog', { name: 'Upgrade this pool?' });
  await expect(asked.getByRole('checkbox', { name: 'Phone' })).toBeChecked();
  await expectAccessible(laptop.page, 'the upgrade of a pool');
  await asked.getByRole('button', { name: 'Upgrade', exact: true }).click();
  await laptop.waitFor('the upgraded pool', ({ role, pool }) => role === 'admin' && pool?.epoch === 1);

  await expect(phone.page.getByText('Laptop upgraded this pool.')).toBeVisible();
  await phone.page.getByRole('button', { name: 'Confirm the upgrade…' }).click();
  await expectAccessible(phone.page, 'an upgrade to be confirmed');
  const confirming = phone.page.getByRole('dialog', { name: 'Confirm the upgrade?' });
  const field = confirming.getByRole('textbox', { name: 'Code on that device' });
  await field.fill('0000 0000 0000');
  await confirming.getByRole('button', { name: 'Confirm', exact: true }).click();
  await expect(confirming.getByRole('alert')).toContainText('not the code of that upgrade');
  expect((await phone.status()).role).toBe(undefined);
  const note = laptop.page.getByRole('status').filter({ hasText: 'not confirmed yet on Phone' });
  const code = /(?:\w{4}-){2}\w{4}/.exec(await note.innerText())?.[0] ?? 'none is shown';
  await field.fill(code.toLowerCase());
  await confirming.getByRole('button', { name: 'Confirm', exact: true }).click();
  await phone.waitFor('to be a member', ({ role, pool }) => role === 'member' && pool?.epoch === 1);
  await allLinked([laptop, phone]);
  await expect(note).toBeHidden();
  expect(await laptop.read(fileId)).toEqual(expectedBytes(FILE.seed, FILE.length));

  await expect(stranger.join(invite)).rejects.toMatchObject({ code: 'bad-invite' });
  expect((await stranger.status()).pool).toBe(undefined);
  await stranger.join(await laptop.invite());
  await allLinked([laptop, phone, stranger]);
});
