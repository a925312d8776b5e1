// A lost phone is shut out from a laptop while a tablet is asleep, in real browsers: the keys change, the
// tablet follows when it wakes, and the phone neither links nor reads what was stored since.

import { expectAccessible } from './accessibility.ts';
import type { Device } from './device.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

const BEFORE = { seed: 71, length: 300_000 };
const SINCE = { seed: 72, length: 200_000 };

async function namesOn(device: Device): Promise<string[]> {
  return (await device.status()).files.map(({ name }) => name).toSorted();
}

test('a lost phone is shut out while a tablet is asleep, and reads nothing that is stored since', async ({
  newPool,
}) => {
  const [laptop, phone, tablet] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined || tablet === undefined)
    throw new Error('A device is missing.');
  const before = await laptop.store(BEFORE, { name: 'before.bin' });
  for (const device of [phone, tablet])
    await device.waitFor('the file', ({ files }) => files.some(({ name }) => name === 'before.bin'));
  await tablet.closeTab();
  const lost = (await phone.status()).device.id;

  await laptop.page.evaluate((id) => window.palm.shutOut(id), lost);
  expect((await laptop.status()).pool?.epoch).toBe(1);
  await phone.waitFor('it is told', ({ shutOut }) => shutOut?.some(({ self }) => self) === true);
  const since = await laptop.store(SINCE, { name: 'since.bin', durability: 'fast' });

  await test.step('the tablet wakes, follows, and reads all files', async () => {
    await tablet.open();
    await tablet.waitFor('the new keys', ({ pool }) => pool?.epoch === 1);
    await allLinked([laptop, tablet]);
    await tablet.waitFor('the file', ({ files }) => files.some(({ name }) => name === 'since.bin'));
    for (const [{ fileId }, { seed, length }] of [
      [before, BEFORE],
      [since, SINCE],
    ] as const)
      expect(await tablet.read(fileId)).toEqual(expectedBytes(seed, length));
  });

  await test.step('the phone, with a new page, neither links nor reads nor stores', async () => {
    await phone.reload();
    const { pool, devices } = await phone.waitFor(
      'it is told again',
      ({ shutOut }) => shutOut?.some(({ self }) => self) === true,
    );
    expect(pool?.epoch).toBe(0);
    expect(devices.filter(({ self, state }) => !self && state === 'reachable')).toEqual([]);
    expect(await namesOn(phone)).toEqual(['before.bin']);
    await expect(phone.read(since.fileId)).rejects.toMatchObject({ code: 'unknown-file' });
    await expect(phone.store(SINCE, { name: 'forged.bin', durability: 'fast' })).rejects.toMatchObject({
      code: 'not-allowed',
    });
    for (const device of [laptop, tablet])
      expect((await device.status()).devices.map(({ id }) => id)).not.toContain(lost);
  });

  await test.step('keys are changed by hand, from the settings', async () => {
    const { page } = laptop;
    await page.getByRole('button', { name: 'Pool settings' }).click();
    const dialog = page.getByRole('dialog', { name: 'Pool settings' });
    await expect(dialog.getByText('Last changed:')).toBeVisible();
    await expectAccessible(page, 'the settings with the keys');
    await dialog.getByRole('button', { name: 'Change the keys now' }).click();
    await tablet.waitFor('the newer keys', ({ pool }) => pool?.epoch === 2);
    await page.keyboard.press('Escape');
    expect(await namesOn(tablet)).toEqual(['before.bin', 'since.bin']);
    await allLinked([laptop, tablet]);
  });
});
