// Large downloads through the screens: they go through the disk and never through memory, continue after a
// reload, a loss of devices or a full disk, and leave no trace where they must not.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Download, Locator, Page } from '@playwright/test';
import type { Device } from './device.ts';
import { type DownloadProbe, installDownloadProbe } from './download-probe.ts';
import { expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

const FILM = { seed: 51, length: 40_000_000 };
const STALL_BYTES = 30_000_000;
/** Larger than files that are downloaded without asking where to. */
const LONG_FILM = { seed: 52, length: 70_000_000 };
const CLIP = { seed: 53, length: 24_000_000 };
/** The flush interval: the disk is at most this many bytes behind. */
const FLUSH_BYTES = 8 * 1024 * 1024;

interface Scene {
  readonly laptop: Device;
  readonly phone: Device;
  readonly tablet: Device;
  readonly page: Page;
  readonly fileId: string;
}

test.describe('the download of a film', () => {
  test('continues in another tab after a crash and then a reload, and is handed over whole', async ({
    newPool,
    faults,
  }) => {
    faults.allow(/Phone: the page crashed/);
    const { phone, page, fileId } = await prepare(newPool, FILM, 'film.mp4');
    await stallAt(page, 10_000_000);
    await row(page, 'Files', 'film.mp4').getByRole('button', { name: 'Download' }).click();
    await expect.poll(() => stalledRead(page)).not.toBeUndefined();
    expect((await probe(page)).reads).toEqual([0]);
    await expect.poll(() => keptBytes(page, fileId)).toBeGreaterThanOrEqual(FLUSH_BYTES);
    await stallNextTabAt(phone, STALL_BYTES);
    const second = await phone.openSecondTab();
    const reopened = second.page;
    await test.step('another tab leaves it alone while its own tab goes on', async () => {
      await row(reopened, 'Files', 'film.mp4').getByRole('button', { name: 'Download' }).click();
      await expect(reopened.getByRole('alert')).toContainText('Another tab of this browser is downloading');
      expect((await probe(reopened)).reads).toEqual([]);
    });
    await phone.killTab();

    await test.step('after the crash', async () => {
      await expect.poll(() => stalledRead(reopened)).not.toBeUndefined();
      const { reads } = await probe(reopened);
      expect(reads).toHaveLength(1);
      expect(reads[0]).toBeGreaterThanOrEqual(FLUSH_BYTES);
      expect(reads[0]).toBeLessThanOrEqual(10_000_000);
      await expect
        .poll(() => keptBytes(reopened, fileId))
        .toBeGreaterThan(STALL_BYTES - FLUSH_BYTES - 2_000_000);
    });

    await test.step('after the reload', async () => {
      await liftForLaterPages(reopened);
      const arriving = reopened.waitForEvent('download');
      await second.reload();
      const arrived = await arriving;
      const [start, ...more] = (await probe(reopened)).reads;
      expect(more).toEqual([]);
      expect(start).toBeGreaterThan(STALL_BYTES - FLUSH_BYTES - 2_000_000);
      expect(start).toBeLessThanOrEqual(STALL_BYTES);
      await expectWhole(arrived, 'film.mp4', FILM);
    });

    await test.step('and is handed over once more without being fetched again', async () => {
      const again = reopened.waitForEvent('download');
      await row(reopened, 'Files', 'film.mp4').getByRole('button', { name: 'Download' }).click();
      await expectWhole(await again, 'film.mp4', FILM);
      expect((await probe(reopened)).reads).toHaveLength(1);
    });

    await test.step('and nothing of it stays when the device leaves', async () => {
      expect(await keptFiles(reopened)).toEqual([fileId]);
      await reopened.getByRole('button', { name: 'Leave pool' }).click();
      await reopened.getByRole('dialog').getByRole('button', { name: 'Leave and delete' }).click();
      await expect(reopened.getByRole('button', { name: 'Create a pool' })).toBeVisible();
      await expect.poll(() => keptFiles(reopened)).toEqual([]);
    });
  });

  test('keeps its bytes when the disk is full or devices are missing, says so, and continues', async ({
    newPool,
  }) => {
    const { laptop, phone, tablet, page } = await prepare(newPool, CLIP, 'clip.mp4');
    await stallAt(page, 10_000_000);
    await row(page, 'Files', 'clip.mp4').getByRole('button', { name: 'Download' }).click();
    await expect.poll(() => stalledRead(page)).not.toBeUndefined();
    const transfer = row(page, 'Transfers', 'clip.mp4');

    await test.step('a full disk', async () => {
      const devTools = await phone.context.newCDPSession(page);
      const { origin } = new URL(phone.appUrl);
      const { usage = 0 } = await page.evaluate(() => navigator.storage.estimate());
      await devTools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 1_000_000 });
      await stallAt(page, undefined);
      await expect(transfer).toContainText('no room left');
      await expect(transfer).toContainText('are kept');
      await devTools.send('Storage.overrideQuotaForOrigin', { origin });
    });

    await test.step('missing devices', async () => {
      // Far enough from the end: pages read ahead.
      await stallAt(page, 11_000_000);
      await transfer.getByRole('button', { name: 'Continue' }).click();
      await expect.poll(() => stalledRead(page)).not.toBeUndefined();
      expect((await probe(page)).reads[1]).toBeGreaterThanOrEqual(FLUSH_BYTES);
      await laptop.closeTab();
      await tablet.closeTab();
      await stallAt(page, undefined);
      await expect(transfer).toContainText('Waits for devices');
      const arriving = page.waitForEvent('download');
      await laptop.open();
      await tablet.open();
      await expectWhole(await arriving, 'clip.mp4', CLIP);
      const { reads } = await probe(page);
      expect(reads[0]).toBe(0);
      expect(reads.slice(1).every((start) => start >= FLUSH_BYTES)).toBe(true);
    });
  });

  test('leaves nothing when it is cancelled, or when the film is removed from the pool', async ({
    newPool,
  }) => {
    const { laptop, page, fileId } = await prepare(newPool, CLIP, 'clip.mp4');
    await stallAt(page, 10_000_000);
    const begin = async (): Promise<void> => {
      await row(page, 'Files', 'clip.mp4').getByRole('button', { name: 'Download' }).click();
      await expect.poll(() => stalledRead(page)).not.toBeUndefined();
      await expect.poll(() => keptFiles(page)).toEqual([fileId]);
    };
    await test.step('cancelled', async () => {
      await begin();
      await row(page, 'Transfers', 'clip.mp4').getByRole('button', { name: 'Cancel' }).click();
      await expect(row(page, 'Transfers', 'clip.mp4')).toBeHidden();
      await expect.poll(() => keptFiles(page)).toEqual([]);
      await expect(page.getByRole('alert')).toHaveCount(0);
    });

    await test.step('removed: the screen says so', async () => {
      await begin();
      await laptop.page.evaluate((id) => window.palm.remove(id), fileId);
      await expect(row(page, 'Files', 'clip.mp4')).toBeHidden();
      await stallAt(page, undefined);
      await expect(page.getByRole('alert')).toContainText('was removed from the pool');
      await expect(row(page, 'Transfers', 'clip.mp4')).toBeHidden();
      await expect.poll(() => keptFiles(page)).toEqual([]);
    });
  });

  test(
    'waits after a reload, if the film is private, until its link is opened again',
    { tag: '@long' },
    async ({ newPool }) => {
      const { phone, page, link } = await prepare(newPool, CLIP, 'diary.mp4', { private: true });
      await phone.openLink(link);
      await stallAt(page, 10_000_000);
      await row(page, 'Files', 'diary.mp4').getByRole('button', { name: 'Download' }).click();
      await expect.poll(() => stalledRead(page)).not.toBeUndefined();
      await liftForLaterPages(page);
      await phone.reload();
      await expect(row(page, 'Transfers', 'Private file')).toContainText('Waits for its link');
      const arriving = page.waitForEvent('download');
      await phone.openLink(link);
      await expectWhole(await arriving, 'diary.mp4', CLIP);
      expect((await probe(page)).reads[0]).toBeGreaterThanOrEqual(FLUSH_BYTES);
    },
  );
});

test(
  'a long film goes straight to the picked file, and continues there after a reload',
  { tag: '@long' },
  async ({ newPool }) => {
    const { phone, page } = await prepare(newPool, LONG_FILM, 'long.mp4');
    await test.step('closing the picker begins nothing', async () => {
      await answerPicker(page, 'cancel');
      await row(page, 'Files', 'long.mp4').getByRole('button', { name: 'Download' }).click();
      await expect.poll(async () => (await probe(page)).picked).toEqual(['long.mp4']);
      // Closed once more: the first time left nothing in the way.
      await row(page, 'Files', 'long.mp4').getByRole('button', { name: 'Download' }).click();
      await expect.poll(async () => (await probe(page)).picked).toEqual(['long.mp4', 'long.mp4']);
      expect((await probe(page)).reads).toEqual([]);
      await expect(page.getByRole('alert')).toHaveCount(0);
      await expect(page.getByRole('list', { name: 'Transfers' })).toHaveCount(0);
      expect((await phone.status()).transfers).toEqual([]);
      await phone.reload();
      await phone.waitFor('the file to be in reach', ({ files }) => files.some(({ reach, k }) => reach >= k));
      await expect(page.getByRole('list', { name: 'Transfers' })).toHaveCount(0);
      expect((await probe(page)).reads).toEqual([]);
    });

    await answerPicker(page, 'file');
    await stallAt(page, 60_000_000);
    await row(page, 'Files', 'long.mp4').getByRole('button', { name: 'Download' }).click();
    await expect.poll(() => stalledRead(page)).not.toBeUndefined();
    await expect.poll(async () => (await pickedFile(page)).length).toBeGreaterThan(32 * 1024 * 1024);
    await liftForLaterPages(page);
    await phone.reload();
    await expect(page.getByText('“long.mp4” is saved')).toBeVisible();
    expect(await pickedFile(page)).toEqual(expectedBytes(LONG_FILM.seed, LONG_FILM.length));
    const [start, ...more] = (await probe(page)).reads;
    expect(more).toEqual([]);
    expect(start).toBeGreaterThanOrEqual(32 * 1024 * 1024);
    expect(await keptFiles(page)).toEqual([]);
  },
);

/** A pool of three devices with one file; the phone downloads it. */
async function prepare(
  newPool: (names: readonly string[]) => Promise<Device[]>,
  content: { readonly seed: number; readonly length: number },
  name: string,
  options: { readonly private?: boolean } = {},
): Promise<Scene & { readonly link: string }> {
  const [laptop, phone, tablet] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined || tablet === undefined)
    throw new Error('A device is missing.');
  const { fileId, link = '' } = await laptop.store(content, { name, ...options });
  await phone.context.addInitScript({ content: `(${String(installDownloadProbe)})();` });
  await phone.reload();
  await phone.waitFor('the file to be in reach', ({ files }) => files.some(({ reach, k }) => reach >= k));
  return { laptop, phone, tablet, page: phone.page, fileId, link };
}

function row(page: Page, list: 'Files' | 'Transfers', name: string): Locator {
  return page.getByRole('list', { name: list }).getByRole('listitem', { name });
}

/** Lets reads pass only the bytes before `byte`; undefined lets them continue. It holds across reloads. */
async function stallAt(page: Page, byte: number | undefined): Promise<void> {
  await page.evaluate((at) => window.downloadProbe.stallAt(at), byte);
}

/** The same for the next tab, which begins with nothing of the session of the last. */
async function stallNextTabAt(device: Device, byte: number): Promise<void> {
  await device.context.addInitScript((at) => {
    if (location.protocol === 'about:' || sessionStorage.getItem('test/began') !== null) return;
    sessionStorage.setItem('test/began', 'yes');
    sessionStorage.setItem('test/stall-at', String(at));
  }, byte);
}

/** Lets the read after the next reload continue; this page's own read stays stopped. */
async function liftForLaterPages(page: Page): Promise<void> {
  await page.evaluate(() => window.downloadProbe.liftForLaterPages());
}

/** Where `stallAt` has stopped the current read; undefined while it runs. */
async function stalledRead(page: Page): Promise<number | undefined> {
  return (await probe(page)).stalledAtByte;
}

async function probe(page: Page): Promise<Pick<DownloadProbe, 'reads' | 'picked' | 'stalledAtByte'>> {
  return page.evaluate(() => {
    const { reads, picked, stalledAtByte } = window.downloadProbe;
    return { reads, picked, stalledAtByte };
  });
}

async function answerPicker(page: Page, answer: 'cancel' | 'file'): Promise<void> {
  await page.evaluate((given) => {
    window.downloadProbe.pickerAnswer = given;
  }, answer);
}

/** The current content of the picked file. */
async function pickedFile(page: Page): Promise<{ length: number; sha256: string }> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const file = await (await root.getFileHandle('picked.bin', { create: true })).getFile();
    return window.palmTest.readAll(new Response(file).body ?? new ReadableStream());
  });
}

/** Names in the folder where Palm keeps unfinished downloads. */
async function keptFiles(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('downloads', { create: true });
    const names: string[] = [];
    for await (const name of folder.keys()) names.push(name);
    return names;
  });
}

async function keptBytes(page: Page, fileId: string): Promise<number> {
  return page.evaluate(async (name) => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('downloads', { create: true });
    return (await (await folder.getFileHandle(name)).getFile()).size;
  }, fileId);
}

async function expectWhole(
  arrived: Download,
  name: string,
  content: { readonly seed: number; readonly length: number },
): Promise<void> {
  expect(arrived.suggestedFilename()).toBe(name);
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of createReadStream(await arrived.path())) {
    if (!(chunk instanceof Uint8Array)) throw new Error('A file is bytes.');
    hash.update(chunk);
    length += chunk.length;
  }
  expect({ length, sha256: hash.digest('hex') }).toEqual(expectedBytes(content.seed, content.length));
}
