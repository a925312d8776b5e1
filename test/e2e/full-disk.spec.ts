// Space that removed files gave back, and a disk that is full.

import type { Page } from '@playwright/test';
import { expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

/** Each takes 32 slots of a file that has 64. */
const FILM_BYTES = 4_000_000;

test('what removed files had is cut off, used again before files grow, and removing works on a full disk', async ({
  newDevice,
}) => {
  const laptop = await newDevice('Laptop');
  const { page } = laptop;
  await laptop.createPool('Home');
  const store = async (seed: number): Promise<string> => {
    const options = { name: `film ${seed}`, durability: 'fast' } as const;
    return (await laptop.store({ seed, length: FILM_BYTES }, options)).fileId;
  };
  const fileIds: string[] = [];
  for (let seed = 0; seed < 6; seed++) fileIds.push(await store(seed));
  const remove = (at: number): Promise<void> =>
    page.evaluate((fileId) => window.palm.remove(fileId), fileIds[at] ?? '');
  const fullBytes = await blockFileBytes(page);

  // Two leave holes; the last one leaves a tail.
  for (const at of [0, 2, 5]) await remove(at);
  await expect.poll(() => blockFileBytes(page)).toBeLessThanOrEqual(fullBytes * (5 / 6));
  const cutBytes = await blockFileBytes(page);
  for (const seed of [10, 11]) await store(seed);
  expect(await blockFileBytes(page)).toBe(cutBytes);

  const session = await page.context().newCDPSession(page);
  const { origin } = new URL(page.url());
  const usedBytes = await page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usedBytes - 100_000 });
  await expect(store(12)).rejects.toMatchObject({ code: 'storage-full' });
  await remove(1);
  const { files, notices } = await laptop.status();
  expect(files.map(({ name }) => name).toSorted()).toEqual(['film 10', 'film 11', 'film 3', 'film 4']);
  expect(notices).toEqual([]);
  expect(await laptop.read(fileIds[3] ?? '')).toEqual(expectedBytes(3, FILM_BYTES));
});

/** Bytes of the files that blocks lie in. */
function blockFileBytes(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('blocks');
    let byteCount = 0;
    for await (const handle of folder.values())
      if (handle instanceof FileSystemFileHandle) byteCount += (await handle.getFile()).size;
    return byteCount;
  });
}
