// The part of the public face that a browser shows: the members of `window.palm`, the shape of `status()`,
// and the screens by roles and accessible names. To record it again: test/fixtures/public-face.ts.

import type { Locator } from '@playwright/test';
import { committedFace, committedScreen, linesOf, shapeOf } from '../fixtures/public-face.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { seededBytes } from './seeded-bytes.ts';

const PHOTO = { name: 'harbour.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(seededBytes(7, 300_000)) };
/** Long enough that it is still being encrypted when its row is read. */
const FILM = { name: 'film.mp4', length: 120_000_000 };
const LAN = 'https://192.168.1.2:8443/';

test('the public face is the committed one', async ({ newDevice, prepareDevice }) => {
  const laptop = await newDevice('Laptop');
  const { page } = laptop;
  const members = linesOf(await page.evaluate(membersOfPalm));
  const samples: unknown[] = [await laptop.status()];
  const screens: string[] = [];

  await test.step('the start screen, also after a bad invite', async () => {
    await page.getByLabel('Device name').fill('Laptop');
    screens.push(await screen('start', page.getByRole('main')));
    await page.getByLabel('Invite link').fill('cut-short');
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    const message = page.getByRole('alert').locator('..');
    await expect(message).toBeVisible();
    screens.push(await screen('message after a bad invite', message));
  });

  const phone = await prepareDevice('Phone');
  await test.step('inviting and joining', async () => {
    await laptop.createPool('Home');
    // What the relay says about the network differs between machines.
    await page.route('**/lan', (route) => route.fulfill({ json: [LAN] }));
    await page.getByRole('button', { name: 'Invite a device' }).click();
    await expect(page.getByLabel('Link for other devices')).toBeVisible();
    await expect(page.getByRole('region', { name: 'Fingerprints of this relay' })).toBeVisible();
    screens.push(await screen('invite', page.getByRole('dialog')));
    await page.keyboard.press('Escape');

    await phone.open(await laptop.invite());
    await phone.page.getByLabel('Device name').fill('Phone');
    screens.push(await screen('join', phone.page.getByRole('main')));
    await phone.page.getByRole('button', { name: 'Join', exact: true }).click();
    await allLinked([laptop, phone]);
  });

  await test.step('a pool with a file', async () => {
    await page.getByLabel('Add files').setInputFiles([PHOTO]);
    // The phone alone must not be able to open the file: it gets k - 1 fragments, and the others stay here.
    await laptop.waitFor(
      'the phone to hold its share',
      ({ files, transfers }) =>
        files.some(({ holders, k }) => holders.some(({ fragments }) => fragments.length === k - 1)) &&
        transfers.length === 0,
    );
    const bunch = page.getByRole('listitem', { name: PHOTO.name }).getByRole('img');
    await expect(bunch).toHaveAccessibleName(/Laptop 5, Phone 3/);
    await expect(page.getByRole('list', { name: 'Transfers' })).toBeHidden();
    screens.push(await screen('pool', page.getByRole('main')));
    await page.getByRole('button', { name: 'Leave pool' }).click();
    screens.push(await screen('leave', page.getByRole('dialog')));
    await page.keyboard.press('Escape');
  });

  await test.step('a transfer, its interruption, and another file in its place', async () => {
    const transfers = page.getByRole('list', { name: 'Transfers' });
    await page.evaluate(({ name, length }) => {
      const blob = new Blob([window.palmTest.seededBytes(1, length)]);
      // Ended by the reload below.
      void window.palm.store(blob, { name });
    }, FILM);
    const sealing = await laptop.waitFor('some of it to be encrypted', (status) =>
      status.transfers.some(({ phase, doneBytes }) => phase === 'sealing' && doneBytes > 3_000_000),
    );
    await expect(transfers).toContainText('Encrypting');
    screens.push(await screen('transfer', transfers));

    await laptop.reload();
    const interrupted = await laptop.status();
    await expect(transfers).toContainText('Interrupted');
    screens.push(await screen('interrupted', transfers));

    const [unfinished] = interrupted.unfinished;
    await page.evaluate(async (id) => {
      await window.palm.resumeStore(id, new Blob(['another']), { durability: 'fast' });
    }, unfinished?.id ?? '');
    const notice = page.getByRole('alert').locator('..');
    await expect(notice).toBeVisible();
    screens.push(await screen('notice of another file', notice));
    samples.push(sealing, interrupted, await laptop.status());
  });

  expect.soft(members).toBe(committedFace('members', members));
  const status = linesOf(shapeOf(samples));
  expect.soft(status).toBe(committedFace('status', status));
  const shown = screens.join('\n');
  expect.soft(shown).toBe(committedFace('screens', shown));
});

/** Runs in the page, as source text. */
function membersOfPalm(): string[] {
  const members = new Map<string, string>();
  for (let at: object = window.palm; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (name === 'constructor') continue;
      const value: unknown = Reflect.get(window.palm, name);
      members.set(name, typeof value === 'function' ? 'method' : 'property');
    }
  }
  return [...members].map(([name, kind]) => `${name}: ${kind}`).toSorted();
}

/**
 * The text of the screen `title` as `element` shows it. Waits until it is the committed one, since a screen
 * may still be filling; one that stays different is told at once, so that each shows its own difference.
 */
async function screen(title: string, element: Locator): Promise<string> {
  const committed = committedScreen(title);
  let seen = await textOf(title, element);
  if (committed === undefined) return seen;
  await expect
    .configure({ soft: true })
    .poll(
      async () => {
        seen = await textOf(title, element);
        return seen;
      },
      { timeout: 10_000 },
    )
    .toBe(committed);
  return seen;
}

/** The accessibility tree of `element` below its `title`, without parts that differ between runs. */
async function textOf(title: string, element: Locator): Promise<string> {
  const seen = (await element.ariaSnapshot())
    .replaceAll(/localhost:\d+/g, 'localhost:PORT')
    .replaceAll(/#\/join\/[\w-]+/g, '#/join/INVITE')
    .replaceAll(/until (?:tomorrow )?\d\d:\d\d/g, 'until TIME')
    .replaceAll(/\b[0-9A-F]{4}( [0-9A-F]{4}){7}\b/g, 'FINGERPRINT')
    .replaceAll(/Encrypting · .*/g, 'Encrypting · FIGURES')
    .replaceAll(/\d[\d.]* [kMG]?B\b/g, 'SIZE');
  return `# ${title}\n\n${seen}\n`;
}
