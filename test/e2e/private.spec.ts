// A private file is in the pool, but only its link opens it or reveals its name.

import { expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

const CONTENT = { seed: 21, length: 1_500_000 };

test('a private file shows no name and opens only with its link', async ({ newPool }) => {
  const [laptop, phone, tablet] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined || tablet === undefined)
    throw new Error('A device is missing.');
  const { fileId, link = '' } = await laptop.store(CONTENT, {
    name: 'diary.txt',
    path: 'secret',
    private: true,
  });
  expect(link).toContain('/#/');

  for (const other of [phone, tablet]) {
    const { files } = await other.waitFor('the file', (status) => status.files.length === 1);
    expect(files[0]).toMatchObject({ fileId, name: '', path: '', private: true, openable: false });
    await expect(other.read(fileId)).rejects.toMatchObject({ code: 'link-needed' });
  }

  await test.step('the link opens it on the page that got the link', async () => {
    expect(await phone.openLink(link)).toEqual({ fileId });
    expect(await phone.read(fileId)).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
    const { files } = await phone.status();
    expect(files[0]).toMatchObject({ name: 'diary.txt', path: 'secret', openable: true });
    expect(await tablet.read(fileId, { link })).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
  });

  await test.step('and nowhere else, nor there after a reload', async () => {
    await phone.reload();
    await phone.waitFor('a holder', ({ files }) => files.some(({ reach, k }) => reach >= k));
    await expect(phone.read(fileId)).rejects.toMatchObject({ code: 'link-needed' });
    await laptop.reload();
    await expect(laptop.read(fileId)).rejects.toMatchObject({ code: 'link-needed' });
  });

  await test.step('a damaged link opens nothing', async () => {
    await expect(tablet.openLink(link.slice(0, -3))).rejects.toMatchObject({ code: 'bad-invite' });
  });
});
