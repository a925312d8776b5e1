// Firefox together with Chromium: the main job both ways, reload, second tab, resume, and what only Firefox
// does: it asks the person whether data may be kept, and reads on when a file changes.

import { createHash } from 'node:crypto';
import { mkdtemp, open, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PalmStatus } from '../../src/runtime/api.ts';
import { findFirefox } from '../browser.mjs';
import { Firefox } from './firefox.ts';
import { FirefoxDevice } from './firefox-device.ts';
import { startLoneDevice } from './node-device.ts';
import { allLinked, expect, test as base } from './palm-fixture.ts';
import { expectedBytes, seededBytes } from './seeded-bytes.ts';

interface FirefoxWorker {
  /** One Firefox for all tests of a worker. */
  readonly firefox: Firefox;
}

interface FirefoxFixtures {
  /** A device with the app open in a tab of Firefox. */
  readonly newFirefoxDevice: (name: string) => Promise<FirefoxDevice>;
  /** A folder for files to be chosen. */
  readonly folder: string;
}

/** A busy machine takes some seconds to start it. */
const START_LIMIT_MS = 60_000;

const test = base.extend<FirefoxFixtures, FirefoxWorker>({
  firefox: [
    // Playwright reads a fixture's needs from this pattern; this one has none.
    // oxlint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const path = findFirefox();
      if (path === undefined) throw new Error('the tests are skipped without Firefox');
      const firefox = await Firefox.launch(path);
      await use(firefox);
      await firefox.close();
    },
    { scope: 'worker', timeout: START_LIMIT_MS },
  ],

  newFirefoxDevice: async ({ firefox, relay, faults }, use) => {
    // It tells of each attempt that came to nothing, as of one to a page that was reloaded meanwhile. Palm
    // makes another; tests wait for the link.
    faults.allow(/WebRTC: ICE failed/);
    const devices: FirefoxDevice[] = [];
    await use(async (name) => {
      const device = await FirefoxDevice.prepare(name, firefox, relay.app, faults);
      devices.push(device);
      await device.open();
      return device;
    });
    for (const device of devices) await device.closeTab();
  },

  // oxlint-disable-next-line no-empty-pattern
  folder: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'palm-files-'));
    await use(folder);
    await rm(folder, { recursive: true });
  },
});

test.skip(
  findFirefox() === undefined,
  'Firefox is not installed. Install it, or set FIREFOX_PATH to its program.',
);

test('Firefox asks to join a pool that Chromium shows nearby, and lets Chromium in the same way', async ({
  newFirefoxDevice,
  newDevice,
}) => {
  const [laptop, tablet] = [await newDevice('Laptop'), await newFirefoxDevice('Tablet')];
  await laptop.createPool('Asked for');
  await tablet.joinByAsking(laptop);
  await allLinked([laptop, tablet]);
  const { device } = await tablet.waitFor(
    'its pool',
    ({ role, pool }) => role === 'member' && pool?.name === 'Asked for',
  );
  await laptop.page.evaluate((id) => window.palm.grant(id, 'admin'), device.id);
  await tablet.waitFor('the right to invite', ({ role }) => role === 'admin');
  await laptop.closeTab();
  const phone = await newDevice('Phone');
  await phone.joinByAsking(tablet);
  await allLinked([tablet, phone]);
});

test('Firefox comes in by one code of a device in Node that has no relay, and is back after a reload', async ({
  newFirefoxDevice,
}) => {
  const tablet = await newFirefoxDevice('Tablet');
  const node = await startLoneDevice('http://127.0.0.1:9');
  try {
    const { stdout } = await node.palm(['invite', '--json']);
    const { invite }: { invite: string } = JSON.parse(String(stdout));
    expect(await tablet.join(invite)).toEqual({ answered: true });
    const { fileId } = await tablet.store({ seed: 44, length: 500_000 }, { name: 'notes.pdf' });
    await tablet.reload();
    await tablet.waitFor('the device in Node', ({ devices }) =>
      devices.every(({ state }) => state === 'reachable'),
    );
    expect(await tablet.read(fileId)).toEqual(expectedBytes(44, 500_000));
    const got = await node.palm(['get', 'notes.pdf', '-']);
    expect(got.stdout.equals(seededBytes(44, 500_000)), got.stderr).toBe(true);
  } finally {
    expect(await node.stop()).toBe(0);
  }
});

const FILM = { seed: 41, length: 5_000_000 };
const SONG = { seed: 42, length: 3_000_000 };
/** Long enough to be caught in the middle. */
const LONG_BYTES = 30_000_000;
const ADD_FILES = 'input[type=file]:not([webkitdirectory])';

test('Firefox creates a pool and joins one, and trades files with Chromium both ways', async ({
  newFirefoxDevice,
  newDevice,
}) => {
  const laptop = await newFirefoxDevice('Laptop');
  const phone = await newDevice('Phone');
  const tablet = await newFirefoxDevice('Tablet');
  await test.step('nothing waits for the question whether data may be kept', async () => {
    await laptop.createPool('Home');
    expect((await laptop.status()).pool).toMatchObject({ name: 'Home' });
    await phone.join(await laptop.invite());
    expect(await tablet.join(await laptop.invite())).toEqual({ answered: true });
    expect(await laptop.tab.evaluate('navigator.storage.persisted()')).toBe(false);
  });
  await allLinked([laptop, phone, tablet]);

  const film = await laptop.store(FILM, { name: 'film.mp4' });
  const song = await phone.store(SONG, { name: 'song.flac' });
  await test.step('each engine reads what the other stored, after a reload too', async () => {
    for (const device of [phone, laptop, tablet]) await device.waitFor('both files', hasFiles(2));
    expect(await phone.read(film.fileId)).toEqual(expectedBytes(FILM.seed, FILM.length));
    expect(await tablet.read(song.fileId)).toEqual(expectedBytes(SONG.seed, SONG.length));
    await laptop.reload();
    await allLinked([laptop, phone, tablet]);
    await laptop.waitFor('both files', hasFiles(2));
    expect(await laptop.read(song.fileId)).toEqual(expectedBytes(SONG.seed, SONG.length));
  });

  await test.step('the screen follows a window that becomes narrower', async () => {
    const { tab } = laptop;
    for (const width of [1_280, 390]) {
      await tab.setViewport(width, 844);
      // Rows remember the width at which they were last drawn.
      await tab.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
      expect(await tab.evaluate('innerWidth')).toBe(width);
      const tooWide = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
      expect(await tab.evaluate(tooWide)).toBe(0);
    }
  });

  await test.step('a second tab reads and stores, and goes on when the first closes', async () => {
    const second = await laptop.openTab();
    await second.evaluate('window.palm.ready');
    expect(await second.evaluate('window.palm.status().files.length')).toBe(2);
    const stored = `window.palm.store(new Blob(['${'from the second tab'.repeat(9)}']), { name: 'second.txt' })`;
    expect(await second.evaluate(`${stored}.then(({ deduplicated }) => deduplicated)`)).toBe(false);
    await phone.waitFor('the file of the second tab', hasFiles(3));
    await laptop.closeTab(second);
    await laptop.ready();
    await laptop.waitFor('all files', hasFiles(3));
  });
});

test('in Firefox a store continues after its tab was closed, and a file that is overwritten is not stored', async ({
  newFirefoxDevice,
  newDevice,
  folder,
}) => {
  const laptop = await newFirefoxDevice('Laptop');
  await laptop.createPool('Home');
  const phone = await newDevice('Phone');
  await phone.join(await laptop.invite());
  await allLinked([laptop, phone]);
  const path = join(folder, 'long.bin');
  const bytes = seededBytes(43, LONG_BYTES);
  await writeFile(path, bytes);
  // Files written a moment ago are read twice in every browser.
  await utimes(path, new Date(0), new Date(0));
  const hash = createHash('sha256').update(bytes).digest('hex');

  await test.step('a file that is overwritten while it is stored', async () => {
    await laptop.tab.setFiles(ADD_FILES, [path]);
    await laptop.waitFor('sealing to have begun', isSealing);
    // Its first and its last byte, at the same moment.
    const file = await open(path, 'r+');
    await file.write(Uint8Array.of((bytes[0] ?? 0) ^ 1), 0, 1, 0);
    await file.write(Uint8Array.of((bytes.at(-1) ?? 0) ^ 1), 0, 1, LONG_BYTES - 1);
    await file.close();
    const { files, unfinished } = await laptop.waitFor('its end', ({ transfers }) => transfers.length === 0);
    expect({ files, unfinished }).toEqual({ files: [], unfinished: [] });
    const failed = laptop.tab.evaluate('document.querySelector(".transfers")?.innerText');
    expect(await failed).toContain('long.bin');
  });

  await test.step('a store whose tab is closed', async () => {
    await writeFile(path, bytes);
    await laptop.reload();
    await laptop.tab.setFiles(ADD_FILES, [path]);
    await laptop.waitFor('sealing to have begun', isSealing);
    await laptop.closeTab();
    await laptop.open();
    expect((await laptop.status()).unfinished).toMatchObject([{ name: 'long.bin', needs: 'file' }]);
    await allLinked([laptop, phone]);
    await laptop.tab.setFiles(ADD_FILES, [path]);
    const { files } = await phone.waitFor('the file', hasFiles(1), 60_000);
    expect(await phone.read(files[0]?.fileId ?? '')).toEqual({ length: LONG_BYTES, sha256: hash });
    expect((await laptop.status()).unfinished).toEqual([]);
  });
});

function hasFiles(count: number): (status: PalmStatus) => boolean {
  return ({ files }) => files.length === count;
}

function isSealing({ transfers }: PalmStatus): boolean {
  return transfers.some(({ phase, doneBytes }) => phase === 'sealing' && doneBytes > 0);
}

for (const name of ['scans the first code', 'shows the first code @long']) {
  test(`Firefox and Chromium pair by codes: Firefox ${name}`, async ({ newFirefoxDevice, newDevice }) => {
    const [member, newcomer] = [await newFirefoxDevice('Laptop'), await newDevice('Phone')];
    await member.createPool('Home');
    const [first, second] = name.startsWith('shows') ? [member, newcomer] : [newcomer, member];
    await first.pairAccept(await second.pairAnswer(await first.pairOffer()));
    await allLinked([member, newcomer]);
  });
}
