// A store is interrupted while it encrypts, and continues as people would do it: by choosing the file again,
// automatically, or by adding the file once more; it starts from the beginning if the file has changed.

import { writeFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import type { PalmStatus, UnfinishedStatus } from '../../src/runtime/api.ts';
import type { Device } from './device.ts';
import type { Content } from './device-calls.ts';
import { expect, test } from './palm-fixture.ts';
import { expectedBytes, seededBytes } from './seeded-bytes.ts';

declare global {
  interface Window {
    /** How many blocks this page wrote. */
    blocksWritten: number;
  }
}

const NAME = 'film.mp4';
const FILM = { seed: 81, length: 60_000_000 };
const CLIP = { seed: 83, length: 36_000_000 };
/** Of another size, so that the two are not compared. */
const OTHER = { seed: 84, length: 35_000_000 };
/** At the default 4 of 8. */
const SEGMENT_BYTES = 4 * 241_664 - 16;
const N = 8;

test(
  'after a crash during encryption, choosing the file again encrypts only what is missing',
  { tag: '@long' },
  async ({ newPool, faults }, info) => {
    faults.allow(/Laptop: the page crashed/);
    const [laptop, phone] = await poolOf(newPool);
    const path = info.outputPath(NAME);
    await writeFile(path, seededBytes(FILM.seed, FILM.length));
    await laptop.page.getByLabel('Add files').setInputFiles(path);
    await untilSealed(laptop, 15_000_000);
    await laptop.killTab();

    await laptop.open();
    const { sealedBytes } = await unfinishedOf(laptop);
    expect(sealedBytes).toBeGreaterThan(5_000_000);
    expect(sealedBytes).toBeLessThan(FILM.length);
    const interrupted = rowOf(laptop.page);
    await expect(interrupted).toContainText('Interrupted');
    await interrupted.getByLabel('Choose the file again').setInputFiles(path);
    await expectStored(laptop, phone, FILM);
    await expect(interrupted).toBeHidden();

    const segmentCount = Math.ceil(FILM.length / SEGMENT_BYTES);
    const missing = segmentCount - Math.round(sealedBytes / SEGMENT_BYTES);
    expect(await laptop.page.evaluate(() => window.blocksWritten)).toBe(missing * N);
  },
);

test(
  'choosing a different file stores it from its beginning, and the screen says so',
  { tag: '@long' },
  async ({ newPool }, info) => {
    const [laptop, phone] = await poolOf(newPool);
    const path = info.outputPath(NAME);
    await writeFile(path, seededBytes(CLIP.seed, CLIP.length));
    await laptop.page.getByLabel('Add files').setInputFiles(path);
    await untilSealed(laptop, 6_000_000);
    await laptop.closeTab();

    const edited = { seed: 82, length: 20_000_000 };
    await writeFile(path, seededBytes(edited.seed, edited.length));
    await laptop.open();
    const { id } = await unfinishedOf(laptop);
    await rowOf(laptop.page).getByLabel('Choose the file again').setInputFiles(path);
    await expect(laptop.page.getByText(/is not the one that was interrupted, or it changed/)).toBeVisible();
    await expectStored(laptop, phone, edited);
    const { unfinished } = await laptop.status();
    expect(unfinished.map((one) => one.id)).not.toContain(id);
    expect(await laptop.page.evaluate(() => window.blocksWritten)).toBe(
      Math.ceil(edited.length / SEGMENT_BYTES) * N,
    );
  },
);

test('adding the same file again continues the store; one that was dropped continues by itself', async ({
  newPool,
}, info) => {
  const [laptop, phone] = await poolOf(newPool);
  const path = info.outputPath(NAME);
  await test.step('added again', async () => {
    await writeFile(path, seededBytes(CLIP.seed, CLIP.length));
    await laptop.page.getByLabel('Add files').setInputFiles(path);
    await untilSealed(laptop, 6_000_000);
    await laptop.reload();
    const { sealedBytes } = await unfinishedOf(laptop);
    await laptop.page.getByLabel('Add files').setInputFiles(path);
    await expectStored(laptop, phone, CLIP);
    const missing = Math.ceil(CLIP.length / SEGMENT_BYTES) - Math.round(sealedBytes / SEGMENT_BYTES);
    expect(await laptop.page.evaluate(() => window.blocksWritten)).toBe(missing * N);
  });

  await test.step('dropped', async () => {
    const dropped = info.outputPath('other.mp4');
    await writeFile(dropped, seededBytes(OTHER.seed, OTHER.length));
    const devTools = await laptop.context.newCDPSession(laptop.page);
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      const data = { items: [], files: [dropped], dragOperationsMask: 1 };
      await devTools.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    }
    await untilSealed(laptop, 6_000_000);
    await laptop.reload();
    await expectStored(laptop, phone, OTHER, 'other.mp4');
    const blocksWritten = await laptop.page.evaluate(() => window.blocksWritten);
    expect(blocksWritten).toBeGreaterThan(0);
    expect(blocksWritten).toBeLessThan(Math.ceil(OTHER.length / SEGMENT_BYTES) * N);
  });
});

test(
  'a store continues by itself after a crash if the browser can open the file again, and else asks for it',
  { tag: '@long' },
  async ({ newPool, faults }, info) => {
    faults.allow(/Laptop: the page crashed/);
    const [laptop, phone] = await poolOf(newPool);
    await test.step('it can', async () => {
      await storeWithHandle(laptop, OTHER, 'other.mp4');
      await laptop.killTab();
      await laptop.open();
      await expectStored(laptop, phone, OTHER, 'other.mp4');
      expect((await laptop.status()).unfinished).toEqual([]);
    });

    await test.step('it no longer lets Palm read it', async () => {
      await storeWithHandle(laptop, CLIP, NAME);
      await laptop.context.addInitScript(() => {
        const answers = { queryPermission: async () => 'prompt', requestPermission: async () => 'denied' };
        Object.assign(FileSystemFileHandle.prototype, answers);
      });
      await laptop.reload();
      expect(await unfinishedOf(laptop)).toMatchObject({ needs: 'permission' });
      const interrupted = rowOf(laptop.page);
      await interrupted.getByRole('button', { name: 'Continue' }).focus();
      await laptop.page.keyboard.press('Enter');
      await expect(interrupted.getByRole('alert')).toContainText('Choose “film.mp4” again');

      const path = info.outputPath(NAME);
      await writeFile(path, seededBytes(CLIP.seed, CLIP.length));
      await interrupted.getByLabel('Choose the file again').setInputFiles(path);
      await expectStored(laptop, phone, CLIP);
    });
  },
);

async function poolOf(
  newPool: (names: readonly string[]) => Promise<Device[]>,
): Promise<[Device, Device, Device]> {
  const [laptop, phone, tablet] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined || tablet === undefined)
    throw new Error('A device is missing.');
  await laptop.context.addInitScript(countBlocks);
  return [laptop, phone, tablet];
}

/**
 * Runs in each later page before the app does, as source text: counts the blocks sent to the fragment worker.
 */
function countBlocks(): void {
  window.blocksWritten = 0;
  // oxlint-disable-next-line typescript/unbound-method -- called on the original worker
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function counted(message: unknown, ...rest: unknown[]): void {
    // Comlink's format: the path of the method, and the arguments, each as {value}.
    const { path, argumentList } = Object(message);
    if (path?.[0] === 'putBlocks') window.blocksWritten += argumentList[1].value.length;
    Reflect.apply(postMessage, this, [message, ...rest]);
  };
}

/** Stores a file from an OPFS file, which has a real handle, until it is partly encrypted. */
async function storeWithHandle(device: Device, content: Content, name: string): Promise<void> {
  await device.page.evaluate(
    async ([fileName, { seed, length }]) => {
      const root = await navigator.storage.getDirectory();
      const handle = await root.getFileHandle(fileName, { create: true });
      const writable = await handle.createWritable();
      await writable.write(window.palmTest.seededBytes(seed, length));
      await writable.close();
      void window.palm.store(await handle.getFile(), { name: fileName, handle });
    },
    [name, content] as const,
  );
  await untilSealed(device, 6_000_000);
}

async function untilSealed(device: Device, bytes: number): Promise<void> {
  await device.waitFor(`${bytes} bytes to be encrypted`, ({ transfers }) =>
    transfers.some(({ phase, doneBytes }) => phase === 'sealing' && doneBytes > bytes),
  );
}

async function unfinishedOf(device: Device): Promise<UnfinishedStatus> {
  const [interrupted] = (await device.status()).unfinished;
  if (interrupted === undefined)
    throw new Error('Nothing was interrupted: the store was too fast for this test.');
  return interrupted;
}

async function expectStored(
  storer: Device,
  reader: Device,
  content: Content,
  name: string = NAME,
): Promise<void> {
  const holds = ({ files }: PalmStatus): boolean => files.some((file) => file.name === name && file.safe);
  await storer.waitFor('the file to be stored', holds, 60_000);
  const { files } = await reader.waitFor('the file', holds, 60_000);
  const found = files.filter((file) => file.name === name);
  expect(found).toHaveLength(1);
  expect(await reader.read(found[0]?.fileId ?? '')).toEqual(expectedBytes(content.seed, content.length));
}

function rowOf(page: Page): Locator {
  return page.getByRole('list', { name: 'Transfers' }).getByRole('listitem', { name: NAME });
}
