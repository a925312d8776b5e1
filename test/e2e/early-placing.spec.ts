// A file travels while it is still being encrypted; a cancelled one leaves nothing on other devices.

import { expect, test } from './palm-fixture.ts';
import { storedBlocks } from './stored-blocks.ts';

const FILM = { seed: 91, length: 120_000_000 };

test('other devices have blocks of a file while it is still being encrypted, and none after it is cancelled', async ({
  newPool,
}) => {
  const [laptop, ...others] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined) throw new Error('A device is missing.');
  await laptop.page.evaluate(({ seed, length }) => {
    const blob = new Blob([window.palmTest.seededBytes(seed, length)]);
    window.palm.store(blob, { name: 'film.mp4' }).catch(() => undefined);
  }, FILM);
  for (const { page } of others)
    await expect.poll(async () => (await storedBlocks(page)).strayFiles.length).toBeGreaterThan(0);
  const { transfers, files } = await laptop.status();
  expect(files).toEqual([]);
  expect(transfers).toMatchObject([{ phase: 'sealing', name: 'film.mp4' }]);

  await laptop.page.evaluate((id) => window.palm.cancel(id), transfers[0]?.id ?? '');
  for (const { page } of [laptop, ...others])
    await expect.poll(() => storedBlocks(page)).toEqual({ present: [], counted: [], strayFiles: [] });
});
