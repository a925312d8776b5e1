// Wrong input and a hostile environment: each leads to an error that says what happened, or to success;
// nothing hangs.

import type { Device } from './device.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

test('an invite that is cut short or mistyped is refused', async ({ newDevice }) => {
  const laptop = await newDevice('Laptop');
  await laptop.createPool('Home');
  const invite = await laptop.invite();
  const phone = await newDevice('Phone');
  const [address = '', secret = ''] = invite.split('#/join/');
  const mistyped = secret.replace(/.(?=.{5}$)/, (letter) => (letter === 'b' ? 'c' : 'b'));
  for (const bad of [invite.slice(0, -4), `${address}#/join/${mistyped}`, `${address}#/join/`, 'hello', '']) {
    await expect(phone.join(bad), bad).rejects.toMatchObject({ code: 'bad-invite' });
    expect((await phone.status()).pool).toBeUndefined();
  }

  await test.step('the screen says so and stays usable', async () => {
    await phone.page.getByLabel('Invite link').fill(invite.slice(0, -4));
    await phone.page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(phone.page.getByRole('alert').first()).toContainText('the last 4 characters');
    // As a mail program wraps it, with other words; a field has no lines, so they run together.
    await phone.page
      .getByLabel('Invite link')
      .fill(`Join here: ${invite.replace(/(\w{30})$/, '\n> $1')}. See you!`);
    await phone.page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(phone.page.getByRole('list', { name: 'Devices' }).getByRole('listitem')).toHaveCount(2);
  });

  await test.step('an escaped # leads to the same question, and any other path to words', async () => {
    const tablet = await newDevice('Tablet');
    const { page } = tablet;
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    const { origin } = new URL(tablet.appUrl);
    const answer = await page.goto(`${origin}/photos`);
    expect([answer?.status(), answer?.fromServiceWorker()]).toEqual([200, true]);
    await expect(page.getByRole('alert')).toContainText('There is no page at “/photos”');
    await page.goto(invite.replace('#', '%23'));
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(page.getByRole('list', { name: 'Devices' }).getByRole('listitem')).toHaveCount(3);
    expect(page.url()).toBe(`${origin}/`);
  });
});

test('joining a pool in which nobody answers ends, and says so', async ({ newDevice }) => {
  const laptop = await newDevice('Laptop');
  // Only a pool of an earlier version is joined without being let in.
  const invite = await laptop.createOldPool();
  await laptop.close();

  const phone = await newDevice('Phone');
  expect(await phone.join(invite)).toEqual({ answered: false });
  expect((await phone.status()).pool).toMatchObject({ alone: true });
  await expect(phone.page.getByText(/No device of this pool answers/).first()).toBeVisible();
  await expect(phone.page.getByRole('progressbar')).toHaveCount(0);
});

test('odd names come back as they were given, too long ones are refused, and a second tab takes over', async ({
  newPool,
}) => {
  const [laptop, phone, tablet] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined || tablet === undefined)
    throw new Error('A device is missing.');
  const names = [
    '../../etc/passwd',
    'back\\slash',
    'nul\0name.txt',
    '\u202Egnp.exe',
    'café\u0301 — naïve',
    '👩‍👩‍👧‍👦 family 🌴.jpg',
    'x'.repeat(255),
    '語'.repeat(103),
    ' ',
    '<img src=x onerror=alert(1)>',
  ];
  for (const [index, name] of names.entries()) {
    const content = { seed: 100 + index, length: 1_000 + index };
    const { fileId } = await laptop.store(content, { name });
    const { files } = await phone.waitFor('the file', (status) =>
      status.files.some((file) => file.fileId === fileId),
    );
    expect(files.find((file) => file.fileId === fileId)?.name).toBe(name);
    expect(await phone.read(fileId)).toEqual(expectedBytes(content.seed, content.length));
  }
  for (const name of ['', 'x'.repeat(256), '語'.repeat(256)]) {
    await expect(laptop.store({ seed: 1, length: 10 }, { name })).rejects.toMatchObject({
      code: 'bad-argument',
    });
  }
  await expect(phone.page.getByRole('list', { name: 'Files' }).getByRole('listitem')).toHaveCount(
    names.length,
  );

  await test.step('a second tab shows the pool, and takes over when the first closes', async () => {
    const second = await laptop.context.newPage();
    await second.goto(laptop.appUrl);
    await expect(second.getByRole('list', { name: 'Devices' }).getByRole('listitem')).toHaveCount(3);

    await laptop.closeTab();
    await expect(second.getByRole('list', { name: 'Devices' }).getByRole('listitem')).toHaveCount(3);
    await phone.waitFor(
      'the device again',
      ({ devices }) => devices.length === 3 && devices.every(({ state }) => state === 'reachable'),
    );
  });
});

test('a full quota is a clear error, and what was stored still reads', async ({ newPool, prepareDevice }) => {
  const [laptop, phone] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
  // The browser caches the free space for some seconds, so the disk is made small before the app starts.
  const old = await prepareDevice('Old phone');
  const setQuota = await quotaOf(old);
  await setQuota(12_000_000);
  await old.open();
  await old.join(await laptop.invite());
  await allLinked([old, laptop, phone]);

  const before = { seed: 41, length: 2_000_000 };
  const { fileId } = await old.store(before, { name: 'before.bin' });
  const tooMuch = { seed: 42, length: 20_000_000 };
  await expect(old.store(tooMuch, { name: 'too much.bin' })).rejects.toMatchObject({ code: 'storage-full' });

  const status = await old.status();
  expect(status.files.map(({ name }) => name)).toEqual(['before.bin']);
  expect(status.transfers).toEqual([]);
  expect(status.unfinished).toMatchObject([{ name: 'too much.bin', needs: 'file' }]);
  for (const device of [old, phone]) {
    expect(await device.read(fileId)).toEqual(expectedBytes(before.seed, before.length));
  }

  await test.step('with room again, it goes on', async () => {
    await setQuota(undefined);
    const stored = await old.store(tooMuch, { name: 'too much.bin' });
    await phone.waitFor('the file', ({ files }) => files.some((file) => file.fileId === stored.fileId));
    expect(await phone.read(stored.fileId)).toEqual(expectedBytes(tooMuch.seed, tooMuch.length));
    expect((await old.status()).unfinished).toEqual([]);
  });
});

/** Sets how many bytes the device's browser lets the app keep; undefined for no limit. */
async function quotaOf(device: Device): Promise<(quotaBytes: number | undefined) => Promise<void>> {
  // The setting lasts as long as its session, here that of an empty page that stays open.
  const session = await device.context.newCDPSession(await device.context.newPage());
  const { origin } = new URL(device.appUrl);
  return async (quotaSize) => {
    await session.send('Storage.overrideQuotaForOrigin', {
      origin,
      ...(quotaSize === undefined ? {} : { quotaSize }),
    });
  };
}
