// Engines without the features that make Palm fast: SIMD for the erasure code, and an origin's own file
// system for blocks and downloads. They still take part, together with engines that have both.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Download } from '@playwright/test';
import { Device } from './device.ts';
import { allLinked, expect, test as base } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';
import { storedBlocks } from './stored-blocks.ts';

/** Larger than a file that is gathered in memory by choice. */
const CLIP = { seed: 91, length: 20_000_000 };
/** Larger than a phone can hold in memory. */
const LONG_FILM = { seed: 92, length: 68_000_000 };

const NO_SIMD = '--js-flags=--no-enable-sse4-1';
const NO_OPFS =
  '--disable-blink-features=FileSystemAccess,FileSystemAccessOriginPrivate,FileSystemAccessLocal';

interface PoorFixtures {
  /** A device in a separate browser that was started with `argument`. */
  readonly newPoorDevice: (argument: string) => Promise<Device>;
}

const test = base.extend<PoorFixtures>({
  newPoorDevice: async ({ playwright, launchOptions, relay, faults }, use) => {
    const closings: (() => Promise<void>)[] = [];
    await use(async (argument) => {
      const args = [...(launchOptions.args ?? []), argument];
      const browser = await playwright.chromium.launch({ ...launchOptions, args });
      closings.push(() => browser.close());
      const context = await browser.newContext();
      faults.watch(context, 'Old phone', relay.app);
      const device = await Device.prepare('Old phone', context, relay.app);
      await device.open();
      return device;
    });
    for (const close of closings) await close();
  },
});

test('an engine without SIMD stores for the others, and rebuilds their files from parity', async ({
  newPool,
  newPoorDevice,
}) => {
  const [laptop, phone] = await newPool(['Laptop', 'Phone']);
  if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
  const old = await newPoorDevice(NO_SIMD);
  const hasSimd = await old.page.evaluate(() => {
    // A function that returns i8x16.popcnt(i8x16.splat(0)).
    const body = [0, 65, 0, 253, 15, 253, 98, 11];
    const head = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8];
    return WebAssembly.validate(Uint8Array.from([...head, ...body]));
  });
  test.skip(hasSimd, 'On this processor the engine has SIMD whatever it is told.');
  // By the page itself: the service worker fetches all of them, in any engine.
  const loaded = await old.page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => new URL(name).pathname)
      .filter((path) => path.endsWith('.wasm')),
  );
  await old.join(await laptop.invite());
  await allLinked([laptop, phone, old]);

  const own = { seed: 93, length: 5_000_000 };
  const stored = await old.store(own, { name: 'old.bin' });
  await phone.waitFor('the file', ({ files }) => files.some(({ fileId }) => fileId === stored.fileId));
  expect(await phone.read(stored.fileId)).toEqual(expectedBytes(own.seed, own.length));

  const song = { seed: 95, length: 5_000_000 };
  const { fileId } = await laptop.store(song, { name: 'song.flac' });
  await old.waitFor('the file to be placed', ({ files }) =>
    files.some((file) => file.fileId === fileId && file.holders.length === 3 && file.safe),
  );
  await laptop.close();
  expect(await old.read(fileId)).toEqual(expectedBytes(song.seed, song.length));
  expect(loaded.filter((path) => path.includes('kernel'))).toEqual([]);
  expect(loaded.some((path) => path.includes('reed_solomon'))).toBe(true);
  await expect(old.page.getByRole('alert')).toHaveCount(0);
});

test(
  'an engine without its own file system keeps blocks in its database, and downloads files that fit into memory',
  { tag: '@long' },
  async ({ newPool, newPoorDevice }) => {
    const [laptop, phone] = await newPool(['Laptop', 'Phone']);
    if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
    const old = await newPoorDevice(NO_OPFS);
    expect(await old.page.evaluate(() => 'getDirectory' in navigator.storage)).toBe(false);
    await old.join(await laptop.invite());
    await allLinked([laptop, phone, old]);

    const own = { seed: 94, length: 5_000_000 };
    const stored = await old.store(own, { name: 'old.bin' });
    await phone.waitFor('the file', ({ files }) => files.some(({ fileId }) => fileId === stored.fileId));
    expect(await phone.read(stored.fileId)).toEqual(expectedBytes(own.seed, own.length));
    await old.reload();
    await allLinked([laptop, phone, old]);
    expect((await storedBlocks(old.page)).present.length).toBeGreaterThan(0);
    expect(await old.read(stored.fileId)).toEqual(expectedBytes(own.seed, own.length));

    await laptop.store(CLIP, { name: 'clip.mp4' });
    await laptop.store(LONG_FILM, { name: 'long.mp4', durability: 'fast' });
    const files = old.page.getByRole('list', { name: 'Files' });
    const clip = files.getByRole('listitem', { name: 'clip.mp4' });
    const arriving = old.page.waitForEvent('download');
    await clip.getByRole('button', { name: 'Download' }).click();
    expect(await contentOf(await arriving)).toEqual(expectedBytes(CLIP.seed, CLIP.length));
    await expect(old.page.getByRole('alert')).toHaveCount(0);

    await test.step('a file that does not fit is refused in words, and stays in the pool', async () => {
      const long = files.getByRole('listitem', { name: 'long.mp4' });
      await long.getByRole('button', { name: 'Download' }).click();
      await expect(old.page.getByRole('alert')).toContainText(
        /“long.mp4” was not downloaded.*cannot keep a file of this size.*the pool still has the file/,
      );
      await expect(old.page.getByRole('list', { name: 'Transfers' })).toHaveCount(0);
      await expect(long).toBeVisible();
    });
  },
);

async function contentOf(download: Download): Promise<{ length: number; sha256: string }> {
  const bytes = await readFile(await download.path());
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
