// What a thief of one device finds. The device's profile is a real browser's folder, taken after the browser
// has ended, and test/thief reads every byte of every file in it: it finds data that was deleted but not
// erased, and opens it if possible.

import { encodeInvite } from '../../src/core/model/invite.ts';
import { sha256 } from '../thief/keys.ts';
import type { Device } from './device.ts';
import { installDownloadProbe } from './download-probe.ts';
import { allLinked } from './palm-fixture.ts';
import type { Ending, ProfileDevice } from './profile-device.ts';
import { seededBytes } from './seeded-bytes.ts';
import { findingsIn, NOTHING, plainHashOf, rob, type Secrets, SEGMENT_BYTES } from './theft.ts';
import { expect, test } from './thief-fixture.ts';

const SMALL = { seed: 101, length: 21_000 };
const LARGE = { seed: 102, length: 3_000_000 };
const PRIVATE = { seed: 103, length: 2_000_000 };
const SMALL_NAME = 'shopping-list.txt';
const LARGE_NAME = 'birthday-film.mp4';
/** Beyond Latin-1, where V8 and UTF-8 have different encodings. */
const PRIVATE_NAME = 'tagebuch-žluť-2026.pdf';
/** Large enough to go through the disk. */
const CLIP = { seed: 104, length: 9_000_000 };
const CLIP_NAME = 'holiday-clip.mp4';
const CONTENTS = [SMALL, LARGE, PRIVATE];
const PASSPHRASE = 'eleven quiet otters';
const LOCKED_DEVICE = 'Grandmother’s workbench';
const LOCKED_POOL = 'Zwölf Speicher am Fluss';

/** All later tests expect to find nothing: this one shows that the thief is not blind. */
test('a thief opens the files that only the stolen device has', async ({ newVictim }) => {
  const victim = await newVictim('Laptop');
  await victim.device.createPool('Home');
  await storeAll(victim.device, 'fast');
  const { keys, shares } = await victim.storeSecrets();
  await victim.end('closed');

  // The private file also needs its link, which the thief has from elsewhere.
  const haul = rob(
    victim,
    keys.map(({ kc }) => kc),
  );
  expect(haul.loot.poolSecrets).toHaveLength(1);
  expect(haul.loot.deviceKeys).toHaveLength(1);
  expect(plainHashOf(haul, SMALL_NAME)).toBe(contentHashOf(SMALL));
  expect(plainHashOf(haul, LARGE_NAME)).toBe(contentHashOf(LARGE));
  expect(plainHashOf(haul, PRIVATE_NAME)).toBe(contentHashOf(PRIVATE));
  expect(haul.files).toHaveLength(3);
  for (const { shares: found } of haul.files) expect(found).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  // The later tests look for the right keys: the thief has exactly these.
  const sharesFound = haul.loot.indexes.map(({ share }) => share.toString('hex'));
  expect(shares.map((share) => share.toString('hex'))).toEqual(expect.arrayContaining(sharesFound));
  expect(haul.files.map(({ dataKey }) => dataKey?.toString('hex'))).toEqual(
    expect.arrayContaining(keys.map(({ dataKey }) => dataKey.toString('hex'))),
  );
});

for (const ending of ['closed', 'killed'] as const satisfies readonly Ending[]) {
  // A browser that is closed may still tidy its disk; one that is killed shows more.
  const tag = ending === 'killed' ? [] : ['@long'];
  test(
    `a thief opens none of the files that a device let go (${ending})`,
    { tag },
    async ({ newVictim, newDevice }) => {
      const victim = await newVictim('Laptop');
      await poolWith(victim, newDevice, ['Phone', 'Tablet']);
      await storeAll(victim.device, 'quorum');
      const stores = await victim.storeSecrets();
      const self = (await victim.device.status()).device.id;
      const { files } = await victim.device.waitFor('all to be let go', (status) =>
        status.files.every(
          ({ inOutbox, holders, k }) =>
            !inOutbox &&
            holders.every(({ deviceId, fragments }) => deviceId !== self || fragments.length < k),
        ),
      );
      expect(files).toHaveLength(3);
      await victim.end(ending);

      const haul = rob(victim);
      expect(findingsIn(haul, { stores, names: [PRIVATE_NAME], contents: CONTENTS })).toEqual(NOTHING);
      // What the thief has: he is now a member in the device's name, sees what members see, and holds what
      // the device holds.
      expect(haul.loot.poolSecrets).toHaveLength(1);
      expect(haul.loot.deviceKeys).toHaveLength(1);
      expect(new Set(haul.files.map(({ name }) => name))).toEqual(
        new Set([SMALL_NAME, LARGE_NAME, undefined]),
      );
      for (const { fileId, holders } of files) {
        const held = holders.find(({ deviceId }) => deviceId === self)?.fragments;
        expect(haul.files.find(({ id }) => id === fileId)?.shares).toEqual(held);
      }
    },
  );
}

test('a thief of the storer or of a holder opens no removed file', async ({ newVictim }) => {
  const laptop = await newVictim('Laptop');
  const phone = await newVictim('Phone');
  await laptop.device.createPool('Home');
  await phone.device.join(await laptop.device.invite());
  await allLinked([laptop.device, phone.device]);
  await storeAll(laptop.device, 'fast');
  const stores = await laptop.storeSecrets();
  const { files } = await phone.device.waitFor('its share of all', (status) =>
    isHolderOf(status, status.device.id, 3),
  );
  for (const { fileId } of files) await laptop.device.page.evaluate((id) => window.palm.remove(id), fileId);
  for (const { device } of [laptop, phone])
    await device.waitFor(
      'the files to be erased',
      ({ files: left, removed }) => left.length === 0 && removed === undefined,
    );
  await laptop.end('closed');
  await phone.end('killed');

  const secrets: Secrets = { stores, names: [PRIVATE_NAME], contents: CONTENTS };
  for (const victim of [laptop, phone]) {
    const haul = rob(victim);
    expect(findingsIn(haul, secrets), victim.name).toEqual(NOTHING);
    expect(haul.files.flatMap(({ shares }) => shares)).toEqual([]);
  }
});

for (const ending of ['closed', 'killed'] as const satisfies readonly Ending[]) {
  // One that is killed has had no chance to tidy its disk.
  const tag = ending === 'killed' ? [] : ['@long'];
  test(`a thief of a locked device finds no key and no name (${ending})`, { tag }, async ({ newVictim }) => {
    const victim = await newVictim(LOCKED_DEVICE);
    const { device } = victim;
    await device.createPool(LOCKED_POOL);
    await storeAll(device, 'fast');
    await beginStore(device);
    const stores = await victim.storeSecrets();
    const invite = await device.invite();
    const needles = {
      stores,
      names: [SMALL_NAME, LARGE_NAME, PRIVATE_NAME, LOCKED_DEVICE],
      contents: CONTENTS,
    };
    // In a killed browser the readable keys are only just gone.
    await device.page.evaluate((passphrase) => window.palm.lock(passphrase), PASSPHRASE);
    await victim.end(ending);
    const haul = rob(victim);
    expect(haul.loot.poolSecrets).toEqual([]);
    expect(haul.loot.deviceKeys).toEqual([]);
    expect(haul.files).toEqual([]);
    expect(findingsIn(haul, { ...needles, invite })).toEqual(NOTHING);
    // The browser's own history has the title of the page, from before there was a lock.
    const { traces } = findingsIn(haul, { names: [LOCKED_POOL] });
    expect(traces.filter((trace) => /indexeddb|File System/i.test(trace))).toEqual([]);

    // Everything is there for somebody who has the passphrase; and then for the thief as well.
    await victim.restart();
    expect((await victim.device.status()).lock).toBe('locked');
    await victim.device.page.evaluate(
      (passphrase) => window.palm.unlock(passphrase, { remove: true }),
      PASSPHRASE,
    );
    const { files } = await victim.device.status();
    expect(files.map(({ name }) => name)).toEqual([SMALL_NAME, LARGE_NAME, '']);
    await victim.end(ending);
    const again = rob(victim);
    const [opened] = again.loot.poolSecrets;
    if (opened === undefined) throw new Error('The pool secret is not there.');
    const before = findingsIn(haul, {
      ...needles,
      invite: encodeInvite({ ...opened, secret: new Uint8Array(opened.secret) }),
    });
    expect(before).toEqual(NOTHING);
    expect(again.loot.deviceKeys).toHaveLength(1);
    expect(plainHashOf(again, LARGE_NAME)).toBe(contentHashOf(LARGE));
  });
}

test('a thief finds no pool, file or name on a device that left', async ({ newVictim }) => {
  const victim = await newVictim('Laptop');
  const invite = await victim.device.createOldPool();
  await storeAll(victim.device, 'fast');
  const stores = await victim.storeSecrets();
  await victim.device.page.evaluate(() => window.palm.leave());
  await victim.end('closed');

  const haul = rob(victim);
  const names = [SMALL_NAME, LARGE_NAME, PRIVATE_NAME];
  expect(findingsIn(haul, { stores, names, contents: CONTENTS, invite })).toEqual(NOTHING);
  expect(haul.loot.poolSecrets).toEqual([]);
  expect(haul.files).toEqual([]);
});

test('a thief finds no key, name or hash of a cancelled store', async ({ newVictim }) => {
  const victim = await newVictim('Laptop');
  const { device } = victim;
  await device.createPool('Home');
  await beginStore(device);
  const stores = await victim.storeSecrets();
  expect(stores.keys).toHaveLength(1);
  await device.page.evaluate(() => window.cancelStore());
  expect((await device.status()).unfinished).toEqual([]);
  await victim.end('closed');

  expect(findingsIn(rob(victim), { stores, names: [PRIVATE_NAME], contents: [LARGE] })).toEqual(NOTHING);
});

test('a thief opens the sealed part of an interrupted store, and finds no key, name or hash once it is discarded', async ({
  newVictim,
}) => {
  const victim = await newVictim('Laptop');
  const { device } = victim;
  await device.createPool('Home');
  await beginStore(device);
  const stores = await victim.storeSecrets();
  expect(stores.keys).toHaveLength(1);
  await victim.end('killed');
  expect(rob(victim).files).toMatchObject([{ name: PRIVATE_NAME, segmentsOpened: 2, segmentCount: 4 }]);

  await victim.restart();
  const [store, ...others] = (await victim.device.status()).unfinished;
  expect(others).toEqual([]);
  expect(store).toMatchObject({ name: PRIVATE_NAME, sealedBytes: 2 * SEGMENT_BYTES });
  await victim.device.page.evaluate((id) => window.palm.discardStore(id), store?.id ?? '');
  await victim.end('killed');
  const haul = rob(victim);
  expect(haul.files).toEqual([]);
  expect(findingsIn(haul, { stores, names: [PRIVATE_NAME], contents: [LARGE] })).toEqual(NOTHING);
});

test('a thief finds no plaintext of ended downloads, even in freed space, and no name after leaving', async ({
  newPool,
  newVictim,
}) => {
  const [laptop] = await newPool(['Laptop', 'Tablet']);
  if (laptop === undefined) throw new Error('A device is missing.');
  await laptop.store(CLIP, { name: CLIP_NAME });
  const victim = await newVictim('Phone');
  const { device } = victim;
  await device.context.addInitScript({ content: `(${String(installDownloadProbe)})();` });
  await device.reload();
  await device.join(await laptop.invite());
  await device.waitFor('the file to be in reach', ({ files }) => files.some(({ reach, k }) => reach >= k));
  const { page } = device;
  const download = page
    .getByRole('list', { name: 'Files' })
    .getByRole('listitem', { name: CLIP_NAME })
    .getByRole('button', { name: 'Download' });

  await page.evaluate((at) => window.downloadProbe.stallAt(at), CLIP.length - 100_000);
  await download.click();
  await expect.poll(() => page.evaluate(() => window.downloadProbe.stalledAtByte)).toBeDefined();
  await victim.holdFiles();
  const transfer = page.getByRole('list', { name: 'Transfers' }).getByRole('listitem', { name: CLIP_NAME });
  await transfer.getByRole('button', { name: 'Cancel' }).click();
  await expect.poll(() => page.evaluate(keptDownloads)).toEqual([]);

  await page.evaluate(() => window.downloadProbe.stallAt(undefined));
  const arriving = page.waitForEvent('download');
  await download.click();
  await (await arriving).path();
  await victim.holdFiles();
  // Palm keeps it for a while, because the browser does not say when it has copied it.
  await device.context.addInitScript(() => {
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
  });
  await device.reload();
  await expect.poll(() => page.evaluate(keptDownloads)).toEqual([]);
  await page.evaluate(() => window.palm.leave());
  await victim.end('killed');

  expect(findingsIn(rob(victim), { names: [CLIP_NAME], contents: [CLIP] })).toEqual(NOTHING);
});

/** Runs in the page, as source text: names in the folder where Palm keeps downloads. */
async function keptDownloads(): Promise<string[]> {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle('downloads', { create: true });
  const names: string[] = [];
  for await (const name of folder.keys()) names.push(name);
  return names;
}

declare global {
  interface Window {
    /** Cancels the store begun by `storeHalf`, and resolves when it has ended. */
    cancelStore: () => Promise<void>;
  }
}

/**
 * Runs in the page, as source text: begins to store a file that delivers no bytes from `readable` on until it
 * is cancelled.
 */
function storeHalf([name, { seed, length }, readable]: readonly [
  string,
  { readonly seed: number; readonly length: number },
  number,
]): void {
  const bytes = window.palmTest.seededBytes(seed, length);
  const blob = new Blob([bytes]);
  const aborting = new AbortController();
  const cancelled = new Promise<void>((resolve) => {
    aborting.signal.addEventListener('abort', () => resolve());
  });
  let at = 0;
  const pull = async (controller: ReadableByteStreamController): Promise<void> => {
    if (at === readable) await cancelled;
    const end = Math.min(at + 100_000, at < readable ? readable : length);
    controller.enqueue(bytes.slice(at, end));
    at = end;
    if (at === length) controller.close();
  };
  Object.defineProperty(blob, 'stream', { value: () => new ReadableStream({ type: 'bytes', pull }) });
  const storing = window.palm.store(blob, { name, private: true, signal: aborting.signal });
  const ended = storing.then(
    () => undefined,
    () => undefined,
  );
  window.cancelStore = () => {
    aborting.abort();
    return ended;
  };
}

/** Begins to store a file that cannot be read to its end, and waits until two of its segments are sealed. */
async function beginStore(device: Device): Promise<void> {
  await device.page.evaluate(storeHalf, [PRIVATE_NAME, LARGE, 2 * SEGMENT_BYTES] as const);
  await device.waitFor('two segments to be sealed', ({ transfers }) =>
    transfers.some(({ phase, doneBytes }) => phase === 'sealing' && doneBytes === 2 * SEGMENT_BYTES),
  );
}

/** Stores the small, the large and the private files. */
async function storeAll(device: Device, durability: 'fast' | 'quorum'): Promise<void> {
  await device.store(SMALL, { name: SMALL_NAME, durability });
  await device.store(LARGE, { name: LARGE_NAME, durability });
  await device.store(PRIVATE, { name: PRIVATE_NAME, durability, private: true });
}

async function poolWith(
  { device }: ProfileDevice,
  newDevice: (name: string) => Promise<Device>,
  names: readonly string[],
): Promise<void> {
  await device.createPool('Home');
  const invite = await device.invite();
  const others = await Promise.all(names.map((name) => newDevice(name)));
  for (const other of others) await other.join(invite);
  await allLinked([device, ...others]);
}

function isHolderOf(
  status: Awaited<ReturnType<Device['status']>>,
  deviceId: string,
  fileCount: number,
): boolean {
  const held = status.files.filter(({ holders }) =>
    holders.some((holder) => holder.deviceId === deviceId && holder.fragments.length > 0),
  );
  return held.length === fileCount;
}

function contentHashOf({ seed, length }: { readonly seed: number; readonly length: number }): string {
  return sha256(seededBytes(seed, length)).toString('hex');
}
