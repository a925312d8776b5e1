// Devices with an older version, as people will have them: their frozen app in one pool, and on one disk,
// with the current app.

import { writeFile } from 'node:fs/promises';
import type { Device } from './device.ts';
import { serveFrozenApp, type FrozenOrigin } from './frozen-app.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes, seededBytes } from './seeded-bytes.ts';

const SMALL = { seed: 900, length: 12_345 };
const LARGE = { seed: 901, length: 2_500_000 };
const SECRET = { seed: 902, length: 1_200_000 };
const FILM = { seed: 903, length: 40_000_000 };

/** Loads the current app as a person does: the old service worker offers it after a reload. */
async function update(device: Device, origin: FrozenOrigin): Promise<void> {
  await device.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  origin.update();
  await device.reload();
  const loaded = device.page.waitForEvent('load');
  await device.page.getByRole('button', { name: 'Update', exact: true }).click();
  await loaded;
  await device.page.waitForFunction(() => 'palm' in window);
  await device.page.evaluate(() => window.palm.ready);
}

function textsOf(notices: readonly { readonly text: string }[]): string {
  return notices.map(({ text }) => text).join('\n');
}

/** A page requests its relay once more when its origin stops at the end of the test. */
const GONE = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/;

test('a page of an older version is told to reload, and is in the pool after that', async ({
  relay,
  newDevice,
  prepareDevice,
  faults,
}) => {
  faults.allow(GONE);
  const origin = await serveFrozenApp(1, relay.app);
  try {
    const laptop = await newDevice('Laptop');
    // Older versions know no pools with a charter.
    const invite = await laptop.createOldPool();
    const phone = await prepareDevice('Phone', { ...relay, app: origin.app });
    await phone.open();
    await phone.join(invite);
    const { notices } = await phone.waitFor('a word of what to do', (status) => status.notices.length > 0);
    expect(textsOf(notices)).toContain('reload it to update');
    await expect(phone.page.getByText(/reload it to update/).first()).toBeVisible();

    await update(phone, origin);
    await allLinked([laptop, phone]);
    const { fileId } = await phone.store(SMALL, { name: 'after.bin' });
    expect(await laptop.read(fileId)).toEqual(expectedBytes(SMALL.seed, SMALL.length));
  } finally {
    await origin.stop();
  }
});

test('files of an older version are there after the update, and versions that meet say which page to reload', async ({
  relay,
  prepareDevice,
  faults,
}, info) => {
  faults.allow(GONE);
  const origin = await serveFrozenApp(1, relay.app, { isOldRelay: true });
  const staying = await serveFrozenApp(1, relay.app, { isOldRelay: true });
  try {
    const laptop = await prepareDevice('Laptop', { ...relay, app: origin.app });
    const phone = await prepareDevice('Phone', { ...relay, app: staying.app });
    await laptop.open();
    await phone.open();
    await laptop.createPool('Home');
    await phone.join((await laptop.invite()).replace(origin.app, staying.app));
    await allLinked([laptop, phone]);
    // With two devices each file stays in its storer's outbox, and the other has a share of it.
    const small = await laptop.store(SMALL, { name: 'small.bin' });
    const large = await laptop.store(LARGE, { name: 'large.bin', path: 'trip' });
    const secret = await laptop.store(SECRET, { name: 'diary.txt', private: true });
    const others = await phone.store(LARGE, { name: 'from-phone.bin', k: 2, n: 4 });
    const film = info.outputPath('film.mp4');
    await writeFile(film, seededBytes(FILM.seed, FILM.length));
    await laptop.page.getByLabel('Add files').setInputFiles(film);
    await laptop.waitFor('some of it encrypted', ({ transfers }) =>
      transfers.some(({ doneBytes }) => doneBytes > 10_000_000),
    );

    await update(laptop, origin);
    const status = await laptop.waitFor('the unfinished store', ({ unfinished }) => unfinished.length === 1);
    expect(status.pool?.name).toBe('Home');
    expect(status.unfinished[0]).toMatchObject({ name: 'film.mp4', size: FILM.length });
    expect(status.unfinished[0]?.sealedBytes).toBeGreaterThan(5_000_000);
    expect(status.files.map(({ name }) => name).toSorted()).toEqual([
      '',
      'from-phone.bin',
      'large.bin',
      'small.bin',
    ]);
    expect(await laptop.read(small.fileId)).toEqual(expectedBytes(SMALL.seed, SMALL.length));
    expect(await laptop.read(large.fileId)).toEqual(expectedBytes(LARGE.seed, LARGE.length));
    const { link = '' } = secret;
    expect(await laptop.read(secret.fileId, { link })).toEqual(expectedBytes(SECRET.seed, SECRET.length));
    await laptop.page.getByLabel('Choose the file again').setInputFiles(film);
    const { files } = await laptop.waitFor('the film', (now) =>
      now.files.some(({ name, reach }) => name === 'film.mp4' && reach === 8),
    );
    const { fileId = '' } = files.find(({ name }) => name === 'film.mp4') ?? {};
    expect(await laptop.read(fileId)).toEqual(expectedBytes(FILM.seed, FILM.length));

    await test.step('the phone, which was not updated, is named and nothing of it is lost', async () => {
      const told = await laptop.waitFor('a word of the phone', ({ notices }) => notices.length > 0);
      expect(textsOf(told.notices)).toContain('“Phone” runs an older version of Palm. Reload the page there');
      expect(textsOf((await phone.status()).notices)).not.toContain('cannot be read');
      await update(phone, staying);
      await allLinked([laptop, phone]);
      expect(await laptop.read(others.fileId)).toEqual(expectedBytes(LARGE.seed, LARGE.length));
    });

    await test.step('a lock covers all but the key of the older version, and says so', async () => {
      const { device } = await phone.status();
      await phone.page.evaluate(() => window.palm.lock('eleven quiet otters'));
      const locked = await phone.status();
      expect(locked.lock).toBe('locked');
      expect(textsOf(locked.notices)).toContain('except for the key that it signs with');
      await phone.page.evaluate(() => window.palm.unlock('eleven quiet otters'));
      expect((await phone.status()).device).toEqual(device);
      expect(await phone.read(small.fileId)).toEqual(expectedBytes(SMALL.seed, SMALL.length));
    });
  } finally {
    await Promise.all([origin.stop(), staying.stop()]);
  }
});
