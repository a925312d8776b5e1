// Storing is interrupted: a published file is finished automatically, an unpublished one leaves nothing
// behind.

import type { FileStatus, PalmStatus } from '../../src/runtime/api.ts';
import type { Device } from './device.ts';
import { expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';
import { storedBlocks } from './stored-blocks.ts';

const CONTENT = { seed: 31, length: 20_000_000 };

test('after a reload in the middle of placing, the outbox finishes by itself', async ({ newPool }) => {
  const [laptop, phone, tablet] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined || tablet === undefined)
    throw new Error('A device is missing.');
  // Without takers, placing is certain to be unfinished when `store` resolves.
  await phone.closeTab();
  await tablet.closeTab();
  await laptop.waitFor('the others to be away', ({ devices }) => devices.filter(isReachable).length === 1);
  const { fileId } = await laptop.store(CONTENT, { name: 'film.mp4', durability: 'fast' });
  expect(fileOf(await laptop.status(), fileId).inOutbox).toBe(true);
  await test.step('the policy is changed, and what cannot be kept of it is refused in words', async () => {
    const refused = await laptop.page.evaluate(async () => {
      await window.palm.setPolicy({ graceMs: { phone: 60_000 } });
      await window.palm.setPolicy({ repairShare: 0.35, n: 6 });
      return window.palm.setPolicy({ graceMs: { phone: 9_999 } }).catch(String);
    });
    expect(refused).toContain('phones may be away must be a whole number of milliseconds from 10,000');
  });

  await phone.open();
  await tablet.open();
  await laptop.waitFor('placing to have begun', (status) => {
    const { inOutbox } = fileOf(status, fileId);
    if (!inOutbox)
      throw new Error('Everything was placed before the reload: the file is too small for this test.');
    // Holders are shown once all have proved what they hold; a taken fragment shows sooner.
    return status.devices.some(({ self, heldBytes }) => !self && heldBytes > 0);
  });
  await laptop.reload();

  const done = await laptop.waitFor(
    'the outbox to be empty',
    (status) => !fileOf(status, fileId).inOutbox,
    60_000,
  );
  expect(fileOf(done, fileId).margin).toBeGreaterThanOrEqual(1);
  for (const { page } of [laptop, phone, tablet]) {
    expect(await page.evaluate(() => window.palm.policy())).toEqual({
      graceMs: { alwaysOn: 14_400_000, laptop: 86_400_000, phone: 60_000 },
      repairShare: 0.35,
      n: 6,
    });
  }
  await laptop.closeTab();
  await phone.waitFor('the laptop to be away', ({ devices }) => devices.filter(isReachable).length === 2);
  expect(await phone.read(fileId)).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
});

test('a store that was killed and then discarded leaves no wrong byte and no stray block', async ({
  newPool,
  faults,
}) => {
  faults.allow(/Laptop: the page crashed/);
  const [laptop, phone] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
  await laptop.page.evaluate(({ seed, length }) => {
    const blob = new Blob([window.palmTest.seededBytes(seed, length)]);
    void window.palm.store(blob, { name: 'half.bin' });
  }, CONTENT);
  await laptop.waitFor('sealing to have begun', ({ transfers }) =>
    transfers.some(({ phase, doneBytes }) => phase === 'sealing' && doneBytes > 0),
  );
  await laptop.killTab();

  await laptop.open();
  await laptop.waitFor('links', ({ devices }) => devices.filter(isReachable).length === 3);
  await test.step('nothing of it is listed as a file', async () => {
    const { files, unfinished } = await laptop.status();
    expect(files).toEqual([]);
    expect(unfinished).toMatchObject([{ name: 'half.bin', size: CONTENT.length, needs: 'file' }]);
  });
  await test.step('once it is discarded, each block on each device belongs to a fragment', async () => {
    const interrupted = laptop.page.getByRole('listitem', { name: 'half.bin' });
    await interrupted.getByRole('button', { name: 'Discard' }).click();
    await expect(interrupted).toBeHidden();
    for (const device of [laptop, phone]) await expectNoStrayBlock(device);
  });
  await test.step('the pool still works', async () => {
    const next = { seed: 32, length: 300_000 };
    const { fileId } = await laptop.store(next, { name: 'next.bin' });
    await phone.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
    expect(await phone.read(fileId)).toEqual(expectedBytes(next.seed, next.length));
  });
});

async function expectNoStrayBlock(device: Device): Promise<void> {
  const amiss = async () => {
    const { present, counted, strayFiles } = await storedBlocks(device.page);
    return {
      stray: present.filter((hash) => !counted.includes(hash)),
      missing: counted.filter((hash) => !present.includes(hash)),
      strayFiles,
    };
  };
  // Others delete blocks that they had fetched once they hear that the store was discarded.
  await expect.poll(amiss, `blocks on ${device.name}`).toEqual({ stray: [], missing: [], strayFiles: [] });
}

function fileOf(status: PalmStatus, fileId: string): FileStatus {
  const file = status.files.find((candidate) => candidate.fileId === fileId);
  if (file === undefined) throw new Error(`File ${fileId} is not listed.`);
  return file;
}

function isReachable({ state }: PalmStatus['devices'][number]): boolean {
  return state === 'reachable';
}
