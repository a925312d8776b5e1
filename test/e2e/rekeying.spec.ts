// Files that were stored before a device was shut out are stored anew under keys that it does not have.

import { expectAccessible } from './accessibility.ts';
import { expect, test } from './palm-fixture.ts';
import { seededBytes } from './seeded-bytes.ts';

test('after a shut-out the files of before are re-keyed with one tap, and keep names, dates and bytes @long', async ({
  newPool,
}) => {
  const [laptop, tablet, phone] = await newPool(['Laptop', 'Tablet', 'Phone']);
  if (laptop === undefined || tablet === undefined || phone === undefined)
    throw new Error('A device is missing.');
  const files = [
    { name: 'trip.mp4', bytes: seededBytes(7, 2_500_000) },
    { name: 'list.txt', bytes: seededBytes(8, 400) },
  ];
  for (const [index, { name, bytes }] of files.entries()) {
    const storer = index === 0 ? laptop : phone;
    await storer.page.evaluate(
      async ([given, of]) => {
        await window.palm.store(new Blob([Uint8Array.from(atob(of), (char) => char.charCodeAt(0))]), {
          name: given,
          path: 'holidays',
        });
      },
      [name, Buffer.from(bytes).toString('base64')] as const,
    );
  }
  const isPlaced = (shown: {
    readonly files: readonly { readonly safe: boolean; readonly inOutbox: boolean }[];
  }) => shown.files.length === 2 && shown.files.every(({ safe, inOutbox }) => safe && !inOutbox);
  for (const device of [laptop, tablet, phone]) await device.waitFor('both files', isPlaced);
  const before = await laptop.page.evaluate(() => window.palm.status().files);

  const phoneId = await phone.page.evaluate(() => window.palm.status().device.id);
  await laptop.page.evaluate((id) => window.palm.shutOut(id), phoneId);
  await laptop.waitFor('the offer', ({ rekey }) => rekey?.files === 2);
  await expect(laptop.page.getByText('2 files (2.5 MB) of this pool still open with the keys')).toBeVisible();
  await expectAccessible(laptop.page, 'the offer to re-key');
  await laptop.page.getByRole('button', { name: 'Re-key them' }).click();
  for (const device of [laptop, tablet])
    await device.waitFor('new contents', ({ files: shown }) =>
      shown.every(({ contentId }) => !before.some((old) => old.contentId === contentId)),
    );
  await expect(laptop.page.getByRole('heading', { name: 'Files of before' })).toBeHidden();
  const after = await tablet.page.evaluate(() => window.palm.status().files);
  const told = (shown: typeof before) =>
    shown.map(({ name, path, size, storedAtMs, modifiedMs }) => ({
      name,
      path,
      size,
      storedAtMs,
      modifiedMs,
    }));
  expect(told(after)).toEqual(told(before));
  for (const { name, bytes } of files) {
    const read = await tablet.page.evaluate(
      async (id) => {
        const whole = new Uint8Array(await new Response(window.palm.read(id)).arrayBuffer());
        return btoa(Array.from(whole, (byte) => String.fromCharCode(byte)).join(''));
      },
      after.find((file) => file.name === name)?.fileId ?? '',
    );
    expect(Buffer.from(read, 'base64').equals(Buffer.from(bytes))).toBe(true);
  }
});
