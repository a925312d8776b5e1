// Invites that end, in real browsers: used, withdrawn, expired, and used while whoever made it is away.

import { INVITE_TOLERANCE_MS } from '../../src/core/model/limits.ts';
import { expectAccessible } from './accessibility.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

const CONTENT = { seed: 61, length: 300_000 };

test('an invite lets in whom it is for, until it is used, withdrawn or expired', async ({
  newDevice,
  prepareDevice,
}) => {
  const [laptop, phone, tablet] = await Promise.all(
    ['Laptop', 'Phone', 'Tablet'].map((name) => newDevice(name)),
  );
  if (laptop === undefined || phone === undefined || tablet === undefined)
    throw new Error('A device is missing.');
  await laptop.createPool('Home');
  const { fileId } = await laptop.store(CONTENT, { name: 'before.bin', durability: 'fast' });
  const once = await laptop.invite({});
  expect(await phone.join(once)).toEqual({ answered: true });

  await test.step('used: the second device is told so, on its screen too', async () => {
    await expect(tablet.join(once)).rejects.toMatchObject({
      code: 'bad-invite',
      message: expect.stringContaining('has been used already'),
    });
    const { page } = tablet;
    await page.getByLabel('Invite link').fill(once);
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(page.getByRole('alert').first()).toContainText('Ask somebody in the pool for a new one');
    expect((await tablet.status()).pool).toBeUndefined();
  });

  await test.step('withdrawn', async () => {
    const { page } = laptop;
    await page.getByRole('button', { name: 'Invite a device' }).click();
    const shown = await page.getByLabel('Invite link').inputValue();
    await page.getByRole('button', { name: /^Withdraw: 1 device as member/ }).click();
    await expect(page.getByRole('dialog')).toContainText('withdrawn and lets nobody in');
    await page.keyboard.press('Escape');
    await expect(tablet.join(shown)).rejects.toMatchObject({
      message: expect.stringContaining('was withdrawn'),
    });
  });

  await test.step('expired, for as long as clocks may differ', async () => {
    const short = await laptop.invite({ expiresInMs: 1 });
    const late = await prepareDevice('Watch');
    await late.context.addInitScript((aheadMs) => {
      const { now } = Date;
      Date.now = () => now() + aheadMs;
    }, INVITE_TOLERANCE_MS + 60_000);
    await late.open();
    await expect(late.join(short)).rejects.toMatchObject({
      message: expect.stringContaining('has expired'),
    });
  });

  await test.step('while nobody is awake a join waits, over a reload; then any member lets it in', async () => {
    const { url } = await laptop.page.evaluate(async () => ({ url: await window.palm.invite() }));
    await phone.page.waitForFunction(() =>
      window.palm.invites().some(({ state, used }) => state === 'live' && used === 0),
    );
    await laptop.closeTab();
    await phone.closeTab();
    const { page } = tablet;
    await page.getByLabel('Invite link').fill(url);
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await expect(page.getByRole('heading', { name: 'Waiting to be let in' })).toBeVisible();
    await page.reload();
    await expect(page.getByText('No device of the pool is awake')).toBeVisible();
    await phone.open();
    await allLinked([phone, tablet]);
    // What the phone may hold of a file opens nothing alone.
    await laptop.open();
    await allLinked([laptop, phone, tablet]);
    expect(await tablet.read(fileId)).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
  });
});

test(
  'an admin keeps or shuts out who came in beyond an invite’s count',
  { tag: '@long' },
  async ({ newPool, newDevice }) => {
    const [laptop, phone] = await newPool(['Laptop', 'Phone']);
    if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
    const url = await laptop.invite({});
    await expect
      .poll(() => phone.page.evaluate(() => window.palm.invites().some(({ state }) => state === 'live')))
      .toBe(true);
    // Two parts that never meet.
    await laptop.closeTab();
    const tablet = await newDevice('Tablet');
    await tablet.join(url);
    for (const device of [phone, tablet]) await device.closeTab();
    await laptop.open();
    const stranger = await newDevice('Stranger');
    await stranger.join(url);
    for (const device of [phone, tablet]) await device.open();
    await allLinked([laptop, phone, tablet, stranger]);

    const { page } = laptop;
    const section = page.getByRole('status', { name: 'More devices came in than an invite was for' });
    await expect(section).toContainText('An invite for 1 device let in 2');
    await expect(section.getByRole('listitem')).toHaveCount(2);
    await expectAccessible(page, 'a list of devices beyond an invite’s count');
    await section.getByRole('button', { name: 'Shut Stranger out' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Shut out' }).click();
    await expect(section).toBeHidden();
    await stranger.waitFor('it to be told', ({ shutOut }) => shutOut?.some(({ self }) => self) === true);
    expect((await laptop.status()).devices.map(({ name }) => name)).not.toContain('Stranger');
    expect((await tablet.status()).overused).toBeUndefined();
  },
);
