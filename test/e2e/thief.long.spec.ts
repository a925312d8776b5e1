// What a thief finds after rarer events: fragments exchanged for others, a crash while letting go, and an
// update from an older version.

import { join } from 'node:path';
import { layersOf } from '../thief/layers.ts';
import { nameNeedles, traces } from '../thief/needles.ts';
import { scaled, scaleNote, timeLimitMs } from '../scale.ts';
import type { Device } from './device.ts';
import { serveFrozenApp } from './frozen-app.ts';
import { allLinked } from './palm-fixture.ts';
import { findingsIn, NOTHING, rob } from './theft.ts';
import { expect, test } from './thief-fixture.ts';

const SMALL = { seed: 111, length: 60_000 };
const PRIVATE = { seed: 112, length: 1_200_000 };
const PRIVATE_NAME = 'tagebuch-žluť-2027.pdf';

/**
 * The storer forgets what the phone holds, and gives the same fragments to the tablet. When the phone is
 * back, one of the two gives up copies and takes other fragments instead. For each file the chance is one in
 * two.
 */
const MOVED_FILES = 12;

test('a device whose fragments were exchanged for others has never k key shares on its disk', async ({
  newDevice,
  newVictim,
}) => {
  test.setTimeout(180_000);
  const laptop = await newDevice('Laptop');
  await laptop.createPool('Home');
  const invite = await laptop.invite();
  const phone = await newVictim('Phone');
  await phone.device.join(invite);
  await allLinked([laptop, phone.device]);
  for (let at = 0; at < MOVED_FILES; at++)
    await laptop.store({ seed: 200 + at, length: SMALL.length }, { name: `${at}.bin`, durability: 'fast' });
  await untilHolding(laptop, 'Phone');
  const heldByPhone = await heldByOthers(laptop);
  await phone.end('closed');
  await forgetHoldings(laptop);

  const tablet = await newVictim('Tablet');
  await tablet.device.join(invite);
  await untilHolding(laptop, 'Tablet');
  const heldByTablet = await heldByOthers(laptop);
  await phone.restart();
  await laptop.waitFor(
    'all to be let go',
    ({ files }) => files.every(({ inOutbox, reach }) => !inOutbox && reach === 8),
    120_000,
  );
  const heldAtLast = new Set(await heldByOthers(laptop));
  expect([...heldByPhone, ...heldByTablet].filter((held) => !heldAtLast.has(held))).not.toEqual([]);
  await phone.end('closed');
  await tablet.end('killed');
  for (const victim of [phone, tablet]) {
    const haul = rob(victim);
    expect(haul.files, victim.name).toHaveLength(MOVED_FILES);
    expect(findingsIn(haul, {}), victim.name).toEqual(NOTHING);
  }
});

const CRASH_FACTOR = 8;
/** When to kill the browser, ms after the file is sealed: letting go takes some tenths of a second. */
const CRASHES_MS = [60, 240, 0, 120, 180, 300, 360, 420].slice(0, scaled(8, CRASH_FACTOR));

test(`a browser that is killed while it lets go finishes at its next start (${scaleNote(CRASH_FACTOR)})`, async ({
  newPool,
  newVictim,
}) => {
  test.setTimeout(timeLimitMs(150_000, 400_000));
  const [phone, tablet] = await newPool(['Phone', 'Tablet']);
  if (phone === undefined || tablet === undefined) throw new Error('A device is missing.');
  const victim = await newVictim('Laptop');
  await victim.device.join(await phone.invite());
  await allLinked([phone, tablet, victim.device]);
  for (const [at, crashMs] of CRASHES_MS.entries()) {
    const name = `${at} ${PRIVATE_NAME}`;
    const content = { seed: 300 + at, length: PRIVATE.length };
    const { fileId } = await victim.device.store(content, { name, durability: 'fast', private: true });
    const stores = await victim.storeSecrets();
    await victim.device.page.evaluate(
      (afterMs) => new Promise((resolve) => setTimeout(resolve, afterMs)),
      crashMs,
    );
    await victim.end('killed');
    await victim.restart();
    await victim.device.waitFor('the file to be let go', ({ files, device }) =>
      files.some(
        (file) =>
          file.fileId === fileId &&
          !file.inOutbox &&
          file.holders.every(
            ({ deviceId, fragments }) => deviceId !== device.id || fragments.length < file.k,
          ),
      ),
    );
    // Its browser still runs: a thief at this moment would have this.
    expect(findingsIn(rob(victim), { stores, names: [name], contents: [content] }), `${crashMs} ms`).toEqual(
      NOTHING,
    );
  }
});

test('an update leaves nothing of what an older version let go', async ({
  relay,
  newVictim,
  prepareDevice,
  faults,
}) => {
  // A page requests its relay once more when its origin stops at the end of the test.
  faults.allow(/WebSocket connection to .* failed/);
  const origin = await serveFrozenApp(1, relay.app, { isOldRelay: true });
  try {
    const victim = await newVictim('Laptop', origin.app);
    await victim.device.createPool('Home');
    const invite = await victim.device.invite();
    const others: Device[] = [];
    for (const name of ['Phone', 'Tablet']) {
      const other = await prepareDevice(name, { ...relay, app: origin.app });
      await other.open();
      await other.join(invite);
      others.push(other);
    }
    await allLinked([victim.device, ...others]);
    await victim.device.store(SMALL, { name: 'letter.txt' });
    await victim.device.store(PRIVATE, { name: PRIVATE_NAME, private: true });
    const stores = await victim.storeSecrets();
    await victim.device.waitFor('all to be let go', ({ files }) => files.every(({ inOutbox }) => !inOutbox));

    await victim.device.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    origin.update();
    await victim.device.reload();
    const loaded = victim.device.page.waitForEvent('load');
    await victim.device.page.getByRole('button', { name: 'Update', exact: true }).click();
    await loaded;
    await victim.device.page.waitForFunction(() => 'palm' in window);
    await victim.device.page.evaluate(() => window.palm.ready);
    await victim.end('closed');
    const haul = rob(victim);
    expect(haul.files).toHaveLength(2);
    expect(findingsIn(haul, { stores, names: [PRIVATE_NAME], contents: [PRIVATE] })).toEqual(NOTHING);
  } finally {
    await origin.stop();
  }
});

test('an invite that was shown is not in the browser’s session files', async ({ newVictim }) => {
  const victim = await newVictim('Laptop');
  const { page } = victim.device;
  await victim.device.createPool('Home');
  await page.getByRole('button', { name: 'Invite a device' }).click();
  const invite = await page.getByLabel('Invite link').inputValue();
  // The browser saves the contents of fields from time to time: once this one is saved, the invite would be
  // too.
  const probe = 'shown beside the invite';
  await page.evaluate((text) => {
    const field = document.createElement('input');
    document.body.append(field);
    field.value = text;
  }, probe);
  const sessions = join(victim.folder, 'Default', 'Sessions');
  await expect.poll(() => traces(layersOf(sessions), nameNeedles('the probe', probe))).not.toEqual([]);
  await victim.end('closed');
  expect(findingsIn(rob(victim), { invite }).traces).toEqual([]);
});

test('an invite that was opened as an address stays in the browser’s history after leaving', async ({
  newPool,
  newVictim,
}) => {
  const [laptop] = await newPool(['Laptop', 'Tablet']);
  if (laptop === undefined) throw new Error('A device is missing.');
  const invite = await laptop.invite();
  const victim = await newVictim('Phone');
  const { page } = victim.device;
  await page.goto('about:blank');
  await page.goto(invite);
  await page.getByRole('button', { name: 'Join' }).click();
  await victim.device.waitFor('the pool', ({ pool }) => pool !== undefined);
  await page.evaluate(() => window.palm.leave());
  await victim.end('closed');
  // No page can remove it there, as the README says. Palm's own storage no longer has it.
  const { traces: lines } = findingsIn(rob(victim), { invite });
  expect(lines.filter((line) => line.includes('Default/History'))).not.toEqual([]);
  expect(lines.filter((line) => /IndexedDB|File System/.test(line))).toEqual([]);
});

/** What other devices hold, as `device` knows it: each item is a file, a device and a fragment. */
async function heldByOthers(device: Device): Promise<string[]> {
  const { files, device: self } = await device.status();
  return files.flatMap(({ fileId, holders }) =>
    holders
      .filter(({ deviceId }) => deviceId !== self.id)
      .flatMap(({ deviceId, fragments }) => fragments.map((fragment) => `${fileId} ${deviceId} ${fragment}`)),
  );
}

/** Waits until `storer` knows that `holder` holds as many fragments of each file as it may. */
async function untilHolding(storer: Device, holder: string): Promise<void> {
  await storer.waitFor(
    `${holder} to hold its share of all`,
    ({ files, devices }) => {
      const id = devices.find(({ name }) => name === holder)?.id;
      return files.every(({ holders, k }) =>
        holders.some(({ deviceId, fragments }) => deviceId === id && fragments.length === k - 1),
      );
    },
    60_000,
  );
}

/** Makes a device forget what the others hold, as if it had lost its last writes. */
async function forgetHoldings(device: Device): Promise<void> {
  await device.closeTab();
  const page = await device.context.newPage();
  // An image page names no icon, so the browser requests /favicon.ico.
  await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  await page.goto(new URL('icon.svg', device.appUrl).href);
  await page.evaluate(async () => {
    const settled = <Value>(request: IDBRequest<Value>): Promise<Value> =>
      new Promise((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result));
        request.addEventListener('error', () => reject(request.error ?? new Error('The request failed.')));
      });
    for (const { name = '' } of await indexedDB.databases()) {
      const database = await settled(indexedDB.open(name));
      if (database.objectStoreNames.contains('meta'))
        await settled(database.transaction('meta', 'readwrite').objectStore('meta').delete('holdings'));
      database.close();
    }
  });
  await page.close();
  await device.open();
}
