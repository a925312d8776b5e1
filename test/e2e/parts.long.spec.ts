// An old pool that two people upgraded apart becomes one again, by the screens of both: one part offers, the
// other takes it in, and files of both open everywhere.

import { expectAccessible } from './accessibility.ts';
import type { Device } from './device.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

const FILE = { seed: 82, length: 200_000 };
const OTHER = { seed: 83, length: 100_000 };

async function codeOn({ page }: Device): Promise<string> {
  await page.getByRole('button', { name: 'Pool settings' }).click();
  const settings = page.getByRole('dialog', { name: 'Pool settings' });
  const code = /(?:\w{4}-){2}\w{4}/.exec(await settings.innerText())?.[0] ?? 'none is shown';
  await page.keyboard.press('Escape');
  await expect(settings).toBeHidden();
  return code;
}

test('two parts that upgraded apart become one, by a code on each side', async ({ newDevice }) => {
  const [laptop, phone] = [await newDevice('Laptop'), await newDevice('Phone')];
  await phone.join(await laptop.createOldPool());
  await allLinked([laptop, phone]);
  await phone.closeTab();
  await laptop.page.evaluate(() => window.palm.upgrade());
  const ofLaptop = await laptop.store(FILE, { name: 'of the laptop.bin', k: 1, n: 2, mirror: true });
  await laptop.closeTab();
  await phone.open();
  await phone.page.evaluate(() => window.palm.upgrade());
  const ofPhone = await phone.store(OTHER, { name: 'of the phone.bin', k: 1, n: 2, mirror: true });
  await laptop.open();

  // The phone's part offers itself. Another code is none of the laptop's part.
  await expect(phone.page.getByText('These are two pools now')).toBeVisible({ timeout: 60_000 });
  await expect(laptop.page.getByText('These are two pools now')).toBeVisible({ timeout: 60_000 });
  const [laptopCode, phoneCode] = [await codeOn(laptop), await codeOn(phone)];
  await phone.page.getByRole('button', { name: 'Make them one…' }).click();
  const offering = phone.page.getByRole('dialog', { name: 'Make two pools one?' });
  await expectAccessible(phone.page, 'a part that offers itself');
  await offering.getByRole('textbox', { name: 'Code of the other part' }).fill(phoneCode);
  await offering.getByRole('button', { name: 'Offer', exact: true }).click();
  await expect(offering.getByRole('alert')).toContainText('not the code of that part');
  await offering.getByRole('textbox', { name: 'Code of the other part' }).fill(laptopCode.toLowerCase());
  await offering.getByRole('button', { name: 'Offer', exact: true }).click();
  await expect(phone.page.getByText('This part offers to be taken in')).toBeVisible();

  await laptop.page.getByRole('button', { name: 'Take it in…' }).click({ timeout: 60_000 });
  const taking = laptop.page.getByRole('dialog', { name: 'Take this part in?' });
  await expect(taking).toContainText('one device comes in');
  await expectAccessible(laptop.page, 'a part that is taken in');
  await taking.getByRole('textbox', { name: 'Code of the other part' }).fill(phoneCode);
  await taking.getByRole('button', { name: 'Take in', exact: true }).click();
  await expect(taking).toBeHidden();

  await phone.waitFor('to be a member', ({ role }) => role === 'member', 60_000);
  await allLinked([laptop, phone]);
  for (const device of [laptop, phone]) {
    await device.waitFor('both files', ({ files }) => files.length === 2, 60_000);
    expect(await device.read(ofLaptop.fileId)).toEqual(expectedBytes(FILE.seed, FILE.length));
    expect(await device.read(ofPhone.fileId)).toEqual(expectedBytes(OTHER.seed, OTHER.length));
    await expect(device.page.getByText('These are two pools now')).toBeHidden();
  }
});
