// Drops in which something cannot be read: the rest is stored, and what failed is listed, tried again and
// cleared. The paths are real ones, dropped as a file manager does.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, test } from './palm-fixture.ts';
import { seededBytes } from './seeded-bytes.ts';

declare global {
  interface Window {
    /** Folders of this name cannot be listed. */
    lockedFolder: string;
    /** Lets files be read that `holdReads` keeps waiting. */
    letRead: () => void;
    wasDragged?: boolean;
  }
}

/** Two of these that are being read keep the others waiting. */
const FILM_BYTES = 3_000_000;

test('what cannot be read of a drop is listed with its reason, the rest is stored, and it can be tried again', async ({
  newDevice,
}, info) => {
  const laptop = await newDevice('Laptop');
  const { page } = laptop;
  await page.evaluate(lockFolder);
  await page.evaluate(holdReads);
  await laptop.createPool('Home');
  const folder = info.outputPath('dropped');
  await mkdir(`${folder}/photos/locked`, { recursive: true });
  const write = (name: string, content: string | Uint8Array): Promise<void> =>
    writeFile(`${folder}/${name}`, content);
  await write('film 1.mp4', seededBytes(1, FILM_BYTES));
  await write('film 2.mp4', seededBytes(2, FILM_BYTES));
  await write('gone.txt', 'was there');
  await write('filled later.txt', '');
  await write('longer later.txt', 'short');
  await write('empty.txt', '');
  await write('photos/a.jpg', 'a');
  await write('photos/locked/b.jpg', 'b');
  const names = [
    'film 1.mp4',
    'film 2.mp4',
    'gone.txt',
    'filled later.txt',
    'longer later.txt',
    'empty.txt',
    'photos',
  ];
  await rm(`${folder}/gone.txt`);
  await drop(
    page,
    names.map((name) => `${folder}/${name}`),
  );
  await expect(page.getByText('more are waiting')).toBeVisible();
  await write('filled later.txt', 'not empty any more');
  await write('longer later.txt', 'not short any more');
  await page.evaluate(() => window.letRead());

  const failed = page.getByRole('list', { name: '3 items could not be stored' });
  const rows = failed.getByRole('listitem');
  await expect(rows).toHaveCount(3);
  await expect(rows.filter({ hasText: 'gone.txt' })).toContainText('is no longer where it was');
  await expect(rows.filter({ hasText: 'longer later.txt' })).toContainText('The file changed');
  await expect(rows.filter({ hasText: 'locked' })).toContainText('The browser may not open the folder');
  await expect(page.getByRole('alert')).toContainText('3 items could not be stored');
  const stored = async (): Promise<string[]> => {
    const { files } = await laptop.status();
    return files.map(({ path, name, size }) => `${path}/${name} ${size}`).toSorted();
  };
  const first = [
    `/empty.txt 0`,
    '/filled later.txt 18',
    `/film 1.mp4 ${FILM_BYTES}`,
    `/film 2.mp4 ${FILM_BYTES}`,
    'photos/a.jpg 1',
  ];
  await expect.poll(stored).toEqual(first);

  await test.step('together, from the keyboard', async () => {
    await page.evaluate(() => (window.lockedFolder = ''));
    await page.getByRole('button', { name: 'Try all again' }).focus();
    await page.keyboard.press('Enter');
    await expect.poll(stored).toEqual(['/longer later.txt 18', ...first, 'photos/locked/b.jpg 1'].toSorted());
    await expect(page.getByRole('list', { name: '1 file could not be stored' })).toContainText('gone.txt');
  });

  await test.step('or cleared together', async () => {
    await drop(page, [`${folder}/gone.txt`]);
    await expect(page.getByRole('list', { name: '2 files could not be stored' })).toBeVisible();
    await page.getByRole('button', { name: 'Clear all' }).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { name: 'Transfers' })).toBeHidden();
    await expect(page.getByRole('heading', { name: 'Home' })).toBeFocused();
  });
});

test('a drop before there is a pool leaves the page as it is', async ({ newDevice }, info) => {
  const { page } = await newDevice('Laptop');
  const path = info.outputPath('early.txt');
  await writeFile(path, 'early');
  await page.evaluate(() => window.addEventListener('dragover', () => (window.wasDragged = true)));
  await dropWhen(page, [path], () => page.evaluate(() => window.wasDragged === true));
  await expect(page.getByRole('button', { name: 'Create a pool' })).toBeVisible();
  expect(page.context().pages()).toHaveLength(1);
});

/** Drops files and folders of this machine on the pool's screen, once it says that it takes them. */
async function drop(page: Page, files: string[]): Promise<void> {
  const zone = page.getByText('Drop to add to Home');
  await dropWhen(page, files, () => zone.isVisible());
}

/**
 * Drags files and folders of this machine over the page, and drops them when `isAnswered`. A file manager
 * tells the browser of the pointer again and again; the browser goes by the page's last answer.
 */
async function dropWhen(page: Page, files: string[], isAnswered: () => Promise<boolean>): Promise<void> {
  const devTools = await page.context().newCDPSession(page);
  const send = async (type: 'dragEnter' | 'dragOver' | 'drop'): Promise<void> => {
    const data = { items: [], files, dragOperationsMask: 1 };
    await devTools.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  };
  await send('dragEnter');
  await expect
    .poll(async () => {
      await send('dragOver');
      return isAnswered();
    })
    .toBe(true);
  await send('drop');
}

/** Runs in the page, as source text: no file is read before `letRead`. */
function holdReads(): void {
  const mayRead = new Promise<void>((resolve) => (window.letRead = resolve));
  // oxlint-disable-next-line typescript/unbound-method -- called on the original blob
  const { stream } = Blob.prototype;
  Blob.prototype.stream = function held(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
    return new ReadableStream({
      type: 'bytes',
      pull: async (controller) => {
        await mayRead;
        reader ??= Reflect.apply(stream, this, []).getReader();
        const { value, done } = await reader.read();
        if (value !== undefined) controller.enqueue(value);
        if (!done) return;
        controller.close();
        controller.byobRequest?.respond(0);
      },
      cancel: async () => reader?.cancel(),
    });
  };
}

/**
 * Runs in the page, as source text: folders called `lockedFolder` cannot be listed. (Whoever runs the tests
 * may be allowed to read every folder of the machine.)
 */
function lockFolder(): void {
  window.lockedFolder = 'locked';
  // oxlint-disable-next-line typescript/unbound-method -- called on the original item
  const { webkitGetAsEntry } = DataTransferItem.prototype;
  const patched = new Set<object>();
  DataTransferItem.prototype.webkitGetAsEntry = function watched(): FileSystemEntry | null {
    const entry: FileSystemEntry | null = Reflect.apply(webkitGetAsEntry, this, []);
    // Chromium gives the class of folders no global name.
    const folders: object = entry?.isDirectory === true ? Object.getPrototypeOf(entry) : {};
    const createReader: unknown = Reflect.get(folders, 'createReader');
    if (typeof createReader !== 'function' || patched.has(folders)) return entry;
    patched.add(folders);
    Reflect.set(folders, 'createReader', function locked(this: FileSystemDirectoryEntry): unknown {
      if (this.name !== window.lockedFolder) return Reflect.apply(createReader, this, []);
      const refusal = new DOMException('not allowed', 'NotReadableError');
      return { readEntries: (_: unknown, failed: (error: DOMException) => void) => failed(refusal) };
    });
    return entry;
  };
}
