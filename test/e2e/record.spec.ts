// The record of the pool by its screen, and its export, which a program without Palm checks.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expectAccessible } from './accessibility.ts';
import { expect, test } from './palm-fixture.ts';

const SCRIPT = fileURLToPath(new URL('../../docs/verify-record.mjs', import.meta.url));

test('the record tells who did what, and its export is found genuine without Palm', async ({ newPool }) => {
  const [laptop, phone] = await newPool(['Laptop', 'Phone']);
  if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
  const { page } = laptop;
  const { fileId } = await phone.store({ seed: 5, length: 20_000 }, { name: 'notes.txt' });
  await laptop.waitFor('the file', ({ files }) => files.length === 1);
  await page.evaluate((id) => window.palm.remove(id), fileId);

  await page.getByRole('button', { name: 'Record' }).click();
  const dialog = page.getByRole('dialog', { name: 'Record of the pool' });
  const entries = dialog.getByRole('list', { name: 'Entries' }).getByRole('listitem');
  await expect(entries.first()).toContainText('Laptop removed notes.txt');
  await expect(entries).toContainText([
    'Laptop removed notes.txt',
    'Phone added notes.txt',
    'Phone joined as “Phone”',
    'Laptop let Phone in',
    'Laptop named the pool “Home”',
    'Laptop joined as “Laptop”',
    'Laptop began the pool’s charter',
  ]);
  await expect(dialog.getByText('Signature checked')).toHaveCount(8);
  await expect(dialog.getByText('Nothing was refused.')).toBeVisible();
  await expectAccessible(page, 'the record');
  await dialog.getByLabel('Device').selectOption('Phone');
  await expect(entries).toHaveCount(2);

  const saving = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Export' }).click();
  const download = await saving;
  expect(download.suggestedFilename()).toMatch(/^palm-record-\d{4}-\d\d-\d\d\.jsonl$/);
  const { status, stdout } = spawnSync(process.execPath, [SCRIPT, await download.path()], {
    encoding: 'utf8',
  });
  expect(stdout).toContain('6 entries of 2 devices');
  expect(stdout).toContain('Nothing is wrong.');
  expect(status).toBe(0);
});
