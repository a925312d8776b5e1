// Parts that fail at work: somebody changes the file that is being stored, or a worker dies. Each failure is
// reported in words that people can act on, nothing is lost, and the same work succeeds afterwards.

import { createHash } from 'node:crypto';
import { open, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import type { Device } from './device.ts';
import { expect, test } from './palm-fixture.ts';
import { expectedBytes, seededBytes } from './seeded-bytes.ts';
import { storedBlocks } from './stored-blocks.ts';

const NAME = 'film.mp4';
const FILM = { seed: 95, length: 30_000_000 };
const EARLIER = { seed: 96, length: 3_000_000 };

interface Scene {
  readonly laptop: Device;
  readonly phone: Device;
  readonly tablet: Device;
  /** A file that is already in the pool. */
  readonly earlier: string;
}

const CHANGES = [
  { how: 'shrinks', change: (path: string) => truncate(path, 1_000_000) },
  { how: 'is written to where it was read already', change: (path: string) => writeByte(path, 0) },
];

test('a file that changes while it is stored is reported as changed, and leaves nothing on any device', async ({
  newPool,
}, info) => {
  const { laptop, phone, tablet, earlier } = await prepare(newPool);
  const path = info.outputPath(NAME);
  for (const { how, change } of CHANGES) {
    await test.step(`it ${how}`, async () => {
      await writeFile(path, seededBytes(FILM.seed, FILM.length));
      // Chromium no longer distinguishes file times within the same second.
      const hourAgo = Date.now() / 1_000 - 3_600;
      await utimes(path, hourAgo, hourAgo);
      await laptop.page.getByLabel('Add files').setInputFiles(path);
      await untilSealed(laptop, 6_000_000);
      await change(path);

      await expect(failedRow(laptop.page)).toContainText(
        'The file changed or became unreadable while it was being stored. Nothing of it was kept; add it again to store it as it is now.',
      );
      const { unfinished, transfers, files } = await laptop.status();
      expect([unfinished, transfers, files.map(({ name }) => name)]).toEqual([[], [], ['earlier.bin']]);
      for (const device of [laptop, phone, tablet]) {
        await expect(async () => {
          const { present, counted } = await storedBlocks(device.page);
          expect(present, device.name).toEqual(counted);
        }).toPass();
      }
      await failedRow(laptop.page).getByRole('button', { name: 'Dismiss' }).click();
    });
  }

  const edited = { seed: 97, length: 9_000_000 };
  await writeFile(path, seededBytes(edited.seed, edited.length));
  await laptop.page.getByLabel('Add files').setInputFiles(path);
  await expectStored(laptop, phone, edited);
  expect(await phone.read(earlier)).toEqual(expectedBytes(EARLIER.seed, EARLIER.length));
});

test(
  'when a fragment worker dies while it writes, encrypted segments are kept, and a second try stores the file',
  { tag: '@long' },
  async ({ newPool }, info) => {
    const { laptop, phone, earlier } = await prepare(newPool);
    const path = info.outputPath(NAME);
    await writeFile(path, seededBytes(FILM.seed, FILM.length));
    await laptop.page.getByLabel('Add files').setInputFiles(path);
    await untilSealed(laptop, 6_000_000);
    await dieAtCall(laptop.page, 'fragment', 3, 'putBlocks');
    const failed = failedRow(laptop.page);
    await expect(failed).toContainText(
      "The part of Palm that keeps this device's fragments stopped. What was kept is safe; try again. " +
        `What is encrypted of “${NAME}” is kept: continue it then, or discard it.`,
    );
    const { unfinished } = await laptop.status();
    expect(unfinished).toMatchObject([{ name: NAME }]);
    expect(unfinished[0]?.sealedBytes).toBeGreaterThan(0);
    expect(await laptop.read(earlier)).toEqual(expectedBytes(EARLIER.seed, EARLIER.length));

    await failed.getByRole('button', { name: 'Try again' }).click();
    await expectStored(laptop, phone, FILM);
    expect((await laptop.status()).unfinished).toEqual([]);
  },
);

test('when a codec worker dies while it encrypts, it is replaced, and the file is stored', async ({
  newPool,
}, info) => {
  const { laptop, phone } = await prepare(newPool);
  const path = info.outputPath(NAME);
  await writeFile(path, seededBytes(FILM.seed, FILM.length));
  await laptop.page.getByLabel('Add files').setInputFiles(path);
  await untilSealed(laptop, 3_000_000);
  const { died } = await dieAtCall(laptop.page, 'codec', 2);
  await expectStored(laptop, phone, FILM);
  await died;
  await expect(laptop.page.getByRole('alert')).toHaveCount(0);
});

for (const part of ['codec', 'fragment'] as const) {
  const tag = part === 'fragment' ? ['@long'] : [];
  test(
    `a ${part} worker that dies in the middle of a download costs nothing but time`,
    { tag },
    async ({ newPool }) => {
      const { laptop, phone, earlier } = await prepare(newPool);
      await laptop.store(FILM, { name: NAME });
      const file = phone.page.getByRole('list', { name: 'Files' }).getByRole('listitem', { name: NAME });
      // The reader has some fragments itself, and asks the others for the rest. It has a codec worker from
      // now on.
      expect(await phone.read(earlier)).toEqual(expectedBytes(EARLIER.seed, EARLIER.length));
      const deaths = [await dieAtCall(phone.page, part, 12)];
      if (part === 'fragment') deaths.push(await dieAtCall(laptop.page, part, 12));
      const arriving = phone.page.waitForEvent('download');
      await file.getByRole('button', { name: 'Download' }).click();
      const bytes = await readFile(await (await arriving).path());
      for (const { died } of deaths) await died;
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect({ length: bytes.length, sha256 }).toEqual(expectedBytes(FILM.seed, FILM.length));
      await expect(phone.page.getByRole('alert')).toHaveCount(0);
    },
  );
}

test(
  'a codec worker that dies while it opens a segment costs a read nothing but time',
  { tag: '@long' },
  async ({ newPool }) => {
    const { laptop, phone, earlier } = await prepare(newPool);
    const { fileId } = await laptop.store(FILM, { name: NAME });
    await phone.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
    expect(await phone.read(earlier)).toEqual(expectedBytes(EARLIER.seed, EARLIER.length));
    const { died } = await dieAtCall(phone.page, 'codec', 1, 'open');
    expect(await phone.read(fileId)).toEqual(expectedBytes(FILM.seed, FILM.length));
    await died;
    await expect(phone.page.getByRole('alert')).toHaveCount(0);
  },
);

async function writeByte(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Uint8Array.of(1), 0, 1, at);
  await file.close();
}

async function prepare(newPool: (names: readonly string[]) => Promise<Device[]>): Promise<Scene> {
  const [laptop, phone, tablet] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined || tablet === undefined)
    throw new Error('A device is missing.');
  const { fileId } = await laptop.store(EARLIER, { name: 'earlier.bin' });
  return { laptop, phone, tablet, earlier: fileId };
}

/**
 * Makes each worker of this kind die of an error at its `callCount`th call from now (counting only calls of
 * `method`, if given): that call is lost. `died` resolves when the page has ended the first of them.
 */
async function dieAtCall(
  page: Page,
  part: 'codec' | 'fragment',
  callCount: number,
  method?: string,
): Promise<{ readonly died: Promise<unknown> }> {
  const workers = page.workers().filter((worker) => worker.url().includes(part));
  expect(workers.length).toBeGreaterThan(0);
  const deaths = workers.map((worker) => new Promise((resolve) => worker.once('close', resolve)));
  for (const worker of workers) {
    await worker.evaluate(
      ([count, name]) => {
        let left = count;
        const die = (event: Event): void => {
          // Comlink's messages contain the path of the called method.
          const { data } = event as MessageEvent<{ readonly path?: readonly string[] }>;
          if (name !== undefined && data.path?.[0] !== name) return;
          left -= 1;
          if (left > 0) return;
          event.stopImmediatePropagation();
          throw new Error('provoked');
        };
        addEventListener('message', die, { capture: true });
      },
      [callCount, method] as const,
    );
  }
  return { died: Promise.race(deaths) };
}

async function untilSealed(device: Device, bytes: number): Promise<void> {
  await device.waitFor(`${bytes} bytes to be encrypted`, ({ transfers }) =>
    transfers.some(({ phase, doneBytes }) => phase === 'sealing' && doneBytes > bytes),
  );
}

async function expectStored(
  storer: Device,
  reader: Device,
  content: { readonly seed: number; readonly length: number },
): Promise<void> {
  await storer.waitFor('the file to be safe', ({ files }) =>
    files.some(({ name, safe }) => name === NAME && safe),
  );
  const { files } = await reader.waitFor('the file', ({ files: known }) =>
    known.some(({ name, safe }) => name === NAME && safe),
  );
  const fileId = files.find(({ name }) => name === NAME)?.fileId ?? '';
  expect(await reader.read(fileId)).toEqual(expectedBytes(content.seed, content.length));
}

/** A file that could not be stored, with its reason. */
function failedRow(page: Page): Locator {
  return page.getByRole('list', { name: '1 file could not be stored' }).getByRole('listitem');
}

test('stores end, whatever garbage the engine collects', { tag: '@long' }, async ({ newDevice }) => {
  const laptop = await newDevice('Laptop');
  await laptop.createPool('Tidy');
  const devTools = await laptop.context.newCDPSession(laptop.page);
  const collecting = new AbortController();
  const storing = laptop.page
    .evaluate(async () => {
      let storedCount = 0;
      for (let round = 0; round < 6; round++) {
        const names = Array.from({ length: 40 }, (_, at) => round * 40 + at);
        await Promise.all(
          names.map(async (seed) => {
            const blob = new Blob([window.palmTest.seededBytes(seed, 10_000)]);
            await window.palm.store(blob, { name: `note ${seed}`, durability: 'fast' });
            storedCount += 1;
          }),
        );
      }
      return storedCount;
    })
    .finally(() => collecting.abort());
  while (!collecting.signal.aborted) await devTools.send('HeapProfiler.collectGarbage');
  expect(await storing).toBe(240);
});
